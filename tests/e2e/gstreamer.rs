//! GStreamer's two RTMP sinks.

use std::thread::sleep;
use std::time::Duration;

use crate::support::encoder::Encoder;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::Setup;

#[test]
fn rtmp2sink_pushes_stops_and_is_killed() {
    push_stop_and_kill("rtmp2", |url| vec!["rtmp2sink".to_owned(), format!("location={url}")]);
}

#[test]
fn rtmpsink_pushes_stops_and_is_killed() {
    // librtmp takes further words behind the URL.
    push_stop_and_kill("librtmp", |url| vec!["rtmpsink".to_owned(), format!("location={url} live=1")]);
}

fn push_stop_and_kill(prefix: &str, sink: impl Fn(&str) -> Vec<String>) {
    if !rights::has(&["gst-launch-1.0"]) {
        return;
    }
    let server = Setup::open().start();
    let start = |stream: &str| {
        let words = sink(&server.open_url(stream));
        let encoder = Encoder::gstreamer(&words.iter().map(String::as_str).collect::<Vec<_>>());
        wait_for_media(&server);
        encoder
    };

    let stopped = format!("{prefix}-stopped");
    let mut encoder = start(&stopped);
    encoder.interrupt();
    encoder.wait();
    let record = server.record(&stopped);
    assert_eq!(record.code().to_string(), "1/0", "{record:#?}");
    let video = record.video.expect("video facts");
    assert_eq!((video.codec.as_deref(), video.width, video.height), (Some("H.264"), Some(320), Some(240)));
    assert_eq!(record.audio.and_then(|audio| audio.codec).as_deref(), Some("AAC"));

    let killed = format!("{prefix}-killed");
    let mut encoder = start(&killed);
    encoder.kill();
    let code = server.code(&killed);
    assert_eq!(code, "3/0");
}

fn wait_for_media(server: &Server) {
    crate::support::clock::until("media", crate::support::clock::PATIENCE, || {
        let pushes = server.get("/api/v1/pushes");
        (pushes["pushes"][0]["width"] == 320).then_some(())
    });
    sleep(Duration::from_secs(1));
}
