//! Records of all nodes in a PostgreSQL: each exactly once, whatever dies in between, and queries that answer as the
//! node's own records would.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
#[path = "common/postgres.rs"]
mod server;

use std::path::Path;
use std::sync::Barrier;
use std::time::Duration;

use common::*;
use model::{Clock, Code, PushId, SystemClock, Timestamp};
use server::{Postgres, postgres};
use store::{
    EventQuery, FetchCursor, FetchQuery, Journal, Occurrence, OpenRow, PushReport, Reader, RecordQuery,
    ReportedEvent, Store, StoreConfig, StoreError,
};
use uuid::Uuid;

fn node(dir: &Path, number: u128, postgres: &Postgres) -> StoreConfig {
    StoreConfig {
        node_id: Uuid::from_u128(number),
        node_label: format!("node-{number}"),
        remote: Some(postgres.remote()),
        ..config(dir)
    }
}

/// Waits longer than other tests: outages end only with the shipper's next try.
fn soon(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..1_800 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("waited 90 seconds for: {what}");
}

async fn refuse(journal: &Journal, stream: &str, ended_at: Timestamp) -> PushId {
    let record = record(SystemClock.push_id(), stream, Code::new(18, 503), ended_at);
    let id = record.id;
    let mut end = end(record);
    end.evidence = id.as_bytes().repeat(8);
    journal.refuse(end).await;
    id
}

fn shipped(store: &Store) -> bool {
    let stats = store.journal().shipping().unwrap();
    stats.connected && stats.waiting == 0 && stats.backfill_days == 0
}

/// The shipper's figures are those of its last turn, so the database is asked as well.
fn all_shipped(store: &Store, postgres: &Postgres, records: u64) -> bool {
    shipped(store) && postgres.number("select count(*) from record") >= records
}

#[tokio::test]
async fn a_record_is_shipped_with_its_evidence_and_read_back_by_another_node() {
    let Some(postgres) = postgres() else { return };
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open_with(node(here.path(), 1, &postgres));
    let id = refuse(&store.journal(), "from-one", SystemClock.now()).await;
    let other = open_with(node(there.path(), 2, &postgres));
    soon("it is shipped", || shipped(&store) && postgres.number("select count(*) from record") == 1);
    let (record, evidence) = other.reader().get(id).unwrap().unwrap();
    assert_eq!(record, store.reader().get(id).unwrap().unwrap().0);
    assert_eq!(evidence.unwrap(), id.as_bytes().repeat(8));
    assert_eq!(all(&other.reader()), [record]);
    let of_all = store::SummaryQuery { since: Timestamp(0), bucket: Duration::from_secs(60), account: None };
    let summary = other.reader().summary(of_all).unwrap();
    assert_eq!(summary.counts.values().sum::<u64>(), 1);
    assert!(!summary.here_only);
}

#[tokio::test]
async fn outages_and_kills_of_the_database_lose_nothing_and_double_nothing() {
    let Some(mut postgres) = postgres() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(node(dir.path(), 1, &postgres));
    let mut ids = Vec::new();
    for round in 0..4u32 {
        for n in 0..250u32 {
            ids.push(refuse(&store.journal(), &format!("s-{n}"), SystemClock.now()).await);
            if n == 100 {
                // Some of the rounds die in the middle of a batch.
                postgres.kill();
            }
        }
        assert!(store.journal().writable(), "the node goes on without its database");
        if round == 0 {
            soon("the outage is noticed", || store.journal().shipping().unwrap().failures > 0);
        }
        if round == 1 {
            let page = store.reader().query(&RecordQuery::default()).unwrap();
            assert!(page.here_only && page.records.len() == 50);
        }
        postgres.start();
        if round == 2 {
            soon("some are shipped", || postgres.number("select count(*) from record") > 500);
        }
    }
    soon("all are shipped", || all_shipped(&store, &postgres, 1_000));
    assert_eq!(postgres.number("select count(*) from record"), 1_000);
    assert_eq!(postgres.number("select count(distinct id) from record"), 1_000);
    assert_eq!(postgres.number("select count(*) from evidence"), 1_000);
    let mut found: Vec<PushId> = all(&store.reader()).iter().map(|record| record.id).collect();
    found.sort();
    ids.sort();
    assert_eq!(found, ids);
    let stats = store.journal().shipping().unwrap();
    assert!(stats.failures > 0 && stats.last_error.is_none(), "{stats:?}");
}

