//! Browsers watch a stream on a node that does not carry it, by WebSocket, by WHEP and in the console.

use serde_json::Value;

use crate::cluster_viewers::{fetched_from, rtmp, start, wait_for_media};
use crate::console_watching::{preview_advances, signed_in};
use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::nats::Nats;
use crate::support::players::{self, Pages};
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::DOMAIN;
use crate::webrtc::{advances, connected, sample, url};

fn is_there() -> bool {
    rights::has(&["ffmpeg", "chromium", "chromedriver"]) && players::are_there()
}

fn watched_as(server: &Server, format: &str) {
    until_true(format, PATIENCE, || {
        let metrics = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
        metrics.lines().any(|line| line == format!("lastframe_viewers{{format=\"{format}\"}} 1"))
    });
}

#[test]
fn a_browser_plays_the_stream_of_another_node_over_websocket_and_by_whep_and_follows_it_to_the_next() {
    let Some(nats) = Nats::start() else { return };
    if !is_there() {
        return;
    }
    let (nodes, pages) = (start(&nats, &["east", "south", "west"], |setup| setup), Pages::serve());
    let [east, south, west] = &nodes[..] else { panic!("three nodes") };
    let mut first = Encoder::ffmpeg(&rtmp(east, DOMAIN, "camera"));
    wait_for_media(east);
    let viewer = Browser::open(800, 600, "en");
    viewer.go("about:blank");
    viewer.go(&pages.flv(&format!("ws://{}/live/camera.flv?domain={DOMAIN}", west.http())));
    advances(&viewer, 60.0);
    watched_as(west, "flv_websocket");
    fetched_from(west, "east");
    let mut second = Encoder::ffmpeg(&rtmp(south, DOMAIN, "camera"));
    first.wait();
    fetched_from(west, "south");
    advances(&viewer, 90.0);
    let errors = sample(&viewer)["errors"].as_array().cloned().unwrap_or_default();
    assert_eq!(errors, Vec::<Value>::new());

    let sample = connected(&viewer, &pages.webrtc("whep", &url(west, "whep", "camera"), ""));
    assert_eq!(sample["note"], "the audio is AAC, which WebRTC does not carry");
    advances(&viewer, 60.0);
    watched_as(west, "whep");
    fetched_from(west, "south");
    let mut third = Encoder::ffmpeg(&rtmp(east, DOMAIN, "camera"));
    second.wait();
    fetched_from(west, "east");
    advances(&viewer, 60.0);
    assert_eq!(viewer.script("return window.stop_()"), 200);
    third.interrupt();
    assert_eq!(east.codes("camera", 2), ["1/0", "21/102"]);
    assert!(west.records(&[]).is_empty(), "who plays is no push");
}

#[test]
fn the_console_of_any_node_shows_the_preview_of_a_stream_that_another_carries() {
    let Some(nats) = Nats::start() else { return };
    if !is_there() {
        return;
    }
    let nodes = start(&nats, &["east", "west"], |setup| setup);
    let (east, west) = (&nodes[0], &nodes[1]);
    let _encoder = Encoder::ffmpeg(&rtmp(east, DOMAIN, "camera"));
    wait_for_media(east);
    let browser = signed_in(west, "en");
    browser.go(&format!("http://{}/streams/key?domain={DOMAIN}&app=live&stream=camera", west.http()));
    browser.click(&browser.find("section.now a.button"));
    until_true("the preview", PATIENCE, || browser.url().contains("/streams/preview"));
    preview_advances(&browser);
    fetched_from(west, "east");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
