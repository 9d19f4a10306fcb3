//! Pushes over SRT: played, ended in every way, refused with a code, and encrypted.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use model::Record;

use crate::support::clock::{PATIENCE, until};
use crate::support::encoder::{Encoder, probe};
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::support::srt_caller::{Answer, SrtCaller};

fn server() -> Server {
    Setup::open().env("LASTFRAME_SRT_PEER_TIMEOUT", "2s").start()
}

fn stream_id(stream: &str) -> String {
    format!("#!::h={DOMAIN},r=live/{stream},m=publish")
}

fn url(server: &Server, stream: &str, more: &str) -> String {
    format!("srt://{}?streamid={}{more}", server.srt(), stream_id(stream))
}

fn ffmpeg(url: &str, video: &[&str], audio: &[&str]) -> Encoder {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-hide_banner", "-nostats", "-nostdin"])
        .args([
            "-re",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x240:rate=25",
            "-re",
            "-f",
            "lavfi",
            "-i",
            "sine",
        ])
        .args(video)
        .args(["-g", "25", "-pix_fmt", "yuv420p"])
        .args(audio)
        .args(["-f", "mpegts", url]);
    Encoder::start(&mut command)
}

fn h264(url: &str) -> Encoder {
    ffmpeg(url, &["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"], &["-c:a", "aac"])
}

fn live(server: &Server, stream: &str) -> Encoder {
    let encoder = h264(&url(server, stream, ""));
    wait_for_picture(server, stream);
    encoder
}

fn wait_for_picture(server: &Server, stream: &str) {
    until("a picture", PATIENCE, || {
        let pushes = server.get("/api/v1/pushes");
        let push = pushes["pushes"].as_array()?.iter().find(|push| push["stream"] == stream)?.clone();
        (push["width"] == 320).then_some(())
    });
}

fn ended(record: &Record) -> (String, String) {
    (record.code().to_string(), record.detail.as_ref().map(|detail| detail.key.clone()).unwrap_or_default())
}

fn has_ffmpeg() -> bool {
    rights::has(&["ffmpeg", "ffprobe"])
}

