//! Live streams in a real browser, by the players that web sites use.

use std::time::Duration;

use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::players::{self, Pages};
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

/// How old a frame may be when hls.js shows it.
const LIVE: f64 = 2_500.0;
/// How often in a row it has to be younger.
const IN_A_ROW: usize = 8;

#[test]
fn hls_js_plays_with_low_latency_and_follows_the_stream_to_its_end() {
    if !rights::has(&["ffmpeg", "chromium", "chromedriver"]) || !players::are_there() {
        return;
    }
    let server = Setup::open().start();
    let mut encoder = push(&server, "camera");
    let (browser, pages) = (Browser::open(800, 600, "en"), Pages::serve());
    browser.go(&pages.hls(&play_url(&server, "http", "camera/index.m3u8")));
    advances(&browser, 90.0);

    let mut ages = Vec::new();
    let mut young = 0;
    until_true("frames younger than 2.5 s", 2 * PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        let age = sample(&browser)["age"].as_f64().unwrap_or(f64::MAX);
        ages.push(age);
        young = if age < LIVE { young + 1 } else { 0 };
        young >= IN_A_ROW
    });
    println!("hls.js: age of the frames shown, ms: {ages:.0?}");
    assert_eq!(sample(&browser)["lowLatency"], true, "parts are in use");
    browser.picture("hls-js.png");
    let viewers = server.get("/api/v1/pushes");
    println!("hls.js: {viewers}");

    encoder.interrupt();
    until_true("the end of the stream", 2 * PATIENCE, || {
        std::thread::sleep(Duration::from_millis(500));
        println!("hls.js: {}", sample(&browser));
        browser.script("return document.getElementById('video').ended") == Value::Bool(true)
    });
    let errors = errors(&browser);
    // Waiting at the live edge on a busy machine is no fault of the stream.
    let faults: Vec<_> = errors
        .iter()
        .filter(|error| {
            error["fatal"] == true || !error["details"].as_str().unwrap_or("").starts_with("buffer")
        })
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn mpegts_js_plays_flv_over_http() {
    mpegts_js_plays("http", "flv");
}

#[test]
fn mpegts_js_plays_flv_over_websocket() {
    mpegts_js_plays("ws", "flv_websocket");
}

fn mpegts_js_plays(scheme: &str, format: &str) {
    if !rights::has(&["ffmpeg", "chromium", "chromedriver"]) || !players::are_there() {
        return;
    }
    let server = Setup::open().start();
    let _encoder = push(&server, "camera");
    let (browser, pages) = (Browser::open(800, 600, "en"), Pages::serve());
    browser.go("about:blank");
    browser.go(&pages.flv(&play_url(&server, scheme, "camera.flv")));
    advances(&browser, 90.0);
    assert_eq!(errors(&browser), Vec::<Value>::new());
    let metrics = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
    let watches = format!("lastframe_viewers{{format=\"{format}\"}} 1");
    assert!(metrics.lines().any(|line| line == watches), "{metrics}");
    browser.picture(&format!("mpegts-js-{scheme}.png"));
}

fn push(server: &Server, stream: &str) -> Encoder {
    let encoder = Encoder::ffmpeg(&server.open_url(stream));
    // The list has it a moment before viewers do.
    let index = format!("/live/{stream}/index.m3u8?domain={DOMAIN}");
    let is_there = || http::request(server.http(), "HEAD", &index, &[], &[]).unwrap().status == 200;
    until_true("the stream", PATIENCE, is_there);
    encoder
}

fn play_url(server: &Server, scheme: &str, file: &str) -> String {
    format!("{scheme}://{}/live/{file}?domain={DOMAIN}", server.http())
}

/// Waits until so many frames were shown, and the time went on with them.
fn advances(browser: &Browser, frames: f64) {
    let first = until("the first frames", 2 * PATIENCE, || {
        let sample = sample(browser);
        (sample["frames"].as_f64()? > 0.0).then_some(sample)
    });
    until_true("frames that advance", 2 * PATIENCE, || {
        let now = sample(browser);
        let more = |key: &str| now[key].as_f64().unwrap_or(0.0) - first[key].as_f64().unwrap_or(0.0);
        more("frames") >= frames && more("time") >= 1.0
    });
}

fn sample(browser: &Browser) -> Value {
    browser.script("return window.sample ? window.sample() : {}")
}

fn errors(browser: &Browser) -> Vec<Value> {
    sample(browser)["errors"].as_array().cloned().unwrap_or_default()
}
