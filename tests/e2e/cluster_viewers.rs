//! Viewers anywhere: a stream is played from any node of a cluster, whichever of them carries it.

use model::sign::{Algorithm, signed_query};
use serde_json::Value;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::cluster::{node, wait_for_nodes};
use crate::playback::{SAFE, View};
use crate::support::clock::{PATIENCE, until, until_true, wall};
use crate::support::encoder::{Encoder, probe};
use crate::support::http;
use crate::support::nats::Nats;
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::support::signal;

pub fn start(nats: &Nats, labels: &[&str], change: impl Fn(Setup) -> Setup) -> Vec<Server> {
    let servers: Vec<_> = labels.iter().map(|label| change(node(nats, label)).start()).collect();
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    servers.iter().for_each(|server| wait_for_nodes(server, &sorted));
    servers
}

pub fn rtmp(server: &Server, domain: &str, stream: &str) -> String {
    format!("rtmp://{}/live/{stream}?domain={domain}", server.rtmp())
}

pub fn flv(server: &Server, domain: &str, stream: &str) -> String {
    format!("http://{}/live/{stream}.flv?domain={domain}", server.http())
}

fn hls(server: &Server, domain: &str, stream: &str) -> String {
    format!("http://{}/live/{stream}/index.m3u8?domain={domain}", server.http())
}

fn pulls(server: &Server) -> Vec<Value> {
    server.get("/api/v1/cluster")["pulls"].as_array().unwrap().clone()
}

/// The pull that has ended last, once none is left.
fn ended(server: &Server) -> Value {
    until("the pull to end", PATIENCE, || {
        let cluster = server.get("/api/v1/cluster");
        cluster["pulls"].as_array()?.is_empty().then(|| cluster["ended_pulls"][0].clone())
    })
}

/// The only pull, once its media comes from that node.
pub fn fetched_from(server: &Server, owner: &str) -> Value {
    until(&format!("the stream of {owner}"), PATIENCE, || {
        let pulls = pulls(server);
        assert!(pulls.len() <= 1, "{pulls:#?}");
        pulls.into_iter().find(|pull| pull["owner"] == owner && pull["state"] == "live")
    })
}

pub fn wait_for_media(server: &Server) {
    until("media", PATIENCE, || {
        let pushes = server.get("/api/v1/pushes");
        (pushes["pushes"][0]["width"].is_u64() && pushes["pushes"][0]["audio_codec"].is_string())
            .then_some(())
    });
}

fn metric(server: &Server, name: &str) -> Option<u64> {
    let metrics = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok())
}

/// Nothing was shown twice or out of order, and no hole is wider than players bridge.
pub fn is_continuous(view: &View) {
    let frames = view.frames();
    for stream in 0..2 {
        let times: Vec<_> = frames.iter().filter(|(s, _)| *s == stream).map(|(_, dts)| *dts).collect();
        assert!(times.len() > 30 && times.is_sorted(), "stream {stream}: {times:?}");
        let widest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        assert!(widest < 1000, "stream {stream} has a hole of {widest} ms");
    }
}