#[test]
fn what_ffmpeg_pushes_over_srt_plays_over_flv_rtmp_and_hls_and_its_stop_is_a_goodbye() {
    if !has_ffmpeg() {
        return;
    }
    let server = server();
    let mut encoder = live(&server, "played");
    let http = format!("http://{}/live/played", server.http());
    for url in [
        format!("{http}.flv?domain={DOMAIN}"),
        format!("{http}/index.m3u8?domain={DOMAIN}"),
        server.open_url("played"),
    ] {
        let found = probe(&url);
        for part in ["codec_name=h264", "codec_name=aac", "width=320", "sample_rate=44100"] {
            assert!(found.contains(part), "{part} in {url}: {found}");
        }
    }
    let frames = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i", &format!("{http}/index.m3u8?domain={DOMAIN}")])
        .args(["-t", "1", "-f", "null", "-"])
        .output()
        .unwrap();
    assert!(
        frames.status.success() && frames.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&frames.stderr)
    );
    encoder.interrupt();
    encoder.wait();
    let record = server.record("played");
    assert_eq!(ended(&record), ("35/0".to_owned(), "srt_shutdown".to_owned()));
    assert_eq!(record.protocol, "srt");
    assert!(record.encoder.as_deref().is_some_and(|name| name.starts_with("SRT 1.")), "{record:#?}");
    let (video, audio) = (record.video.unwrap(), record.audio.unwrap());
    assert_eq!((video.codec.as_deref(), video.width, video.fps), (Some("H.264"), Some(320), Some(25.0)));
    assert_eq!((audio.codec.as_deref(), audio.sample_rate), (Some("AAC"), Some(44_100)));
    let evidence = server.get(&format!("/api/v1/records/{}", record.id));
    let srt = &evidence["evidence"]["carrier"]["srt"];
    assert!(srt["packets"].as_u64() > Some(50) && srt["latency_ms"] == 120, "{srt}");
    assert_eq!((&srt["ts"]["continuity_gaps"], &srt["ts"]["crc_errors"]), (&0.into(), &0.into()), "{srt}");
    let shown = server.cli(&["show", &record.id.to_string()]);
    for part in ["\nSRT\n", "round trip", "latency 120 ms, not encrypted", "0 given up"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn hevc_and_opus_over_srt_play() {
    if !has_ffmpeg() {
        return;
    }
    let server = server();
    let video =
        ["-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency", "-x265-params", "log-level=none"];
    let _encoder = ffmpeg(&url(&server, "modern", ""), &video, &["-c:a", "libopus"]);
    wait_for_picture(&server, "modern");
    let found = probe(&format!("http://{}/live/modern/index.m3u8?domain={DOMAIN}", server.http()));
    for part in ["codec_name=hevc", "codec_name=opus", "width=320"] {
        assert!(found.contains(part), "{part}: {found}");
    }
}

#[test]
fn a_killed_sender_is_a_reset_and_a_frozen_one_a_lost_transport() {
    if !has_ffmpeg() {
        return;
    }
    let server = server();
    let (mut killed, frozen) = (live(&server, "killed"), live(&server, "frozen"));
    killed.kill();
    frozen.freeze();
    assert_eq!(ended(&server.record("killed")), ("4/0".to_owned(), "peer_port_closed".to_owned()));
    let record = server.record("frozen");
    assert_eq!(ended(&record), ("17/0".to_owned(), "peer_timeout".to_owned()));
    let silence = record.detail.unwrap().params["silence_ms"].as_u64();
    assert!((Some(1_500)..Some(20_000)).contains(&silence), "{silence:?}");
}

#[test]
fn gstreamer_over_srt_stops_with_a_goodbye() {
    if !rights::has(&["gst-launch-1.0"]) {
        return;
    }
    let server = server();
    let mut command = Command::new("gst-launch-1.0");
    command
        .args([
            "-e",
            "videotestsrc",
            "is-live=true",
            "!",
            "video/x-raw,width=320,height=240,framerate=25/1",
            "!",
        ])
        .args([
            "x264enc",
            "tune=zerolatency",
            "speed-preset=ultrafast",
            "key-int-max=25",
            "!",
            "mpegtsmux",
            "!",
        ])
        .args(["srtsink", &format!("uri=srt://{}", server.srt())])
        .arg(format!("streamid={}", stream_id("gstreamer")));
    let mut encoder = Encoder::start(&mut command);
    wait_for_picture(&server, "gstreamer");
    encoder.interrupt();
    encoder.wait();
    assert_eq!(server.code("gstreamer"), "35/0");
}

#[test]
fn srt_live_transmit_passes_a_stream_on_from_udp() {
    if !has_ffmpeg() || !rights::has(&["srt-live-transmit"]) {
        return;
    }
    let server = server();
    let udp = format!("udp://127.0.0.1:{}", crate::support::ports::free());
    let mut between = Encoder::start(
        Command::new("srt-live-transmit").args([&udp, &url(&server, "transmitted", "&passphrase=")]),
    );
    let _encoder = h264(&format!("{udp}?pkt_size=1316"));
    wait_for_picture(&server, "transmitted");
    between.interrupt();
    assert_eq!(server.code("transmitted"), "35/0");
}

#[test]
fn each_refusal_has_its_reject_code_and_ffmpeg_is_told() {
    let setup = Setup::open().config(
        "[[domain]]\nname = \"off.test\"\naccount = 7\nauth = false\nenabled = false\n\
         [[domain]]\nname = \"signed.test\"\naccount = 7\nkey = \"0123456789abcdef\"\n\
         [[domain]]\nname = \"lone.test\"\naccount = 7\nauth = false\nconflict = \"refuse\"\n",
    );
    let server = setup.start();
    let refused = |id: &str, stream: &str, code: u32| {
        assert_eq!(SrtCaller::call(server.srt(), id), Answer::Refused(code), "{id}");
        server.code(stream)
    };
    assert_eq!(refused("#!::h=signed.test,r=live/unsigned", "unsigned", 1_401), "18/500");
    assert_eq!(refused("#!::h=off.test,r=live/disabled", "disabled", 1_403), "18/303");
    assert_eq!(refused("#!::h=nowhere.test,r=live/nowhere", "nowhere", 1_404), "18/301");
    assert_eq!(refused(&format!("live/quest?domain={DOMAIN}&x=1"), "quest", 0), "35/0");
    let Answer::Accepted(_first) = SrtCaller::open(server.srt(), "#!::h=lone.test,r=live/busy") else {
        panic!("the first push is welcome")
    };
    server.wait_for_pushes(1);
    assert_eq!(refused("#!::h=lone.test,r=live/busy", "busy", 1_409), "18/601");
    // One who wants to play is no push, and leaves no record.
    let play = format!("#!::h={DOMAIN},r=live/player,m=request");
    assert_eq!(SrtCaller::call(server.srt(), &play), Answer::Refused(1_405));
    assert!(server.records(&["--stream", "player"]).is_empty());
    if has_ffmpeg() {
        let mut encoder = h264(&format!("srt://{}?streamid=#!::h=off.test,r=live/ffmpeg", server.srt()));
        assert!(!encoder.wait().success());
        assert!(encoder.printed().contains("Application-defined rejection reason"), "{}", encoder.printed());
        assert_eq!(server.code("ffmpeg"), "18/303");
    }
}

#[test]
fn a_handshake_left_half_way_is_30() {
    let server = server();
    SrtCaller::greet(server.srt());
    let record = server.record_of_code("30/0");
    assert_eq!((record.protocol.as_str(), record.stream), ("srt", None));
}

#[test]
fn only_who_has_the_passphrase_may_push() {
    if !has_ffmpeg() {
        return;
    }
    let server = Setup::open().env("LASTFRAME_SRT_PASSPHRASE", "correct horse battery").start();
    let wrong = "&passphrase=wrong horse battery&pbkeylen=32";
    assert!(!h264(&url(&server, "wrong", wrong)).wait().success());
    let record = server.record("wrong");
    assert_eq!(ended(&record), ("30/0".to_owned(), "rule".to_owned()));
    assert_eq!(record.detail.unwrap().params["rule"], "passphrase");
    assert!(!h264(&url(&server, "plain", "")).wait().success());
    assert_eq!(ended(&server.record("plain")), ("30/0".to_owned(), "rule".to_owned()));
    // A refusal of ours reaches one who has the passphrase, and is not taken for a wrong one.
    let right = "&passphrase=correct horse battery";
    let mut refused = h264(&format!("srt://{}?streamid=#!::h=nowhere.test,r=live/s{right}", server.srt()));
    assert!(!refused.wait().success());
    assert!(refused.printed().contains("Application-defined rejection reason"), "{}", refused.printed());
    for (stream, key) in [("aes128", ""), ("aes256", "&pbkeylen=32")] {
        let mut encoder = h264(&url(&server, stream, &format!("{right}{key}")));
        wait_for_picture(&server, stream);
        encoder.interrupt();
        encoder.wait();
        assert_eq!(server.code(stream), "35/0");
    }
}

#[test]
fn a_domain_may_have_a_passphrase_of_its_own_and_no_other_opens_it() {
    if !has_ffmpeg() {
        return;
    }
    let server = Setup::open()
        .config("[[domain]]\nname = \"secret.test\"\naccount = 7\nauth = false\n")
        .env("LASTFRAME_SRT_PASSPHRASES", "secret.test:correct horse battery")
        .env("LASTFRAME_SRT_LATENCY", "250ms")
        .start();
    let encoder = |domain: &str, stream: &str, more: &str| {
        h264(&format!("srt://{}?streamid=#!::h={domain},r=live/{stream}{more}", server.srt()))
    };
    let right = "&passphrase=correct horse battery";
    let asked = |more: &str| format!("{right}{more}");
    let mut pushed = encoder("secret.test", "right", &asked("&latency=400000"));
    wait_for_picture(&server, "right");
    let mut open = encoder(DOMAIN, "open", "");
    wait_for_picture(&server, "open");
    for (encoder, stream, encrypted, latency_ms) in
        [(&mut pushed, "right", true, 400), (&mut open, "open", false, 250)]
    {
        encoder.interrupt();
        encoder.wait();
        let record = server.record(stream);
        assert_eq!(ended(&record).0, "35/0");
        let srt = &server.get(&format!("/api/v1/records/{}", record.id))["evidence"]["carrier"]["srt"];
        assert_eq!((&srt["encrypted"], &srt["latency_ms"]), (&encrypted.into(), &latency_ms.into()), "{srt}");
    }
    // Another domain named by the way does not open it, and one that needs none does not take it.
    for (domain, stream, more, code) in [
        ("secret.test", "wrong", "&passphrase=wrong horse battery", 1_010),
        ("secret.test", "missing", "", 1_011),
        (DOMAIN, "needless", right, 1_011),
        (DOMAIN, "roundabout,domain=secret.test", "", 1_011),
    ] {
        assert!(!encoder(domain, stream, more).wait().success(), "{stream}");
        let record = server.record(stream.split(',').next().unwrap());
        assert_eq!(ended(&record), ("30/0".to_owned(), "rule".to_owned()), "{stream}");
        let found = record.detail.unwrap().params["found"].to_string();
        assert!(found.contains(&code.to_string()), "{stream}: {found}");
    }
    // Of a domain that there is not, the caller is told that, whatever it encrypts with.
    let mut nowhere = encoder("nowhere.test", "nowhere", right);
    assert!(!nowhere.wait().success());
    assert!(nowhere.printed().contains("Application-defined rejection reason"), "{}", nowhere.printed());
    assert_eq!(server.code("nowhere"), "18/301");
}

#[test]
fn orders_end_a_push_over_srt_and_so_does_a_second_one() {
    if !has_ffmpeg() {
        return;
    }
    let mut server = server();
    let mut dropped = live(&server, "dropped");
    server.post(
        "/api/v1/streams/drop",
        &serde_json::json!({"domain": DOMAIN, "app": "live", "stream": "dropped"}),
    );
    assert!(!dropped.wait().success(), "ffmpeg hears a goodbye");
    assert_eq!(server.code("dropped"), "21/100");

    let first = live(&server, "twice");
    sleep(Duration::from_millis(500));
    let _second = Encoder::ffmpeg(&server.open_url("twice"));
    assert_eq!(server.code("twice"), "21/102");
    drop(first);

    let _stopped = live(&server, "stopped");
    assert!(server.terminate().success());
    assert_eq!(server.code("stopped"), "9/0");
}
