//! What was pushed is played, by players that are not ours: over RTMP and as FLV over HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use model::sign::{Algorithm, signed_query};

use crate::support::clock::{PATIENCE, until, until_true, wall};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

/// A domain whose streams are played with signed URLs only, and a play domain beside it.
pub const SAFE: &str = r#"
[[domain]]
name = "safe.test"
account = 7
auth = false
play_auth = true
play_key = "the-play-key"

[[domain]]
name = "play.test"
account = 7
kind = "play"
"#;

#[test]
fn ffprobe_finds_both_tracks_over_rtmp_and_flv() {
    if !rights::has(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let server = Setup::open().start();
    let mut encoder = Encoder::ffmpeg(&server.open_url("seen"));
    wait_for_media(&server);
    for url in [server.open_url("seen"), flv_url(&server, "seen")] {
        let mut probe = Command::new("ffprobe");
        probe.args(["-v", "error", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0", &url]);
        let output = probe.output().unwrap();
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<_> = found.lines().map(|line| line.trim_end_matches(',')).collect();
        // Metadata must not look like a track of its own.
        assert_eq!(lines, ["h264,640", "aac"], "{url}: {}", String::from_utf8_lossy(&output.stderr));
    }
    encoder.interrupt();
    encoder.wait();
    assert_eq!(server.code("seen"), "1/0", "and playing has left no record");
}

#[test]
fn gstreamer_plays_by_both_of_its_rtmp_sources_and_over_http() {
    if !rights::has(&["ffmpeg", "gst-launch-1.0"]) {
        return;
    }
    let server = Setup::open().start();
    let _encoder = Encoder::ffmpeg(&server.open_url("gst"));
    wait_for_media(&server);
    let (rtmp, http) = (server.open_url("gst"), flv_url(&server, "gst"));
    for source in [
        vec!["rtmp2src".to_owned(), format!("location={rtmp}")],
        vec!["rtmpsrc".to_owned(), format!("location={rtmp} live=1")],
        vec!["souphttpsrc".to_owned(), format!("location={http}")],
    ] {
        if source[0] == "souphttpsrc" && !has_element("souphttpsrc") {
            continue;
        }
        let mut command = Command::new("gst-launch-1.0");
        command.args(&source).args(["!", "flvdemux", "!", "h264parse", "!", "fakesink", "num-buffers=30"]);
        let mut player = Encoder::start(&mut command);
        assert!(player.wait().success(), "{source:?}: {}", player.printed());
    }
}

#[test]
fn a_viewer_goes_on_when_another_push_takes_over_and_leaves_with_the_last() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().start();
    let mut first = Encoder::ffmpeg(&server.open_url("relayed"));
    wait_for_media(&server);
    let urls = [server.open_url("relayed"), flv_url(&server, "relayed")];
    let mut viewers: Vec<_> = urls.iter().map(|url| View::of(url)).collect();
    for view in &viewers {
        view.wait_for(30);
    }
    let mut second = Encoder::ffmpeg(&server.open_url("relayed"));
    first.wait();
    let seen: Vec<_> = viewers.iter().map(|view| view.frames().len()).collect();
    for (view, seen) in viewers.iter().zip(seen) {
        view.wait_for(seen + 60);
    }
    second.interrupt();
    second.wait();
    for view in &mut viewers {
        assert!(view.player.wait().success(), "{}", view.player.printed());
        let frames = view.frames();
        for stream in 0..2 {
            let times: Vec<_> = frames.iter().filter(|(s, _)| *s == stream).map(|(_, dts)| *dts).collect();
            assert!(times.len() > 30 && times.is_sorted(), "stream {stream}: {times:?}");
            let widest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
            assert!(widest < 1000, "stream {stream} has a hole of {widest} ms");
        }
    }
    assert_eq!(server.codes("relayed", 2), ["1/0", "21/102"]);
}

#[test]
fn a_viewer_waits_for_the_reconnect_of_a_push_that_was_lost() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().config("[play]\nlinger = \"60s\"\n").start();
    let mut first = Encoder::ffmpeg(&server.open_url("back"));
    wait_for_media(&server);
    let view = View::of(&flv_url(&server, "back"));
    view.wait_for(30);
    first.kill();
    assert_eq!(server.code("back"), "3/0");
    let seen = view.frames().len();
    let _second = Encoder::ffmpeg(&server.open_url("back"));
    view.wait_for(seen + 60);
}

#[test]
fn a_viewer_that_reads_nothing_holds_up_nobody() {
    let server = Setup::open().config("[play]\nqueue = \"1s\"\n").start();
    let mut push = Pusher::push(server.rtmp(), "busy").unwrap();
    push.send_media(1_000).unwrap();
    let ask = || {
        let mut socket = TcpStream::connect(server.http()).unwrap();
        let head = format!("GET /live/busy.flv HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        socket
    };
    let (_asleep, mut awake) = (ask(), ask());
    viewers(&server, "busy", 2);
    let reader = std::thread::spawn(move || {
        let mut total = 0usize;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match awake.read(&mut buffer) {
                Ok(n) if n > 0 => total += n,
                _ => return total,
            }
        }
    });
    // More than all buffers between the server and the one that sleeps can hold.
    let (frame, count) = (200_000, 150);
    for _ in 0..count {
        push.send_media(frame).unwrap();
        sleep(Duration::from_millis(10));
    }
    until_true("the sleeper's frames to be skipped", PATIENCE, || {
        push.send_media(frame).unwrap();
        let cached = server.get("/api/v1/pushes")["pushes"][0]["cached_bytes"].as_u64();
        cached.is_some_and(|bytes| bytes < 50_000_000)
    });
    push.delete_stream().unwrap();
    let read = reader.join().unwrap();
    assert!(read > frame * count, "the other one was sent everything: {read}");
    assert_eq!(server.code("busy"), "1/0");
}

#[test]
fn http_says_what_is_not_there_and_what_may_not_be_played() {
    let server = Setup::open().config(SAFE).start();
    let mut open = Pusher::push(server.rtmp(), "here").unwrap();
    open.send_media(1_000).unwrap();
    let mut safe = Pusher::push_to(server.rtmp(), "safe.test", "live", "here").unwrap();
    safe.send_media(1_000).unwrap();
    let head = |domain: &str, stream: &str, query: &str| {
        let path = format!("/live/{stream}.flv?domain={domain}&{query}");
        http::request(server.http(), "HEAD", &path, &[], &[]).map_or(0, |answer| answer.status)
    };
    assert_eq!(head(DOMAIN, "here", ""), 200);
    assert_eq!(head("play.test", "here", ""), 200, "a play domain plays what its account pushes");
    assert_eq!(head(DOMAIN, "elsewhere", ""), 404);
    assert_eq!(head("unknown.test", "here", ""), 404);
    assert_eq!(head("safe.test", "here", ""), 403);
    let expires = wall().plus(Duration::from_secs(60));
    let signed = |key| signed_query(key, "here", expires, Algorithm::Md5);
    assert_eq!(head("safe.test", "here", &signed("another-key")), 403);
    assert_eq!(head("safe.test", "here", &signed("the-play-key")), 200);
    let printed =
        server.cli(&["url", "--domain", "safe.test", "--app", "live", "--stream", "here", "--kind", "flv"]);
    let query = printed.trim().split_once('?').expect("a signed URL").1.to_owned();
    assert_eq!(head("safe.test", "here", &query), 200, "{printed}");
    let missing = http::request(server.http(), "GET", "/live/nothing.flv", &[], &[]).unwrap();
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["detail"], "no such stream is live");
}

