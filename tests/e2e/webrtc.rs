//! WebRTC by a real browser: it pushes by WHIP and plays by WHEP, and the records say how its pushes ended.

use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::{Encoder, probe};
use crate::support::http;
use crate::support::players::Pages;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

/// An offer as a browser makes it, with H.264 and Opus.
pub const OFFER: &str = include_str!("web/offer.sdp");

pub fn url(server: &Server, kind: &str, stream: &str) -> String {
    format!("http://{}/{kind}/live/{stream}?domain={DOMAIN}", server.http())
}

pub fn sample(browser: &Browser) -> Value {
    browser.script("return window.sample ? window.sample() : {}")
}

/// Opens the page and waits until it is connected.
pub fn connected(browser: &Browser, page: &str) -> Value {
    browser.go("about:blank");
    browser.go(page);
    until("the connection", 2 * PATIENCE, || {
        let sample = sample(browser);
        assert_eq!(sample["errors"], serde_json::json!([]), "{sample}");
        assert!(sample["problem"].is_null(), "{sample}");
        (sample["state"] == "connected").then_some(sample)
    })
}

/// Waits until so many frames more have been shown.
pub fn advances(browser: &Browser, frames: f64) {
    let shown = || sample(browser)["frames"].as_f64().unwrap_or(0.0);
    until_true("the first frames", 2 * PATIENCE, || shown() > 0.0);
    let first = shown();
    until_true("frames that advance", 2 * PATIENCE, || shown() >= first + frames);
}

fn is_there() -> bool {
    rights::has(&["ffmpeg", "chromium", "chromedriver"])
}

#[test]
fn a_browser_pushes_and_another_sees_it_and_its_delete_is_its_goodbye() {
    if !is_there() {
        return;
    }
    let server = Setup::open().start();
    let pages = Pages::serve();
    let pusher = Browser::open(800, 600, "en");
    let sample = connected(&pusher, &pages.webrtc("whip", &url(&server, "whip", "camera"), ""));
    println!("whip: {sample}");
    server.wait_for_pushes(1);
    let viewer = Browser::open(800, 600, "en");
    until_true("the stream's codecs", 2 * PATIENCE, || {
        let path = format!("/live/camera/index.m3u8?domain={DOMAIN}");
        http::request(server.http(), "GET", &path, &[], &[]).unwrap().status == 200
    });
    println!("whep: {}", connected(&viewer, &pages.webrtc("whep", &url(&server, "whep", "camera"), "")));
    advances(&viewer, 60.0);
    viewer.picture("whep.png");

    // The formats that viewers without WebRTC read.
    let hls = probe(&format!("http://{}/live/camera/index.m3u8?domain={DOMAIN}", server.http()));
    assert!(hls.contains("codec_name=opus") && hls.contains("codec_type=video"), "{hls}");

    assert_eq!(pusher.script("return window.stop_()"), 200);
    let record = server.record("camera");
    assert_eq!((record.errcode, record.sub_errcode), (35, 0), "{record:?}");
    assert_eq!(record.protocol, "whip");
    let video = record.video.expect("video was seen");
    // On a busy machine the browser makes its picture smaller, and keeps its shape.
    let (width, height) = (video.width.unwrap(), video.height.unwrap());
    assert!(width <= 640 && height > 0 && width * 9 == height * 16, "{video:?}");
    assert_eq!(record.audio.and_then(|audio| audio.codec).as_deref(), Some("Opus"));
    let shown = server.cli(&["show", &record.id.to_string()]);
    assert!(shown.contains("WEBRTC") && shown.contains("0 that could not be carried on"), "{shown}");
    println!("{shown}");
    assert!(record.encoder.is_some_and(|encoder| encoder.contains("Chrome")));
}

#[test]
fn a_browser_that_hangs_up_says_goodbye_and_of_a_killed_one_its_host_says_so() {
    if !is_there() {
        return;
    }
    let server = Setup::open().start();
    let pages = Pages::serve();
    let browser = Browser::open(800, 600, "en");
    connected(&browser, &pages.webrtc("whip", &url(&server, "whip", "closed"), ""));
    server.wait_for_pushes(1);
    browser.script("window.hang_up()");
    assert_eq!(server.code("closed"), "35/0");

    connected(&browser, &pages.webrtc("whip", &url(&server, "whip", "killed"), ""));
    server.wait_for_pushes(1);
    browser.kill();
    let record = server.record_within("killed", 2 * PATIENCE);
    assert_eq!((record.errcode, record.sub_errcode), (4, 0), "{record:?}");
    assert_eq!(record.detail.map(|detail| detail.key).as_deref(), Some("peer_port_closed"));
}

#[test]
fn a_browser_sees_a_push_of_rtmp_and_is_told_what_it_does_not_hear() {
    if !is_there() {
        return;
    }
    let server = Setup::open().start();
    let _encoder = Encoder::ffmpeg(&server.open_url("camera"));
    let (browser, pages) = (Browser::open(800, 600, "en"), Pages::serve());
    server.wait_for_pushes(1);
    until_true("the stream's headers", PATIENCE, || {
        let answer = post(&server, "whep", "camera", "", OFFER);
        if let Some(location) = answer.header("location") {
            http::request(server.http(), "DELETE", location, &[], &[]).unwrap();
        }
        answer.status == 201
    });
    let sample = connected(&browser, &pages.webrtc("whep", &url(&server, "whep", "camera"), ""));
    assert_eq!(sample["note"], "the audio is AAC, which WebRTC does not carry");
    advances(&browser, 60.0);
    let metrics = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
    assert!(metrics.lines().any(|line| line == "lastframe_viewers{format=\"whep\"} 1"), "{metrics}");
}

