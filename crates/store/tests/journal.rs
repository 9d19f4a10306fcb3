//! One record for each push, whichever way it goes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::*;
use model::{Clock, Code, SystemClock, Timestamp};
use store::{DataLock, JournalError, RecordQuery, Store, StoreError, check};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_push_that_ends_leaves_its_record_with_evidence() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let id = SystemClock.push_id();
    let mut push = store.journal().open(open_row(id, "one")).unwrap();
    push.durable(LIMIT).await.unwrap();
    let record = record(id, "one", Code::new(1, 0), SystemClock.now());
    let mut tail = store.journal().subscribe();
    let mut row = end(record.clone());
    row.evidence = vec![7; 9_000];
    push.close(row);
    assert_eq!(*tail.recv().await.unwrap(), record);

    let reader = store.reader();
    let (found, evidence) = reader.get(id).unwrap().unwrap();
    assert_eq!(found, record);
    assert_eq!(evidence.unwrap(), vec![7; 9_000]);
    wait_until("the record is filed", || store.journal().stats().filed == 1);
    let (found, evidence) = reader.get(id).unwrap().unwrap();
    assert_eq!(found, record);
    assert_eq!(evidence.unwrap(), vec![7; 9_000]);
    assert_eq!(all(&reader), [record]);
    store.shutdown().unwrap();
    assert_eq!(check(dir.path()).unwrap().problems, []);
}

#[tokio::test]
async fn every_field_of_a_record_survives_the_journal_and_the_record_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let id = SystemClock.push_id();
    let mut record = record(id, "full", Code::new(12, 0), SystemClock.now());
    record.client_ip = "2001:db8::7".parse().unwrap();
    record.detail = Some(model::record::DetailRecord {
        key: "path_lost".to_owned(),
        params: [("unacked_ms".to_owned(), 20_000.into())].into(),
        text: String::new(),
    });
    record.video = Some(model::record::VideoRecord {
        codec: Some("H.264".to_owned()),
        width: Some(1920),
        height: Some(1080),
        fps: Some(29.97),
        kbps: Some(4_500),
    });
    record.audio = Some(model::record::AudioRecord { codec: Some("AAC".to_owned()), ..Default::default() });
    record.stream_param = Some("txSecret=***".to_owned());
    record.account = Some(u64::MAX);
    record.attempts = 3;
    record.last_attempt_at = Some(record.ended_at.plus(Duration::from_secs(9)));
    store.journal().refuse(end(record.clone())).await;
    wait_until("the record is committed", || store.reader().get(id).unwrap().is_some());
    assert_eq!(store.reader().get(id).unwrap().unwrap().0, record);
    wait_until("the record is filed", || store.journal().stats().filed == 1);
    assert_eq!(store.reader().get(id).unwrap().unwrap().0, record);
    let found = store.reader().query(&RecordQuery { account: Some(u64::MAX), ..Default::default() }).unwrap();
    assert_eq!(found.records, [record]);
}

#[tokio::test]
async fn a_push_that_is_dropped_unclosed_is_5_0_with_its_counters() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let id = SystemClock.push_id();
    let push = store.journal().open(open_row(id, "panicked")).unwrap();
    push.counters().bytes_in.store(123, Ordering::Relaxed);
    drop(push);
    wait_until("the record is committed", || store.reader().get(id).unwrap().is_some());
    let (record, _) = store.reader().get(id).unwrap().unwrap();
    assert_eq!((record.code(), record.side.as_str(), record.bytes_in), (Code::new(5, 0), "server", 123));
    assert_eq!(record.stream.as_deref(), Some("panicked"));
}

#[tokio::test]
async fn a_push_that_is_abandoned_is_the_refusal_it_got() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let id = SystemClock.push_id();
    let mut push = store.journal().open(open_row(id, "late")).unwrap();
    push.durable(LIMIT).await.unwrap();
    push.abandon(end(record(id, "late", Code::new(18, 103), SystemClock.now())));
    store.shutdown().unwrap();
    let records = all(&store::Reader::open_dir(dir.path()).unwrap());
    assert_eq!(records.iter().map(|r| r.code()).collect::<Vec<_>>(), [Code::new(18, 103)]);
}

#[tokio::test]
async fn an_orderly_stop_closes_what_is_still_open_as_9_0() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut pushes = Vec::new();
    for n in 0..50 {
        let mut push = store.journal().open(open_row(SystemClock.push_id(), &format!("s{n}"))).unwrap();
        push.durable(LIMIT).await.unwrap();
        push.counters().bytes_in.store(1_000 + n, Ordering::Relaxed);
        pushes.push(push);
    }
    store.stopping();
    store.shutdown().unwrap();
    // The tasks end after the store did; that adds nothing.
    drop(pushes);
    let records = all(&store::Reader::open_dir(dir.path()).unwrap());
    assert_eq!(records.len(), 50);
    assert!(records.iter().all(|r| r.code() == Code::new(9, 0) && r.bytes_in >= 1_000 && r.node == "node-1"));
    let again = open(dir.path());
    assert_eq!(again.recover().unwrap(), store::Recovery::default());
    assert_eq!(check(dir.path()).unwrap().problems, []);
}