#[tokio::test]
async fn a_node_that_was_killed_goes_on_where_it_was() {
    let Some(mut postgres) = postgres() else { return };
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = node(dir.path(), 1, &postgres);
    let store = open_with(config.clone());
    for n in 0..300 {
        refuse(&store.journal(), &format!("s-{n}"), SystemClock.now()).await;
    }
    soon("the first are shipped", || all_shipped(&store, &postgres, 300));
    postgres.kill();
    for n in 0..300 {
        refuse(&store.journal(), &format!("s-{n}"), SystemClock.now()).await;
    }
    let live = store.journal().open(open_row(SystemClock.push_id(), "live")).unwrap();
    wait_until("they are committed", || store.journal().stats().waiting_refusals == 0);
    soon("they are filed", || store.journal().stats().filed == 600);
    copy_as_crashed(dir.path(), copy.path());
    drop(live);
    drop(store);
    postgres.start();
    let store = open_with(StoreConfig { dir: copy.path().to_owned(), ..config });
    store.recover().unwrap();
    soon("the rest is shipped", || all_shipped(&store, &postgres, 601));
    assert_eq!(postgres.number("select count(*) from record"), 601);
    assert_eq!(postgres.number("select count(*) from record where errcode = 11 and rank = 2"), 1);
}

#[tokio::test]
async fn what_was_recorded_before_shipping_began_is_shipped_too() {
    let Some(postgres) = postgres() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..3_000u32 {
        let at = SystemClock.now().minus(DAY * (n % 3));
        refuse(&store.journal(), &format!("s-{n}"), at).await;
    }
    soon("they are filed", || store.journal().stats().filed == 3_000);
    store.shutdown().unwrap();
    let store = open_with(node(dir.path(), 1, &postgres));
    soon("they are shipped", || all_shipped(&store, &postgres, 3_000));
    assert_eq!(postgres.number("select count(*) from record"), 3_000);
    store.shutdown().unwrap();
    // A database that is another one at the same address gets everything again.
    postgres.sql("update identity set id = gen_random_uuid()").unwrap();
    postgres.sql("delete from record").unwrap();
    let store = open_with(node(dir.path(), 1, &postgres));
    soon("they are shipped again", || {
        shipped(&store) && postgres.number("select count(*) from record") == 3_000
    });
}

#[tokio::test]
async fn a_fold_that_grows_grows_in_the_database() {
    let Some(postgres) = postgres() else { return };
    let dir = tempfile::tempdir().unwrap();
    let fold = Some(Duration::from_secs(3_600));
    let store = open_with(StoreConfig { fold, ..node(dir.path(), 1, &postgres) });
    for shipped_at in [1u64, 5, 9] {
        for _ in 0..shipped_at {
            let record = record(SystemClock.push_id(), "same", Code::new(18, 503), SystemClock.now());
            store.journal().refuse(end(record)).await;
        }
        let total: u64 = [1, 5, 9].iter().filter(|n| **n <= shipped_at).sum();
        soon("its attempts are shipped", || {
            postgres.sql("select attempts from record") == Ok(total.to_string())
        });
    }
}

#[tokio::test]
async fn a_nodes_own_journal_outranks_what_another_node_says_of_it() {
    let Some(postgres) = postgres() else { return };
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let other = open_with(node(two.path(), 2, &postgres));
    soon("the schema is there", || shipped(&other));
    let others = other.other_nodes().unwrap();
    let dead =
        |id, stream| others.died(vec![open_row(id, stream).node_died("node-1", SystemClock.now())]).unwrap();
    // Another node speaks first, then the node itself.
    let first = SystemClock.push_id();
    dead(first, "first");
    assert_eq!(other.reader().get(first).unwrap().unwrap().0.errcode, 11);
    let store = open_with(node(one.path(), 1, &postgres));
    let second = SystemClock.push_id();
    for id in [first, second] {
        let mut push = store.journal().open(open_row(id, "first")).unwrap();
        push.durable(Duration::from_secs(10)).await.unwrap();
        push.close(end(record(id, "first", Code::new(3, 0), SystemClock.now())));
    }
    soon("the node's own is shipped", || postgres.number("select count(*) from record where rank = 2") == 2);
    // The node itself first, then another node.
    dead(second, "second");
    for id in [first, second] {
        assert_eq!(other.reader().get(id).unwrap().unwrap().0.errcode, 3);
    }
    assert_eq!(postgres.number("select count(*) from record"), 2);
}

