//! Data that an older version of the program left is opened, migrated, and all there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::*;
use model::catalog::{CallbackRule, CallbackTemplate, CallbackUrls};
use model::{Code, Timestamp};
use rusqlite::Connection;
use store::{Recovery, StoreError, check};

fn old_folder(sql: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("records")).unwrap();
    Connection::open(dir.path().join("journal.db")).unwrap().execute_batch(sql).unwrap();
    dir
}

#[test]
fn a_journal_of_version_1_keeps_its_pushes_and_its_catalog() {
    let dir = old_folder(include_str!("fixtures/journal-v1.sql"));
    assert!(matches!(store::Reader::open_dir(dir.path()), Err(StoreError::OlderSchema { .. })));
    let store = open(dir.path());
    assert_eq!(store.recover().unwrap(), Recovery { died: 1, ..Recovery::default() });
    let catalog = store.catalog().load().unwrap();
    assert_eq!(catalog.domains["push.example.com"].key, "a-key");
    assert_eq!(catalog.forbidden[&key("bad")].by, "");
    assert!(catalog.callback_templates.is_empty());
    let records = all(&store.reader());
    let codes: Vec<Code> = records.iter().map(model::Record::code).collect();
    assert_eq!(codes, [Code::new(18, 503), Code::new(11, 0)]);
    assert_eq!(records[1].stream.as_deref(), Some("left-open"));
    store.shutdown().unwrap();
    assert_eq!(check(dir.path()).unwrap().problems, []);
}

#[test]
fn a_migrated_journal_takes_callbacks() {
    let dir = old_folder(include_str!("fixtures/journal-v1.sql"));
    let store = open(dir.path());
    let template = CallbackTemplate {
        id: 7,
        account: 1_000_000_001,
        name: "all".to_owned(),
        description: String::new(),
        urls: CallbackUrls { stream_begin: "https://r.example/b".to_owned(), ..CallbackUrls::default() },
        key: "k".to_owned(),
        created: Timestamp(5),
    };
    let rule = CallbackRule {
        domain: "Push.example.com".to_owned(),
        app: "live".to_owned(),
        template: 7,
        created: Timestamp(5),
        updated: Timestamp(6),
    };
    store.catalog().put_callback_template(&template).unwrap();
    store.catalog().put_callback_rule(&rule).unwrap();
    let catalog = store.catalog().load().unwrap();
    assert_eq!(catalog.callback_templates[&7], template);
    assert_eq!(catalog.callback_rule("push.example.com", "live").unwrap().template, 7);
    assert!(store.catalog().delete_callback_rule("push.example.com", "live").unwrap());
    assert!(!store.catalog().delete_callback_rule("push.example.com", "live").unwrap());
    assert!(store.catalog().delete_callback_template(7).unwrap());
}
