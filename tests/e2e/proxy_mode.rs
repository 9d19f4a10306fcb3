//! Proxy mode: Lastframe stands in front of another server, which has the last word, and writes the records it cannot.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::{Encoder, probe};
use crate::support::nginx::Nginx;
use crate::support::pusher::{NotLive, Pusher};
use crate::support::receiver::{Answer, Receiver};
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

fn in_front_of(upstream: std::net::SocketAddr, more: &str) -> Server {
    let proxy = format!("\n[proxy]\nupstream = \"rtmp://{upstream}\"\n{more}\n");
    Setup::open().config(&proxy).start()
}

/// Another server that admits what the first does.
fn upstream() -> Server {
    Setup::open().start()
}

fn refused(result: Result<Pusher, NotLive>) -> String {
    match result {
        Err(NotLive::Refused(told)) => format!("{}: {}", told.code, told.text),
        Err(NotLive::Lost(error)) => panic!("{error}"),
        Ok(_) => panic!("the push went live"),
    }
}

fn push_until_at(server: &Server, push: &mut Pusher, stream: &str) {
    until_true("media at the upstream", PATIENCE, || {
        push.send_media(2_000).unwrap();
        let pushes = server.get("/api/v1/pushes");
        let mut pushes = pushes["pushes"].as_array().unwrap().iter();
        pushes.any(|push| push["stream"] == stream && push["bytes_in"].as_u64() > Some(20_000))
    });
}

fn detail(server: &Server, stream: &str) -> (String, Value) {
    let detail = server.record(stream).detail.expect("a detail");
    (detail.key, serde_json::to_value(detail.params).unwrap())
}

#[test]
fn the_upstream_hears_the_goodbye_that_the_client_said() {
    let upstream = upstream();
    let server = in_front_of(upstream.rtmp(), "");
    type Leave = fn(Pusher);
    let ways: [(&str, Leave); 4] = [
        ("1/0", |push| _ = push.delete_stream().unwrap()),
        ("2/0", |push| _ = push.close_stream().unwrap()),
        ("3/0", |push| _ = push.end_of_file().unwrap()),
        ("4/0", |push| _ = push.reset().unwrap()),
    ];
    for (code, leave) in ways {
        let stream = format!("left-by-{}", code.replace('/', "-"));
        let mut push = Pusher::push(server.rtmp(), &stream).unwrap();
        push_until_at(&upstream, &mut push, &stream);
        leave(push);
        assert_eq!((server.code(&stream).as_str(), upstream.code(&stream).as_str()), (code, code));
    }
    assert_eq!(server.get("/api/v1/relays")["relays"].as_array().map(Vec::len), Some(0));
}

#[test]
fn what_the_upstream_refuses_never_goes_live_and_the_client_hears_why() {
    let upstream = Setup::first_start().start();
    let server = in_front_of(upstream.rtmp(), "");
    let told = refused(Pusher::push(server.rtmp(), "unwanted"));
    assert!(told.contains("[10/0]") && told.contains("[18/301]"), "{told}");
    assert!(
        !told.contains(&upstream.rtmp().to_string()),
        "where the upstream stands is not the client's: {told}"
    );
    assert_eq!(server.code("unwanted"), "10/0");
    let (key, params) = detail(&server, "unwanted");
    assert_eq!((key.as_str(), &params["address"]), ("upstream_refused", &upstream.rtmp().to_string().into()));
    assert!(params["said"].as_str().unwrap().contains("NetStream.Publish.Denied"), "{params}");
}

#[test]
fn an_upstream_that_ends_a_push_ends_it_here_with_its_words() {
    let upstream = upstream();
    let server = in_front_of(upstream.rtmp(), "");
    let mut push = Pusher::push(server.rtmp(), "dropped").unwrap();
    push_until_at(&upstream, &mut push, "dropped");
    let key = serde_json::json!({ "domain": DOMAIN, "app": "live", "stream": "dropped" });
    upstream.post("/api/v1/streams/drop", &key);
    let told = push.wait_for_cut();
    assert!(told.text.contains("[10/0]") && told.text.contains("[21/100]"), "{told:?}");
    assert_eq!((server.code("dropped").as_str(), upstream.code("dropped").as_str()), ("10/0", "21/100"));
    assert_eq!(detail(&server, "dropped").0, "upstream_order");
}

