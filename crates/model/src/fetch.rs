//! The record of a fetch: the stored account of how a node fetched a stream of another one for its viewers, and how that
//! ended. It is no interruption record: those are of pushes, and a fetch is none.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::catalog::AccountId;
use crate::clock::Timestamp;
use crate::code::Code;
use crate::record::DetailRecord;
use crate::stream_key::StreamKey;

/// Why a fetch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchEnd {
    /// Nobody watched any more.
    Idle,
    /// The owner said that the stream has ended.
    Over,
    /// Nobody had the stream for too long.
    NoOwner,
    /// A push of the fetching node itself carries the stream.
    Here,
    /// The fetching node was stopped in an orderly way.
    Stopping,
    /// The fetching node died; written at its next start.
    Died,
}

impl FetchEnd {
    /// All.
    pub const ALL: [Self; 6] =
        [Self::Idle, Self::Over, Self::NoOwner, Self::Here, Self::Stopping, Self::Died];

    /// As stored, and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Over => "over",
            Self::NoOwner => "no_owner",
            Self::Here => "here",
            Self::Stopping => "stopping",
            Self::Died => "died",
        }
    }

    /// Reads what [`FetchEnd::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.as_str() == text)
    }
}

/// What can happen to a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FetchEventKind {
    /// Media comes.
    Live,
    /// By a newer lease the stream is another node's, or nobody's.
    OwnerChanged,
    /// The owner ended a connection in words.
    ToldToStop,
    /// A connection ended otherwise.
    Failed,
}

/// One thing that happened to a fetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchEvent {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: FetchEventKind,
    /// `10/0` where the owner, or the way to it, ended what the node was passing on.
    pub code: Option<String>,
    /// In words.
    pub text: String,
}

/// One fetch. The field order is the order of the JSON. `None` is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FetchRecord {
    /// Its id: a UUIDv7 of its begin.
    pub id: Uuid,
    /// Owner of the domain.
    pub account: Option<AccountId>,
    /// Push domain.
    pub domain: String,
    /// App.
    pub app: String,
    /// Stream name.
    pub stream: String,
    /// The name of the node that fetched.
    pub node: String,
    /// The name of the node that it came from last.
    pub owner: Option<String>,
    /// Where that was reached: `host:port`, or `rtmps://host:port`.
    pub address: Option<String>,
    /// The revision of the lease that was followed last.
    pub revision: u64,
    /// When it began.
    pub since: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// For how long media could come: the time on connections to owners that were live, ms.
    pub live_ms: u64,
    /// Bytes that came.
    pub bytes_in: u64,
    /// Connections beyond the first.
    pub restarts: u64,
    /// The most who watched at once, as seen twice a second.
    pub viewers: u64,
    /// Why it ended.
    pub why: FetchEnd,
    /// First number of the cause: 10 where the owner, or the way to it, ended it; 11 where the fetching node died; null
    /// where that node ended it itself.
    pub errcode: Option<u16>,
    /// Second number of the cause.
    pub sub_errcode: Option<u16>,
    /// The table's message, in the reader's language; filled in when shown.
    #[serde(default)]
    pub errmsg: Option<String>,
    /// The finer finding, with the owner's own words where it had any.
    pub detail: Option<DetailRecord>,
    /// What happened, oldest first; the last 16.
    pub events: Vec<FetchEvent>,
}

impl FetchRecord {
    /// What was fetched.
    pub fn key(&self) -> StreamKey {
        StreamKey::new(self.domain.as_str(), self.app.as_str(), self.stream.as_str())
    }

    /// The cause by its numbers; `None` where the node ended it itself.
    pub fn code(&self) -> Option<Code> {
        self.errcode.zip(self.sub_errcode).map(|(errcode, sub)| Code::new(errcode, sub))
    }

    /// Sets the cause.
    pub fn set_code(&mut self, code: Option<Code>) {
        self.errcode = code.map(|code| code.errcode);
        self.sub_errcode = code.map(|code| code.sub_errcode);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_reads_back_from_its_text_and_stands_so_in_json() {
        for end in FetchEnd::ALL {
            assert_eq!(FetchEnd::parse(end.as_str()), Some(end));
            assert_eq!(serde_json::to_string(&end).unwrap(), format!("\"{}\"", end.as_str()));
        }
        assert_eq!(FetchEnd::parse("tired"), None);
    }
}
