//! A native player: GStreamer's `hlsdemux2` reads low-latency HLS over HTTPS, through a takeover and to the stream's end.

use std::process::Command;

use crate::support::clock::{PATIENCE, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::rights;
use crate::support::setup::{DOMAIN, Setup};
use crate::support::tls_front;

#[test]
fn gstreamer_plays_over_https_through_a_takeover_to_the_end() {
    if !rights::has_as_root(&["ffmpeg", "gst-launch-1.0", "unshare", "mount"]) {
        return;
    }
    let [cert, key] = tls_front::files();
    let server = Setup::open().config(&format!("[https]\ncert = {cert:?}\nkey = {key:?}\n")).start();
    let mut first = Encoder::ffmpeg(&server.open_url("camera"));
    let index = format!("/live/camera/index.m3u8?domain={DOMAIN}");
    until_true("the stream", 2 * PATIENCE, || {
        http::request(server.http(), "GET", &index, &[], &[]).unwrap().status == 200
    });
    // Its demuxer knows no other authorities than the system's, so for it alone the test's stands in for those.
    let script = "mount --bind \"$0\" /etc/ssl/certs/ca-certificates.crt && exec gst-launch-1.0 -v playbin3 uri=\"$1\" \
        video-sink=\"fpsdisplaysink text-overlay=false video-sink=fakesink sync=true\" audio-sink=\"fakesink sync=true\"";
    let player = Encoder::start(
        Command::new("unshare")
            .args(["-m", "sh", "-c", script])
            .arg(tls_front::authority())
            .arg(format!("https://localhost:{}{index}", server.https().port())),
    );
    let shows = |frames: u64| {
        until_true(&format!("{frames} frames"), 3 * PATIENCE, || {
            let printed = player.printed();
            assert!(!printed.contains("ERROR"), "{printed}");
            rendered(&printed) >= frames
        });
    };
    shows(60);
    let mut second = Encoder::ffmpeg(&server.open_url("camera"));
    first.wait();
    // More than what was packaged before the takeover.
    shows(rendered(&player.printed()) + 450);
    assert!(player.printed().contains("GstHLSDemux2"), "{}", player.printed());
    second.interrupt();
    until_true("the player to see the end", 3 * PATIENCE, || player.printed().contains("Got EOS"));
    assert_eq!(server.codes("camera", 2), ["1/0", "21/102"]);
}

/// How many frames the player has shown, by its own count.
fn rendered(printed: &str) -> u64 {
    let count = printed.rsplit("rendered: ").next().and_then(|rest| rest.split(',').next());
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}
