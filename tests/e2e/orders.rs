//! What an operator orders by the API.

use serde_json::{Value, json};

use crate::support::pusher::Pusher;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

#[test]
fn a_dropped_push_is_told_and_may_come_again() {
    let server = Setup::open().start();
    let mut push = live(&server, "dropped");
    assert_eq!(server.post("/api/v1/streams/drop", &key("dropped"))["dropped"], 1);
    let told = push.wait_for_cut();
    assert!(told.text.starts_with("[21/100]"), "{told:?}");
    let record = server.record("dropped");
    assert_eq!((record.code().to_string().as_str(), record.side.as_str()), ("21/100", "operator"));
    live(&server, "dropped").delete_stream().unwrap();
    assert_eq!(server.post("/api/v1/streams/drop", &key("nobody"))["dropped"], 0);
}

#[test]
fn a_forbidden_stream_is_cut_refused_and_let_in_again() {
    let server = Setup::open().start();
    let mut push = live(&server, "forbidden");
    server.post("/api/v1/streams/forbid", &key("forbidden"));
    let told = push.wait_for_cut();
    assert!(told.text.starts_with("[21/101]"), "{told:?}");
    assert_eq!(server.code("forbidden"), "21/101");

    let told = Pusher::push(server.rtmp(), "forbidden").unwrap_err().told();
    assert!(told.text.starts_with("[18/305]"), "{told:?}");
    assert_eq!(server.codes("forbidden", 2), ["18/305", "21/101"]);
    assert_eq!(server.get("/api/v1/streams/forbidden")["forbidden"][0]["stream"], "forbidden");

    assert_eq!(server.post("/api/v1/streams/resume", &key("forbidden"))["resumed"], true);
    live(&server, "forbidden").delete_stream().unwrap();
    assert_eq!(server.codes("forbidden", 3), ["1/0", "18/305", "21/101"]);
}

#[test]
fn a_forbid_outlives_a_restart() {
    let mut server = Setup::open().start();
    server.post("/api/v1/streams/forbid", &key("kept-out"));
    server.kill();
    server.start_again();
    let told = Pusher::push(server.rtmp(), "kept-out").unwrap_err().told();
    assert!(told.text.starts_with("[18/305]"), "{told:?}");
}

#[test]
fn the_api_is_closed_without_a_key() {
    let server = Setup::open().start();
    for key in ["e2e:wrong", "nobody:a-secret-for-the-tests", ":"] {
        let answer = server.ask("GET", "/api/v1/records", key, &[]);
        assert_eq!(answer.status, 401, "{key}: {}", answer.text());
    }
}

fn live(server: &Server, stream: &str) -> Pusher {
    let mut push = Pusher::push(server.rtmp(), stream).unwrap();
    push.send_media(1_000).unwrap();
    push
}

fn key(stream: &str) -> Value {
    json!({ "domain": DOMAIN, "app": "live", "stream": stream })
}
