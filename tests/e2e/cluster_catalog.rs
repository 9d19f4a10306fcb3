//! One catalog for all nodes: changed on any, seen by all, and there again after everything was stopped.

use serde_json::{Value, json};

use crate::support::clock::{PATIENCE, now, until, until_true};
use crate::support::nats::Nats;
use crate::support::pusher::Pusher;
use crate::support::server::Server;
use crate::support::setup::{API_KEY, DOMAIN, Setup};

fn node(nats: &Nats, label: &str) -> Setup {
    Setup::open()
        .env("LASTFRAME_NODE_LABEL", label)
        .env("LASTFRAME_CLUSTER_NATS", &nats.url())
        .env("LASTFRAME_CLUSTER_LEASE", "2s")
}

/// Waits until the nodes have the same catalog.
fn agree(servers: &[&Server]) -> u64 {
    until("the nodes to have one catalog", PATIENCE, || {
        let revisions: Vec<_> = servers.iter().map(|server| status(server)["catalog"].as_u64()).collect();
        revisions
            .first()
            .copied()
            .flatten()
            .filter(|first| revisions.iter().all(|other| *other == Some(*first)))
    })
}

fn status(server: &Server) -> Value {
    let output = server.output(&["cluster", "status", "--format", "json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn domain(server: &Server, name: &str) -> Option<Value> {
    let answer = server.ask("GET", &format!("/api/v1/domains/{name}"), API_KEY, &[]);
    (answer.status == 200).then(|| answer.json())
}

fn create(server: &Server, name: &str) -> u16 {
    let body = json!({ "name": name, "account": 7 }).to_string();
    server.ask("POST", "/api/v1/domains", API_KEY, body.as_bytes()).status
}

fn modify(server: &Server, name: &str, body: &Value) -> u16 {
    let path = format!("/api/v1/domains/{name}");
    server.ask("PATCH", &path, API_KEY, body.to_string().as_bytes()).status
}

#[test]
fn what_is_changed_on_one_node_counts_on_all_within_a_second() {
    let Some(nats) = Nats::start() else { return };
    let (east, west) = (node(&nats, "east").start(), node(&nats, "west").start());
    let before = agree(&[&east, &west]);
    assert_eq!(create(&west, "new.test"), 201);
    let changed = now();
    until_true("the domain on the other node", PATIENCE, || domain(&east, "new.test").is_some());
    let took = changed.elapsed();
    println!("seen by the other node after {took:?}");
    assert_eq!(modify(&west, "new.test", &json!({ "auth": false })), 200);
    until_true("its change on the other node", PATIENCE, || {
        domain(&east, "new.test").unwrap()["auth"] == false
    });
    Pusher::push_to(east.rtmp(), "new.test", "live", "first").unwrap().delete_stream().unwrap();
    assert!(agree(&[&east, &west]) > before, "a change has a number of its own");

    // A change cuts what runs on the other node, and what is deleted there is gone here.
    let mut live = Pusher::push_to(east.rtmp(), "new.test", "live", "second").unwrap();
    live.send_media(500).unwrap();
    assert_eq!(modify(&west, "new.test", &json!({ "enabled": false })), 200);
    assert!(live.wait_for_cut().text.starts_with("[18/303]"));
    assert!(west.ask("DELETE", "/api/v1/domains/new.test", API_KEY, &[]).status < 300);
    until_true("the domain to be gone", PATIENCE, || domain(&east, "new.test").is_none());
    let told = Pusher::push_to(east.rtmp(), "new.test", "live", "third").unwrap_err().told();
    assert!(told.text.starts_with("[18/301]"), "{told:?}");
}

#[test]
fn of_two_changes_at_once_one_comes_first_and_no_node_keeps_the_other() {
    let Some(nats) = Nats::start() else { return };
    let (east, west) = (node(&nats, "east").start(), node(&nats, "west").start());
    agree(&[&east, &west]);
    for round in 0..10 {
        let statuses = std::thread::scope(|scope| {
            let one = scope.spawn(|| modify(&east, DOMAIN, &json!({ "conflict": "backup" })));
            let two = scope.spawn(|| modify(&west, DOMAIN, &json!({ "conflict": "refuse" })));
            [one.join().unwrap(), two.join().unwrap()]
        });
        assert!(statuses.contains(&200), "{round}: {statuses:?}");
        assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{round}: {statuses:?}");
        agree(&[&east, &west]);
        until_true("both to have the same domain", PATIENCE, || {
            domain(&east, DOMAIN) == domain(&west, DOMAIN)
        });
    }
}

#[test]
fn the_catalog_survives_a_restart_of_everything_and_changes_wait_for_the_registry() {
    let Some(mut nats) = Nats::start() else { return };
    let (mut east, mut west) = (node(&nats, "east").start(), node(&nats, "west").start());
    agree(&[&east, &west]);
    assert_eq!(create(&east, "kept.test"), 201);
    agree(&[&east, &west]);
    nats.kill();
    until_true("a change to be refused", PATIENCE, || create(&west, "lost.test") == 503);
    assert!(domain(&west, "lost.test").is_none() && domain(&west, "kept.test").is_some());
    east.terminate();
    west.kill();
    nats.start_again();
    east.start_again();
    west.start_again();
    agree(&[&east, &west]);
    for server in [&east, &west] {
        assert!(domain(server, "kept.test").is_some() && domain(server, "lost.test").is_none());
    }
    // Who comes without anything has all of it.
    let north = node(&nats, "north").start();
    agree(&[&east, &west, &north]);
    assert!(domain(&north, "kept.test").is_some());
    assert_eq!(create(&north, "from-north.test"), 201);
    until_true("it on the oldest node", PATIENCE, || domain(&east, "from-north.test").is_some());
    let table = north.output(&["cluster", "status"]);
    let text = String::from_utf8(table.stdout).unwrap();
    assert!(text.contains("registry: connected") && text.contains("catalog:  revision "), "{text}");
    assert!(["east", "west", "north"].iter().all(|label| text.contains(label)), "{text}");
}
