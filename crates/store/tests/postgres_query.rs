//! Queries of the database of all nodes give what the node's own files give on the same records, page by page.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
#[path = "common/postgres.rs"]
mod server;

use std::time::Duration;

use common::*;
use model::{Clock, Code, Record, SystemClock, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use server::postgres;
use store::{ListQuery, RecordQuery, StoreConfig};

const STREAMS: [&str; 9] =
    ["live-1", "live-2", "LIVE-3", "朝の配信", "配信", "x", "a\"b", "50%_off", "back\\slash"];
const PARTS: [&str; 12] = ["live", "LIVE-", "配信", "配", "x", "\"", "%", "_of", "\\", "nowhere", "", "e-3"];
const DOMAINS: [&str; 2] = ["push.example.com", "two.example.com"];
const ADDRESSES: [&str; 4] = ["203.0.113.7", "203.0.113.8", "2001:db8::7", "::ffff:198.51.100.1"];
const NETWORKS: [&str; 5] = ["203.0.113.7/32", "203.0.113.0/24", "0.0.0.0/0", "2001:db8::/32", "10.0.0.0/8"];
const CODES: [(u16, u16, &str); 5] =
    [(1, 0, "client"), (3, 0, "client"), (12, 0, "network"), (18, 503, "policy"), (11, 0, "server")];

fn pick<T: Copy>(of: &[T], n: usize) -> T {
    of[n % of.len()]
}

/// Few different times, so that many records end in the same millisecond.
fn example(now: Timestamp, n: usize) -> Record {
    let ended_at = now.minus(DAY * (n % 3) as u32).minus(Duration::from_millis((n / 3 % 5) as u64));
    let (errcode, sub, side) = pick(&CODES, n / 7);
    let mut record = record(SystemClock.push_id(), "", Code::new(errcode, sub), ended_at);
    record.stream = (!n.is_multiple_of(11)).then(|| pick(&STREAMS, n / 2).to_owned());
    record.domain = Some(pick(&DOMAINS, n / 5).to_owned());
    record.client_ip = pick(&ADDRESSES, n / 3).parse().unwrap();
    record.side = side.to_owned();
    record.account = (!n.is_multiple_of(4)).then_some(n as u64 % 3);
    if errcode == 18 {
        record.published_at = None;
    }
    record
}

fn queries(now: Timestamp) -> impl Strategy<Value = RecordQuery> {
    let stream = prop_oneof![
        2 => Just(None),
        2 => select(&STREAMS[..]).prop_map(|name| Some((name.to_owned(), false))),
        3 => select(&PARTS[..]).prop_map(|part| Some((part.to_owned(), true))),
    ];
    let maybe = |p| proptest::option::weighted(p, 0usize..5);
    let codes = proptest::collection::vec(select(&CODES[..]).prop_map(|(e, s, _)| Code::new(e, s)), 0..3);
    (stream, maybe(0.3), maybe(0.3), codes, maybe(0.3), maybe(0.3), maybe(0.3), maybe(0.3), 1usize..40)
        .prop_map(move |(stream, domain, ip, codes, side, account, since, until, limit)| RecordQuery {
            fuzzy: stream.as_ref().is_some_and(|(_, fuzzy)| *fuzzy),
            stream: stream.map(|(name, _)| name),
            domain: domain.map(|n| DOMAINS.get(n).copied().unwrap_or("none.example.com").to_owned()),
            ip: ip.map(|n| pick(&NETWORKS, n).parse().unwrap()),
            codes,
            side: side.map(|n| pick(&CODES, n).2.to_owned()),
            account: account.map(|n| n as u64),
            since: since.map(|days| now.minus(DAY * days as u32).minus(Duration::from_millis(2))),
            until: until.map(|days| now.minus(DAY * days as u32).minus(Duration::from_millis(1))),
            limit,
            ..RecordQuery::default()
        })
}

#[tokio::test]
async fn every_query_gives_what_the_nodes_own_files_give() {
    let Some(postgres) = postgres() else { return };
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let now = SystemClock.now();
    let full = open_with(StoreConfig { remote: Some(postgres.remote()), ..config(here.path()) });
    // A node with no record of its own: whatever it finds comes out of the database.
    let node_id = uuid::Uuid::from_u128(2);
    let empty = open_with(StoreConfig { node_id, remote: Some(postgres.remote()), ..config(there.path()) });
    for n in 0..1_200 {
        full.journal().refuse(end(example(now, n))).await;
    }
    for _ in 0..1_800 {
        if postgres.number("select count(*) from record") == 1_200 && full.journal().stats().filed == 1_200 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let own = store::Reader::open_dir(here.path()).unwrap();
    let everywhere = empty.reader();
    assert_eq!(all(&own).len(), 1_200);
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(
        &(queries(now), any::<bool>(), any::<bool>(), 0usize..30),
        |(query, published, ascending, skip)| {
            let wanted = pages(&own, query.clone());
            prop_assert_eq!(pages(&everywhere, query.clone()), wanted.clone());
            // A node that has the records too finds each once.
            prop_assert_eq!(pages(&full.reader(), query.clone()), wanted);
            let list = ListQuery { filter: query, published, ascending, skip, take: 10, count_to: 500 };
            let (listed, wanted) = (everywhere.list(&list).unwrap(), own.list(&list).unwrap());
            prop_assert!(!listed.here_only);
            prop_assert_eq!(listed, wanted);
            Ok(())
        },
    );
    if let Err(error) = outcome {
        panic!("{error}");
    }
    for since in [Timestamp(0), now.minus(DAY)] {
        assert_eq!(everywhere.count_since(since).unwrap(), own.count_since(since).unwrap());
        let hour = Duration::from_secs(3_600);
        for account in [None, Some(1)] {
            let query = store::SummaryQuery { since, bucket: hour, account };
            let (found, wanted) = (everywhere.summary(query).unwrap(), own.summary(query).unwrap());
            assert_eq!(found.counts, wanted.counts);
            let ends = |summary: &store::Summary| summary.streams.iter().map(|s| s.ends).collect::<Vec<_>>();
            assert_eq!(ends(&found), ends(&wanted));
        }
    }
}

#[tokio::test]
async fn records_that_share_a_place_in_the_list_stand_on_one_page() {
    let Some(postgres) = postgres() else { return };
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open_with(StoreConfig { remote: Some(postgres.remote()), ..config(here.path()) });
    let node_id = uuid::Uuid::from_u128(2);
    let empty = open_with(StoreConfig { node_id, remote: Some(postgres.remote()), ..config(there.path()) });
    // The place is the end and some bits of the id's random part: pushes that began at different times may share both.
    let now = SystemClock.now();
    for n in 0..6u32 {
        let began = now.minus(Duration::from_millis(u64::from(n) + 1));
        let id = model::PushId::from_parts(began, u128::from(n / 3));
        store.journal().refuse(end(record(id, &format!("s-{n}"), Code::new(1, 0), now))).await;
    }
    wait_until("they are shipped", || postgres.number("select count(*) from record") == 6);
    assert_eq!(postgres.number("select count(distinct (ended_at, tie)) from record"), 2);
    for limit in 1..=7 {
        for stream in [None, Some("s-".to_owned())] {
            let query = RecordQuery { limit, fuzzy: stream.is_some(), stream, ..RecordQuery::default() };
            let found = pages(&empty.reader(), query);
            let ids: std::collections::HashSet<_> = found.iter().map(|record| record.id).collect();
            assert_eq!((found.len(), ids.len()), (6, 6), "pages of {limit}");
        }
    }
}
