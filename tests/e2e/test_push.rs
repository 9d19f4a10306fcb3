//! Test pushes: analysed and recorded like all others, never playable, over every transport.

use model::Record;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, now, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::players::Pages;
use crate::support::pusher::Pusher;
use crate::support::receiver::Receiver;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{API_KEY, DOMAIN, Setup};

/// Waits until the test push has been live long enough to be graded, and says how lists show it.
fn settled(server: &Server, stream: &str) -> Value {
    let listed = || {
        let pushes = server.get("/api/v1/pushes");
        pushes["pushes"].as_array()?.iter().find(|push| push["stream"] == stream).cloned()
    };
    let first = until("the test push", 2 * PATIENCE, listed);
    let enough = first["bytes_in"].as_u64().unwrap_or(0) + 60_000;
    let began = now();
    until("a settled push", 2 * PATIENCE, || {
        let push = listed()?;
        (began.elapsed().as_secs() >= 7 && push["bytes_in"].as_u64()? > enough).then_some(push)
    })
}

/// Tells the API something, and gives its answer.
fn ask(server: &Server, method: &str, path: &str, body: &Value) -> Value {
    let answer = server.ask(method, path, API_KEY, body.to_string().as_bytes());
    assert!((200..300).contains(&answer.status), "{}", answer.text());
    answer.json()
}

/// What a viewer gets.
fn played(server: &Server, path: &str) -> u16 {
    http::request(server.http(), "GET", &format!("{path}?domain={DOMAIN}"), &[], &[]).unwrap().status
}

/// Holds that nobody can play the stream, and that it is in no list of live streams.
fn is_not_playable(server: &Server, stream: &str) {
    assert_eq!(played(server, &format!("/live/{stream}.flv")), 404);
    assert_eq!(played(server, &format!("/live/{stream}/index.m3u8")), 404);
    let pushes = server.get("/api/v1/pushes");
    let mut shown = pushes["pushes"].as_array().unwrap().iter().filter(|push| push["stream"] == stream);
    assert!(shown.all(|push| push["role"] == "test"), "{pushes}");
}

/// The report of a push, and what `show` says of it.
fn report(server: &Server, record: &Record) -> Value {
    assert!(record.is_test(), "{record:?}");
    let whole = server.get(&format!("/api/v1/records/{}", record.id));
    assert_eq!(whole["test"], true);
    let shown = server.cli(&["show", &record.id.to_string()]);
    let grade = whole["health"]["grade"].as_str().unwrap_or("none");
    assert!(shown.contains(&format!("HEALTH  {grade}  of a test push")), "{shown}");
    println!("{shown}");
    whole["health"].clone()
}

/// The checks that were made, by their keys.
fn checks(report: &Value) -> Vec<&str> {
    report["checks"].as_array().unwrap().iter().filter_map(|check| check["key"].as_str()).collect()
}

