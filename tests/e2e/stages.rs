//! A client that leaves before it is live is known by the stage it had reached.

use std::net::TcpStream;
use std::time::Duration;

use crate::support::pusher::Pusher;
use crate::support::setup::{DOMAIN, Setup};

#[test]
fn leaving_before_publish_is_told_by_its_stage() {
    let server = Setup::open().start();
    let open = || Pusher::open(server.rtmp()).unwrap();

    open().end_of_file().unwrap();
    assert_eq!(server.record_of_code("22/0").bytes_in, 0);

    let mut push = open();
    push.send_raw(&[3; 700]).unwrap();
    push.end_of_file().unwrap();
    assert_eq!(server.record_of_code("25/0").bytes_in, 700);

    let mut push = open();
    push.handshake().unwrap();
    push.end_of_file().unwrap();
    server.record_of_code("26/0");

    let mut push = open();
    push.handshake().unwrap();
    push.connect("live", &format!("rtmp://{DOMAIN}/live")).unwrap();
    push.end_of_file().unwrap();
    server.record_of_code("27/0");

    open().ready(DOMAIN, "live").unwrap().end_of_file().unwrap();
    let record = server.record_of_code("28/0");
    assert_eq!(record.published_at, None);
    assert_eq!(record.detail.expect("a detail").key, "setup_closed");
    assert_eq!(server.records(&[]).len(), 5, "nothing else was recorded");
}

#[test]
fn a_client_that_dawdles_is_closed_and_told_by_its_stage() {
    let server = Setup::open().config("[limits]\nhandshake = \"1s\"\nsetup = \"2s\"\n").start();
    let silent = TcpStream::connect(server.rtmp()).unwrap();
    let record = server.record_of_code("22/0");
    assert_eq!(record.detail.expect("a detail").key, "setup_limit");
    drop(silent);

    let mut push = Pusher::open(server.rtmp()).unwrap().ready(DOMAIN, "live").unwrap();
    push.wait_for_close();
    let record = server.record_of_code("28/0");
    let lasted = Duration::from_millis(record.ended_at.since(record.connected_at));
    assert!((Duration::from_millis(1_900)..Duration::from_secs(8)).contains(&lasted), "{lasted:?}");
}

#[test]
fn identical_early_ends_fold_into_one_record_with_a_count() {
    // The open set-up turns folding off; this one has it.
    let folding = Setup::first_start().start();
    for _ in 0..5 {
        Pusher::open(folding.rtmp()).unwrap().end_of_file().unwrap();
    }
    let record = crate::support::clock::until("the count", crate::support::clock::PATIENCE, || {
        let records = folding.records(&["--code", "22/0"]);
        assert!(records.len() <= 1, "one record: {records:#?}");
        records.into_iter().find(|record| record.attempts == 5)
    });
    assert!(record.last_attempt_at.is_some_and(|last| last >= record.ended_at));
}
