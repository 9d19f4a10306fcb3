//! Events of pushes reach whoever a rule names: in order, signed, at least once, past restarts; and nobody else is
//! reached by them.

use serde_json::{Value, json};

use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::ports;
use crate::support::pusher::Pusher;
use crate::support::receiver::{Answer, Receiver};
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{API_KEY, DOMAIN, Setup};

/// A server that may tell receivers on this machine, and tries again soon.
fn setup() -> Setup {
    Setup::open().config(
        "[callback]\nallow_private = true\nretry_every = \"300ms\"\nretries = 1000\ntimeout = \"2s\"\n",
    )
}

/// Makes a template whose every event goes to `url`, bound to an app.
fn tell(server: &Server, app: &str, url: &str, key: &str) -> i64 {
    let urls = json!({ "stream_begin": url, "stream_end": url, "push_exception": url });
    let body = json!({ "account": 7, "name": "all", "urls": urls, "key": key });
    let made = server.ask("POST", "/api/v1/callbacks/templates", API_KEY, body.to_string().as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    let id = made.json()["id"].as_i64().unwrap();
    let rule = json!({ "domain": DOMAIN, "app": app, "template": id }).to_string();
    assert_eq!(server.ask("PUT", "/api/v1/callbacks/rules", API_KEY, rule.as_bytes()).status, 200);
    id
}

fn deliveries(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("/api/v1/callbacks/deliveries?limit=500&{query}"));
    answer["deliveries"].as_array().unwrap().clone()
}

#[test]
fn a_receiver_that_was_down_gets_each_event_in_order_past_a_restart() {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], ports::free()));
    let mut server = setup().start();
    tell(&server, "*", &format!("http://{address}/"), "a-key");
    for stream in ["first", "second"] {
        let mut push = Pusher::push(server.rtmp(), stream).unwrap();
        push.send_media(1_000).unwrap();
        push.delete_stream().unwrap();
    }
    until_true("three tries of each", PATIENCE, || {
        ["first", "second"].iter().all(|stream| {
            let tries = deliveries(&server, &format!("delivered=false&stream={stream}"));
            tries.iter().filter(|t| t["outcome"] == "retry" && t["kind"] == "begin").count() >= 3
        })
    });
    assert!(server.terminate().success());
    server.start_again();
    let receiver = Receiver::on(address, |_| Answer::Says(200));
    for stream in ["first", "second"] {
        assert_eq!(receiver.types(stream, 2), [1, 0], "{stream}");
        let events = receiver.about(stream);
        assert_eq!(events[0].body["sequence"], events[1].body["sequence"]);
        assert_eq!(events[0].body["delivery_id"], events[0].delivery.as_str());
        assert_eq!((&events[1].body["errcode"], &events[1].body["sub_errcode"]), (&json!(1), &json!(0)));
    }
    until_true("all of it to be over", PATIENCE, || deliveries(&server, "delivered=true").len() == 4);
    let times = receiver.all().len();
    assert_eq!(times, 4, "each event once, since each was answered");
}

#[test]
fn a_callback_carries_a_signature_and_the_query_as_it_was_pushed() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let receiver = Receiver::start();
    let server = setup().start();
    tell(&server, "live", &receiver.url("/here"), "a-key");
    let url = format!("{}&txSecret=0123456789abcdef&txTime=7FFFFFFF", server.open_url("signed"));
    let mut encoder = Encoder::ffmpeg(&url);
    assert_eq!(receiver.types("signed", 1), [1]);
    encoder.interrupt();
    assert_eq!(receiver.types("signed", 2), [1, 0]);
    let events = receiver.about("signed");
    for event in &events {
        let (body, path) = (&event.body, event.path.as_str());
        assert_eq!((path, &body["app"], &body["appname"]), ("/here", &json!(DOMAIN), &json!("live")));
        let expires = body["t"].as_i64().unwrap();
        assert_eq!(body["sign"], web::callback::message::sign("a-key", expires));
        assert!(body["stream_param"].as_str().unwrap().contains("txSecret=0123456789abcdef"), "{body}");
    }
    assert_eq!(events[1].body["width"], server.record("signed").video.unwrap().width.unwrap());
    assert!(events[1].body["push_duration"].as_str().unwrap().parse::<u64>().unwrap() > 0);
    // What is kept of it here tells no secret.
    until_true("both deliveries", PATIENCE, || deliveries(&server, "stream=signed").len() == 2);
    for delivery in deliveries(&server, "stream=signed") {
        assert!(!delivery.to_string().contains("0123456789abcdef"), "{delivery}");
        assert!(delivery["request"].as_str().unwrap().contains("txSecret=***"), "{delivery}");
    }
}

#[test]
fn a_push_that_a_killed_node_carried_is_told_to_have_ended() {
    let receiver = Receiver::start();
    let mut server = setup().start();
    tell(&server, "live", &receiver.url("/"), "");
    let _push = Pusher::push(server.rtmp(), "orphan").unwrap();
    assert_eq!(receiver.types("orphan", 1), [1]);
    server.kill();
    server.start_again();
    assert_eq!(receiver.types("orphan", 2), [1, 0]);
    let end = &receiver.about("orphan")[1].body;
    assert_eq!(end["errcode"], 11);
    assert!(end.get("sign").is_none(), "there is no key to sign with");
}