#[test]
fn a_test_push_of_rtmp_is_graded_and_neither_playable_nor_told_to_receivers_nor_in_the_way_of_the_stream() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().config("[callback]\nallow_private = true\n").start();
    let receiver = Receiver::start();
    let url = receiver.url("/told");
    let urls = json!({ "stream_begin": url, "stream_end": url, "push_exception": url });
    let template = json!({ "account": 7, "name": "all", "urls": urls, "key": "" });
    let id = ask(&server, "POST", "/api/v1/callbacks/templates", &template)["id"].clone();
    ask(
        &server,
        "PUT",
        "/api/v1/callbacks/rules",
        &json!({ "domain": DOMAIN, "app": "live", "template": id }),
    );

    let mut real = Pusher::push(server.rtmp(), "stage").unwrap();
    real.send_media(2_000).unwrap();
    let mut encoder = Encoder::ffmpeg(&format!("{}&test=1", server.open_url("stage-test")));
    let push = settled(&server, "stage-test");
    assert_eq!((&push["role"], &push["viewers"]), (&"test".into(), &0.into()), "{push}");
    is_not_playable(&server, "stage-test");

    // The stream itself goes on while the same name is tested.
    let mut same = Pusher::open(server.rtmp()).unwrap();
    same.handshake().unwrap();
    same.connect("live", &format!("rtmp://{DOMAIN}/live")).unwrap();
    same.create_stream().unwrap();
    same.publish("stage?test=1").unwrap();
    same.send_media(2_000).unwrap();
    real.send_media(2_000).unwrap();
    let roles = until("both pushes of the name", PATIENCE, || {
        let pushes = server.get("/api/v1/pushes");
        let of_name = pushes["pushes"].as_array()?.iter().filter(|push| push["stream"] == "stage");
        let mut roles: Vec<String> =
            of_name.filter_map(|push| push["role"].as_str().map(str::to_owned)).collect();
        roles.sort();
        (roles.len() == 2).then_some(roles)
    });
    assert_eq!(roles, ["live", "test"]);
    same.delete_stream().unwrap();
    let record = server.record("stage");
    assert!(record.is_test() && record.code().to_string() == "1/0", "{record:?}");
    real.send_media(2_000).unwrap();
    real.delete_stream().unwrap();

    encoder.interrupt();
    encoder.wait();
    let record = server.record("stage-test");
    assert_eq!(record.code().to_string(), "1/0");
    let report = report(&server, &record);
    for key in [
        "health_codecs",
        "health_bitrate",
        "health_frame_rate",
        "health_key_frames",
        "health_offset",
        "health_lag",
        "health_path",
    ] {
        assert!(checks(&report).contains(&key), "{key}: {report}");
    }
    // Of the stream itself they hear, and of nothing else.
    let events =
        || receiver.about("stage").iter().map(|event| event.body["event_type"].clone()).collect::<Vec<_>>();
    until_true("the end of the stream to be told", PATIENCE, || events().contains(&json!(0)));
    let parts: Vec<_> = events().into_iter().filter(|kind| *kind != json!(321)).collect();
    assert_eq!(parts, [json!(1), json!(0)]);
    assert!(receiver.about("stage-test").is_empty());
}

#[test]
fn an_app_of_tests_makes_each_push_to_it_a_test_and_an_operator_can_end_it() {
    let server = Setup::open().start();
    let apps = json!({ "apps": [{ "name": "rehearsal", "test": true }] });
    ask(&server, "PATCH", &format!("/api/v1/domains/{DOMAIN}"), &apps);
    let mut push = Pusher::push_to(server.rtmp(), DOMAIN, "rehearsal", "camera").unwrap();
    push.send_media(2_000).unwrap();
    until_true("the test push", PATIENCE, || server.get("/api/v1/pushes")["pushes"][0]["role"] == "test");
    server.post("/api/v1/streams/drop", &json!({ "domain": DOMAIN, "app": "rehearsal", "stream": "camera" }));
    push.wait_for_cut();
    let record = server.record("camera");
    assert_eq!(
        (record.code().to_string().as_str(), record.stream_param.as_deref()),
        ("21/100", Some("test=1"))
    );
    assert_eq!(report(&server, &record)["grade"], "unknown", "it was live for less than five seconds");
}

#[test]
fn a_test_push_of_srt_is_graded() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().start();
    let id = format!("#!::h={DOMAIN},r=live/srt-test,test=1,m=publish");
    let mut encoder = Encoder::ffmpeg_over_srt(&format!("srt://{}?streamid={id}", server.srt()), 60);
    assert_eq!(settled(&server, "srt-test")["role"], "test");
    is_not_playable(&server, "srt-test");
    encoder.interrupt();
    encoder.wait();
    let record = server.record("srt-test");
    assert_eq!(record.code().to_string(), "35/0");
    let report = report(&server, &record);
    let keys = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["key"] == "health_key_frames")
        .unwrap();
    assert_eq!(keys["params"]["longest_ms"], 2_000, "{report}");
}

#[test]
fn a_test_push_of_a_browser_is_graded() {
    if !rights::has(&["chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    let (browser, pages) = (Browser::open(800, 600, "en"), Pages::serve());
    let url = format!("http://{}/whip/live/browser-test?domain={DOMAIN}&test=1", server.http());
    browser.go(&pages.webrtc("whip", &url, ""));
    assert_eq!(settled(&server, "browser-test")["role"], "test");
    is_not_playable(&server, "browser-test");
    assert_eq!(browser.script("return window.stop_()"), 200);
    let record = server.record("browser-test");
    assert_eq!(record.code().to_string(), "35/0");
    let report = report(&server, &record);
    assert!(checks(&report).contains(&"health_frame_rate"), "{report}");
}
