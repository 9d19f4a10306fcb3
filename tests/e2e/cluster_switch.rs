//! A switch reaches a backup on whichever node it waits, from whichever node it is asked.

use serde_json::{Value, json};
use std::time::Duration;

use crate::cluster::{node, wait_for_nodes};
use crate::cluster_viewers::{fetched_from, flv, is_continuous, rtmp, start, wait_for_media};
use crate::playback::View;
use crate::support::clock::{PATIENCE, now, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::http::Response;
use crate::support::nats::Nats;
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{API_KEY, DOMAIN, Setup};

const BACKUP: &str = "backup.test";

fn switch(asked: &Server, stream: &str, sequence: Option<&str>) -> Response {
    let mut body = json!({ "domain": BACKUP, "app": "live", "stream": stream });
    if let Some(sequence) = sequence {
        body["sequence"] = sequence.into();
    }
    asked.ask("POST", "/api/v1/streams/switch", API_KEY, body.to_string().as_bytes())
}

/// The stream's pushes as `node role`, with their sequences, as a node sees them.
fn roles(server: &Server, stream: &str) -> Vec<(String, String)> {
    let pushes = server.get("/api/v1/pushes");
    let mine = pushes["pushes"].as_array().unwrap().iter().filter(|push| push["stream"] == stream);
    let text = |push: &Value, field: &str| push[field].as_str().unwrap().to_owned();
    let of =
        |push: &Value| (format!("{} {}", text(push, "node"), text(push, "role")), text(push, "sequence"));
    mine.map(of).collect()
}

fn wait_for_roles(server: &Server, stream: &str, wanted: &[&str]) -> Vec<String> {
    until(&format!("{stream}: {wanted:?}"), PATIENCE, || {
        let roles = roles(server, stream);
        let is = roles.iter().map(|(role, _)| role.as_str()).eq(wanted.iter().copied());
        is.then(|| roles.into_iter().map(|(_, sequence)| sequence).collect())
    })
}

fn push(server: &Server, stream: &str) -> Pusher {
    let mut pusher = Pusher::push_to(server.rtmp(), BACKUP, "live", stream).unwrap();
    pusher.send_media(500).unwrap();
    pusher
}

#[test]
fn a_backup_on_another_node_is_switched_to_and_the_push_before_it_waits_while_viewers_go_on() {
    let Some(nats) = Nats::start() else { return };
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let nodes = start(&nats, &["east", "south", "west"], |setup| setup);
    let [east, south, west] = &nodes[..] else { panic!("three nodes") };
    let mut first = Encoder::ffmpeg(&rtmp(east, BACKUP, "moved"));
    wait_for_media(east);
    let mut second = Encoder::ffmpeg(&rtmp(west, BACKUP, "moved"));
    let sequences = wait_for_roles(south, "moved", &["east live", "west backup"]);
    let mut views = [east, south, west].map(|server| View::of(&flv(server, BACKUP, "moved")));
    views.iter().for_each(|view| view.wait_for(60));
    fetched_from(south, "east");
    fetched_from(west, "east");

    let asked = now();
    let answer = switch(south, "moved", Some(&sequences[1]));
    let took = asked.elapsed();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), json!({ "sequence": sequences[1], "was_live": false }));
    wait_for_roles(south, "moved", &["east backup", "west live"]);
    println!("switched to a backup on another node in {took:?}, seen by a third after {:?}", asked.elapsed());
    fetched_from(south, "west");
    fetched_from(east, "west");
    let seen = |views: &[View; 3]| views.each_ref().map(|view| view.frames().len());
    let before = seen(&views);
    views.iter().zip(before).for_each(|(view, before)| view.wait_for(before + 90));
    assert!(first.runs() && second.runs(), "nobody is ended by it");
    assert!(south.records(&[]).is_empty() && east.records(&[]).is_empty() && west.records(&[]).is_empty());
    assert_eq!(switch(west, "moved", Some(&sequences[1])).json()["was_live"], true);

    // Back to the next backup, whoever that is, asked where it waits.
    let answer = switch(east, "moved", None);
    assert_eq!(answer.json()["sequence"], sequences[0].as_str(), "{}", answer.text());
    wait_for_roles(west, "moved", &["east live", "west backup"]);
    let before = seen(&views);
    views.iter().zip(before).for_each(|(view, before)| view.wait_for(before + 90));

    // What was switched away takes over where it waits, when the push before it ends.
    let [on_east, on_south, on_west] = &mut views;
    first.interrupt();
    wait_for_roles(south, "moved", &["west live"]);
    let before = on_west.frames().len();
    on_west.wait_for(before + 60);
    second.interrupt();
    for view in [on_east, on_south, on_west] {
        assert!(view.ended());
        is_continuous(view);
    }
    assert_eq!((east.code("moved"), west.code("moved")), ("1/0".to_owned(), "1/0".to_owned()));
    let audit = west.get("/api/v1/audit?action=switch");
    assert_eq!(audit["entries"].as_array().map(Vec::len), Some(1), "where it was carried out: {audit}");
}