/// A push that takes over is passed on in the place of the one before, until it ends.
fn a_push_takes_over_at(nginx: &Nginx) {
    let server = in_front_of(nginx.rtmp(), "");
    let mut old = Pusher::push(server.rtmp(), "contested").unwrap();
    old.send_media(2_000).unwrap();
    nginx.wait_for("contested", true);
    let mut new = Pusher::push(server.rtmp(), "contested").unwrap();
    assert!(old.wait_for_cut().text.starts_with("[21/10"));
    new.send_media(2_000).unwrap();
    nginx.wait_for("contested", true);
    new.delete_stream().unwrap();
    nginx.wait_for("contested", false);
    let codes = server.codes("contested", 2);
    assert_eq!(codes[0], "1/0");
    assert!(codes[1].starts_with("21/10"), "{codes:?}");
}

#[test]
fn a_push_that_takes_over_keeps_its_place_at_the_upstream() {
    if !rights::has(&["nginx"]) {
        return;
    }
    // nginx gives a name to nobody else while it has a publisher.
    let nginx = Nginx::start();
    a_push_takes_over_at(&nginx);
}

/// nginx that says nothing to a second publisher of a name, and closes: as SRS does.
fn nginx_without_a_word() -> Nginx {
    let publishing = std::sync::atomic::AtomicUsize::new(0);
    let hook = Receiver::on(SocketAddr::from(([127, 0, 0, 1], 0)), move |received| {
        match received.path.as_str() {
            "/done" => publishing.fetch_sub(1, Ordering::SeqCst),
            _ if publishing.load(Ordering::SeqCst) > 0 => return Answer::Says(403),
            _ => publishing.fetch_add(1, Ordering::SeqCst),
        };
        Answer::Says(200)
    });
    let [asks, done] = ["/publish", "/done"].map(|path| hook.url(path));
    Nginx::start_with(&format!("on_publish {asks}; on_publish_done {done};"))
}

#[test]
fn a_push_takes_over_at_an_upstream_that_closes_without_a_word_while_the_name_is_taken() {
    if !rights::has(&["nginx"]) {
        return;
    }
    let nginx = nginx_without_a_word();
    a_push_takes_over_at(&nginx);
}

#[test]
fn where_the_upstream_alone_decides_its_silent_refusal_ends_nobody_elses_push() {
    if !rights::has(&["nginx"]) {
        return;
    }
    let nginx = nginx_without_a_word();
    let server = in_front_of(nginx.rtmp(), "admit = \"any\"");
    let mut old = Pusher::push(server.rtmp(), "guarded").unwrap();
    old.send_media(2_000).unwrap();
    nginx.wait_for("guarded", true);
    let told = refused(Pusher::push(server.rtmp(), "guarded"));
    assert!(told.contains("[10/0]"), "{told}");
    old.send_media(2_000).unwrap();
    old.delete_stream().unwrap();
    assert_eq!(server.codes("guarded", 2), ["1/0", "10/0"]);
}

#[test]
fn a_backup_is_passed_on_once_it_carries_the_stream() {
    let upstream =
        Setup::open().config("\n[[domain]]\nname = \"backup.test\"\naccount = 7\nauth = false\n").start();
    let more = "[[domain]]\nname = \"backup.test\"\naccount = 7\nauth = false\nconflict = \"backup\"\n";
    let server = in_front_of(upstream.rtmp(), more);
    let push = || Pusher::push_to(server.rtmp(), "backup.test", "live", "spare").unwrap();
    let mut first = push();
    push_until_at(&upstream, &mut first, "spare");
    let mut second = push();
    second.send_media(2_000).unwrap();
    first.delete_stream().unwrap();
    assert_eq!(upstream.codes("spare", 1), ["1/0"]);
    push_until_at(&upstream, &mut second, "spare");
    second.delete_stream().unwrap();
    assert_eq!(server.codes("spare", 2), ["1/0", "1/0"]);
    assert_eq!(upstream.codes("spare", 2), ["1/0", "1/0"]);
}