#[tokio::test]
async fn events_of_all_nodes_come_once() {
    let Some(postgres) = postgres() else { return };
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let stores: Vec<Store> =
        dirs.iter().zip(1..).map(|(dir, n)| open_with(node(dir.path(), n, &postgres))).collect();
    let report = |n: i64| PushReport {
        push: SystemClock.push_id(),
        account: 7,
        key: key("s"),
        client_ip: "203.0.113.7".parse().unwrap(),
        stream_param: None,
        at: Timestamp(SystemClock.now().millis() + n),
        interval_ms: 60_000,
        events: vec![ReportedEvent {
            kind: 5,
            count: 3,
            occurrences: vec![Occurrence { at: Timestamp(5), what: "a gap".to_owned(), seen: None }],
        }],
    };
    for n in 0..600 {
        stores[n as usize % 2].journal().report(report(n));
    }
    let query = EventQuery { account: Some(7), limit: 1_000, ..EventQuery::default() };
    soon("they are shipped", || postgres.number("select count(*) from event") == 600);
    let events = stores[0].history().events(&query).unwrap();
    assert_eq!(events.len(), 600);
    assert!(events.windows(2).all(|pair| pair[0].id > pair[1].id));
    assert_eq!(events[0].occurrences[0].what, "a gap");
    drop(stores);
    let again = open_with(node(dirs[0].path(), 1, &postgres));
    again.journal().report(report(1_000));
    soon("one more is shipped", || postgres.number("select count(*) from event") == 601);
}

#[tokio::test]
async fn fetches_of_all_nodes_come_once_and_those_not_shipped_yet_stand_among_them() {
    let Some(mut postgres) = postgres() else { return };
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let stores: Vec<Store> =
        dirs.iter().zip(1..).map(|(dir, n)| open_with(node(dir.path(), n, &postgres))).collect();
    let now = SystemClock.now();
    let at = |n: u64| now.plus(Duration::from_millis(n));
    let kept: Vec<_> = (0..600).map(|n| fetch("s", at(n))).collect();
    for (n, fetch) in kept.iter().enumerate() {
        stores[n % 2].journal().fetch_ended(fetch.clone());
    }
    soon("they are shipped", || postgres.number("select count(*) from fetched") == 600);
    let query = |store: &Store, stream: &str, limit| {
        let stream = Some(stream.to_owned());
        let query = FetchQuery { account: Some(7), stream, limit, ..FetchQuery::default() };
        store.history().fetches(&query).unwrap()
    };
    let newest: Vec<_> = kept.iter().rev().take(100).cloned().collect();
    for store in &stores {
        let page = query(store, "s", 100);
        assert_eq!((&page.fetches, page.here_only), (&newest, false));
        assert_eq!(store.history().fetch(kept[0].id).unwrap().as_ref(), Some(&kept[0]));
        let next = FetchQuery {
            after: Some(FetchCursor::of(&newest[99])),
            limit: 1,
            since: Some(now),
            ..FetchQuery::default()
        };
        assert_eq!(store.history().fetches(&next).unwrap().fetches, [kept[499].clone()]);
    }
    postgres.kill();
    let late = fetch("late", at(700));
    stores[0].journal().fetch_ended(late.clone());
    soon("it is kept", || query(&stores[0], "late", 9).fetches == [late.clone()]);
    assert!(query(&stores[0], "s", 1_000).here_only);
    assert_eq!(query(&stores[0], "s", 1_000).fetches.len(), 300);
    postgres.start();
    soon("it is shipped", || postgres.number("select count(*) from fetched") == 601);
    soon("the other node shows it", || query(&stores[1], "late", 9).fetches == [late.clone()]);
    drop(stores);
    let again = open_with(node(dirs[0].path(), 1, &postgres));
    again.journal().fetch_ended(fetch("again", at(800)));
    soon("one more is shipped", || postgres.number("select count(*) from fetched") == 602);
    assert_eq!(postgres.number("select count(*) from record"), 0, "they are no records of pushes");
}

