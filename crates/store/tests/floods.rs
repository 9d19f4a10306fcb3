//! Floods fold on their way into the store; the catalog survives; the rest of the public surface.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::time::Duration;

use common::*;
use model::catalog::{Account, AccountStatus, ApiKey, Domain, Forbidden, Role};
use model::{Clock, Code, SystemClock, Timestamp};
use store::{RecordQuery, User};

#[tokio::test]
async fn a_flood_is_one_record_whose_attempts_rise() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.fold = Some(Duration::from_secs(60));
    let store = open_with(config);
    let journal = store.journal();
    let first = SystemClock.push_id();
    for n in 0..500u64 {
        let id = if n == 0 { first } else { SystemClock.push_id() };
        journal.refuse(end(record(id, "retrying", Code::new(18, 503), SystemClock.now()))).await;
    }
    let reader = store.reader();
    wait_until("attempts are written", || reader.get(first).unwrap().is_some_and(|(r, _)| r.attempts == 500));
    let (record, _) = reader.get(first).unwrap().unwrap();
    assert!(record.last_attempt_at.unwrap() >= record.ended_at);
    assert_eq!(all(&reader).len(), 1);
    assert_eq!(journal.stats().folded, 499);
    // It is filed once the fold is over, here by the stop, with all its attempts.
    store.shutdown().unwrap();
    let store = open(dir.path());
    wait_until("it is filed", || store.journal().stats().filed == 1);
    assert_eq!(store.reader().get(first).unwrap().unwrap().0.attempts, 500);
}

#[tokio::test]
async fn more_evidence_than_the_disk_takes_thins_and_records_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let journal = store.journal();
    let mut pushes = Vec::new();
    for n in 0..8_000 {
        pushes.push((SystemClock.push_id(), n));
    }
    let pushes: Vec<_> = pushes
        .into_iter()
        .map(|(id, n)| (id, journal.open(open_row(id, &format!("s{n}"))).unwrap()))
        .collect();
    for (id, push) in pushes {
        let mut row = end(record(id, "s", Code::new(1, 0), SystemClock.now()));
        row.evidence = vec![1; 32 << 10];
        push.close(row);
    }
    store.shutdown().unwrap();
    let reader = store::Reader::open_dir(dir.path()).unwrap();
    assert_eq!(all(&reader).len(), 8_000);
    let thinned = journal.stats().evidence_thinned;
    assert!(thinned > 0 && thinned < 8_000, "thinned {thinned}");
}

#[test]
fn the_catalog_survives_a_restart_and_counts_its_changes() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let catalog = store.catalog();
    assert_eq!(catalog.load().unwrap().version, 0);
    let account = Account { id: u64::MAX, status: AccountStatus::Overdue, max_pushes: 3 };
    let mut domain = Domain::new("Push.Example.COM", u64::MAX, "secret");
    domain.block = vec!["10.0.0.0/8".parse().unwrap()];
    let api_key = ApiKey { id: "AKID1".into(), secret: "s".into(), account: 0, role: Role::Operator };
    let forbidden = Forbidden {
        key: key("bad"),
        since: Timestamp(1_000),
        until: Timestamp(253_370_764_799_999),
        reason: "spam".to_owned(),
        by: "admin".to_owned(),
    };
    catalog.put_account(&account).unwrap();
    catalog.put_domain(&domain).unwrap();
    catalog.put_api_key(&api_key).unwrap();
    catalog.forbid(&forbidden).unwrap();
    catalog.put_user("admin", "$argon2id$...", Role::Admin).unwrap();
    assert_eq!(catalog.load().unwrap().version, 4);
    store.shutdown().unwrap();

    let store = open(dir.path());
    let catalog = store.catalog();
    let loaded = catalog.load().unwrap();
    assert_eq!(loaded.version, 4);
    assert_eq!(loaded.accounts.get(&u64::MAX), Some(&account));
    domain.name = "push.example.com".to_owned();
    assert_eq!(loaded.domain("push.EXAMPLE.com"), Some(&domain));
    assert_eq!(loaded.api_keys.get("AKID1"), Some(&api_key));
    assert_eq!(loaded.forbidden.get(&key("bad")), Some(&forbidden));
    let user =
        User { name: "admin".into(), password_hash: "$argon2id$...".into(), role: Role::Admin, account: 0 };
    assert_eq!(catalog.user("admin").unwrap(), Some(user));
    assert_eq!(catalog.user("nobody").unwrap(), None);
    assert!(catalog.resume(&key("bad")).unwrap());
    assert!(!catalog.resume(&key("bad")).unwrap());
    assert!(catalog.delete_domain("PUSH.example.com").unwrap());
    assert!(catalog.delete_account(u64::MAX).unwrap() && catalog.delete_api_key("AKID1").unwrap());
    let loaded = catalog.load().unwrap();
    assert!(loaded.domains.is_empty() && loaded.forbidden.is_empty() && loaded.accounts.is_empty());
    store.shutdown().unwrap();
}

#[cfg(unix)]
#[test]
fn every_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.reserve_bytes = 4_096;
    let store = open_with(config);
    store.catalog().put_setting("k", "v").unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", entry.path().display());
    }
}

#[tokio::test]
async fn an_import_can_be_repeated_and_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let records: Vec<_> = (0..5_000u64)
        .map(|n| {
            let ended_at = SystemClock.now().minus(Duration::from_secs(n * 60));
            let mut record = record(SystemClock.push_id(), "imported", Code::new(34, 0), ended_at);
            record.source = "elsewhere".to_owned();
            record
        })
        .collect();
    let lock = store::DataLock::take(dir.path()).unwrap();
    for _ in 0..2 {
        assert_eq!(store::import(&lock, records.clone()).unwrap(), 5_000);
    }
    drop(lock);
    let store = open(dir.path());
    let query = RecordQuery { stream: Some("imported".into()), limit: 1_000, ..RecordQuery::default() };
    assert_eq!(pages(&store.reader(), query), records);
    store.shutdown().unwrap();
    assert_eq!(store::check(dir.path()).unwrap().problems, []);
}

#[test]
fn of_two_administrators_that_remove_each_other_at_once_one_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let catalog = store.catalog();
    let user = |name: &str, role| User {
        name: name.into(),
        password_hash: "$argon2id$...".into(),
        role,
        account: 0,
    };
    assert!(catalog.add_user(&user("a", Role::Admin), 2).unwrap());
    assert!(!catalog.add_user(&user("a", Role::Viewer), 2).unwrap(), "the name is taken");
    assert!(!catalog.delete_user("a").unwrap() && !catalog.set_rights("a", Role::Viewer, 0).unwrap());
    assert!(!catalog.set_rights("a", Role::Admin, 7).unwrap(), "somebody must see all accounts");
    assert!(catalog.set_rights("a", Role::Admin, 0).unwrap());
    assert!(catalog.add_user(&user("b", Role::Admin), 2).unwrap());
    assert!(!catalog.add_user(&user("c", Role::Viewer), 2).unwrap(), "there are enough");
    let (first, second) = (catalog.clone(), catalog.clone());
    let one = std::thread::spawn(move || first.delete_user("a").unwrap());
    let other = std::thread::spawn(move || second.set_rights("b", Role::Operator, 0).unwrap());
    assert!(one.join().unwrap() != other.join().unwrap());
    let left = catalog.all_users().unwrap();
    assert_eq!(left.iter().filter(|user| user.role == Role::Admin).count(), 1, "{left:?}");
    assert!(catalog.set_password("a", "new").unwrap() != catalog.user("a").unwrap().is_none());
    store.shutdown().unwrap();
}