pub fn post(server: &Server, kind: &str, stream: &str, query: &str, offer: &str) -> http::Response {
    let path = format!("/{kind}/live/{stream}?domain={DOMAIN}{query}");
    http::request(server.http(), "POST", &path, &[("Content-Type", "application/sdp")], offer.as_bytes())
        .unwrap()
}

#[test]
fn refusals_are_problem_documents_that_name_the_cause_and_leave_a_record() {
    let server = Setup::open().start();
    let ask = |path: &str, offer: &str| {
        let headers = [("Content-Type", "application/sdp")];
        http::request(server.http(), "POST", path, &headers, offer.as_bytes()).unwrap()
    };
    // Signed domain, and no signature.
    let answer = ask("/whip/live/unsigned?domain=localhost", OFFER);
    assert_eq!((answer.status, answer.header("content-type")), (401, Some("application/problem+json")));
    assert_eq!(answer.json()["errcode"], 18);
    assert_eq!(server.code("unsigned"), format!("18/{}", answer.json()["sub_errcode"]));
    // A domain that nobody knows.
    let answer = ask("/whip/live/lost?domain=nowhere.example", OFFER);
    assert_eq!((answer.status, answer.json()["sub_errcode"].clone()), (404, Value::from(301)));
    assert_eq!(server.code("lost"), "18/301");
    // What is no offer, and one without a codec in common.
    let answer = post(&server, "whip", "nonsense", "", "v=0\r\nnonsense");
    assert_eq!(
        (answer.status, answer.json()["errcode"].clone()),
        (400, Value::from(31)),
        "{}",
        answer.text()
    );
    assert_eq!(server.code("nonsense"), "31/0");
    let foreign = OFFER.replace("H264", "H999").replace("opus", "speex");
    let answer = post(&server, "whip", "foreign", "", &foreign);
    assert_eq!(
        (answer.status, answer.json()["errcode"].clone()),
        (406, Value::from(31)),
        "{}",
        answer.text()
    );
    // The wrong type of body is no push at all.
    let answer = http::request(server.http(), "POST", "/whip/live/x", &[], b"v=0").unwrap();
    assert_eq!(answer.status, 415);
    let answer = post(&server, "whep", "nobody", "", OFFER);
    assert_eq!(answer.status, 404, "{}", answer.text());
}

#[test]
fn a_bearer_token_signs_and_an_offer_that_nothing_comes_of_is_told_with_its_step() {
    let server = Setup::open().config("[limits]\nsetup = \"2s\"\n").start();
    let signed = server.cli(&["url", "--domain", "localhost", "--app", "live", "--stream", "camera"]);
    let token = format!("Bearer {}", signed.trim().split_once('?').unwrap().1);
    let headers = [("Content-Type", "application/sdp"), ("Authorization", token.as_str())];
    let path = "/whip/live/camera?domain=localhost";
    let answer = http::request(server.http(), "POST", path, &headers, OFFER.as_bytes()).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text());
    let location = answer.header("location").unwrap().to_owned();
    for line in ["a=ice-lite", "H264", "opus", "a=candidate:"] {
        assert!(answer.text().contains(line), "{line} in {}", answer.text());
    }
    let fragment = "a=ice-ufrag:abcd\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n";
    let trickle = |tag: &str, body: &str| {
        let headers = [("Content-Type", "application/trickle-ice-sdpfrag"), ("If-Match", tag)];
        http::request(server.http(), "PATCH", &location, &headers, body.as_bytes()).unwrap().status
    };
    assert_eq!(trickle(answer.header("etag").unwrap(), fragment), 204);
    assert_eq!(trickle("\"another\"", fragment), 412);
    assert_eq!(trickle("*", &fragment.replace("abcd", "efgh")), 422);
    let record = server.record("camera");
    assert_eq!((record.errcode, record.sub_errcode), (31, 0), "{record:?}");
    assert_eq!(record.detail.map(|detail| detail.key).as_deref(), Some("webrtc_no_path"));
    let gone = http::request(server.http(), "DELETE", &location, &[], &[]).unwrap();
    assert_eq!((gone.status, gone.json()["errcode"].clone()), (410, Value::from(31)));
}

#[test]
fn every_codec_that_a_browser_can_make_comes_through_and_is_known() {
    if !is_there() {
        return;
    }
    let server = Setup::open().start();
    let (pusher, viewer, pages) =
        (Browser::open(800, 600, "en"), Browser::open(800, 600, "en"), Pages::serve());
    for (codec, name) in [("vp8", "VP8"), ("vp9", "VP9"), ("av1", "AV1")] {
        connected(&pusher, &pages.webrtc("whip", &url(&server, "whip", codec), codec));
        until_true("the stream's headers", 2 * PATIENCE, || {
            let offer = OFFER.replace("H264", name);
            let answer = post(&server, "whep", codec, "", &offer);
            if let Some(location) = answer.header("location") {
                http::request(server.http(), "DELETE", location, &[], &[]).unwrap();
            }
            answer.status == 201
        });
        connected(&viewer, &pages.webrtc("whep", &url(&server, "whep", codec), codec));
        advances(&viewer, 20.0);
        assert_eq!(pusher.script("return window.stop_()"), 200);
        let record = server.record(codec);
        let video = record.video.clone().expect("video was seen");
        assert_eq!((video.codec.as_deref(), video.width), (Some(name), Some(640)), "{record:?}");
        assert_eq!((record.errcode, record.sub_errcode), (35, 0), "{record:?}");
    }
}