#[tokio::test]
async fn what_a_crash_leaves_open_is_11_0_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut pushes = Vec::new();
    for n in 0..40 {
        let mut push = store.journal().open(open_row(SystemClock.push_id(), &format!("s{n}"))).unwrap();
        push.durable(LIMIT).await.unwrap();
        pushes.push(push);
    }
    let done = pushes.split_off(30);
    for push in done {
        let id = SystemClock.push_id();
        push.close(end(record(id, "closed", Code::new(1, 0), SystemClock.now())));
    }
    wait_until("ten ends are committed", || all(&store.reader()).len() == 10);
    let crashed = tempfile::tempdir().unwrap();
    copy_as_crashed(dir.path(), crashed.path());

    for round in 0..2 {
        let store = open(crashed.path());
        let recovery = store.recover().unwrap();
        assert_eq!(recovery.died, if round == 0 { 30 } else { 0 });
        let records = all(&store.reader());
        assert_eq!(records.len(), 40);
        let died = records.iter().filter(|r| r.code() == Code::new(11, 0)).count();
        assert_eq!(died, 30);
        let oldest = SystemClock.now().minus(Duration::from_secs(60));
        assert!(records.iter().all(|r| r.ended_at > oldest));
        store.shutdown().unwrap();
    }
    assert_eq!(check(crashed.path()).unwrap().problems, []);
}

#[tokio::test]
async fn a_kill_during_an_orderly_stop_is_9_0() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut push = store.journal().open(open_row(SystemClock.push_id(), "s")).unwrap();
    push.durable(LIMIT).await.unwrap();
    store.stopping();
    let crashed = tempfile::tempdir().unwrap();
    copy_as_crashed(dir.path(), crashed.path());
    let again = open(crashed.path());
    assert_eq!(again.recover().unwrap(), store::Recovery { stopped: 1, ..Default::default() });
    assert_eq!(all(&again.reader())[0].code(), Code::new(9, 0));
}

#[tokio::test]
async fn a_heartbeat_and_counters_are_kept_while_a_push_is_live() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut push = store.journal().open(open_row(SystemClock.push_id(), "s")).unwrap();
    push.durable(LIMIT).await.unwrap();
    push.counters().bytes_in.store(777, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(6_500)).await;
    let copied_at = SystemClock.now();
    let crashed = tempfile::tempdir().unwrap();
    copy_as_crashed(dir.path(), crashed.path());
    let again = open(crashed.path());
    again.recover().unwrap();
    let record = all(&again.reader()).remove(0);
    assert_eq!(record.bytes_in, 777);
    assert!(
        copied_at.since(record.ended_at) < 2_000,
        "last seen {} ms ago",
        copied_at.since(record.ended_at)
    );
    assert_eq!(record.duration_ms, record.ended_at.since(record.published_at.unwrap()));
}

#[tokio::test]
async fn an_unreadable_row_is_36_0_and_harms_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for name in ["good", "bad"] {
        let mut push = store.journal().open(open_row(SystemClock.push_id(), name)).unwrap();
        push.durable(LIMIT).await.unwrap();
        std::mem::forget(push);
    }
    let crashed = tempfile::tempdir().unwrap();
    copy_as_crashed(dir.path(), crashed.path());
    let db = rusqlite::Connection::open(crashed.path().join("journal.db")).unwrap();
    db.execute("update open_push set client_ip = x'0102' where stream = 'bad'", []).unwrap();
    drop(db);
    let again = open(crashed.path());
    assert_eq!(again.recover().unwrap(), store::Recovery { died: 1, stopped: 0, unreadable: 1 });
    let mut found: Vec<_> =
        all(&again.reader()).into_iter().map(|r| (r.stream.clone().unwrap(), r.code().errcode)).collect();
    found.sort();
    assert_eq!(found, [("bad".to_owned(), 36), ("good".to_owned(), 11)]);
}

#[test]
fn a_second_store_on_the_folder_is_refused_and_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert!(matches!(DataLock::take(dir.path()), Err(StoreError::Locked { .. })));
    store.catalog().put_setting("a", "b").unwrap();
    store.shutdown().unwrap();
    assert_eq!(open(dir.path()).catalog().setting("a").unwrap().as_deref(), Some("b"));
}

#[test]
fn a_journal_of_a_newer_version_is_refused_with_advice() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).shutdown().unwrap();
    let db = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let lock = DataLock::take(dir.path()).unwrap();
    let error = Store::open(lock, config(dir.path()), Arc::new(SystemClock)).unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
    assert!(store::Reader::open_dir(dir.path()).is_err());
}

#[test]
fn a_folder_without_data_is_no_data() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(store::Reader::open_dir(dir.path()), Err(StoreError::NoData { .. })));
}

#[tokio::test]
async fn a_journal_that_was_closed_admits_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let journal = store.journal();
    store.shutdown().unwrap();
    assert!(!journal.writable());
    assert_eq!(journal.open(open_row(SystemClock.push_id(), "s")).err(), Some(JournalError::Unwritable));
    // Never fails, never hangs.
    journal.refuse(end(record(SystemClock.push_id(), "s", Code::new(18, 503), Timestamp(1)))).await;
}

#[tokio::test]
async fn a_record_of_a_broken_clock_has_a_place_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.keep = DAY * 365 * 100;
    let store = open_with(config);
    for at in [i64::MIN, -1, 0, i64::MAX] {
        let mut record = record(SystemClock.push_id(), "s", Code::new(18, 503), Timestamp(0));
        record.ended_at = Timestamp(at);
        store.journal().refuse(end(record)).await;
    }
    wait_until("all are filed", || store.journal().stats().filed == 4);
    assert_eq!(all(&store.reader()).len(), 4);
}
