//! Days older than what is kept go as whole files; evidence goes earlier; a clock that jumps deletes nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use model::clock::ManualClock;
use model::{Clock, Code, PushId, Timestamp};
use store::{Store, check};

const HOUR: Duration = Duration::from_secs(3_600);

fn noon() -> Timestamp {
    Timestamp::parse("2025-11-22T12:00:00Z").unwrap()
}

/// A store with one record, with evidence, on each of the ten days up to today.
async fn ten_days(dir: &std::path::Path, clock: &Arc<ManualClock>) -> (Store, Vec<PushId>) {
    let mut config = config(dir);
    config.keep = DAY * 30;
    config.keep_evidence = DAY * 7;
    let store = open_at(config, Arc::clone(clock) as Arc<dyn Clock>);
    let mut ids = Vec::new();
    for day in 0..10 {
        let id = clock.push_id();
        let mut row = end(record(id, "s", Code::new(1, 0), noon().minus(DAY * day)));
        row.evidence = vec![1; 50];
        store.journal().refuse(row).await;
        ids.push(id);
    }
    wait_until("all are filed", || store.journal().stats().filed == 10);
    (store, ids)
}

fn files(dir: &std::path::Path, start: &str) -> usize {
    let entries = std::fs::read_dir(dir.join("records")).unwrap();
    let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(start) && !name.contains("-wal") && !name.contains("-shm")).count()
}

/// Lets time pass as it does, in steps that are no jump, until `done`.
fn pass(clock: &ManualClock, time: Duration, what: &str, mut done: impl FnMut() -> bool) {
    clock.advance(time);
    wait_until(what, || {
        // A minute, so that each look of the store is due again.
        clock.advance(Duration::from_secs(61));
        done()
    });
}

#[tokio::test]
async fn evidence_goes_first_and_records_go_by_whole_days() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(noon()));
    let (store, ids) = ten_days(dir.path(), &clock).await;
    assert_eq!(files(dir.path(), "records-"), 10);
    // Kept whole: the day in which "seven days ago" lies, and those after it.
    pass(&clock, HOUR, "old evidence is gone", || files(dir.path(), "evidence-") == 8);
    let reader = store.reader();
    let (_, evidence) = reader.get(ids[9]).unwrap().unwrap();
    assert_eq!(evidence, None);
    let (_, evidence) = reader.get(ids[0]).unwrap().unwrap();
    assert_eq!(evidence, Some(vec![1; 50]));
    assert_eq!(all(&reader).len(), 10);

    pass(&clock, DAY * 25, "old records are gone", || files(dir.path(), "records-") == 6);
    // Readers hear of it once all that were due have gone.
    wait_until("readers know", || all(&reader).len() == 6);
    let left = all(&reader);
    assert!(left.iter().all(|record| record.ended_at > noon().minus(DAY * 6)));
    assert!(reader.get(ids[9]).unwrap().is_none());
    store.shutdown().unwrap();
    assert_eq!(check(dir.path()).unwrap().problems, []);
}

#[tokio::test]
async fn a_clock_that_jumps_a_year_ahead_deletes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(noon()));
    let (store, _) = ten_days(dir.path(), &clock).await;
    clock.jump_to(noon().plus(DAY * 365));
    let mut looks = 0;
    pass(&clock, Duration::ZERO, "some looks", || {
        std::thread::sleep(Duration::from_millis(20));
        looks += 1;
        looks > 100
    });
    assert_eq!(files(dir.path(), "records-"), 10);
    // Set right again, nothing is lost.
    clock.jump_to(noon());
    assert_eq!(all(&store.reader()).len(), 10);
}
