//! WebRTC beside the other transports: what browsers see of either, takeovers between them, and what ends a push from outside.

use serde_json::{Value, json};

use crate::playback::View;
use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::players::{self, Pages};
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::webrtc::{OFFER, advances, connected, post, sample, url};

const BACKUP: &str = r#"
[[domain]]
name = "backup.test"
account = 7
auth = false
conflict = "backup"
"#;

fn is_there() -> bool {
    rights::has(&["ffmpeg", "chromium", "chromedriver"]) && players::are_there()
}

fn key(stream: &str) -> Value {
    json!({ "domain": DOMAIN, "app": "live", "stream": stream })
}

fn pushes(browser: &Browser, pages: &Pages, server: &Server, stream: &str) {
    connected(browser, &pages.webrtc("whip", &url(server, "whip", stream), ""));
    is_live(server, stream);
}

/// Waits until the stream has shown what it is.
fn is_live(server: &Server, stream: &str) {
    until_true("the stream", 2 * PATIENCE, || {
        let answer = post(server, "whep", stream, "", OFFER);
        if let Some(location) = answer.header("location") {
            http::request(server.http(), "DELETE", location, &[], &[]).unwrap();
        }
        answer.status == 201
    });
}

/// Plays a stream by hls.js, mpegts.js and WHEP, one after another; each must show frames. What WHEP says of the sound.
fn plays_everywhere(server: &Server, pages: &Pages, stream: &str) -> Value {
    let viewer = Browser::open(800, 600, "en");
    let at = |file: &str| format!("http://{}/live/{file}?domain={DOMAIN}", server.http());
    for page in [pages.hls(&at(&format!("{stream}/index.m3u8"))), pages.flv(&at(&format!("{stream}.flv")))] {
        viewer.go("about:blank");
        viewer.go(&page);
        advances(&viewer, 60.0);
        let fatal = |error: &&Value| error["fatal"] == true;
        let errors = sample(&viewer)["errors"].as_array().cloned().unwrap_or_default();
        assert_eq!(errors.iter().find(fatal), None, "{page}: {errors:?}");
    }
    let sample = connected(&viewer, &pages.webrtc("whep", &url(server, "whep", stream), ""));
    advances(&viewer, 60.0);
    sample["note"].clone()
}

#[test]
fn a_push_of_a_browser_is_seen_by_hls_js_mpegts_js_and_whep() {
    if !is_there() {
        return;
    }
    let (server, pages) = (Setup::open().start(), Pages::serve());
    let pusher = Browser::open(800, 600, "en");
    pushes(&pusher, &pages, &server, "camera");
    assert_eq!(plays_everywhere(&server, &pages, "camera"), Value::Null, "WHEP leaves nothing out");
}

#[test]
fn a_push_over_srt_is_seen_by_hls_js_mpegts_js_and_whep_which_says_that_it_leaves_the_sound_out() {
    if !is_there() {
        return;
    }
    let (server, pages) = (Setup::open().start(), Pages::serve());
    let to = format!("srt://{}?streamid=#!::h={DOMAIN},r=live/field,m=publish", server.srt());
    let _encoder = Encoder::ffmpeg_over_srt(&to, 30);
    is_live(&server, "field");
    let note = plays_everywhere(&server, &pages, "field");
    assert_eq!(note, "the audio is AAC, which WebRTC does not carry");
}

#[test]
fn a_format_that_cannot_carry_a_stream_says_so() {
    if !is_there() {
        return;
    }
    let (server, pages) = (Setup::open().start(), Pages::serve());
    let pusher = Browser::open(800, 600, "en");
    connected(&pusher, &pages.webrtc("whip", &url(&server, "whip", "vp8"), "vp8"));
    let index = format!("/live/vp8/index.m3u8?domain={DOMAIN}");
    let answer = until("HLS to know what the stream is", 2 * PATIENCE, || {
        let answer = http::request(server.http(), "GET", &index, &[], &[]).unwrap();
        answer.text().contains("cannot be carried in HLS").then_some(answer)
    });
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("VP8 video"), "{}", answer.text());
    // A viewer of WebRTC that did not offer it.
    let answer = post(&server, "whep", "vp8", "", &OFFER.replace("VP8", "V__").replace("opus", "o___"));
    assert_eq!(answer.status, 406, "{}", answer.text());
    assert!(answer.text().contains("VP8, which the client does not offer"), "{}", answer.text());
}

