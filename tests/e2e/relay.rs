//! Live streams passed on to other servers by rule. The push itself never depends on it.

use serde_json::Value;

use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::nginx::Nginx;
use crate::support::pusher::Pusher;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::support::{ports, rights, tls_front};

/// A server that relays everything to this URL.
fn relaying_to(target: &str, more: &str) -> Server {
    let rule = format!("\n[[relay]]\nname = \"copy\"\napp = \"live\"\ntarget = \"{target}\"\n{more}\n");
    Setup::open().config(&rule).start()
}

fn copy_on(server: &Server) -> String {
    format!("rtmp://{}/live/{{stream}}-copy?domain={DOMAIN}", server.rtmp())
}

fn relay(server: &Server) -> Option<Value> {
    server.get("/api/v1/relays")["relays"].get(0).cloned()
}

/// Pushes frames until the relay is in this state; the relay then.
fn push_until(server: &Server, push: &mut Pusher, state: &str) -> Value {
    until(&format!("a relay that is {state}"), PATIENCE, || {
        push.send_media(2_000).unwrap();
        relay(server).filter(|relay| relay["state"] == state)
    })
}

fn push_until_at(server: &Server, push: &mut Pusher, stream: &str) {
    until_true("media at the target", PATIENCE, || {
        push.send_media(2_000).unwrap();
        let pushes = server.get("/api/v1/pushes");
        let mut pushes = pushes["pushes"].as_array().unwrap().iter();
        pushes.any(|push| push["stream"] == stream && push["bytes_in"].as_u64() > Some(20_000))
    });
}

#[test]
fn a_stream_is_passed_on_while_it_lives_and_taken_back_when_it_ends() {
    let target = Setup::open().start();
    let server = relaying_to(&copy_on(&target), "");
    let mut push = Pusher::push(server.rtmp(), "first").unwrap();
    push_until_at(&target, &mut push, "first-copy");
    let shown = push_until(&server, &mut push, "live");
    assert_eq!(
        (&shown["name"], &shown["role"], &shown["stream"]),
        (&"copy".into(), &"relay".into(), &"first".into())
    );
    assert_eq!(shown["target"], format!("rtmp://{}/live/first-copy?domain={DOMAIN}", target.rtmp()));
    assert!(shown["bytes_out"].as_u64() > Some(20_000) && shown["frames"].as_u64() > Some(5), "{shown}");
    let metrics = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
    assert!(
        metrics.lines().any(|line| line == "lastframe_relays{relay=\"copy\",state=\"live\"} 1"),
        "{metrics}"
    );

    push.delete_stream().unwrap();
    assert_eq!(target.code("first-copy"), "1/0");
    assert_eq!(server.code("first"), "1/0");
    until_true("no relay is left", PATIENCE, || relay(&server).is_none());
    let copy = target.record("first-copy");
    assert_eq!(copy.video.unwrap().codec.as_deref(), Some("H.264"));
    assert!(copy.encoder.is_some_and(|name| name.contains("Lastframe")));
}

#[test]
fn a_target_that_comes_up_later_gets_the_stream_then() {
    let port = ports::free();
    let server = relaying_to(&format!("rtmp://127.0.0.1:{port}/live/{{stream}}?domain={DOMAIN}"), "");
    let mut push = Pusher::push(server.rtmp(), "patient").unwrap();
    let down = push_until(&server, &mut push, "retrying");
    assert!(down["last_error"].as_str().unwrap().contains("refused"), "{down}");
    assert!(down["next_attempt_at"].is_string());
    let mut target = Setup::open().env("LASTFRAME_RTMP_LISTEN", &format!("127.0.0.1:{port}"));
    target.rtmp_port = port;
    let target = target.start();
    let up = push_until(&server, &mut push, "live");
    assert!(up["reconnects"].as_u64() >= Some(1), "{up}");
    push_until_at(&target, &mut push, "patient");
    push.delete_stream().unwrap();
    assert_eq!((server.code("patient").as_str(), target.code("patient").as_str()), ("1/0", "1/0"));
}

#[test]
fn the_target_sees_one_push_where_encoders_take_over_from_each_other() {
    let target = Setup::open().start();
    let server = relaying_to(&copy_on(&target), "");
    let mut old = Pusher::push(server.rtmp(), "contested").unwrap();
    push_until_at(&target, &mut old, "contested-copy");
    let mut new = old.sending(|| Pusher::push(server.rtmp(), "contested").unwrap());
    assert!(old.wait_for_cut().text.starts_with("[21/102]"));
    let before = relay(&server).unwrap()["bytes_out"].as_u64();
    until_true("media of the newcomer at the target", PATIENCE, || {
        new.send_media(2_000).unwrap();
        relay(&server).unwrap()["bytes_out"].as_u64() > before.map(|bytes| bytes + 40_000)
    });
    new.delete_stream().unwrap();
    assert_eq!(target.codes("contested-copy", 1), ["1/0"]);
}

