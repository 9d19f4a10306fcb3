//! A record as a row of a list.

use std::collections::HashMap;

use cause::Evidence;
use model::{PushId, Record};
use store::Reader;

use super::frame::Frame;
use super::record::{audio, last_minute, video};
use super::show::{Chip, When, duration, grouped};
use super::spark::Spark;

/// A record as lists show it.
pub struct Row {
    /// The push's id: rows are told by it.
    pub id: String,
    /// Where the whole record is.
    pub link: String,
    /// Stream name; empty where none was named.
    pub stream: String,
    /// Whether it was a test push.
    pub test: bool,
    /// Path.
    pub app: String,
    /// Push domain.
    pub domain: String,
    /// When it went live.
    pub start: Option<When>,
    /// When it ended.
    pub end: When,
    /// How long it was live; empty for never.
    pub duration: String,
    /// The pusher.
    pub client_ip: String,
    /// Identical ends folded into it.
    pub attempts: u64,
    /// When the last of them came.
    pub last_attempt: Option<When>,
    /// The bitrate of its last minute.
    pub spark: Option<Spark>,
    /// `RTMP`, ...
    pub protocol: String,
    /// The encoder's own name for itself.
    pub encoder: String,
    /// Codec, size, rate.
    pub video: String,
    /// Codec, rate.
    pub audio: String,
    /// Bytes, grouped.
    pub received: String,
    /// The node that took it.
    pub node: String,
    /// Owner of the domain.
    pub account: String,
    /// Its cause.
    pub chip: Chip,
    /// The finding, in words.
    pub detail: String,
}

/// The bitrates of the last minutes of pushes, kbit/s.
pub type Minutes = HashMap<PushId, Vec<f64>>;

/// Reads the last minute of each push that was live. Blocks on the disk; what cannot be read is left out.
pub fn minutes(reader: &Reader, records: &[Record]) -> Minutes {
    let live = records.iter().filter(|record| record.published_at.is_some());
    live.filter_map(|record| {
        let (_, evidence) = reader.get(record.id).ok().flatten()?;
        let evidence = Evidence::decode(&evidence?).ok()?;
        Some((record.id, last_minute(&evidence)))
    })
    .collect()
}

impl Row {
    /// The row of a record, in the reader's language.
    pub fn of(record: Record, f: &Frame) -> Self {
        let record = crate::present::in_language(record, f.lang);
        Self {
            id: record.id.to_string(),
            test: record.is_test(),
            link: format!("/records/{}", record.id),
            chip: Chip::of(record.code(), f.lang),
            start: record.published_at.map(When::of),
            end: When::of(record.ended_at),
            duration: match record.published_at {
                Some(_) => duration(f.words(), record.duration_ms),
                None => String::new(),
            },
            client_ip: record.client_ip.to_string(),
            attempts: record.attempts,
            last_attempt: record.last_attempt_at.map(When::of),
            spark: None,
            protocol: record.protocol.to_uppercase(),
            video: video(&record),
            audio: audio(&record, f.words()),
            received: grouped(record.bytes_in),
            account: record.account.map(|account| account.to_string()).unwrap_or_default(),
            encoder: record.encoder.unwrap_or_default(),
            node: record.node,
            stream: record.stream.unwrap_or_default(),
            app: record.app.unwrap_or_default(),
            domain: record.domain.unwrap_or_default(),
            detail: record.detail.map(|d| d.text).unwrap_or_default(),
        }
    }

    /// Rows of records, with the curves of their last minutes.
    pub fn all(records: Vec<Record>, minutes: &Minutes, f: &Frame) -> Vec<Self> {
        let row = |record: Record| {
            let rates = minutes.get(&record.id).map(Vec::as_slice).unwrap_or_default();
            let top = rates.iter().copied().fold(0.0, f64::max);
            let spark = Spark::of(rates, f.tn("spark-record", grouped(top as u64)));
            Self { spark, ..Self::of(record, f) }
        };
        records.into_iter().map(row).collect()
    }
}