#[test]
fn viewers_go_on_when_webrtc_takes_over_from_rtmp_and_rtmp_from_webrtc() {
    if !is_there() {
        return;
    }
    let (server, pages) = (Setup::open().start(), Pages::serve());
    let mut first = Encoder::ffmpeg(&server.open_url("shared"));
    is_live(&server, "shared");
    let flv = format!("http://{}/live/shared.flv?domain={DOMAIN}", server.http());
    let viewers = [View::of(&server.open_url("shared")), View::of(&flv)];
    let pictures = |view: &View| view.frames().iter().filter(|(stream, _)| *stream == 0).count();
    let go_on = || {
        let seen: Vec<usize> = viewers.iter().map(pictures).collect();
        for (view, seen) in viewers.iter().zip(seen) {
            until_true("pictures of the push that took over", 2 * PATIENCE, || pictures(view) >= seen + 60);
        }
    };
    go_on();
    let browser = Browser::open(800, 600, "en");
    connected(&browser, &pages.webrtc("whip", &url(&server, "whip", "shared"), ""));
    first.wait();
    go_on();
    let mut third = Encoder::ffmpeg(&server.open_url("shared"));
    until_true("the browser to be told", 2 * PATIENCE, || sample(&browser)["state"] != "connected");
    assert_eq!(browser.script("return window.stop_()"), 410, "its session has ended");
    go_on();
    for view in &viewers {
        let frames = view.frames();
        let times: Vec<i64> = frames.iter().filter(|(stream, _)| *stream == 0).map(|(_, dts)| *dts).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
    third.interrupt();
    third.wait();
    assert_eq!(server.codes("shared", 3), ["1/0", "21/102", "21/102"]);
}

#[test]
fn a_backup_over_webrtc_waits_and_takes_over() {
    if !is_there() {
        return;
    }
    let (server, pages) = (Setup::open().config(BACKUP).start(), Pages::serve());
    let at = |kind: &str| format!("http://{}/{kind}/live/guarded?domain=backup.test", server.http());
    let mut first = Encoder::ffmpeg(&server.open_url("guarded").replace(DOMAIN, "backup.test"));
    server.wait_for_pushes(1);
    let browser = Browser::open(800, 600, "en");
    connected(&browser, &pages.webrtc("whip", &at("whip"), ""));
    let roles = || {
        let pushes = server.get("/api/v1/pushes");
        let pushes = pushes["pushes"].as_array().unwrap().iter();
        pushes.map(|push| format!("{}/{}", push["protocol"], push["role"])).collect::<Vec<_>>()
    };
    until_true("the backup", PATIENCE, || roles() == ["\"rtmp\"/\"live\"", "\"whip\"/\"backup\""]);
    first.interrupt();
    until_true("the backup to be live", PATIENCE, || roles() == ["\"whip\"/\"live\""]);
    let viewer = Browser::open(800, 600, "en");
    let sees = || post_to(&server, "/whep/live/guarded?domain=backup.test");
    until_true("the stream's headers", 2 * PATIENCE, || sees() == 201);
    connected(&viewer, &pages.webrtc("whep", &at("whep"), ""));
    advances(&viewer, 30.0);
    assert_eq!(browser.script("return window.stop_()"), 200);
    assert_eq!(server.codes("guarded", 2), ["1/0", "35/0"]);
}

fn post_to(server: &Server, path: &str) -> u16 {
    let headers = [("Content-Type", "application/sdp")];
    http::request(server.http(), "POST", path, &headers, OFFER.as_bytes()).unwrap().status
}

#[test]
fn a_browser_that_is_dropped_forbidden_or_left_by_the_server_is_told_and_recorded() {
    if !is_there() {
        return;
    }
    let (mut server, pages) = (Setup::open().start(), Pages::serve());
    let browser = Browser::open(800, 600, "en");
    let ended = || {
        until_true("the browser to be told", 2 * PATIENCE, || sample(&browser)["state"] != "connected");
    };
    for (order, stream, code) in [("drop", "dropped", "21/100"), ("forbid", "forbidden", "21/101")] {
        pushes(&browser, &pages, &server, stream);
        server.post(&format!("/api/v1/streams/{order}"), &key(stream));
        ended();
        assert_eq!(browser.script("return window.stop_()"), 410, "{order}");
        assert_eq!(server.code(stream), code);
    }
    let answer = post(&server, "whip", "forbidden", "", OFFER);
    assert_eq!((answer.status, answer.json()["sub_errcode"].clone()), (403, Value::from(305)));
    pushes(&browser, &pages, &server, "left");
    assert!(server.terminate().success());
    ended();
    assert_eq!(server.code("left"), "9/0");
}
