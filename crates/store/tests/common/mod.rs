//! What the tests of the store share.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::fetch::{FetchEvent, FetchEventKind};
use model::record::DetailRecord;
use model::{Clock, Code, FetchEnd, FetchRecord, PushId, Record, StreamKey, SystemClock, Timestamp};
use store::{DataLock, EndRow, OpenRow, OutboxConfig, Reader, RecordQuery, Store, StoreConfig};

pub const DAY: Duration = Duration::from_secs(86_400);

pub fn config(dir: &Path) -> StoreConfig {
    StoreConfig {
        dir: dir.to_owned(),
        keep: 30 * DAY,
        keep_evidence: 7 * DAY,
        fold: None,
        ignore: Vec::new(),
        node_id: uuid::Uuid::nil(),
        node_label: "node-1".to_owned(),
        reserve_bytes: 0,
        outbox: OutboxConfig::default(),
        remote: None,
        keep_history: StoreConfig::KEEP_HISTORY,
    }
}

pub fn open(dir: &Path) -> Store {
    open_with(config(dir))
}

pub fn open_with(config: StoreConfig) -> Store {
    open_at(config, Arc::new(SystemClock))
}

pub fn open_at(config: StoreConfig, clock: Arc<dyn Clock>) -> Store {
    let lock = DataLock::take(&config.dir).unwrap();
    Store::open(lock, config, clock).unwrap()
}

pub fn key(stream: &str) -> StreamKey {
    StreamKey { domain: "push.example.com".to_owned(), app: "live".to_owned(), stream: stream.to_owned() }
}

pub fn open_row(id: PushId, stream: &str) -> OpenRow {
    let now = SystemClock.now();
    OpenRow {
        id,
        account: 1_000_000_001,
        key: key(stream),
        protocol: "rtmp".to_owned(),
        client_ip: "203.0.113.7".parse().unwrap(),
        client_port: 40_000,
        connected_at: now,
        published_at: now,
        encoder: Some("Lavf60.16.100".to_owned()),
        stream_param: None,
        callback_param: None,
    }
}

pub fn record(id: PushId, stream: &str, code: Code, ended_at: Timestamp) -> Record {
    let key = key(stream);
    Record {
        id,
        sequence: id.sequence(),
        source: "lastframe".to_owned(),
        account: Some(1_000_000_001),
        domain: Some(key.domain),
        app: Some(key.app),
        stream: Some(key.stream),
        protocol: "rtmp".to_owned(),
        client_ip: "203.0.113.7".parse().unwrap(),
        client_port: 40_000,
        node: "node-1".to_owned(),
        connected_at: ended_at.minus(Duration::from_secs(61)),
        published_at: Some(ended_at.minus(Duration::from_secs(60))),
        ended_at,
        duration_ms: 60_000,
        errcode: code.errcode,
        sub_errcode: code.sub_errcode,
        errmsg: String::new(),
        side: "client".to_owned(),
        detail: None,
        attempts: 1,
        last_attempt_at: None,
        bytes_in: 7_500_000,
        bytes_out: 3_421,
        video: None,
        audio: None,
        encoder: Some("Lavf60.16.100".to_owned()),
        stream_param: None,
    }
}

/// A fetch of a stream that its owner ended.
pub fn fetch(stream: &str, ended_at: Timestamp) -> FetchRecord {
    let said = serde_json::json!({ "address": "east:1935", "said": "The stream has ended." });
    FetchRecord {
        id: uuid::Uuid::from_bytes(*SystemClock.push_id().as_bytes()),
        account: Some(7),
        domain: "push.example.com".to_owned(),
        app: "live".to_owned(),
        stream: stream.to_owned(),
        node: "west".to_owned(),
        owner: Some("east".to_owned()),
        address: Some("east:1935".to_owned()),
        revision: 9,
        since: ended_at.minus(Duration::from_secs(60)),
        ended_at,
        live_ms: 59_000,
        bytes_in: 1 << 40,
        restarts: 1,
        viewers: 3,
        why: FetchEnd::Over,
        errcode: Some(10),
        sub_errcode: Some(0),
        errmsg: None,
        detail: Some(DetailRecord {
            key: "upstream_order".to_owned(),
            params: serde_json::from_value(said).unwrap(),
            text: String::new(),
        }),
        events: vec![FetchEvent {
            at: ended_at,
            event: FetchEventKind::ToldToStop,
            code: Some("10/0".to_owned()),
            text: "the server said: The stream has ended.".to_owned(),
        }],
    }
}

pub fn end(record: Record) -> EndRow {
    EndRow { record, evidence: Vec::new(), verdict_version: 1 }
}

/// All records, newest first, by paging to the end.
pub fn all(reader: &Reader) -> Vec<Record> {
    pages(reader, RecordQuery { limit: 1_000, ..RecordQuery::default() })
}

pub fn pages(reader: &Reader, mut query: RecordQuery) -> Vec<Record> {
    let mut records = Vec::new();
    loop {
        let page = reader.query(&query).unwrap();
        records.extend(page.records);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return records,
        }
    }
}

/// Waits until `done`, looking every few milliseconds; fails the test after ten seconds.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("waited ten seconds for: {what}");
}

/// Copies a data folder as a crash would leave it: what was written so far, without the lock and the shared memory.
pub fn copy_as_crashed(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("records")).unwrap();
    for folder in ["", "records"] {
        let entries = std::fs::read_dir(from.join(folder)).unwrap();
        for path in entries.map(|e| e.unwrap().path()).filter(|p| p.is_file()) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name != "lock" && !name.ends_with("-shm") {
                std::fs::copy(&path, to.join(folder).join(name)).unwrap();
            }
        }
    }
}
