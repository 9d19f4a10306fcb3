//! A record as a row of a list.

use model::Record;

use super::frame::Frame;
use super::show::{Chip, When, duration};

/// A record as lists show it.
pub struct Row {
    /// Where the whole record is.
    pub link: String,
    /// Stream name; empty where none was named.
    pub stream: String,
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
    /// Its cause.
    pub chip: Chip,
    /// The finding, in words.
    pub detail: String,
}

impl Row {
    /// The row of a record, in the reader's language.
    pub fn of(record: Record, f: &Frame) -> Self {
        let record = crate::present::in_language(record, f.lang);
        Self {
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
            stream: record.stream.unwrap_or_default(),
            app: record.app.unwrap_or_default(),
            domain: record.domain.unwrap_or_default(),
            detail: record.detail.map(|d| d.text).unwrap_or_default(),
        }
    }
}