#[test]
fn four_nodes_may_migrate_at_once() {
    let Some(postgres) = postgres() else { return };
    let dirs: Vec<tempfile::TempDir> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for (dir, n) in dirs.iter().zip(1..) {
            let (postgres, barrier) = (&postgres, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let store = open_with(node(dir.path(), n, postgres));
                soon("it is ready", || shipped(&store));
                assert_eq!(store.journal().shipping().unwrap().failures, 0);
            });
        }
    });
    assert_eq!(postgres.sql("select count(*), max(number) from migration").unwrap(), "3|3");
    assert_eq!(postgres.number("select count(*) from node"), 4);
}

#[tokio::test]
async fn a_database_that_stands_still_does_not_hold_up_queries() {
    let Some(postgres) = postgres() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(node(dir.path(), 1, &postgres));
    let id = refuse(&store.journal(), "s", SystemClock.now()).await;
    soon("it is shipped", || all_shipped(&store, &postgres, 1));
    assert!(!store.reader().query(&RecordQuery::default()).unwrap().here_only);
    postgres.freeze(true);
    let page = store.reader().query(&RecordQuery::default()).unwrap();
    postgres.freeze(false);
    assert!(page.here_only);
    assert_eq!(page.records.len(), 1);
    assert_eq!(store.reader().get(id).unwrap().unwrap().0.id, id);
    soon("it is asked again", || !store.reader().query(&RecordQuery::default()).unwrap().here_only);
}

#[test]
fn a_reader_says_what_it_cannot_know() {
    let Some(mut postgres) = postgres() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(node(dir.path(), 1, &postgres));
    soon("the schema is there", || shipped(&store));
    store.shutdown().unwrap();
    let reader = Reader::open_everywhere(dir.path(), Some(&postgres.remote())).unwrap();
    assert_eq!(reader.get(SystemClock.push_id()).unwrap(), None);
    postgres.kill();
    let reader = Reader::open_everywhere(dir.path(), Some(&postgres.remote())).unwrap();
    let error = reader.get(SystemClock.push_id()).unwrap_err();
    assert!(matches!(error, StoreError::Remote(_)), "{error}");
    assert!(!error.to_string().contains("hush"));
}

#[test]
fn a_schema_of_a_newer_version_is_left_alone() {
    let Some(postgres) = postgres() else { return };
    let dir = tempfile::tempdir().unwrap();
    drop(open_with(node(dir.path(), 1, &postgres)));
    let store = open_with(node(dir.path(), 1, &postgres));
    soon("the schema is there", || shipped(&store));
    drop(store);
    postgres.sql("insert into migration (number) values (99)").unwrap();
    let store = open_with(node(dir.path(), 1, &postgres));
    soon("it says so", || {
        store.journal().shipping().unwrap().last_error.is_some_and(|error| error.contains("newer version"))
    });
    assert!(store.journal().writable());
}

