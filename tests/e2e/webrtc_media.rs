//! What comes of the media that WebRTC clients send: codecs that no browser here makes, and sound and picture that belong
//! together.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until_true};
use crate::support::encoder::probe;
use crate::support::http;
use crate::support::players::{self, Pages};
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::webrtc::{connected, url};

/// A client for Node.
const WERIFT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/web/werift.mjs");
/// How far a flash may be from its tone in the middle of all, s: a viewer notices 80 ms, and a picture takes 33 of it.
const APART: f64 = 0.08;
/// A frame is white above this, of 255.
const WHITE: f64 = 120.0;
/// A sound is a tone above this, dB.
const LOUD: f64 = -20.0;

/// Werift, which pushes in this codec until its input ends.
fn werift(server: &Server, codec: &str) -> Child {
    Command::new("node")
        .arg(WERIFT)
        .args([&url(server, "whip", codec), codec])
        .arg(players::packages())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

fn index(server: &Server, stream: &str) -> String {
    format!("http://{}/live/{stream}/index.m3u8?domain={DOMAIN}", server.http())
}

fn plays(server: &Server, stream: &str) {
    until_true("the stream's codecs", 3 * PATIENCE, || {
        let path = format!("/live/{stream}/index.m3u8?domain={DOMAIN}");
        http::request(server.http(), "GET", &path, &[], &[]).unwrap().status == 200
    });
}

/// Times at which what a filter of ffmpeg's says of the frames of a film goes above a limit.
fn rises(film: &Path, filter: &str, tag: &str, limit: f64) -> Vec<f64> {
    let graph = filter.replace("FILM", &film.display().to_string());
    let entries = format!("frame=pts_time:frame_tags={tag}");
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-f", "lavfi", "-i", &graph, "-show_entries", &entries, "-of", "csv=p=0"])
        .output()
        .unwrap();
    let mut was_above = true;
    let mut rises = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Some((time, value)) = line.trim_end_matches(',').split_once(',') else { continue };
        // Silence is -inf.
        let is_above = value.parse::<f64>().is_ok_and(|value| value > limit);
        if is_above && !was_above {
            rises.push(time.parse().unwrap());
        }
        was_above = is_above;
    }
    rises
}

#[test]
fn hevc_and_vp9_of_a_client_that_is_no_browser_play_over_hls_and_flv() {
    if !rights::has(&["ffmpeg", "node"]) || !players::is_there("werift/package.json") {
        return;
    }
    let server = Setup::open().start();
    // In Enhanced RTMP the codec of a picture stands behind its kind, as four letters.
    for (codec, known, name, four_letters) in
        [("H265", "hevc", "HEVC", "hvc1"), ("VP9", "vp9", "VP9", "vp09")]
    {
        let mut pusher = werift(&server, codec);
        plays(&server, codec);
        let hls = probe(&index(&server, codec));
        for wanted in [&format!("codec_name={known}"), "width=640", "codec_name=opus"] {
            assert!(hls.contains(wanted), "{wanted} in {hls}");
        }
        let decoded = Command::new("ffmpeg")
            .args([
                "-v",
                "error",
                "-xerror",
                "-i",
                &index(&server, codec),
                "-frames:v",
                "30",
                "-f",
                "null",
                "-",
            ])
            .output()
            .unwrap();
        assert!(decoded.status.success(), "{codec}: {}", String::from_utf8_lossy(&decoded.stderr));
        let flv = format!("http://{}/live/{codec}.flv?domain={DOMAIN}", server.http());
        let flv = Command::new("curl").args(["-s", "-m", "3", &flv]).output().unwrap().stdout;
        assert!(flv.windows(4).any(|part| part == four_letters.as_bytes()), "{codec} in FLV");
        drop(pusher.stdin.take());
        let record = server.record(codec);
        assert_eq!((record.errcode, record.sub_errcode), (35, 0), "{record:?}");
        let video = record.video.clone().expect("video was seen");
        assert_eq!((video.codec.as_deref(), video.width, video.height), (Some(name), Some(640), Some(360)));
        assert!(pusher.wait().unwrap().success());
    }
}

#[test]
fn a_flash_and_a_tone_of_a_browser_come_out_together() {
    if !rights::has(&["ffmpeg", "chromium", "chromedriver"]) {
        return;
    }
    let (server, pages) = (Setup::open().start(), Pages::serve());
    let browser = Browser::open(800, 600, "en");
    connected(&browser, &pages.claps(&url(&server, "whip", "claps")));
    plays(&server, "claps");
    let film = server.data().join("claps.mkv");
    let copied = Command::new("ffmpeg")
        .args(["-v", "error", "-i", &index(&server, "claps"), "-t", "10", "-c", "copy"])
        .arg(&film)
        .output()
        .unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    let flashes = rises(&film, "movie=FILM,signalstats", "lavfi.signalstats.YAVG", WHITE);
    let tone = "lavfi.astats.Overall.RMS_level";
    let tones = rises(&film, "amovie=FILM,astats=metadata=1:reset=1", tone, LOUD);
    // The browser reports the clocks of both media every second or so, and what was out by then is moved.
    let nearest =
        |flash: &f64| tones.iter().map(|tone| flash - tone).min_by(|a, b| a.abs().total_cmp(&b.abs()));
    let mut apart: Vec<f64> = flashes.iter().filter_map(nearest).collect();
    println!("{apart:.3?}");
    assert!(apart.len() >= 5, "flashes {flashes:?}, tones {tones:?}");
    apart.sort_by(f64::total_cmp);
    let median = apart[apart.len() / 2];
    assert!(median.abs() < APART, "flashes {flashes:?}, tones {tones:?}");
}
