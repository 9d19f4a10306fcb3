//! How fetches of other nodes' streams ended: kept over restarts and kills, bounded, and never a record of a push.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::time::Duration;

use common::*;
use model::fetch::{FetchEvent, FetchEventKind};
use model::{Clock, Code, FetchEnd, FetchRecord, SystemClock, Timestamp};
use rusqlite::Connection;
use store::{EventQuery, FetchCursor, FetchQuery, Store, StoreConfig};

fn found(store: &Store, query: FetchQuery) -> Vec<FetchRecord> {
    store.history().fetches(&FetchQuery { limit: query.limit.max(1), ..query }).unwrap().fetches
}

fn of(stream: &str) -> FetchQuery {
    FetchQuery { stream: Some(stream.to_owned()), limit: 100, ..FetchQuery::default() }
}

fn everything() -> FetchQuery {
    FetchQuery { limit: 100, ..FetchQuery::default() }
}

fn keep(store: &Store, fetches: &[FetchRecord]) {
    for fetch in fetches {
        store.journal().fetch_begins(FetchRecord { why: FetchEnd::Died, ..fetch.clone() });
        store.journal().fetch_ended(fetch.clone());
    }
    let last = fetches.last().unwrap().id;
    wait_until("they are kept", || store.history().fetch(last).unwrap().is_some());
}

#[test]
fn a_fetch_comes_back_as_it_was_also_after_a_restart_and_is_no_record_of_a_push() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let kept = fetch("s", SystemClock.now());
    keep(&store, std::slice::from_ref(&kept));
    store.shutdown().unwrap();
    let store = open(dir.path());
    store.recover().unwrap();
    assert_eq!(store.history().fetch(kept.id).unwrap().as_ref(), Some(&kept));
    assert_eq!(found(&store, everything()), [kept]);
    assert_eq!(store.history().fetch(uuid::Uuid::nil()).unwrap(), None);
    assert_eq!(all(&store.reader()), []);
}

#[test]
fn filters_hold_and_pages_meet() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let now = SystemClock.now();
    let at = |seconds| now.plus(Duration::from_secs(seconds));
    // Some end in one millisecond.
    let fetches: Vec<_> = (0..25).map(|n| fetch(["a", "b"][n as usize % 2], at(n / 4))).collect();
    keep(&store, &fetches);
    assert_eq!(found(&store, of("b")).len(), 12);
    assert!(found(&store, FetchQuery { account: Some(8), ..everything() }).is_empty());
    assert_eq!(found(&store, FetchQuery { account: Some(7), ..everything() }).len(), 25);
    assert!(found(&store, FetchQuery { domain: Some("other".into()), ..everything() }).is_empty());
    assert_eq!(found(&store, FetchQuery { since: Some(at(5)), ..everything() }).len(), 5);
    assert_eq!(
        found(&store, FetchQuery { until: Some(at(1)), app: Some("live".into()), ..of("a") }).len(),
        2
    );
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page = found(&store, FetchQuery { after, limit: 4, ..FetchQuery::default() });
        after = page.last().map(FetchCursor::of);
        if page.is_empty() {
            break;
        }
        pages.extend(page);
    }
    assert_eq!(pages, found(&store, everything()));
    assert_eq!(pages.len(), 25);
    assert!(pages.is_sorted_by(|a, b| FetchCursor::of(a) > FetchCursor::of(b)));
}

#[test]
fn a_fetch_that_ran_when_its_node_was_killed_ends_11_0_at_the_last_heartbeat() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(dir.path());
    let begun = SystemClock.now();
    let running = FetchRecord {
        errcode: Some(11),
        why: FetchEnd::Died,
        detail: None,
        since: begun,
        ..fetch("running", begun)
    };
    store.journal().fetch_begins(running.clone());
    let over = fetch("over", begun);
    keep(&store, std::slice::from_ref(&over));
    assert_eq!(found(&store, of("running")), [], "it has not ended");
    copy_as_crashed(dir.path(), copy.path());
    let store = open(copy.path());
    let died = found(&store, of("running"));
    assert_eq!((died.len(), died[0].code(), died[0].why), (1, Some(Code::new(11, 0)), FetchEnd::Died));
    assert_eq!((died[0].id, died[0].since), (running.id, begun));
    assert!(died[0].ended_at >= begun && died[0].ended_at <= SystemClock.now());
    assert_eq!(died[0].detail.as_ref().unwrap().key, "recovered_at_start");
    assert_eq!(found(&store, of("over")), [over]);
    store.shutdown().unwrap();
    assert_eq!(found(&open(copy.path()), of("running")), died, "once");
}

#[test]
fn an_older_history_is_migrated_and_can_be_read_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(dir.path().join("history.db")).unwrap();
    old.execute_batch(include_str!("../src/schema/history.sql")).unwrap();
    old.execute_batch(
        "insert into event (at, interval_ms, push, sequence, account, domain, app, stream, client_ip, type, count, \
         occurrences) values (5, 1, zeroblob(16), 1, 7, 'd', 'a', 's', x'0a000001', 6, 2, '[]'); \
         pragma user_version = 1",
    )
    .unwrap();
    drop(old);
    let store = open(dir.path());
    let events = store.history().events(&EventQuery { limit: 9, ..EventQuery::default() }).unwrap();
    assert_eq!((events.len(), events[0].count), (1, 2));
    assert_eq!(found(&store, everything()), []);
    keep(&store, &[fetch("s", SystemClock.now())]);
}

#[test]
fn what_is_older_than_the_history_is_let_go_and_events_of_a_fetch_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let old = SystemClock.now().minus(StoreConfig::KEEP_HISTORY * 2);
    let event = |n| FetchEvent {
        at: Timestamp(n),
        event: FetchEventKind::Failed,
        code: Some("10/0".to_owned()),
        text: format!("{n}"),
    };
    let mut long = fetch("long", SystemClock.now());
    long.events = (0..500).map(event).collect();
    keep(&store, &[fetch("old", old), fetch("old", old), long]);
    store.shutdown().unwrap();
    let store = open(dir.path());
    // The first thing that is kept brings a sweep with it.
    keep(&store, &[fetch("new", SystemClock.now())]);
    wait_until("the old ones are gone", || found(&store, of("old")).is_empty());
    let long = found(&store, of("long")).remove(0);
    assert_eq!((long.events.len(), long.events[15].text.as_str()), (16, "499"));
    assert_eq!(found(&store, everything()).len(), 2);
}
