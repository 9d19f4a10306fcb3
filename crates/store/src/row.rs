//! What goes into the journal: the row of a push that goes live, its counters, and its end.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{Code, PushId, Record, StreamKey, Timestamp};

/// A push that is about to go live: the row that stands in the journal before the client hears so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRow {
    /// The push's id.
    pub id: PushId,
    /// Owner of the domain.
    pub account: u64,
    /// What it is pushed to.
    pub key: StreamKey,
    /// `rtmp`, `rtmps`, `srt`, `whip`.
    pub protocol: String,
    /// The pusher's address.
    pub client_ip: IpAddr,
    /// The pusher's port.
    pub client_port: u16,
    /// When the connection was accepted.
    pub connected_at: Timestamp,
    /// When the push went live.
    pub published_at: Timestamp,
    /// The encoder's own name for itself.
    pub encoder: Option<String>,
    /// The push URL's query, secrets masked.
    pub stream_param: Option<String>,
    /// The same as received. Kept only while a callback may need it, and for signed callbacks alone.
    pub callback_param: Option<String>,
}

impl OpenRow {
    /// The record of the push once its node was found dead, as another node knows it: 11/0 at `at`.
    pub fn node_died(&self, node: &str, at: Timestamp) -> Record {
        own_record(self, node, OwnEnd::NodeDied, at, Counted::default())
    }
}

/// What one node tells of a push in the place of another that is lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Inherited {
    /// How the push ended, as far as is known.
    pub record: Record,
    /// The push as it began, where its own node may have told nobody of that.
    pub begin: Option<OpenRow>,
}

/// How a push ended, as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct EndRow {
    /// The record.
    pub record: Record,
    /// The evidence in its stored form; may be empty. At most 16 KiB are expected; it is dropped before any record
    /// is.
    pub evidence: Vec<u8>,
    /// The version of the rules that gave the verdict.
    pub verdict_version: u16,
}

/// Counters of a live push. The hot path stores them relaxed; the journal's writer reads them every five seconds.
#[derive(Debug, Default)]
pub struct PushCounters {
    /// Bytes received on the connection for this push.
    pub bytes_in: AtomicU64,
    /// Bytes sent on the connection for this push.
    pub bytes_out: AtomicU64,
    /// Video frames received.
    pub video_frames: AtomicU64,
    /// Audio frames received.
    pub audio_frames: AtomicU64,
}

impl PushCounters {
    pub(crate) fn read(&self) -> Counted {
        Counted {
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            video_frames: self.video_frames.load(Ordering::Relaxed),
            audio_frames: self.audio_frames.load(Ordering::Relaxed),
        }
    }
}

/// The counters of a push at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub video_frames: u64,
    pub audio_frames: u64,
}

/// The ends that the store itself gives, since nobody else was left to give one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnEnd {
    /// 5/0: the push's task let go of its row without an end.
    TaskFailed,
    /// 9/0: this node was stopped in an orderly way.
    NodeStopped,
    /// 11/0: this node died.
    NodeDied,
    /// 36/0: what the journal holds of the push cannot be read.
    RowUnreadable,
}

impl OwnEnd {
    pub fn code(self) -> Code {
        match self {
            Self::TaskFailed => Code::new(5, 0),
            Self::NodeStopped => Code::new(9, 0),
            Self::NodeDied => Code::new(11, 0),
            Self::RowUnreadable => Code::new(36, 0),
        }
    }

    /// As in the table of causes.
    pub fn side(self) -> &'static str {
        match self {
            Self::TaskFailed | Self::NodeStopped | Self::NodeDied => "server",
            Self::RowUnreadable => "client",
        }
    }
}

/// The record of a push that ended without an end of its own.
pub(crate) fn own_record(row: &OpenRow, node: &str, end: OwnEnd, at: Timestamp, counted: Counted) -> Record {
    // A clock that was set back must not make the push end before it began.
    let ended_at = at.max(row.published_at);
    Record {
        id: row.id,
        sequence: row.id.sequence(),
        source: "lastframe".to_owned(),
        account: Some(row.account),
        domain: Some(row.key.domain.clone()),
        app: Some(row.key.app.clone()),
        stream: Some(row.key.stream.clone()),
        protocol: row.protocol.clone(),
        client_ip: row.client_ip,
        client_port: row.client_port,
        node: node.to_owned(),
        connected_at: row.connected_at,
        published_at: Some(row.published_at),
        ended_at,
        duration_ms: ended_at.since(row.published_at),
        errcode: end.code().errcode,
        sub_errcode: end.code().sub_errcode,
        errmsg: String::new(),
        side: end.side().to_owned(),
        detail: None,
        attempts: 1,
        last_attempt_at: None,
        bytes_in: counted.bytes_in,
        bytes_out: counted.bytes_out,
        video: None,
        audio: None,
        encoder: row.encoder.clone(),
        stream_param: row.stream_param.clone(),
    }
}
