//! Where much has to be looked at for a page, pages of the database of all nodes are short, and lose nothing: whoever goes
//! on from each finds what the node's own files give.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
#[path = "common/postgres.rs"]
mod server;

use std::collections::HashSet;
use std::time::Duration;

use common::*;
use model::{Clock, Code, SystemClock};
use server::postgres;
use store::{ListQuery, RecordQuery, StoreConfig};

/// Records that hide the others: more than a query looks at, or sorts.
const HIDING: usize = 60_000;
/// Records that are searched for.
const HIDDEN: usize = 60;
/// Streams of both: so many that they are not looked up one by one.
const STREAMS: usize = 40;

/// Records of the same streams, addresses and cause, whose side is another one; newer and older than those of the node,
/// and between them.
fn hide(from: i64, to: i64) -> String {
    format!(
        "insert into lastframe.record (id, rank, ended_at, tie, sequence, source, stream_id, protocol, client_ip, \
         client_port, node, connected_at, duration_ms, errcode, sub_errcode, side, attempts, bytes_in, bytes_out, \
         verdict_version) \
         select (lpad(to_hex({to}), 12, '0') || '7000' || '8' || lpad(to_hex(n), 15, '0'))::uuid, 2, \
         {from} + ({to} - {from}) * n / {HIDING}, n, n, 'lastframe', (select id from lastframe.stream where text = \
         'hidden-' || lpad((n % {STREAMS})::text, 2, '0')), 'rtmp', '198.51.100.0'::inet + n % 250, 40000, 'node-9', \
         {from}, 0, 12, 0, 'network', 1, 0, 0, 1 from generate_series(1, {HIDING}) n"
    )
}

#[tokio::test]
async fn what_stands_behind_many_others_is_found_by_going_on() {
    let Some(postgres) = postgres() else { return };
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open_with(StoreConfig { remote: Some(postgres.remote()), ..config(here.path()) });
    let now = SystemClock.now();
    let at = |n: usize| now.minus(Duration::from_secs(3_600) * n as u32);
    for n in 0..HIDDEN {
        let mut record = record(SystemClock.push_id(), "", Code::new(12, 0), at(n));
        record.stream = Some(format!("hidden-{:02}", n % STREAMS));
        record.client_ip = format!("198.51.100.{}", n % 250).parse().unwrap();
        record.side = "client".to_owned();
        store.journal().refuse(end(record)).await;
    }
    wait_until("they are shipped", || postgres.number("select count(*) from record") == HIDDEN as u64);
    wait_until("they are filed", || store.journal().stats().filed == HIDDEN as u64);
    postgres.sql(&hide(at(HIDDEN + 10).millis(), now.millis())).unwrap();

    let own = store::Reader::open_dir(here.path()).unwrap();
    // A node with no record of its own: whatever it finds comes out of the database.
    let node_id = uuid::Uuid::from_u128(2);
    let empty = open_with(StoreConfig { node_id, remote: Some(postgres.remote()), ..config(there.path()) });
    let everywhere = empty.reader();
    let side = Some("client".to_owned());
    let base = || RecordQuery { side: side.clone(), limit: 20, ..RecordQuery::default() };
    let streams = || RecordQuery { stream: Some("hidden".into()), fuzzy: true, ..base() };
    let network = || RecordQuery { ip: "198.51.100.0/24".parse().ok(), ..base() };
    let queries = [
        ("side", base()),
        ("side, cause", RecordQuery { codes: vec![Code::new(12, 0)], ..base() }),
        ("side, causes", RecordQuery { codes: vec![Code::new(12, 0), Code::new(3, 0)], ..base() }),
        ("side, streams", streams()),
        ("side, network", network()),
        ("side, streams, cause", RecordQuery { codes: vec![Code::new(12, 0)], ..streams() }),
        ("side, streams, network", RecordQuery { ip: network().ip, ..streams() }),
        ("side, streams, since", RecordQuery { since: Some(at(30)), ..streams() }),
        ("side, network, until", RecordQuery { until: Some(at(30)), ..network() }),
    ];
    for (what, query) in queries {
        let first = everywhere.query(&query).unwrap();
        assert!(!first.here_only, "{what}");
        let (found, wanted) = (pages(&everywhere, query.clone()), pages(&own, query.clone()));
        assert!(!wanted.is_empty());
        assert_eq!(found, wanted, "{what}");
        // A list with page numbers ends where the search does, and is right as far as it goes.
        for ascending in [false, true] {
            let list =
                ListQuery { filter: query.clone(), ascending, take: 20, count_to: 20, ..Default::default() };
            let (found, wanted) = (everywhere.list(&list).unwrap(), own.list(&list).unwrap());
            assert!(!found.here_only && wanted.records.starts_with(&found.records), "{what}, {ascending}");
        }
    }
    let never = RecordQuery { codes: vec![Code::new(12, 0)], side: Some("policy".into()), ..base() };
    let page = everywhere.query(&never).unwrap();
    assert!(page.records.is_empty() && page.next.is_some(), "ends before it has seen all");
    assert!(pages(&everywhere, never).is_empty());

    // What is not narrowed further comes in order, each once, with nothing left out between pages.
    for query in [streams(), network()] {
        let mut query = RecordQuery { side: None, limit: 1_000, ..query };
        let mut found = Vec::new();
        while found.len() < 3_000 {
            let page = everywhere.query(&query).unwrap();
            query.after = page.next;
            found.extend(page.records);
        }
        let last = found.last().unwrap().ended_at.millis();
        let ids: HashSet<_> = found.iter().map(|record| record.id).collect();
        let count =
            |sign| postgres.number(&format!("select count(*) from record where ended_at {sign} {last}"));
        assert_eq!(found.len(), ids.len());
        assert!((count(">")..=count(">=")).contains(&(found.len() as u64)));
        assert!(found.is_sorted_by(|a, b| a.ended_at >= b.ended_at));
    }
}