#[test]
fn where_anybody_is_admitted_the_upstream_alone_decides() {
    let domain = "\n[[domain]]\nname = \"anything.test\"\naccount = 7\nauth = false\n";
    let upstream = Setup::open().config(domain).start();
    let by_rules = in_front_of(upstream.rtmp(), "");
    let push =
        |server: &Server, stream: &str| Pusher::push_to(server.rtmp(), "anything.test", "live", stream);
    let told = refused(push(&by_rules, "unknown"));
    assert!(told.contains("[18/301]"), "{told}");
    let open = in_front_of(upstream.rtmp(), "admit = \"any\"");
    push(&open, "welcome").unwrap().delete_stream().unwrap();
    assert_eq!((open.code("welcome").as_str(), upstream.code("welcome").as_str()), ("1/0", "1/0"));
    let record = open.record("welcome");
    assert_eq!((record.domain.as_deref(), record.account), (Some("anything.test"), Some(0)));
}

#[test]
fn nginx_gets_what_ffmpeg_pushes_and_its_ways_to_end_are_told_apart() {
    if !rights::has(&["ffmpeg", "ffprobe", "nginx"]) {
        return;
    }
    let mut nginx = Nginx::start();
    let server = in_front_of(nginx.rtmp(), "");
    let mut encoder = Encoder::ffmpeg(&server.open_url("clean"));
    nginx.wait_for("clean", true);
    let played = probe(&format!("rtmp://{}/live/clean", nginx.rtmp()));
    assert!(played.contains("codec_name=h264") && played.contains("codec_name=aac"), "{played}");
    encoder.interrupt();
    nginx.wait_for("clean", false);
    assert_eq!(server.code("clean"), "1/0");

    let mut encoder = Encoder::ffmpeg(&server.open_url("dropped"));
    nginx.wait_for("dropped", true);
    nginx.drop_publisher("dropped");
    encoder.wait();
    assert_eq!(server.code("dropped"), "10/0");
    assert_eq!(detail(&server, "dropped").0, "upstream_closed");

    let mut encoder = Encoder::ffmpeg(&server.open_url("killed"));
    nginx.wait_for("killed", true);
    nginx.kill();
    encoder.wait();
    assert_eq!(server.code("killed"), "10/0");
    let (key, params) = detail(&server, "killed");
    assert_eq!((key.as_str(), &params["step"]), ("upstream_closed", &"live".into()), "{params}");

    let told = refused(Pusher::push(server.rtmp(), "nobody"));
    assert!(told.contains("[10/0]"), "{told}");
    assert_eq!(detail(&server, "nobody").0, "upstream_unreachable");
}

#[test]
fn an_upstream_that_gives_up_a_silent_push_is_not_blamed_for_it() {
    if !rights::has(&["nginx"]) {
        return;
    }
    let nginx = Nginx::start_with("drop_idle_publisher 2s;");
    let server = in_front_of(nginx.rtmp(), "");
    let mut push = Pusher::push(server.rtmp(), "silent").unwrap();
    push.send_media(2_000).unwrap();
    nginx.wait_for("silent", true);
    assert!(push.wait_for_cut().text.contains("[10/0]"));
    let (key, params) = detail(&server, "silent");
    assert_eq!((key.as_str(), &params["step"]), ("upstream_closed", &"live".into()), "{params}");
    assert!(params["silence_ms"].as_u64() >= Some(1_500), "{params}");
}

#[test]
fn nginx_that_stops_or_denies_ends_the_push_with_ten() {
    if !rights::has(&["nginx"]) {
        return;
    }
    let mut nginx = Nginx::start();
    let server = in_front_of(nginx.rtmp(), "");
    let mut push = Pusher::push(server.rtmp(), "stopped").unwrap();
    push.send_media(2_000).unwrap();
    nginx.wait_for("stopped", true);
    nginx.stop();
    assert!(push.wait_for_cut().text.contains("[10/0]"));
    assert_eq!(server.code("stopped"), "10/0");

    let nginx = Nginx::start_with("on_publish {http}/deny;");
    let server = in_front_of(nginx.rtmp(), "");
    let told = refused(Pusher::push(server.rtmp(), "denied"));
    assert!(told.contains("[10/0]"), "{told}");
    let record = until("the record", PATIENCE, || Some(server.record("denied")));
    assert_eq!(record.code().to_string(), "10/0");
    let key = record.detail.unwrap().key;
    assert!(["upstream_closed", "upstream_refused"].contains(&key.as_str()), "{key}");
}
