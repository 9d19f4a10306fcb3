//! What a node that is lost can no longer tell, another one tells: once, under the id that the lost node would have used.

use serde_json::json;

use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::http;
use crate::support::nats::Nats;
use crate::support::ports;
use crate::support::postgres::{Postgres, postgres};
use crate::support::pusher::Pusher;
use crate::support::receiver::{Answer, Received, Receiver};
use crate::support::server::Server;
use crate::support::setup::{API_KEY, DOMAIN, Setup};

const CALLBACK: &str =
    "[callback]\nallow_private = true\nretry_every = \"300ms\"\nretries = 1000\ntimeout = \"2s\"\n";

fn start(nats: &Nats, database: &Postgres, label: &str) -> Server {
    Setup::open()
        .config(CALLBACK)
        .env("LASTFRAME_NODE_LABEL", label)
        .env("LASTFRAME_CLUSTER_NATS", &nats.url())
        .env("LASTFRAME_CLUSTER_LEASE", "2s")
        .env("LASTFRAME_CLUSTER_GRACE", "3s")
        .env("LASTFRAME_STORE_URL", &database.url())
        .start()
}

/// Nodes that know each other and reach the database, and a rule by which all events go to `url`.
fn nodes<const N: usize>(nats: &Nats, database: &Postgres, labels: [&str; N], url: &str) -> [Server; N] {
    let servers = labels.map(|label| start(nats, database, label));
    servers.iter().for_each(|server| wait_for_nodes(server, &labels));
    let urls = json!({ "stream_begin": url, "stream_end": url, "push_exception": url });
    let body = json!({ "account": 7, "name": "all", "urls": urls, "key": "a-key" });
    let made = servers[0].ask("POST", "/api/v1/callbacks/templates", API_KEY, body.to_string().as_bytes());
    assert_eq!(made.status, 201, "{}", made.text());
    let rule = json!({ "domain": DOMAIN, "app": "*", "template": made.json()["id"] }).to_string();
    assert_eq!(servers[0].ask("PUT", "/api/v1/callbacks/rules", API_KEY, rule.as_bytes()).status, 200);
    for server in &servers {
        until_true("the rule on all nodes", PATIENCE, || {
            let rules = server.get("/api/v1/callbacks/rules");
            rules["rules"].as_array().is_some_and(|rules| rules.len() == 1)
        });
    }
    servers
}

fn wait_for_nodes(server: &Server, labels: &[&str]) {
    let mut labels = labels.to_vec();
    labels.sort_unstable();
    until("the nodes to see each other", PATIENCE, || {
        let nodes = server.get("/api/v1/cluster");
        let alive = nodes["nodes"].as_array()?.iter().filter(|node| node["alive"] == true);
        let mut alive: Vec<_> = alive.filter_map(|node| node["label"].as_str()).collect();
        alive.sort_unstable();
        let ready = http::request(server.http(), "GET", "/readyz", &[], &[]).ok()?.text();
        let well = ready.contains("cluster: connected") && ready.contains("database: connected");
        (alive == labels && well).then_some(())
    });
}

/// All that was received of the end of a stream, repetitions too.
fn ends(receiver: &Receiver, stream: &str) -> Vec<Received> {
    let mut all = receiver.all();
    all.retain(|event| event.body["stream_id"] == stream && event.body["event_type"] == 0);
    all
}

/// Waits until the other nodes know that nobody is owed the beginning of a push.
fn wait_until_noted(nats: &Nats, server: &Server, push: &str) {
    let nodes = server.get("/api/v1/cluster");
    let node = nodes["nodes"][0]["id"].as_str().unwrap();
    let subject = format!("$JS.API.DIRECT.GET.KV_lastframe_pushes.$KV.lastframe_pushes.{node}.{push}");
    until("the others to know that its beginning is told", PATIENCE, || {
        let stood: serde_json::Value = serde_json::from_str(&nats.ask(&subject, "")).ok()?;
        (stood["push"] == push && stood["begin_owed"].is_null()).then_some(())
    });
}

/// A push whose beginning was told.
fn told_push(server: &Server, receiver: &Receiver, stream: &str) -> Pusher {
    let mut pusher = Pusher::push(server.rtmp(), stream).unwrap();
    pusher.send_media(500).unwrap();
    assert_eq!(receiver.types(stream, 1), [1]);
    pusher
}