#[test]
fn of_several_backups_on_several_nodes_each_can_be_switched_to_and_all_others_wait() {
    let Some(nats) = Nats::start() else { return };
    let nodes = start(&nats, &["east", "west"], |setup| setup);
    let (east, west) = (&nodes[0], &nodes[1]);
    let mut pushers = [push(east, "many"), push(east, "many"), push(west, "many"), push(west, "many")];
    let sequences = wait_for_roles(east, "many", &["east live", "east backup", "west backup", "west backup"]);
    for (at, asked) in [(3, east), (2, east), (1, west), (3, west), (0, east)] {
        let answer = switch(asked, "many", Some(&sequences[at]));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let mut wanted = ["east backup", "east backup", "west backup", "west backup"];
        wanted[at] = if at < 2 { "east live" } else { "west live" };
        for server in &nodes {
            wait_for_roles(server, "many", &wanted);
        }
        for pusher in &mut pushers {
            pusher.send_media(200).unwrap();
            assert_eq!(pusher.look().unwrap().map(|told| told.text), None);
        }
    }
    for pusher in pushers {
        pusher.delete_stream().unwrap();
    }
    assert_eq!(
        (east.codes("many", 2), west.codes("many", 2)),
        (vec!["1/0".to_owned(); 2], vec!["1/0".to_owned(); 2])
    );
}

#[test]
fn a_switch_that_cannot_be_says_why_and_changes_nothing() {
    let Some(mut nats) = Nats::start() else { return };
    let nodes = [node(&nats, "east").start(), node(&nats, "west").start()];
    nodes.iter().for_each(|server| wait_for_nodes(server, &["east", "west"]));
    let [east, west] = &nodes;
    let (mut live, gone) = (push(east, "kept"), push(west, "kept"));
    let sequences = wait_for_roles(east, "kept", &["east live", "west backup"]);
    gone.delete_stream().unwrap();
    assert_eq!(west.code("kept"), "1/0");
    let answer = switch(east, "kept", Some(&sequences[1]));
    assert_eq!(answer.status, 404, "it has just left: {}", answer.text());
    assert_eq!(switch(west, "kept", None).status, 404, "nobody waits");

    let mut waits = push(west, "kept");
    let sequences = wait_for_roles(east, "kept", &["east live", "west backup"]);
    let order = |revision: u64| {
        let cluster = east.get("/api/v1/cluster");
        let nodes = cluster["nodes"].as_array().unwrap();
        let west = nodes.iter().find(|node| node["label"] == "west").unwrap();
        let command = json!({
            "do": "switch", "to": sequences[1], "revision": revision,
            "key": { "domain": BACKUP, "app": "live", "stream": "kept" },
            "by": { "who": "e2e", "via": "api", "from": null },
        });
        let asking = json!({ "v": 1, "from": "e2e", "command": command }).to_string();
        let subject = format!("lastframe.node.{}", west["id"].as_str().unwrap());
        let answer: Value = serde_json::from_str(&nats.ask(&subject, &asking)).unwrap();
        answer["reply"].clone()
    };
    let outdated = order(0);
    assert_eq!(outdated["did"], "outdated", "meant for an earlier push: {outdated}");
    let roles_are = |wanted: &[&str]| {
        wait_for_roles(east, "kept", wanted);
        wait_for_roles(west, "kept", wanted);
    };
    roles_are(&["east live", "west backup"]);

    nats.kill();
    let answer = until("NATS to be missed", PATIENCE, || {
        let answer = switch(west, "kept", Some(&sequences[1]));
        (answer.status != 200).then_some(answer)
    });
    assert_eq!(answer.status, 503, "{}", answer.text());
    nats.start_again();
    nodes.iter().for_each(|server| wait_for_nodes(server, &["east", "west"]));
    // An order whose answer was lost may have come about; else nothing has.
    for pusher in [&mut live, &mut waits] {
        pusher.send_media(200).unwrap();
        assert_eq!(pusher.look().unwrap().map(|told| told.text), None);
    }
    until_true("a switch once NATS is back", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        switch(east, "kept", Some(&sequences[1])).status == 200
    });
    roles_are(&["east backup", "west live"]);
    live.delete_stream().unwrap();
    waits.delete_stream().unwrap();
    assert_eq!(east.code("kept"), "1/0");
}

#[test]
fn a_target_gets_the_stream_from_the_node_that_carries_it_alone() {
    let Some(nats) = Nats::start() else { return };
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let target = Setup::open().start();
    let rule = format!(
        "\n[[relay]]\nname = \"copy\"\napp = \"live\"\ntarget = \"rtmp://{}/live/{{stream}}-copy?domain={DOMAIN}\"\n",
        target.rtmp()
    );
    let nodes = start(&nats, &["east", "west"], |setup| setup.config(&rule));
    let [east, west] = &nodes[..] else { panic!("two nodes") };
    let relays = |of: [&str; 2]| {
        until_true(&format!("relays {of:?}"), PATIENCE, || {
            nodes
                .iter()
                .zip(of)
                .all(|(node, state)| node.get("/api/v1/relays")["relays"][0]["state"] == state)
        });
    };
    let mut first = Encoder::ffmpeg(&rtmp(east, BACKUP, "passed"));
    wait_for_media(east);
    let mut second = Encoder::ffmpeg(&rtmp(west, BACKUP, "passed"));
    let sequences = wait_for_roles(east, "passed", &["east live", "west backup"]);
    // What is fetched for viewers is not passed on.
    let view = View::of(&flv(west, BACKUP, "passed"));
    view.wait_for(60);
    relays(["live", "waiting"]);
    assert_eq!(switch(east, "passed", Some(&sequences[1])).status, 200);
    relays(["waiting", "live"]);
    // A target that keeps its names, as platforms do, has to get each back before the next one comes.
    assert_eq!(target.codes("passed-copy", 1), ["1/0"]);
    second.interrupt();
    until_true("the first push to be passed on again", PATIENCE, || {
        east.get("/api/v1/relays")["relays"][0]["state"] == "live"
    });
    first.interrupt();
    assert_eq!(target.codes("passed-copy", 3), ["1/0"; 3]);
}
