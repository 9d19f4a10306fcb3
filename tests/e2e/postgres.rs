//! Records of all nodes in one PostgreSQL, with the built program: each push that was accepted has exactly one record
//! there, whatever dies meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::clock::{PATIENCE, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::postgres::{Postgres, postgres};
use crate::support::pusher::Pusher;
use crate::support::server::Server;
use crate::support::setup::{API_KEY, DOMAIN, Setup};

/// Longer than elsewhere: after an outage the next try may be half a minute away.
const OUTAGE: Duration = Duration::from_secs(90);

#[test]
fn a_push_on_one_node_is_looked_up_on_another() {
    let Some(database) = postgres() else { return };
    let (one, two) = (node(&database, "one"), node(&database, "two"));
    let mut encoder = Encoder::ffmpeg(&format!("rtmp://{}/live/shared?domain={DOMAIN}", one.rtmp()));
    one.wait_for_pushes(1);
    encoder.interrupt();
    let here = one.record("shared");
    shipped(&database, 1);

    let there = two.record("shared");
    assert_eq!((there.id, there.code(), there.node.as_str()), (here.id, here.code(), "one"));
    let id = here.id.to_string();
    assert!(two.cli(&["show", &id]).contains("deleteStream"), "with its evidence");
    assert_eq!(two.get(&format!("/api/v1/records/{id}"))["record"]["id"], id.as_str());
    let forwarded = [("X-Forwarded-For", "127.0.0.1")];
    let ready = http::request(two.http(), "GET", "/readyz", &forwarded, &[]).unwrap().text();
    assert_eq!(ready, "ready\ndatabase: connected, 0 records wait\n");
    let figures = two.ask("GET", "/metrics", API_KEY, &[]).text();
    assert!(figures.contains("lastframe_shipping_connected 1"), "{figures}");
    for server in [&one, &two] {
        assert!(!server.printed().contains("hush"), "the database's password is not logged");
    }
}

#[test]
fn every_push_has_one_record_there_though_database_and_nodes_are_killed() {
    let Some(mut database) = postgres() else { return };
    let (mut one, two) = (node(&database, "one"), node(&database, "two"));
    let mut wanted = BTreeMap::new();
    let mut ends = |server: &Server, stream: &str, code: &str| {
        let mut push = Pusher::push(server.rtmp(), stream).unwrap();
        push.send_media(500).unwrap();
        wanted.insert(stream.to_owned(), code.to_owned());
        push
    };
    ends(&one, "before", "1/0").delete_stream().unwrap();
    shipped(&database, 1);

    database.kill();
    ends(&one, "away-one", "1/0").delete_stream().unwrap();
    ends(&two, "away-two", "1/0").delete_stream().unwrap();
    let open = ends(&one, "open", "11/0");
    let refused = Pusher::push(two.rtmp(), "not allowed").unwrap_err().told();
    assert!(refused.text.starts_with("[18/308]"), "{refused:?}");
    wanted.insert("not allowed".to_owned(), "18/308".to_owned());
    assert_eq!(two.code("away-two"), "1/0", "a node shows its own meanwhile");
    until_true("the node to name the database", PATIENCE, || {
        let ready = http::request(one.http(), "GET", "/readyz", &[], &[]).unwrap();
        ready.status == 200 && ready.text().contains("database: away")
    });
    one.kill();
    drop(open);
    one.start_again();
    database.start();

    let count = wanted.len();
    until_true("all to be shipped", OUTAGE, || stored(&database) == count);
    for server in [&one, &two] {
        let found = server.records(&[]);
        assert_eq!(found.len(), count, "each once: {found:#?}");
        for record in found {
            let stream = record.stream.clone().unwrap_or_default();
            assert_eq!(wanted.get(&stream), Some(&record.code().to_string()), "{stream}");
        }
    }
}

fn node(database: &Postgres, label: &str) -> Server {
    Setup::open().env("LASTFRAME_STORE_URL", &database.url()).env("LASTFRAME_NODE_LABEL", label).start()
}

fn stored(database: &Postgres) -> usize {
    usize::try_from(database.number("select count(*) from record")).unwrap()
}

fn shipped(database: &Postgres, count: usize) {
    until_true("the record to be shipped", OUTAGE, || stored(database) == count);
}
