//! The URLs that the console builds, pushed to by clients that we did not write: ffmpeg, and a browser for WHIP.

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until_true};
use crate::support::encoder::Encoder;
use crate::support::players::Pages;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::Setup;

/// A window of the console with its first user signed in.
fn console(server: &Server) -> Browser {
    let browser = Browser::open(1280, 900, "en");
    browser.go(&format!("http://{}/settings", server.http()));
    browser.sign_in("admin", &server.console_password());
    until_true("to be signed in", PATIENCE, || browser.url().ends_with("/settings"));
    browser
}

#[test]
fn each_push_url_of_the_console_is_taken_by_a_foreign_client_as_it_is_printed() {
    if !rights::has(&["ffmpeg", "chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::first_start().start();
    let console = console(&server);
    let url = |kind: &str| {
        console.go(&format!("http://{}/push?app=live&stream=by-{kind}&kind={kind}", server.http()));
        let url = console.text("#push-url");
        assert!(url.contains("txSecret=") || url.contains("txSecret%3D"), "{kind} is signed: {url}");
        url
    };
    let sends_media = |kind: &str| {
        // The page itself says when the push is there.
        until_true(&format!("a picture over {kind}"), 2 * PATIENCE, || {
            console.text(".waiting .state") == "Live" && console.text(".waiting").contains('×')
        });
    };
    for (kind, code) in [("rtmp", "1/0"), ("rtmps", "1/0"), ("srt", "35/0")] {
        let url = url(kind);
        let mut encoder =
            if kind == "srt" { Encoder::ffmpeg_over_srt(&url, 30) } else { Encoder::ffmpeg(&url) };
        sends_media(kind);
        encoder.interrupt();
        encoder.wait();
        let record = server.record(&format!("by-{kind}"));
        assert_eq!((record.code().to_string().as_str(), record.protocol.as_str()), (code, kind), "{url}");
    }
    let pusher = Browser::open(800, 600, "en");
    let url = url("whip");
    pusher.go(&Pages::serve().webrtc("whip", &url, ""));
    sends_media("whip");
    assert_eq!(pusher.script("return window.stop_()"), 200);
    let record = server.record("by-whip");
    assert_eq!((record.code().to_string().as_str(), record.protocol.as_str()), ("35/0", "whip"), "{url}");
}
