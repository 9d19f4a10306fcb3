//! A third party decides, and what it says or fails to say is the cause.

use std::thread::sleep;
use std::time::Duration;

use crate::support::hook::{self, Answer};
use crate::support::ports;
use crate::support::pusher::Pusher;
use crate::support::setup::{DOMAIN, Setup};

#[test]
fn the_hook_says_no_or_nothing_and_the_push_is_refused() {
    let url = hook::start(|stream| match stream {
        "yes" => Answer::Says(200, r#"{"code":0}"#),
        "empty-yes" => Answer::Says(204, ""),
        "no" => Answer::Says(403, r#"{"message":"not today"}"#),
        "no-in-the-body" => Answer::Says(200, r#"{"code":7,"message":"no"}"#),
        _ => Answer::Waits(Duration::from_secs(20)),
    });
    let server =
        Setup::open().config("[auth_hook]\ntimeout = \"1s\"\n").env("LASTFRAME_AUTH_HOOK_URL", &url).start();
    for stream in ["yes", "empty-yes"] {
        Pusher::push(server.rtmp(), stream).unwrap().delete_stream().unwrap();
        assert_eq!(server.code(stream), "1/0");
    }
    for (stream, detail) in
        [("no", "hook_status"), ("no-in-the-body", "hook_status"), ("silent", "hook_timeout")]
    {
        let told = Pusher::push(server.rtmp(), stream).unwrap_err().told();
        assert!(told.text.starts_with("[19/0] "), "{stream}: {told:?}");
        let record = server.record(stream);
        assert_eq!(record.code().to_string(), "19/0");
        assert_eq!(record.detail.expect("a detail").key, detail, "{stream}");
    }
}

#[test]
fn a_hook_that_cannot_be_reached_lets_nobody_in() {
    let url = format!("http://127.0.0.1:{}/", ports::free());
    let server = Setup::open().env("LASTFRAME_AUTH_HOOK_URL", &url).start();
    let told = Pusher::push(server.rtmp(), "unreachable").unwrap_err().told();
    assert!(told.text.starts_with("[19/0] "), "{told:?}");
    let record = server.record("unreachable");
    assert_eq!(record.code().to_string(), "19/0");
    assert_eq!(record.detail.expect("a detail").key, "hook_unreachable");
}

#[test]
fn a_client_that_leaves_while_the_hook_decides_is_known_by_that() {
    let url = hook::start(|_| Answer::Waits(Duration::from_secs(5)));
    let server =
        Setup::open().config("[auth_hook]\ntimeout = \"10s\"\n").env("LASTFRAME_AUTH_HOOK_URL", &url).start();
    let mut push = Pusher::open(server.rtmp()).unwrap().ready(DOMAIN, "live").unwrap();
    push.ask_to_publish("impatient").unwrap();
    sleep(Duration::from_secs(1));
    push.end_of_file().unwrap();
    assert_eq!(server.code("impatient"), "32/0");
}

#[test]
fn a_forbid_that_comes_while_the_hook_decides_is_not_missed() {
    let url = hook::start(|_| Answer::Waits(Duration::from_secs(3)));
    let server =
        Setup::open().config("[auth_hook]\ntimeout = \"10s\"\n").env("LASTFRAME_AUTH_HOOK_URL", &url).start();
    let mut push = Pusher::open(server.rtmp()).unwrap().ready(DOMAIN, "live").unwrap();
    push.ask_to_publish("overtaken").unwrap();
    sleep(Duration::from_secs(1));
    server.post(
        "/api/v1/streams/forbid",
        &serde_json::json!({ "domain": DOMAIN, "app": "live", "stream": "overtaken" }),
    );
    let told = push.wait_for_cut();
    assert!(told.text.starts_with("[18/305] "), "{told:?}");
    assert_eq!(server.code("overtaken"), "18/305");
}
