//! Several nodes that share their stream keys over NATS.

use std::time::Duration;

use crate::support::clock::{PATIENCE, now, until};
use crate::support::http;
use crate::support::nats::Nats;
use crate::support::pusher::{NotLive, Pusher};
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

const RULES: &str = r#"
[[domain]]
name = "backup.test"
account = 7
auth = false
conflict = "backup"

[[domain]]
name = "refuse.test"
account = 7
auth = false
conflict = "refuse"

[[domain]]
name = "three.test"
account = 7
auth = false
conflict = "backup"
max_pushes_per_stream = 3

[[domain]]
name = "two.test"
account = 7
auth = false
max_pushes = 2
"#;

/// A node on this NATS.
pub fn node(nats: &Nats, label: &str) -> Setup {
    Setup::open()
        .config(RULES)
        .env("LASTFRAME_NODE_LABEL", label)
        .env("LASTFRAME_CLUSTER_NATS", &nats.url())
        .env("LASTFRAME_CLUSTER_LEASE", "2s")
        .env("LASTFRAME_CLUSTER_GRACE", "8s")
}

fn ready(server: &Server) -> String {
    http::request(server.http(), "GET", "/readyz", &[], &[]).unwrap().text()
}

/// Two nodes that know of each other.
fn two(nats: &Nats) -> [Server; 2] {
    let servers = [node(nats, "east").start(), node(nats, "west").start()];
    for server in &servers {
        wait_for_nodes(server, &["east", "west"]);
    }
    servers
}

/// Waits until the node sees these alive, and may let pushes in.
pub fn wait_for_nodes(server: &Server, labels: &[&str]) {
    until("the nodes to see each other", PATIENCE, || {
        let nodes = server.get("/api/v1/cluster");
        let alive = nodes["nodes"].as_array()?.iter().filter(|node| node["alive"] == true);
        let mut alive: Vec<_> = alive.filter_map(|node| node["label"].as_str()).collect();
        alive.sort_unstable();
        (alive == labels && ready(server).contains("cluster: connected")).then_some(())
    });
}

fn push(server: &Server, domain: &str, stream: &str) -> Result<Pusher, NotLive> {
    Pusher::push_to(server.rtmp(), domain, "live", stream)
}

/// Waits until a node's push of the stream is known to send media, so that it is no empty one.
fn sends(server: &Server, stream: &str, pusher: &mut Pusher) {
    until("its media", PATIENCE, || {
        pusher.send_media(200).unwrap();
        let pushes = server.get("/api/v1/pushes");
        let mine = pushes["pushes"].as_array()?.iter().find(|push| push["stream"] == stream)?;
        (mine["bytes_in"].as_u64()? > 4_000).then_some(())
    });
}

