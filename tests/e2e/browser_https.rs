//! A page of a secure site: one that is neither this machine's own nor in the clear. A browser lets it have the camera,
//! and it pushes by WHIP, plays by WHEP and loads low-latency HLS, all over HTTP/2.

use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until_true};
use crate::support::players::{self, Pages};
use crate::support::rights;
use crate::support::setup::{DOMAIN, Setup};
use crate::support::{http, tls_front};

#[test]
fn a_page_pushes_by_whip_and_plays_by_whep_and_low_latency_hls_over_http2() {
    if !rights::has(&["chromium", "chromedriver"]) || !players::are_there() {
        return;
    }
    let [cert, key] = tls_front::files();
    let https = format!("[https]\ncert = {cert:?}\nkey = {key:?}\n");
    let server = Setup::open().config(&https).start();
    let pages = Pages::serve_secured();
    // Names that are not localhost's, so that nothing but TLS makes the page a secure one.
    let known = format!("--ignore-certificate-errors-spki-list={}", tls_front::KEY_SHA256);
    let browser = Browser::open_with(800, 600, "en", &[&known, "--host-resolver-rules=MAP *.test 127.0.0.1"]);
    let sample = || browser.script("return window.sample ? window.sample() : {}");
    let does = |what: &str| browser.script(&format!("window.does('{what}')"));
    browser.go(&pages.secured(
        &format!("https://stream.test:{}", server.https().port()),
        "live/camera",
        &format!("domain={DOMAIN}"),
    ));
    assert_eq!(sample()["secure"], true);

    does("push");
    until_true("the push", 2 * PATIENCE, || is_fine(sample())["states"]["whip"] == "connected");
    server.wait_for_pushes(1);
    until_true("the stream", 2 * PATIENCE, || {
        let index = format!("/live/camera/index.m3u8?domain={DOMAIN}");
        http::request(server.http(), "GET", &index, &[], &[]).unwrap().status == 200
    });
    does("watch");
    does("play");
    for player in ["whep", "hls"] {
        let shown = || is_fine(sample())[player].as_f64().unwrap_or(0.0);
        until_true(&format!("frames by {player}"), 3 * PATIENCE, || shown() > 30.0);
        let first = shown();
        until_true(&format!("frames by {player} that advance"), 2 * PATIENCE, || shown() > first + 60.0);
    }
    let seen = sample();
    println!("{seen}");
    browser.picture("secured.png");
    assert_eq!(seen["parts"], true, "hls.js plays parts: {seen}");
    let protocols = seen["protocols"].as_object().unwrap();
    for kind in ["whip", "whep", "index", "media", "init", "part"] {
        assert!(protocols.contains_key(kind), "{kind} in {seen}");
    }
    for (kind, counts) in protocols {
        let others: Vec<_> = counts.as_object().unwrap().keys().filter(|name| *name != "h2").collect();
        assert!(others.is_empty(), "{kind} came by {others:?}: {seen}");
    }

    assert_eq!(browser.wait_for_script("window.stop_().then(arguments[0])"), 200);
    let record = server.record("camera");
    assert_eq!((record.code().to_string().as_str(), record.protocol.as_str()), ("35/0", "whip"));
}

fn is_fine(sample: Value) -> Value {
    assert_eq!(sample["errors"], serde_json::json!([]), "{sample}");
    sample
}