#[tokio::test]
async fn a_partition_goes_once_all_in_it_is_too_old_and_a_late_record_makes_it_anew() {
    let Some(postgres) = postgres() else { return };
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let now = SystemClock.now();
    let began = |days: u32, n: u128| PushId::from_parts(now.minus(DAY * days), n);
    // Two old ends, a push that began as long ago and ended today, and one of today.
    let ends = [
        (began(41, 1), now.minus(DAY * 41)),
        (began(40, 2), now.minus(DAY * 40)),
        (began(35, 3), now.minus(Duration::from_secs(1))),
        (began(0, 4), now),
    ];
    let longer = StoreConfig { keep: 400 * DAY, keep_evidence: 400 * DAY, ..node(dir.path(), 1, &postgres) };
    let store = open_with(longer);
    for (id, ended_at) in ends {
        let mut end = end(record(id, "s", Code::new(1, 0), ended_at));
        end.evidence = id.as_bytes().to_vec();
        store.journal().refuse(end).await;
    }
    soon("they are shipped", || all_shipped(&store, &postgres, 4));
    assert_eq!(postgres.number("select count(*) from evidence"), 4);
    store.shutdown().unwrap();

    let store = open_with(node(dir.path(), 1, &postgres));
    soon("what is too old is dropped", || postgres.number("select count(*) from record") == 2);
    let there = |id: PushId, table: &str| {
        let day = postgres.sql(&format!(
            "select to_regclass('lastframe.{table}_' || to_char(to_timestamp({} / 1000) at time zone 'UTC', \
             'YYYYMMDD')) is not null",
            id.time().millis()
        ));
        day.unwrap() == "t"
    };
    let [gone, _, long, today] = ends.map(|(id, _)| id);
    for table in ["record", "evidence"] {
        assert!(!there(gone, table), "{table}");
        assert!(there(long, table) && there(today, table), "{table}");
    }
    let mut left: Vec<_> = all(&store.reader()).into_iter().map(|record| record.id).collect();
    left.sort();
    assert_eq!(left, [long, today]);

    let died = now.minus(DAY * 41);
    let late = OpenRow { connected_at: died, published_at: died, ..open_row(gone, "late") };
    let other = open_with(node(other.path(), 2, &postgres));
    soon("the other node is connected", || shipped(&other));
    other.other_nodes().unwrap().died(vec![late.node_died("node-9", died)]).unwrap();
    assert_eq!(postgres.number("select count(*) from record"), 3);
    assert!(there(gone, "record"));
}

#[tokio::test]
async fn evidence_that_comes_after_its_partition_went_makes_it_anew() {
    let Some(postgres) = postgres() else { return };
    let dir = tempfile::tempdir().unwrap();
    let store = open_with(node(dir.path(), 1, &postgres));
    let now = SystemClock.now();
    // Two pushes that began long ago and ended now; evidence of their day is dropped between them.
    for n in 1..=2 {
        let id = PushId::from_parts(now.minus(DAY * 10), u128::from(n));
        let mut end = end(record(id, "s", Code::new(1, 0), now));
        end.evidence = id.as_bytes().to_vec();
        store.journal().refuse(end).await;
        soon("it is shipped", || all_shipped(&store, &postgres, n));
        let day = postgres.sql("select tableoid::regclass from lastframe.evidence").unwrap();
        assert_eq!(postgres.number("select count(*) from evidence"), 1, "{day}");
        if n == 1 {
            postgres.sql(&format!("drop table {day}")).unwrap();
        }
    }
    assert_eq!(store.journal().shipping().unwrap().stuck, 0);
}

#[tokio::test]
async fn tls_to_the_database_is_verified_and_never_given_up_for_plain() {
    let Some(mut postgres) = postgres() else { return };
    let port = postgres.restart_with_tls();
    let ca = postgres.certificate();
    let url = |rest: &str| format!("postgres://lastframe:hush@127.0.0.1:{port}/postgres?{rest}");
    let dir = tempfile::tempdir().unwrap();
    let with = |rest: &str| StoreConfig {
        remote: Some(store::Remote::parse(&url(rest)).unwrap()),
        ..node(dir.path(), 1, &postgres)
    };
    // Without the authority nothing is shipped, whether TLS is required or only preferred.
    for rest in ["sslmode=require", "sslmode=prefer", ""] {
        let store = open_with(with(rest));
        soon("it says what is wrong", || {
            let shipping = store.journal().shipping().unwrap();
            !shipping.connected && shipping.last_error.is_some_and(|error| error.contains("certificate"))
        });
        assert!(store.journal().writable());
        store.shutdown().unwrap();
    }
    assert_eq!(postgres.sql("select to_regclass('lastframe.record') is null").unwrap(), "t");

    let store = open_with(with(&format!("sslmode=require&sslrootcert={}", ca.display())));
    refuse(&store.journal(), "secured", SystemClock.now()).await;
    soon("it is shipped", || all_shipped(&store, &postgres, 1));
    let plain = "select count(*) from pg_stat_ssl join pg_stat_activity using (pid) \
                 where application_name = 'lastframe' and not ssl";
    let secured = plain.replace("not ssl", "ssl");
    assert_eq!(postgres.number(plain), 0);
    assert!(postgres.number(&secured) > 0);
}