#[test]
fn the_end_of_a_dead_nodes_push_is_told_once_by_another_and_not_again_by_its_own() {
    let (Some(nats), Some(database)) = (Nats::start(), postgres()) else { return };
    let receiver = Receiver::start();
    let url = receiver.url("/");
    let [mut east, west, north] = nodes(&nats, &database, ["east", "west", "north"], &url);
    let _gone = told_push(&east, &receiver, "gone");
    let push = west.get("/api/v1/pushes")["pushes"][0]["id"].as_str().unwrap().to_owned();
    wait_until_noted(&nats, &east, &push);
    east.kill();
    let end = until("its end", PATIENCE, || ends(&receiver, "gone").pop());
    assert_eq!(end.delivery, format!("{push}-0"), "the id that its own node would use");
    assert_eq!((&end.body["errcode"], &end.body["node"]), (&json!(11), &json!("east")));
    let record = west.record("gone");
    assert_eq!((record.id.to_string(), record.code().to_string()), (push, "11/0".to_owned()));
    let said = |server: &Server| server.printed().matches("tells the ends of a dead node's pushes").count();
    assert_eq!(said(&west) + said(&north), 1, "one node tells it");

    east.start_again();
    wait_for_nodes(&east, &["east", "west", "north"]);
    told_push(&east, &receiver, "after").delete_stream().unwrap();
    assert_eq!(receiver.types("after", 2), [1, 0], "it tells what is new");
    assert_eq!(east.code("gone"), "11/0");
    assert_eq!(ends(&receiver, "gone").len(), 1, "and not what was told");
    let of_gone = receiver.all().into_iter().filter(|event| event.body["stream_id"] == "gone").count();
    assert_eq!(of_gone, 2, "neither is the beginning");
}

#[test]
fn the_beginning_that_a_dead_node_could_not_tell_is_told_before_the_end_by_another_and_not_after_it_by_its_own()
 {
    let (Some(nats), Some(database)) = (Nats::start(), postgres()) else { return };
    // Nobody listens at first.
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], ports::free()));
    let labels = ["east", "west"];
    let [mut east, west] = nodes(&nats, &database, labels, &format!("http://{address}/"));
    let mut gone = Pusher::push(east.rtmp(), "unheard").unwrap();
    gone.send_media(500).unwrap();
    let push = until("the push on the other node", PATIENCE, || {
        Some(west.get("/api/v1/pushes")["pushes"][0]["id"].as_str()?.to_owned())
    });
    until_true("a try to tell it", PATIENCE, || {
        let tries = east.get("/api/v1/callbacks/deliveries");
        tries["deliveries"].as_array().is_some_and(|tries| !tries.is_empty())
    });
    east.kill();
    let by_west = "select count(*) from told t join node n on n.id = t.node where n.label = 'west'";
    until_true("the other node to say that it tells it", PATIENCE, || database.number(by_west) == 1);
    let receiver = Receiver::on(address, |_| Answer::Says(200));
    assert_eq!(receiver.types("unheard", 2), [1, 0]);
    let told = receiver.about("unheard");
    let ids: Vec<_> = told.iter().map(|event| event.delivery.clone()).collect();
    assert_eq!(ids, [format!("{push}-1"), format!("{push}-0")], "the ids that its own node would use");
    assert_eq!((&told[0].body["node"], &told[0].body["errmsg"]), (&json!("east"), &json!("ok")));
    assert_eq!(told[1].body["errcode"], 11);

    east.start_again();
    wait_for_nodes(&east, &labels);
    told_push(&east, &receiver, "after").delete_stream().unwrap();
    assert_eq!(receiver.types("after", 2), [1, 0], "it tells what is new");
    let of_gone = receiver.all().into_iter().filter(|event| event.body["stream_id"] == "unheard").count();
    assert_eq!(of_gone, 2, "and neither of what was told");
}

#[test]
fn the_end_is_told_though_the_node_that_was_to_tell_it_is_lost_as_well() {
    let (Some(nats), Some(database)) = (Nats::start(), postgres()) else { return };
    // Nobody listens at first.
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], ports::free()));
    let labels = ["east", "west", "north"];
    let url = format!("http://{address}/");
    let [mut east, mut west, mut north] = nodes(&nats, &database, labels, &url);
    let mut gone = Pusher::push(east.rtmp(), "gone").unwrap();
    gone.send_media(500).unwrap();
    east.kill();
    let by = |label: &str| {
        let sql =
            format!("select count(*) from told t join node n on n.id = t.node where n.label = '{label}'");
        database.number(&sql) == 1
    };
    let west_tells = until("a node to say that it tells it", PATIENCE, || match (by("west"), by("north")) {
        (false, false) => None,
        (west, _) => Some(west),
    });
    let (first, last) = if west_tells { (&mut west, &mut north) } else { (&mut north, &mut west) };
    first.kill();
    until_true("the last node to tell it", PATIENCE, || by(if west_tells { "north" } else { "west" }));
    let receiver = Receiver::on(address, |_| Answer::Says(200));
    until_true("its end", PATIENCE, || !ends(&receiver, "gone").is_empty());
    first.start_again();
    east.start_again();
    for server in [&*first, &*last, &east] {
        wait_for_nodes(server, &labels);
    }
    told_push(&east, &receiver, "after").delete_stream().unwrap();
    assert_eq!(receiver.types("after", 2), [1, 0]);
    let ends = ends(&receiver, "gone");
    assert_eq!(ends.len(), 1, "neither of them tells it again: {ends:?}");
    assert_eq!(ends[0].body["errcode"], 11);
}