#[test]
fn a_short_interruption_is_told_to_nobody_where_the_filter_holds_it_back() {
    let receiver = Receiver::start();
    let config = "[callback]\nallow_private = true\nflap = \"12s\"\n";
    let server = Setup::open().config(config).start();
    tell(&server, "live", &receiver.url("/"), "");
    let first = Pusher::push(server.rtmp(), "flaps").unwrap();
    assert_eq!(receiver.types("flaps", 1), [1]);
    first.delete_stream().unwrap();
    let again = Pusher::push(server.rtmp(), "flaps").unwrap();
    until_true("both to be kept back", PATIENCE, || {
        let metrics = http::request(server.http(), "GET", "/metrics", &[], b"").unwrap().text();
        metrics.lines().any(|line| line == "lastframe_callbacks_suppressed_total 2")
    });
    again.delete_stream().unwrap();
    assert_eq!(receiver.types("flaps", 2), [1, 0], "the interruption that lasts is told");
    let told = receiver.about("flaps");
    let records = server.records(&["--stream", "flaps"]);
    assert_eq!(records.len(), 2, "records are not filtered");
    let last = records.iter().max_by_key(|record| record.ended_at).unwrap();
    assert_eq!(told[1].body["sequence"], last.sequence.to_string());
    assert_eq!(receiver.all().len(), 2);
}

#[test]
fn abnormalities_of_a_live_push_are_told_and_kept() {
    let receiver = Receiver::start();
    let server = setup().start();
    tell(&server, "live", &receiver.url("/"), "a-key");
    let mut push = Pusher::push(server.rtmp(), "jumpy").unwrap();
    push.send_media(1_000).unwrap();
    push.time += 5_000;
    push.send_media(1_000).unwrap();
    let told = until("a push error", PATIENCE, || {
        let _ = push.send_media(1_000);
        receiver.about("jumpy").into_iter().find(|r| r.body["event_type"] == 321)
    });
    let jump = told.body["abnormal_event"].as_array().unwrap().iter().find(|e| e["type"] == 3).cloned();
    let jump = jump.unwrap_or_else(|| panic!("{}", told.body));
    assert_eq!((&jump["count"], &jump["customer_visible"]), (&json!(1), &json!("true")));
    assert_eq!(told.body["domain"], DOMAIN);
    let events = server.get("/api/v1/events?stream=jumpy&kind=3");
    assert_eq!(events["events"][0]["sequence"], told.body["sequence"], "{events}");
    push.delete_stream().unwrap();
}

#[test]
fn a_receiver_that_never_answers_delays_nobody_else() {
    let silent = Receiver::on(std::net::SocketAddr::from(([127, 0, 0, 1], 0)), |_| Answer::Silence);
    let receiver = Receiver::start();
    let server = Setup::open()
        .config("[callback]\nallow_private = true\ntimeout = \"60s\"\nin_all = 16\nper_receiver = 8\n")
        .start();
    tell(&server, "silent", &silent.url("/"), "");
    tell(&server, "live", &receiver.url("/"), "");
    for n in 0..40 {
        let push = Pusher::push_to(server.rtmp(), DOMAIN, "silent", &format!("unheard-{n}")).unwrap();
        push.delete_stream().unwrap();
    }
    until_true("the silent one to have its share", PATIENCE, || silent.all().len() == 8);
    for n in 0..5 {
        let stream = format!("heard-{n}");
        Pusher::push(server.rtmp(), &stream).unwrap().delete_stream().unwrap();
        assert_eq!(receiver.types(&stream, 2), [1, 0]);
    }
    assert_eq!(silent.all().len(), 8, "no more requests at once than one receiver may have");
}

#[test]
fn callbacks_do_not_reach_into_the_network_of_the_server() {
    let inside = Receiver::start();
    let port = inside.address.port();
    let server = Setup::open().config("[callback]\nretry_every = \"300ms\"\nretries = 1\n").start();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "http://100.64.0.1/".to_owned(),
        "http://0.0.0.0/".to_owned(),
        "http://[fd00::1]/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
    ] {
        let body = json!({ "account": 7, "name": "x", "urls": { "stream_begin": url } }).to_string();
        let answer = server.ask("POST", "/api/v1/callbacks/templates", API_KEY, body.as_bytes());
        assert_eq!(answer.status, 400, "{url}: {}", answer.text());
        assert_eq!(answer.json()["field"], "stream_begin");
    }
    // A name is only known for what it is when it is resolved, which is when it is connected to.
    tell(&server, "live", &format!("http://localhost:{port}/"), "");
    Pusher::push(server.rtmp(), "by-name").unwrap().delete_stream().unwrap();
    let tries = until("both events to be given up", PATIENCE, || {
        let tries = deliveries(&server, "stream=by-name");
        (tries.iter().filter(|t| t["outcome"] == "given_up").count() == 2).then_some(tries)
    });
    assert!(tries.iter().all(|t| t["reason"].as_str().unwrap().contains("no public address")), "{tries:?}");
    assert_eq!(inside.all().len(), 0, "somebody was reached");
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = Receiver::start();
    let to = elsewhere.url("/elsewhere");
    let receiver =
        Receiver::on(std::net::SocketAddr::from(([127, 0, 0, 1], 0)), move |_| Answer::Redirects(to.clone()));
    let server = setup().start();
    let id = tell(&server, "live", &receiver.url("/"), "");
    let answer = server.post(&format!("/api/v1/callbacks/templates/{id}/test"), &json!({ "kind": "end" }));
    assert_eq!((&answer["received"], &answer["status"]), (&json!(false), &json!(302)), "{answer}");
    assert_eq!((receiver.all().len(), elsewhere.all().len()), (1, 0));
}