#[test]
fn a_stream_is_played_from_another_node_by_one_pull_for_as_long_as_somebody_watches() {
    let Some(nats) = Nats::start() else { return };
    if !rights::has(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let nodes = start(&nats, &["east", "west"], |setup| setup.env("LASTFRAME_CLUSTER_PULL_IDLE", "2s"));
    let (east, west) = (&nodes[0], &nodes[1]);
    let mut encoder = Encoder::ffmpeg(&rtmp(east, DOMAIN, "far"));
    wait_for_media(east);
    let both_tracks = |url: String| {
        let found = probe(&url);
        assert!(found.contains("codec_name=h264") && found.contains("codec_name=aac"), "{url}: {found}");
    };
    both_tracks(rtmp(west, DOMAIN, "far"));
    both_tracks(flv(west, DOMAIN, "far"));
    let views = [rtmp, flv].map(|url| View::of(&url(west, DOMAIN, "far")));
    views.iter().for_each(|view| view.wait_for(60));
    let pull = fetched_from(west, "east");
    assert_eq!(pull["viewers"], 2, "{pull}");
    assert_eq!(metric(west, "lastframe_pulls"), Some(1));
    let pushes = west.get("/api/v1/pushes")["pushes"].as_array().unwrap().clone();
    assert_eq!(pushes.len(), 1, "it is a push of its owner only: {pushes:#?}");
    assert_eq!((&pushes[0]["node"], &pushes[0]["viewers"]), (&"east".into(), &1.into()), "{pushes:#?}");
    drop(views);
    let pull = ended(west);
    assert_eq!(pull["why"], "idle", "{pull:#}");
    until("the owner to have no viewers", PATIENCE, || {
        (east.get("/api/v1/pushes")["pushes"][0]["viewers"] == 0).then_some(())
    });

    both_tracks(hls(west, DOMAIN, "far"));
    let mut view = View::of(&flv(west, DOMAIN, "far"));
    view.wait_for(30);
    encoder.interrupt();
    assert!(view.ended(), "the viewer leaves with the stream");
    let pull = ended(west);
    assert_eq!(pull["why"], "over", "{pull:#}");
    let last = pull["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["code"]), (&"told_to_stop".into(), &"10/0".into()), "{pull:#}");
    assert_eq!(east.code("far"), "1/0");
    assert!(west.records(&[]).is_empty(), "a pull is no push");
}

/// The fetch of a stream that has ended, once it is on record.
fn fetch_of(server: &Server, stream: &str) -> Value {
    until(&format!("the record of the fetch of {stream}"), PATIENCE, || {
        let page = server.get(&format!("/api/v1/fetches?domain={DOMAIN}&app=live&stream={stream}"));
        let fetches = page["fetches"].as_array()?;
        assert!(fetches.len() <= 1, "{page:#}");
        fetches.first().cloned()
    })
}

#[test]
fn how_each_fetch_ended_is_on_record_past_a_restart_and_each_push_has_one_record_still() {
    let Some(nats) = Nats::start() else { return };
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let mut nodes = start(&nats, &["east", "west"], |setup| setup.env("LASTFRAME_CLUSTER_PULL_IDLE", "2s"));
    let [east, west] = &mut nodes[..] else { panic!("two nodes") };
    let streams = ["dropped", "unwatched", "killed"];
    let _encoders = streams.map(|stream| Encoder::ffmpeg(&rtmp(east, DOMAIN, stream)));
    east.wait_for_pushes(3);
    let [mut dropped, unwatched, _killed] = streams.map(|stream| {
        let view = View::of(&flv(west, DOMAIN, stream));
        view.wait_for(30);
        view
    });
    assert_eq!(west.get("/api/v1/fetches")["fetches"], serde_json::json!([]), "none has ended");
    drop(unwatched);
    let idle = fetch_of(west, "unwatched");
    assert_eq!(
        (&idle["why"], &idle["errcode"], &idle["detail"]),
        (&"idle".into(), &Value::Null, &Value::Null)
    );
    assert_eq!(
        (&idle["owner"], &idle["viewers"], &idle["node"]),
        (&"east".into(), &1.into(), &"west".into())
    );

    let order = serde_json::json!({ "domain": DOMAIN, "app": "live", "stream": "dropped" });
    assert_eq!(east.post("/api/v1/streams/drop", &order)["dropped"], 1);
    assert!(dropped.ended(), "the viewer leaves with the stream");
    let over = fetch_of(west, "dropped");
    assert_eq!(
        (&over["errcode"], &over["sub_errcode"], &over["why"]),
        (&10.into(), &0.into(), &"over".into())
    );
    let said = over["detail"]["params"]["said"].as_str().unwrap();
    assert!(said.contains("The stream has ended."), "{over:#}");
    assert!(over["live_ms"].as_u64() > Some(0) && over["bytes_in"].as_u64() > Some(0), "{over:#}");
    assert_eq!(over["events"].as_array().unwrap().last().unwrap()["event"], "told_to_stop", "{over:#}");
    for why in ["idle", "over"] {
        assert_eq!(metric(west, &format!("lastframe_pulls_ended_total{{why=\"{why}\"}}")), Some(1));
    }

    west.kill();
    west.start_again();
    assert_eq!(fetch_of(west, "dropped"), over);
    let path = format!("/api/v1/fetches/{}", over["id"].as_str().unwrap());
    assert_eq!(west.get(&path), over);
    let died = fetch_of(west, "killed");
    assert_eq!((&died["errcode"], &died["why"]), (&11.into(), &"died".into()), "{died:#}");
    assert!(east.get("/api/v1/fetches")["fetches"].as_array().unwrap().is_empty(), "it has fetched nothing");

    assert_eq!(east.codes("dropped", 1), ["21/100"]);
    assert_eq!(east.records(&[]).len(), 1, "the others are live");
    assert!(west.records(&[]).is_empty(), "a fetch is no push");
    let page = west.get("/api/v1/records");
    assert_eq!(page["records"], serde_json::json!([]), "{page:#}");
}

#[test]
fn viewers_on_every_node_go_on_when_the_stream_moves_from_one_node_to_another() {
    let Some(nats) = Nats::start() else { return };
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let nodes = start(&nats, &["east", "south", "west"], |setup| setup);
    let [east, south, west] = &nodes[..] else { panic!("three nodes") };
    let mut first = Encoder::ffmpeg(&rtmp(east, DOMAIN, "moving"));
    wait_for_media(east);
    let mut views = [
        View::of(&flv(west, DOMAIN, "moving")),
        View::of(&rtmp(west, DOMAIN, "moving")),
        View::of(&flv(east, DOMAIN, "moving")),
    ];
    views.iter().for_each(|view| view.wait_for(60));
    let before = fetched_from(west, "east");
    let mut second = Encoder::ffmpeg(&rtmp(south, DOMAIN, "moving"));
    first.wait();
    assert_eq!(east.code("moving"), "21/102");
    let after = fetched_from(west, "south");
    assert!(after["revision"].as_u64() > before["revision"].as_u64(), "{before:#} {after:#}");
    fetched_from(east, "south");
    let seen: Vec<_> = views.iter().map(|view| view.frames().len()).collect();
    views.iter().zip(seen).for_each(|(view, seen)| view.wait_for(seen + 90));
    second.interrupt();
    for view in &mut views {
        assert!(view.ended());
        is_continuous(view);
    }
    assert_eq!(south.code("moving"), "1/0");
}

#[test]
fn viewers_of_a_node_that_lives_go_on_with_the_backup_of_one_that_died() {
    let Some(nats) = Nats::start() else { return };
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let mut nodes = start(&nats, &["east", "south", "west"], |setup| setup);
    let _first = Encoder::ffmpeg(&rtmp(&nodes[0], "backup.test", "kept"));
    wait_for_media(&nodes[0]);
    let mut second = Encoder::ffmpeg(&rtmp(&nodes[1], "backup.test", "kept"));
    until("the backup", PATIENCE, || {
        let pushes = nodes[1].get("/api/v1/pushes");
        pushes["pushes"].as_array()?.iter().any(|push| push["role"] == "backup").then_some(())
    });
    // Also one on the node whose own push waits.
    let mut views = [1, 2].map(|at: usize| View::of(&flv(&nodes[at], "backup.test", "kept")));
    views.iter().for_each(|view| view.wait_for(60));
    fetched_from(&nodes[1], "east");
    fetched_from(&nodes[2], "east");
    nodes[0].kill();
    let seen: Vec<_> = views.iter().map(|view| view.frames().len()).collect();
    views.iter().zip(seen).for_each(|(view, seen)| view.wait_for(seen + 90));
    fetched_from(&nodes[2], "south");
    assert!(pulls(&nodes[1]).is_empty(), "what a node carries itself is not fetched");
    second.interrupt();
    for view in &mut views {
        assert!(view.ended());
        is_continuous(view);
    }
}

#[test]
fn viewers_are_let_go_when_no_node_has_their_stream_any_more() {
    let Some(nats) = Nats::start() else { return };
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let mut nodes = start(&nats, &["east", "west"], |setup| setup.env("LASTFRAME_CLUSTER_PULL_WAIT", "3s"));
    let _encoder = Encoder::ffmpeg(&rtmp(&nodes[0], DOMAIN, "gone"));
    wait_for_media(&nodes[0]);
    let mut view = View::of(&flv(&nodes[1], DOMAIN, "gone"));
    view.wait_for(60);
    nodes[0].kill();
    view.ended();
    let pull = ended(&nodes[1]);
    assert_eq!(pull["why"], "no_owner", "{pull:#}");
    let head = http::request(nodes[1].http(), "HEAD", &format!("/live/nobody.flv?domain={DOMAIN}"), &[], &[]);
    assert_eq!(head.unwrap().status, 404, "what nobody carries is not there");
}

#[test]
fn who_may_play_is_decided_where_the_viewer_is_and_only_nodes_are_served_as_nodes() {
    let Some(nats) = Nats::start() else { return };
    if !rights::has(&["ffprobe"]) {
        return;
    }
    let nodes = start(&nats, &["east", "west"], |setup| setup.config(SAFE));
    let (east, west) = (&nodes[0], &nodes[1]);
    let mut pusher = Pusher::push_to(east.rtmp(), "safe.test", "live", "seen").unwrap();
    pusher.sending(|| {
        let look = |method: &str, query: &str| {
            let path = format!("/live/seen.flv?domain=safe.test&{query}");
            http::request(west.http(), method, &path, &[], &[]).unwrap().status
        };
        assert_eq!((look("HEAD", ""), look("GET", "")), (403, 403));
        assert!(pulls(west).is_empty(), "nothing is fetched for who may not play");
        let signed = |key| signed_query(key, "seen", wall().plus(Duration::from_secs(60)), Algorithm::Md5);
        assert_eq!(look("GET", &signed("another-key")), 403);
        let query = signed("the-play-key");
        assert_eq!(look("HEAD", &query), 200);
        let found = probe(&format!("{}&{query}", flv(west, "safe.test", "seen")));
        assert!(found.contains("codec_name=h264"), "{found}");
        assert_eq!(pulls(west).len(), 1);

        let served = metric(east, "lastframe_pulls_served_total");
        let nonce = "ab".repeat(16);
        let code = "cd".repeat(32);
        let forged = [
            "1".to_owned(),
            format!("1.1.someone.{}.{nonce}.{code}", wall().millis()),
            format!("1.{}.someone.{}.{nonce}.{code}", pulls(west)[0]["revision"], wall().millis()),
        ];
        for (at, ticket) in forged.iter().enumerate() {
            let found = probe(&format!("{}&pull_token={ticket}", rtmp(east, "safe.test", "seen")));
            assert!(!found.contains("codec_name"), "{ticket}: {found}");
            let refused = u64::try_from(at).unwrap() + 1;
            assert_eq!(metric(east, "lastframe_pulls_refused_total"), Some(refused), "{ticket}");
        }
        assert_eq!(metric(east, "lastframe_pulls_served_total"), served);
        let printed = [east, west].map(Server::printed).concat();
        assert!(!printed.contains(&code) && !printed.contains("pull_token=1"), "no ticket is in a log");
    });
    pusher.delete_stream().unwrap();
    assert_eq!(east.code("seen"), "1/0");
}

#[test]
fn a_stream_is_fetched_over_tls_where_its_owner_says_so() {
    let Some(nats) = Nats::start() else { return };
    if !rights::has(&["ffprobe"]) {
        return;
    }
    let file = |name: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/support/tls");
        folder.join(name).to_str().unwrap().to_owned()
    };
    let nodes = start(&nats, &["east", "west"], |setup| {
        let place = format!("rtmps://localhost:{}", setup.rtmps_port);
        setup
            .env("LASTFRAME_RTMPS_CERT", &file("localhost.pem"))
            .env("LASTFRAME_RTMPS_KEY", &file("localhost.key"))
            .env("LASTFRAME_CLUSTER_ADVERTISE", &place)
            .env("LASTFRAME_CLUSTER_CA", &file("authority.pem"))
    });
    let (east, west) = (&nodes[0], &nodes[1]);
    let mut pusher = Pusher::push(east.rtmp(), "sealed").unwrap();
    pusher.sending(|| {
        let found = probe(&flv(west, DOMAIN, "sealed"));
        assert!(found.contains("codec_name=h264"), "{found}");
        fetched_from(west, "east");
        until_true("the owner to count the node", PATIENCE, || {
            east.get("/api/v1/pushes")["pushes"][0]["viewers"] == 1
        });
    });
    pusher.delete_stream().unwrap();
}

#[test]
fn a_fetch_that_is_cut_in_its_handshake_is_no_encoder_that_failed() {
    let Some(nats) = Nats::start() else { return };
    let mut nodes = start(&nats, &["east", "west"], |setup| setup);
    let (east, west) = nodes.split_at_mut(1);
    let (east, west) = (&east[0], &mut west[0]);
    let mut pusher = Pusher::push(east.rtmp(), "cut").unwrap();
    pusher.sending(|| {
        // Of those who come meanwhile its kernel takes the first bytes, and nobody answers.
        signal::send_to(east.pid(), "STOP");
        let mut viewer = TcpStream::connect(west.http()).unwrap();
        write!(viewer, "GET /live/cut.flv HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n").unwrap();
        until_true("the fetch to say its first bytes", PATIENCE, || was_spoken_to(east));
        west.kill();
        signal::send_to(east.pid(), "CONT");
        until_true("the owner to see it off", PATIENCE, || {
            east.printed().contains("another node's fetch ended before it named a stream")
        });
    });
    // The same bytes and the same end, but not of a node.
    let mut scanner = TcpStream::connect(east.rtmp()).unwrap();
    scanner.write_all(&[&[3][..], &[9; 1536]].concat()).unwrap();
    drop(scanner);
    assert_eq!(east.record_of_code("25/0").stream, None);
    pusher.delete_stream().unwrap();
    assert_eq!(east.code("cut"), "1/0");
    assert_eq!(east.records(&[]).len(), 2, "{:#?}", east.records(&[]));
}

/// Whether a connection to a node holds the first packet of a handshake that the node has not read.
fn was_spoken_to(node: &Server) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X}", node.rtmp().port());
    table.lines().skip(1).any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let local = words.next().is_some_and(|local| local.ends_with(&port));
        let unread = words.nth(2).and_then(|queues| queues.split_once(':'));
        let unread = unread.and_then(|(_, unread)| u64::from_str_radix(unread, 16).ok());
        local && unread == Some(1 + 1536)
    })
}
