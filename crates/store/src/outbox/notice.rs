//! What an event tells.

use std::net::IpAddr;

use model::{PushId, Record, StreamKey, Timestamp};
use serde::{Deserialize, Serialize};

use crate::row::OpenRow;

/// What an event tells, as the outbox keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Node that took the push.
    pub node: String,
    /// The pusher's address.
    pub client_ip: IpAddr,
    /// The push URL's query, secrets masked.
    pub stream_param: Option<String>,
    /// The same as received; for signed callbacks alone, and gone with the row.
    pub original_param: Option<String>,
    /// The event.
    pub told: Told,
}

/// The event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// The push went live.
    Begin,
    /// The push ended.
    End {
        /// First number of the cause.
        errcode: u16,
        /// Second number of the cause.
        sub_errcode: u16,
        /// From going live to the end.
        duration_ms: u64,
        /// Pixels; 0 where no video header came.
        width: u32,
        /// Pixels; 0 where no video header came.
        height: u32,
    },
    /// Abnormalities within one interval.
    Exception {
        /// The interval.
        interval_ms: u64,
        /// What was noticed.
        events: Vec<ReportedEvent>,
    },
}

/// An abnormality of a live push, counted over an interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedEvent {
    /// 1-16 as in CSS, from 100 our own.
    pub kind: u8,
    /// How often.
    pub count: u32,
    /// Some of the times, with words.
    pub occurrences: Vec<Occurrence>,
}

/// One time at which it was noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// When.
    pub at: Timestamp,
    /// What was seen, in English.
    pub what: String,
    /// The same as numbers, to be worded in another language; kept in the history alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

/// What was noticed, as numbers. See `cause::event::Occurrence`, whose fields these are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What was measured, in the type's own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u32>,
    /// Timestamp of the media message, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u32>,
    /// What was seen beyond the numbers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// The abnormalities of a live push in one interval.
#[derive(Clone, Debug, PartialEq)]
pub struct PushReport {
    /// The push.
    pub push: PushId,
    /// Owner of the domain.
    pub account: u64,
    /// What it is pushed to.
    pub key: StreamKey,
    /// The pusher's address.
    pub client_ip: IpAddr,
    /// The push URL's query, secrets masked.
    pub stream_param: Option<String>,
    /// When the interval ended.
    pub at: Timestamp,
    /// Its length.
    pub interval_ms: u64,
    /// What was noticed.
    pub events: Vec<ReportedEvent>,
}

impl Notice {
    pub(super) fn begin(row: &OpenRow, node: &str) -> Self {
        Self {
            node: node.to_owned(),
            client_ip: row.client_ip,
            stream_param: row.stream_param.clone(),
            original_param: row.callback_param.clone(),
            told: Told::Begin,
        }
    }

    pub(super) fn end(record: &Record, original_param: Option<String>) -> Self {
        let pixels = |side: fn(&model::record::VideoRecord) -> Option<u32>| {
            record.video.as_ref().and_then(side).unwrap_or(0)
        };
        Self {
            node: record.node.clone(),
            client_ip: record.client_ip,
            stream_param: record.stream_param.clone(),
            original_param,
            told: Told::End {
                errcode: record.errcode,
                sub_errcode: record.sub_errcode,
                duration_ms: record.duration_ms,
                width: pixels(|video| video.width),
                height: pixels(|video| video.height),
            },
        }
    }

    pub(super) fn exception(report: &PushReport, node: &str, original_param: Option<String>) -> Self {
        Self {
            node: node.to_owned(),
            client_ip: report.client_ip,
            stream_param: report.stream_param.clone(),
            original_param,
            told: Told::Exception { interval_ms: report.interval_ms, events: report.events.clone() },
        }
    }
}