#[test]
fn a_push_that_nobody_plays_is_cut_where_the_limit_says_so() {
    let server = Setup::open().config("[limits]\nunplayed = \"3s\"\n").start();
    let mut played = Pusher::push(server.rtmp(), "played").unwrap();
    played.send_media(1_000).unwrap();
    let mut viewer = TcpStream::connect(server.http()).unwrap();
    let head = format!("GET /live/played.flv HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n");
    viewer.write_all(head.as_bytes()).unwrap();
    viewers(&server, "played", 1);
    let mut alone = Pusher::push(server.rtmp(), "alone").unwrap();
    alone.send_media(1_000).unwrap();
    let told = alone.wait_for_cut();
    assert!(told.text.starts_with("[37/0]"), "{told:?}");
    let record = server.record("alone");
    assert_eq!(record.detail.expect("a detail").key, "unplayed_for");
    played.send_media(1_000).unwrap();
    played.delete_stream().unwrap();
    assert_eq!(server.code("played"), "1/0");
}

/// ffmpeg as a viewer that notes each frame.
pub struct View {
    player: Encoder,
    notes: tempfile::NamedTempFile,
}

impl View {
    pub fn of(url: &str) -> Self {
        let notes = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("ffmpeg");
        command
            .args(["-hide_banner", "-nostats", "-nostdin", "-loglevel", "warning", "-i", url, "-c", "copy"])
            .args(["-flush_packets", "1", "-f", "framecrc", "-y"])
            .arg(notes.path());
        Self { player: Encoder::start(&mut command), notes }
    }

    /// Stream and decoding time of each frame so far.
    pub fn frames(&self) -> Vec<(u32, i64)> {
        let text = std::fs::read_to_string(self.notes.path()).unwrap_or_default();
        // The last line may still be on its way.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let fields = |line: &str| {
            let mut fields = line.split(',').map(str::trim);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        whole.lines().filter(|line| !line.starts_with('#')).filter_map(fields).collect()
    }

    /// Waits until it has nothing more to play; whether it is content with that.
    #[cfg(feature = "cluster")]
    pub fn ended(&mut self) -> bool {
        self.player.wait().success()
    }

    pub fn wait_for(&self, count: usize) {
        until_true("frames to be played", 2 * PATIENCE, || self.frames().len() >= count);
    }
}

fn flv_url(server: &Server, stream: &str) -> String {
    format!("http://{}/live/{stream}.flv?domain={DOMAIN}", server.http())
}

fn wait_for_media(server: &Server) {
    until("media", PATIENCE, || {
        let pushes = server.get("/api/v1/pushes");
        (pushes["pushes"][0]["width"].is_u64() && pushes["pushes"][0]["audio_codec"].is_string())
            .then_some(())
    });
}

fn viewers(server: &Server, stream: &str, count: u64) {
    until(&format!("{count} viewers"), PATIENCE, || {
        let pushes = server.get("/api/v1/pushes");
        let push = pushes["pushes"].as_array()?.iter().find(|push| push["stream"] == stream)?;
        (push["viewers"] == count).then_some(())
    });
}

fn has_element(name: &str) -> bool {
    let status = Command::new("gst-inspect-1.0").args(["--exists", name]).status();
    status.is_ok_and(|status| status.success())
}