fn refused(result: Result<Pusher, NotLive>) -> String {
    match result {
        Err(NotLive::Refused(told)) => told.text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_order_given_to_any_node_reaches_the_push() {
    let Some(nats) = Nats::start() else { return };
    let [east, west] = two(&nats);
    let mut pusher = push(&east, DOMAIN, "far").unwrap();
    let list = until("the push in the other node's list", PATIENCE, || {
        let pushes = west.get("/api/v1/pushes");
        pushes["pushes"].as_array()?.first().cloned()
    });
    assert_eq!((list["stream"].as_str(), list["node"].as_str()), (Some("far"), Some("east")));
    let body = serde_json::json!({ "domain": DOMAIN, "app": "live", "stream": "far" });
    let asked = now();
    let answer = west.post("/api/v1/streams/drop", &body);
    let took = asked.elapsed();
    assert_eq!(answer, serde_json::json!({ "dropped": 1 }));
    let told = pusher.wait_for_cut();
    assert!(told.text.starts_with("[21/100]"), "{told:?}");
    println!("dropped on another node in {took:?}");
    let record = east.record("far");
    assert_eq!(record.code().to_string(), "21/100");
    assert_eq!(record.detail.unwrap().params["via"], "api");
    let forbid = serde_json::json!({ "domain": DOMAIN, "app": "live", "stream": "kept-out" });
    west.post("/api/v1/streams/forbid", &forbid);
    assert!(refused(push(&east, DOMAIN, "kept-out")).starts_with("[18/305]"));
    west.post("/api/v1/streams/resume", &forbid);
    push(&east, DOMAIN, "kept-out").unwrap().delete_stream().unwrap();
}

#[test]
fn an_order_that_was_meant_for_an_earlier_push_of_the_stream_is_not_carried_out() {
    let Some(nats) = Nats::start() else { return };
    let [east, _west] = two(&nats);
    let mut pusher = push(&east, DOMAIN, "late").unwrap();
    sends(&east, "late", &mut pusher);
    let nodes = east.get("/api/v1/cluster");
    let node = nodes["nodes"].as_array().unwrap().iter().find(|node| node["label"] == "east").unwrap();
    let subject = format!("lastframe.node.{}", node["id"].as_str().unwrap());
    let order = |revision: u64| {
        let by = serde_json::json!({ "who": "e2e", "via": "api", "from": null });
        let key = serde_json::json!({ "domain": DOMAIN, "app": "live", "stream": "late" });
        let command = serde_json::json!({ "do": "drop", "key": key, "by": by, "revision": revision });
        let asking = serde_json::json!({ "v": 1, "from": "e2e", "command": command });
        let answer: serde_json::Value =
            serde_json::from_str(&nats.ask(&subject, &asking.to_string())).unwrap();
        answer["reply"].clone()
    };
    let outdated = order(0);
    assert_eq!(outdated["did"], "outdated", "{outdated}");
    sends(&east, "late", &mut pusher);
    assert_eq!(order(outdated["since"].as_u64().unwrap())["pushes"], 1);
    assert!(pusher.wait_for_cut().text.starts_with("[21/100]"));
}

#[test]
fn a_push_on_one_node_takes_over_from_another_node() {
    let Some(nats) = Nats::start() else { return };
    let [east, west] = two(&nats);
    let mut old = push(&east, DOMAIN, "moved").unwrap();
    sends(&east, "moved", &mut old);
    let asked = now();
    let mut new = old.sending(|| push(&west, DOMAIN, "moved").unwrap());
    let told = old.wait_for_cut();
    println!("taken over by another node in {:?}", asked.elapsed());
    assert!(told.text.starts_with("[21/102]"), "{told:?}");
    new.send_media(500).unwrap();
    new.delete_stream().unwrap();
    let record = east.record("moved");
    assert_eq!(record.code().to_string(), "21/102");
    assert_eq!(record.detail.unwrap().key, "replaced_by");
    assert_eq!(west.code("moved"), "1/0");
    let mut empty = push(&east, DOMAIN, "empty").unwrap();
    let new = push(&west, DOMAIN, "empty").unwrap();
    assert!(empty.wait_for_cut().text.starts_with("[21/103]"));
    new.delete_stream().unwrap();
}

#[test]
fn the_other_rules_and_limits_hold_across_nodes_too() {
    let Some(nats) = Nats::start() else { return };
    let [east, west] = two(&nats);
    let first = push(&east, "refuse.test", "one").unwrap();
    assert!(refused(push(&west, "refuse.test", "one")).starts_with("[18/601]"));
    first.delete_stream().unwrap();
    assert_eq!(east.code("one"), "1/0");
    until("the key to be free", PATIENCE, || {
        push(&west, "refuse.test", "one").ok().map(|pusher| pusher.delete_stream().unwrap())
    });

    let mut first = push(&east, "backup.test", "two").unwrap();
    first.send_media(500).unwrap();
    let mut second = push(&west, "backup.test", "two").unwrap();
    second.send_media(500).unwrap();
    let roles = |server: &Server| {
        let pushes = server.get("/api/v1/pushes");
        let of = |push: &serde_json::Value| {
            format!("{} {}", push["node"].as_str().unwrap(), push["role"].as_str().unwrap())
        };
        pushes["pushes"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    for server in [&east, &west] {
        until("one live push and one backup", PATIENCE, || {
            (roles(server) == ["east live", "west backup"]).then_some(())
        });
    }
    first.delete_stream().unwrap();
    until("the backup to be live", PATIENCE, || (roles(&east) == ["west live"]).then_some(()));
    second.delete_stream().unwrap();

    let _held = [push(&east, "two.test", "a").unwrap(), push(&east, "two.test", "b").unwrap()];
    // The other node counts from the next heartbeat on.
    let told = until("the limit to be known", PATIENCE, || match push(&west, "two.test", "c") {
        Ok(early) => {
            early.delete_stream().unwrap();
            None
        }
        Err(NotLive::Refused(told)) => Some(told.text),
        Err(other) => panic!("{other:?}"),
    });
    assert!(told.starts_with("[18/600]"), "{told}");
}

#[test]
fn pushes_of_one_stream_are_counted_over_all_nodes() {
    let Some(nats) = Nats::start() else { return };
    let [east, west] = two(&nats);
    let live = push(&east, "three.test", "shared").unwrap();
    let far = push(&west, "three.test", "shared").unwrap();
    let near = push(&east, "three.test", "shared").unwrap();
    // One more is too many on the node that carries the stream and on the one that only waits.
    for server in [&east, &west] {
        let told = refused(push(server, "three.test", "shared"));
        assert!(told.starts_with("[18/601]"), "{told}");
    }
    let record = west.record_of_code("18/601");
    let limit = record.detail.unwrap().params;
    assert_eq!((&limit["scope"], &limit["have"], &limit["limit"]), (&"stream".into(), &3.into(), &3.into()));
    near.delete_stream().unwrap();
    let last = until("room for another", PATIENCE, || push(&west, "three.test", "shared").ok());
    assert!(refused(push(&east, "three.test", "shared")).starts_with("[18/601]"));
    for pusher in [last, far, live] {
        pusher.delete_stream().unwrap();
    }
}

#[test]
fn a_node_that_is_cut_off_refuses_new_pushes_and_ends_the_live_ones_after_the_grace() {
    let Some(mut nats) = Nats::start() else { return };
    let east = node(&nats, "east").start();
    wait_for_nodes(&east, &["east"]);
    let mut live = push(&east, DOMAIN, "held").unwrap();
    nats.kill();
    let told = refused(push(&east, DOMAIN, "new"));
    assert!(told.starts_with("[18/101]"), "{told}");
    live.send_media(1_000).unwrap();
    let told = live.wait_for_cut();
    assert!(told.text.starts_with("[38/0]"), "{told:?}");
    assert_eq!(east.code("held"), "38/0");
    nats.start_again();
    wait_for_nodes(&east, &["east"]);
    push(&east, DOMAIN, "held-again").unwrap().delete_stream().unwrap();
    assert_eq!(east.code("held-again"), "1/0");
}

#[test]
fn a_short_absence_of_the_registry_ends_nothing() {
    let Some(nats) = Nats::start() else { return };
    let [east, west] = two(&nats);
    let mut live = push(&east, "refuse.test", "kept").unwrap();
    live.send_media(500).unwrap();
    nats.freeze();
    until("the node to notice", PATIENCE, || ready(&east).contains("cluster: away").then_some(()));
    nats.thaw();
    for server in [&east, &west] {
        wait_for_nodes(server, &["east", "west"]);
    }
    assert!(refused(push(&west, "refuse.test", "kept")).starts_with("[18/601]"), "it is still east's");
    assert!(!live.answer(), "the push goes on");
    live.delete_stream().unwrap();
    assert_eq!(east.code("kept"), "1/0");
}

#[test]
fn what_a_dead_node_carried_is_free_after_the_lease_time() {
    let Some(nats) = Nats::start() else { return };
    let [mut east, west] = two(&nats);
    let mut first = push(&east, "backup.test", "orphan").unwrap();
    first.send_media(500).unwrap();
    let _held = push(&east, "refuse.test", "orphan").unwrap();
    let mut second = push(&west, "backup.test", "orphan").unwrap();
    second.send_media(500).unwrap();
    assert!(refused(push(&west, "refuse.test", "orphan")).starts_with("[18/601]"));
    east.kill();
    let killed = now();
    until("the backup to be live", PATIENCE, || {
        let pushes = west.get("/api/v1/pushes");
        pushes["pushes"].as_array()?.iter().any(|push| push["role"] == "live").then_some(())
    });
    println!("a dead node's stream went on elsewhere after {:?}", killed.elapsed());
    until("the refused key to be free", Duration::from_secs(30), || {
        push(&west, "refuse.test", "orphan").ok().map(|pusher| pusher.delete_stream().unwrap())
    });
    second.delete_stream().unwrap();
    east.start_again();
    let codes = |stream: &str| east.codes(stream, 2);
    assert_eq!(codes("orphan"), ["11/0", "11/0"]);
}

#[cfg(feature = "postgres")]
#[test]
fn a_dead_nodes_pushes_are_on_record_by_another_node_until_it_is_back_and_knows_better() {
    let (Some(nats), Some(database)) = (Nats::start(), crate::support::postgres::postgres()) else { return };
    let start = |label| node(&nats, label).env("LASTFRAME_STORE_URL", &database.url()).start();
    let (mut east, west) = (start("east"), start("west"));
    for server in [&east, &west] {
        wait_for_nodes(server, &["east", "west"]);
        until("the database", PATIENCE, || ready(server).contains("database: connected").then_some(()));
    }
    let mut gone = push(&east, DOMAIN, "gone").unwrap();
    gone.send_media(500).unwrap();
    push(&east, DOMAIN, "ended").unwrap().delete_stream().unwrap();
    assert_eq!(west.code("ended"), "1/0");
    east.kill();
    let killed = now();
    let by_other = west.record("gone");
    println!("a dead node's push was on record after {:?}", killed.elapsed());
    assert_eq!((by_other.code().to_string().as_str(), by_other.node.as_str()), ("11/0", "east"));
    assert!(by_other.detail.is_none(), "another node knows no more than that");
    east.start_again();
    until("the node's own word", PATIENCE, || west.record("gone").detail);
    let own = west.record("gone");
    assert_eq!((own.id, own.code().to_string().as_str()), (by_other.id, "11/0"));
    assert_eq!(west.records(&[]).len(), 2, "each once");
}
