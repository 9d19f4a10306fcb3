//! A node that is told to stop says so while what is open is ended.

use std::process::Command;

use crate::support::clock::{PATIENCE, until_true};
use crate::support::http;
use crate::support::pusher::Pusher;
use crate::support::setup::Setup;

#[test]
fn readiness_is_taken_back_before_the_last_push_has_ended() {
    let mut server = Setup::open().start();
    let ready = || {
        http::request(server.http(), "GET", "/readyz", &[], &[]).map(|answer| (answer.status, answer.text()))
    };
    // It hears that it is cut, and does not close: the node waits for it a while.
    let mut push = Pusher::push(server.rtmp(), "last").unwrap();
    push.send_media(2_000).unwrap();
    assert_eq!(ready().unwrap().0, 200);
    assert!(Command::new("kill").args(["-TERM", &server.pid().to_string()]).status().unwrap().success());
    until_true("readiness to be taken back", PATIENCE, || {
        ready().is_ok_and(|answer| answer == (503, "stopping\n".to_owned()))
    });
    assert!(server.runs(), "it has not stopped yet");
    let alive = http::request(server.http(), "GET", "/healthz", &[], &[]).unwrap();
    assert_eq!(alive.status, 200);
    assert!(push.wait_for_cut().text.starts_with("[9/0]"));
    drop(push);
    until_true("the stop", PATIENCE, || !server.runs());
    assert_eq!(server.code("last"), "9/0");
}