#[test]
fn a_refusal_is_shown_with_the_targets_words_and_the_push_goes_on() {
    let target = Setup::open().start();
    let url =
        format!("rtmp://{}/live/secret-key-of-the-platform?domain=nowhere.test&token=t0p", target.rtmp());
    let server = relaying_to(&url, "");
    let mut push = Pusher::push(server.rtmp(), "refused").unwrap();
    let shown = push_until(&server, &mut push, "failed");
    assert!(shown["last_error"].as_str().unwrap().contains("[18/301]"), "{shown}");
    let log = server.printed();
    for secret in ["secret-key-of-the-platform", "t0p"] {
        assert!(!shown.to_string().contains(secret) && !log.contains(secret), "{secret} in {shown} or {log}");
    }
    push.send_media(1_000).unwrap();
    push.delete_stream().unwrap();
    assert_eq!(server.code("refused"), "1/0");
}

#[test]
fn rtmps_targets_need_a_certificate_that_somebody_vouches_for() {
    let target = Setup::open().start();
    let port = tls_front::start(target.rtmp());
    let ca = format!("ca = \"{}\"", tls_front::authority().display());
    for (host, ca, state) in
        [("localhost", ca.as_str(), "live"), ("localhost", "", "failed"), ("127.0.0.1", &ca, "failed")]
    {
        let server = relaying_to(&format!("rtmps://{host}:{port}/live/{{stream}}?domain={DOMAIN}"), ca);
        let stream = format!("over-tls-{state}");
        let mut push = Pusher::push(server.rtmp(), &stream).unwrap();
        let shown = push_until(&server, &mut push, state);
        if state == "live" {
            push_until_at(&target, &mut push, &stream);
            push.delete_stream().unwrap();
            assert_eq!(target.code(&stream), "1/0");
        } else {
            let error = shown["last_error"].as_str().unwrap();
            assert!(error.contains("not to be trusted") && error.contains("certificate"), "{error}");
            assert!(target.records(&["--stream", &stream]).is_empty(), "nothing was said to it");
        }
    }
}

#[test]
fn nginx_plays_what_it_is_passed() {
    if !rights::has(&["ffmpeg", "ffprobe", "nginx"]) {
        return;
    }
    let nginx = Nginx::start();
    let server = relaying_to(&format!("rtmp://{}/live/{{stream}}", nginx.rtmp()), "");
    let mut encoder = Encoder::ffmpeg(&server.open_url("tube"));
    nginx.wait_for("tube", true);
    let played = crate::support::encoder::probe(&format!("rtmp://{}/live/tube", nginx.rtmp()));
    assert!(played.contains("codec_name=h264") && played.contains("codec_name=aac"), "{played}");
    assert!(played.contains("width=640"), "{played}");
    encoder.interrupt();
    nginx.wait_for("tube", false);
    assert_eq!(server.code("tube"), "1/0");
}

#[test]
fn a_target_that_stands_still_costs_frames_and_nothing_else() {
    if !rights::has(&["nginx"]) {
        return;
    }
    let nginx = Nginx::start();
    let server = relaying_to(&format!("rtmp://{}/live/{{stream}}", nginx.rtmp()), "");
    let mut push = Pusher::push(server.rtmp(), "heavy").unwrap();
    push_until(&server, &mut push, "live");
    nginx.wait_for("heavy", true);
    nginx.freeze();
    let before = resident(server.pid());
    // 80 MB, more than twice what the hub may hold for viewers of a stream.
    for _ in 0..800 {
        push.send_media(100_000).unwrap();
        push.answer();
    }
    let grown = resident(server.pid()).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB more in memory");
    nginx.thaw();
    // On a machine so busy that all this took ten seconds the target was given up meanwhile.
    until_true("frames that were left out", PATIENCE, || {
        push.send_media(1_000).unwrap();
        let shown = relay(&server).unwrap();
        shown["state"] == "live"
            && (shown["skipped"].as_u64() > Some(0) || shown["reconnects"].as_u64() > Some(0))
    });
    push.delete_stream().unwrap();
    assert_eq!(server.code("heavy"), "1/0");
}

/// Memory of a process, KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
