//! What a transport stream over SRT can hold, and what becomes of it: pictures out of order, clocks that wrap and jump,
//! streams that turn into others, several programmes, and sound or picture alone.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::clock::{PATIENCE, until};
use crate::support::encoder::{Encoder, probe};
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::support::{ports, rights};

const H264: [&str; 8] = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"];
/// Seven packets of a transport stream.
const PAYLOAD: usize = 1_316;

fn ready() -> bool {
    rights::has(&["ffmpeg", "ffprobe", "srt-live-transmit"])
}

/// A transport stream of so many seconds, with these options of ffmpeg behind its two inputs.
fn made(folder: &Path, name: &str, size: &str, seconds: u32, options: &[&str]) -> Vec<u8> {
    let file: PathBuf = folder.join(name);
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", &format!("testsrc2=size={size}:rate=25")])
        .args(["-f", "lavfi", "-i", "sine"])
        .args(options)
        .args(["-t", &seconds.to_string(), "-f", "mpegts"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(file).unwrap()
}

/// A push by srt-live-transmit, which passes on what it is sent over UDP.
struct Sender {
    between: Encoder,
    socket: UdpSocket,
}

impl Sender {
    fn new(server: &Server, stream: &str) -> Self {
        let port = ports::free();
        let url = format!("srt://{}?streamid=#!::h={DOMAIN},r=live/{stream}&passphrase=", server.srt());
        let mut command = Command::new("srt-live-transmit");
        let between = Encoder::start(command.args([&format!("udp://127.0.0.1:{port}"), &url]));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", port)).unwrap();
        server.wait_for_pushes(1);
        Self { between, socket }
    }

    /// Sends a stream in its own time.
    fn play(&self, stream: &[u8], seconds: u32) {
        let pause = Duration::from_secs(seconds.into()) / u32::try_from(stream.len() / PAYLOAD + 1).unwrap();
        for payload in stream.chunks(PAYLOAD) {
            // While nobody listens yet or any more, what is sent is lost.
            let _ = self.socket.send(payload);
            sleep(pause);
        }
    }

    fn stop(mut self) {
        self.between.interrupt();
        self.between.wait();
    }
}

/// Times of packets of one kind as a player sees them: presented and decoded, in milliseconds.
fn times(url: &str, kind: &str, seconds: u32) -> Vec<(i64, i64)> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-rw_timeout", "20000000", "-select_streams", kind, "-show_entries"])
        .args(["packet=pts,dts", "-of", "csv=p=0", "-read_intervals", &format!("%+{seconds}"), url])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let number = |text: &str| text.trim().parse().ok();
    let times = text.lines().filter_map(|line| {
        let (pts, dts) = line.split_once(',')?;
        Some((number(pts)?, number(dts.trim_end_matches(','))?))
    });
    times.collect()
}

fn flv(server: &Server, stream: &str) -> String {
    format!("http://{}/live/{stream}.flv?domain={DOMAIN}", server.http())
}

fn push(server: &Server, stream: &str) -> Option<Value> {
    let pushes = server.get("/api/v1/pushes");
    pushes["pushes"].as_array()?.iter().find(|push| push["stream"] == stream).cloned()
}

fn wait_for(server: &Server, stream: &str, what: &str, is_it: impl Fn(&Value) -> bool) {
    until(what, PATIENCE, || push(server, stream).filter(&is_it));
}

/// The evidence of a push that was stopped.
fn carrier(server: &Server, stream: &str) -> Value {
    let record = server.record(stream);
    assert_eq!(record.code().to_string(), "35/0", "{record:#?}");
    let found = server.get(&format!("/api/v1/records/{}", record.id));
    found["evidence"]["carrier"]["srt"].clone()
}

fn assert_steady(times: &[(i64, i64)], apart_ms: i64) {
    assert!(times.len() > 20, "{times:?}");
    let steps = times.windows(2).map(|pair| pair[1].1 - pair[0].1);
    assert!(steps.clone().all(|step| (0..=apart_ms).contains(&step)), "{times:?}");
}

#[test]
fn pictures_out_of_order_keep_their_times_and_a_clock_that_wraps_is_no_jump() {
    if !ready() {
        return;
    }
    let (server, folder) = (Setup::open().start(), tempfile::tempdir().unwrap());
    // 33 bits of 1/90000 s end at 95443.7 s.
    let late = ["-mpegts_copyts", "1", "-output_ts_offset", "95438"];
    let options = [&H264[..], &["-bf", "2", "-c:a", "aac"], &late].concat();
    let stream = made(folder.path(), "wraps.ts", "320x240", 12, &options);
    let sender = Sender::new(&server, "wraps");
    let url = flv(&server, "wraps");
    let seen = std::thread::scope(|scope| {
        let seen = scope.spawn(|| {
            wait_for(&server, "wraps", "a picture", |push| push["width"] == 320);
            (times(&url, "v", 8), times(&url, "a", 2))
        });
        sender.play(&stream, 12);
        seen.join().unwrap()
    });
    sender.stop();
    let (video, _audio) = seen;
    // A player joins up to a second of stream behind, and the wrap is six seconds from the beginning.
    assert_steady(&video, 200);
    assert!(video.iter().any(|(pts, dts)| pts > dts), "pictures are presented later than decoded: {video:?}");
    assert!(video.iter().all(|(pts, dts)| pts >= dts), "{video:?}");
    let ts = &carrier(&server, "wraps")["ts"];
    assert_eq!((&ts["clock_jumps"], &ts["continuity_gaps"]), (&0.into(), &0.into()), "{ts}");
}

#[test]
fn a_stream_that_turns_into_another_goes_on_with_its_size_its_codec_and_a_clock_without_a_jump() {
    if !ready() {
        return;
    }
    let (server, folder) = (Setup::open().start(), tempfile::tempdir().unwrap());
    let h264 = [&H264[..], &["-tune", "zerolatency", "-c:a", "aac"]].concat();
    let hevc = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-g", "25"];
    let hevc = [&hevc[..], &["-tune", "zerolatency", "-pix_fmt", "yuv420p", "-c:a", "aac"]].concat();
    let small = made(folder.path(), "small.ts", "320x240", 5, &h264);
    let large = made(folder.path(), "large.ts", "640x360", 5, &h264);
    let other = made(folder.path(), "other.ts", "480x270", 5, &hevc);
    let sender = Sender::new(&server, "turns");
    let url = flv(&server, "turns");
    let seen = std::thread::scope(|scope| {
        let seen = scope.spawn(|| {
            wait_for(&server, "turns", "the first picture", |push| push["width"] == 320);
            let seen = scope.spawn(|| times(&url, "v", 8));
            wait_for(&server, "turns", "the larger picture", |push| push["width"] == 640);
            wait_for(&server, "turns", "the other codec", |push| push["width"] == 480);
            seen.join().unwrap()
        });
        for part in [&small, &large, &other] {
            sender.play(part, 5);
        }
        seen.join().unwrap()
    });
    sender.stop();
    assert_steady(&seen, 1_000);
    let video = server.record("turns").video.unwrap();
    assert_eq!((video.codec.as_deref(), video.width), (Some("HEVC"), Some(480)));
    let srt = carrier(&server, "turns");
    assert!(srt["ts"]["clock_jumps"].as_u64() >= Some(2), "each part began its clock anew: {srt}");
}

#[test]
fn the_first_of_several_programmes_is_carried_and_sound_or_picture_alone_play() {
    if !ready() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let programmes = ["-map", "0:v", "-map", "1:a", "-map", "0:v", "-map", "1:a", "-program", "st=0:st=1"];
    let programmes = [&programmes[..], &["-program", "st=2:st=3"], &H264, &["-s:v:1", "160x120"]].concat();
    for (name, options, there, missing) in [
        (
            "programmes",
            [&programmes[..], &["-c:a", "aac"]].concat(),
            &["h264", "aac", "width=320"][..],
            "width=160",
        ),
        ("sound", ["-map", "1:a", "-c:a", "aac"].to_vec(), &["aac"], "codec_type=video"),
        ("picture", [&["-map", "0:v"], &H264[..]].concat(), &["h264", "width=320"], "codec_type=audio"),
    ] {
        let server = Setup::open().start();
        let stream = made(folder.path(), &format!("{name}.ts"), "320x240", 12, &options);
        let sender = Sender::new(&server, name);
        let found = std::thread::scope(|scope| {
            let found = scope.spawn(|| {
                let seen =
                    |push: &Value| push["width"] == 320 || (name == "sound" && push["audio_codec"] == "AAC");
                wait_for(&server, name, "media", seen);
                probe(&flv(&server, name))
            });
            sender.play(&stream, 12);
            found.join().unwrap()
        });
        sender.stop();
        assert!(there.iter().all(|part| found.contains(part)) && !found.contains(missing), "{name}: {found}");
        assert_eq!(carrier(&server, name)["ts"]["crc_errors"], 0);
    }
}
