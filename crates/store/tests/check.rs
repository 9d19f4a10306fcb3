//! The check finds what is wrong, each kind of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::path::Path;

use common::*;
use model::{Clock, Code, SystemClock};
use rusqlite::Connection;
use store::{StoreError, check};

/// A folder with three records in a record file, one in the journal, one open push.
async fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for n in 0..3 {
        let mut row =
            end(record(SystemClock.push_id(), &format!("filed-{n}"), Code::new(1, 0), SystemClock.now()));
        row.evidence = vec![n; 100];
        store.journal().refuse(row).await;
    }
    wait_until("three are filed", || store.journal().stats().filed == 3);
    store.shutdown().unwrap();
    let journal = Connection::open(dir.path().join("journal.db")).unwrap();
    journal
        .execute_batch(
            "insert into open_push (id, run, account, domain, app, stream, protocol, client_ip, client_port, connected_at,
             published_at) select x'0195e000000070008000000000000001', 1, 1, 'd', 'a', 's', 'rtmp', x'01020304', 1, 1, 1",
        )
        .unwrap();
    dir
}

fn day_file(dir: &Path) -> Connection {
    let entries = std::fs::read_dir(dir.join("records")).unwrap().map(|e| e.unwrap().path());
    Connection::open(entries.into_iter().find(|p| p.extension().is_some_and(|e| e == "db")).unwrap()).unwrap()
}

fn found(dir: &Path) -> Vec<String> {
    check(dir).unwrap().problems.into_iter().map(|problem| problem.what).collect()
}

#[tokio::test]
async fn a_sound_store_has_no_problems() {
    let dir = folder().await;
    let report = check(dir.path()).unwrap();
    assert_eq!(report.problems, []);
    assert_eq!((report.files, report.records, report.open), (2, 3, 1));
}

#[tokio::test]
async fn a_day_on_which_nobody_named_a_stream_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let nameless = record(SystemClock.push_id(), "", Code::new(22, 0), SystemClock.now());
    let nameless = model::Record { stream: None, domain: None, app: None, ..nameless };
    store.journal().refuse(end(nameless)).await;
    wait_until("it is filed", || store.journal().stats().filed == 1);
    store.shutdown().unwrap();
    assert_eq!(check(dir.path()).unwrap().problems, []);
}

#[test]
fn a_folder_without_a_store_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(check(dir.path()), Err(StoreError::NoData { .. })));
}

#[tokio::test]
async fn each_kind_of_damage_is_found() {
    let cases: [(&str, &str); 8] = [
        ("delete from stream where id = 1", "refers to a stream that is not there"),
        ("update record set domain_id = 99", "refers to a domain that is not there"),
        ("delete from fact where row = (select min(row) from fact)", "has only one of its halves"),
        ("update fact set id = (select id from fact limit 1)", "has two records"),
        ("update fact set ended_at = ended_at - 5", "stands at a time that is not its end"),
        ("update record set sequence = 5", "has a sequence that is not its id's"),
        ("insert into stream (text) values ('unindexed')", "is not in the trigram index"),
        ("update fact set evidence_offset = evidence_offset + 1", "evidence of push"),
    ];
    for (damage, expected) in cases {
        let dir = folder().await;
        day_file(dir.path()).execute_batch(damage).unwrap();
        let found = found(dir.path());
        assert!(found.iter().any(|what| what.contains(expected)), "{damage}: {found:?}");
    }
}

#[tokio::test]
async fn a_push_that_is_open_and_ended_is_found() {
    let dir = folder().await;
    let journal = Connection::open(dir.path().join("journal.db")).unwrap();
    journal
        .execute_batch(
            "insert into ended (id, ended_at, tie, folding, sequence, source, protocol, client_ip, client_port, node,
             connected_at, duration_ms, errcode, sub_errcode, side, attempts, bytes_in, bytes_out, verdict_version)
             select id, 1, 1, 0, 1, 's', 'rtmp', client_ip, 1, 'n', 1, 0, 1, 0, 'client', 1, 0, 0, 0 from open_push",
        )
        .unwrap();
    let found = found(dir.path());
    assert!(found.iter().any(|what| what.contains("is open and has ended")), "{found:?}");
    assert!(found.iter().any(|what| what.contains("has a tie that is not its id's")), "{found:?}");
}

#[tokio::test]
async fn a_broken_database_is_a_problem_and_not_an_error() {
    let dir = folder().await;
    let entries = std::fs::read_dir(dir.path().join("records")).unwrap().map(|e| e.unwrap().path());
    let path = entries.into_iter().find(|p| p.extension().is_some_and(|e| e == "db")).unwrap();
    std::fs::write(&path, vec![b'x'; 40_000]).unwrap();
    assert!(found(dir.path()).iter().any(|what| what.contains("cannot be used")));
}
