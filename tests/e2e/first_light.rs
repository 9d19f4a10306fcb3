//! A newcomer's first minute.

use std::io::{BufRead, BufReader};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::clock::{PATIENCE, now, until};
use crate::support::encoder::Encoder;
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::Setup;

/// The promise is one second; a busy machine starts the command slower than that.
const AT_ONCE: Duration = Duration::from_secs(3);

#[test]
fn the_printed_command_pushes_and_its_clean_stop_stands_on_record_at_once() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::first_start().start();
    let url = printed_url(&server);
    let key = generated_key(&server);
    let mut encoder = Encoder::ffmpeg(&url);
    let live = |path| server.ask("GET", path, &key, &[]).json();
    let push = until("the push to be live", PATIENCE, || {
        let push = live("/api/v1/pushes")["pushes"].get(0)?.clone();
        push["width"].is_number().then_some(push)
    });
    sleep(Duration::from_secs(4));

    let stopped = now();
    encoder.interrupt();
    let stream = push["stream"].as_str().expect("the live push names its stream").to_owned();
    let record = server.record_within(&stream, AT_ONCE);
    assert!(stopped.elapsed() < AT_ONCE + Duration::from_secs(1), "{:?}", stopped.elapsed());

    assert_eq!(record.code().to_string(), "1/0");
    assert_eq!(record.side, "client");
    assert_eq!(record.domain.as_deref(), Some("localhost"));
    assert_eq!(record.protocol, "rtmp");
    assert!(record.client_ip.is_loopback(), "{}", record.client_ip);
    assert!(record.published_at.is_some_and(|at| at >= record.connected_at && at < record.ended_at));
    assert!((3_000..20_000).contains(&record.duration_ms), "{} ms", record.duration_ms);
    assert!(record.bytes_in > 50_000, "{} bytes", record.bytes_in);
    assert!(record.encoder.as_deref().is_some_and(|name| name.contains("Lavf")), "{:?}", record.encoder);
    let video = record.video.as_ref().expect("video facts");
    assert_eq!(video.codec.as_deref(), Some("H.264"));
    assert_eq!((video.width, video.height), (Some(640), Some(360)));
    assert!(video.fps.is_some_and(|fps| (28.0..=32.0).contains(&fps)), "{:?} frames a second", video.fps);
    assert!(video.kbps.is_some_and(|kbps| (100..3_000).contains(&kbps)), "{:?} kbit/s", video.kbps);
    let audio = record.audio.as_ref().expect("audio facts");
    assert_eq!(audio.codec.as_deref(), Some("AAC"));
    assert_eq!((audio.sample_rate, audio.channels), (Some(44_100), Some(1)));
    assert!(audio.kbps.is_some_and(|kbps| kbps > 0), "{:?} kbit/s", audio.kbps);

    let printed: Value =
        serde_json::from_str(&server.cli(&["records", "--format", "json", "--lang", "en"])).unwrap();
    let listed = live("/api/v1/records");
    assert_eq!(
        listed["records"],
        Value::Array(vec![printed.clone()]),
        "the API tells what the command tells"
    );
    let secret = url.split_once("txSecret=").map(|(_, rest)| rest.split('&').next().unwrap().to_owned());
    let secret = secret.expect("the printed URL is signed");
    assert!(!printed.to_string().contains(&secret), "secrets do not travel: {printed}");
    assert!(!server.printed().contains("panicked"), "{}", server.printed());
}

#[test]
fn the_record_is_drawn_in_the_terminal_and_served_with_its_evidence() {
    let server = Setup::open().start();
    let mut push = Pusher::push(server.rtmp(), "drawn").unwrap();
    push.send_media(2_000).unwrap();
    push.delete_stream().unwrap();
    let id = server.record("drawn").id.to_string();
    let shown = server.cli(&["show", &id, "--lang", "en"]);
    for part in ["1/0", "drawn", "publish", "deleteStream"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let evidence = server.get(&format!("/api/v1/records/{id}"));
    assert_eq!(evidence["record"]["stream"], "drawn");
    assert!(evidence["evidence"].is_object(), "{evidence}");
}

#[test]
fn a_record_is_exported_without_secrets_and_judged_again_alike() {
    let server = Setup::open().start();
    let mut push = Pusher::push(server.rtmp(), "exported?txSecret=f85a2ab363fe4deaffef9754d79da6fe").unwrap();
    push.send_media(2_000).unwrap();
    push.delete_stream().unwrap();
    let id = server.record("exported").id.to_string();
    let printed = server.cli(&["export", &id]);
    assert!(!printed.contains("f85a2ab363fe4deaffef9754d79da6fe"), "{printed}");
    let export: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&export["format"], &export["version"]), (&"lastframe-record".into(), &1.into()));
    assert_eq!(export["record"]["stream"], "exported");
    assert_eq!(export["evidence"]["goodbye"], "delete_stream");
    assert_eq!(server.get(&format!("/api/v1/records/{id}/export"))["evidence"], export["evidence"]);
    let judged = server.cli(&["judge", "--id", &id, "--lang", "en"]);
    assert!(judged.starts_with("1 judged, 0 different"), "{judged}");
    let untold = &server.get(&format!("/api/v1/records/{id}"))["untold"];
    assert_eq!(untold[0]["key"], "untold_person_or_script", "{untold}");
}

#[test]
fn the_record_appears_in_a_terminal_that_follows() {
    let server = Setup::open().start();
    let mut following = server.start_cli(&["records", "--follow", "--format", "json"]);
    sleep(Duration::from_secs(1));
    for stream in ["followed-1", "followed-2"] {
        Pusher::push(server.rtmp(), stream).unwrap().delete_stream().unwrap();
    }
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    for stream in ["followed-1", "followed-2"] {
        let record: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!((&record["stream"], &record["errcode"]), (&stream.into(), &1.into()));
    }
    crate::support::signal::kill(&mut following);
}

#[test]
fn health_and_metrics_tell_what_the_node_has_seen() {
    let server = Setup::open().start();
    Pusher::push(server.rtmp(), "counted").unwrap().delete_stream().unwrap();
    server.record("counted");
    let get = |path| crate::support::http::request(server.http(), "GET", path, &[], &[]).unwrap();
    assert_eq!(get("/healthz").status, 200);
    let metrics = get("/metrics").text();
    let ended = metrics.lines().find(|line| {
        !line.starts_with('#') && line.contains("code=\"1/0\"") && line.contains("side=\"client\"")
    });
    assert!(ended.is_some_and(|line| line.ends_with(" 1")), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"));
}

fn printed_url(server: &Server) -> String {
    until("the printed push command", PATIENCE, || {
        let printed = server.printed();
        let from = printed.find("rtmp://")?;
        let url = printed[from..].split(['"', '\'', ' ', '\n']).next()?.to_owned();
        url.contains("txTime").then_some(url)
    })
}

fn generated_key(server: &Server) -> String {
    let text = std::fs::read_to_string(server.data().join("secrets.toml")).unwrap();
    let secrets: toml::Table = text.parse().unwrap();
    let part = |name: &str| secrets["api_key"][name].as_str().unwrap().to_owned();
    format!("{}:{}", part("id"), part("secret"))
}
