//! The interruption record: the stored account of how one push ended, as the CLI, the APIs and exports show it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::catalog::AccountId;
use crate::clock::Timestamp;
use crate::code::Code;
use crate::id::{PushId, Sequence};
use crate::stream_key::Params;

/// The finer finding under a cause: a stable key with parameters, and its text in one language when it is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DetailRecord {
    /// Stable key such as `mid_message` or `nat_lost`.
    pub key: String,
    /// Parameters by name, in a fixed order.
    #[serde(default)]
    pub params: BTreeMap<String, serde_json::Value>,
    /// The detail in words; filled in for the reader's language, empty in the store.
    #[serde(default)]
    pub text: String,
}

/// What is known of the video of a push. Unknown values are null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VideoRecord {
    /// Codec's usual name: `H.264`, `HEVC`, `AV1`, ...
    pub codec: Option<String>,
    /// Pixels, after cropping.
    pub width: Option<u32>,
    /// Pixels, after cropping.
    pub height: Option<u32>,
    /// Frames a second, measured over the push's media time.
    pub fps: Option<f64>,
    /// Average kbit/s over the push's live time.
    pub kbps: Option<u32>,
}

/// What is known of the audio of a push. Unknown values are null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AudioRecord {
    /// Codec's usual name: `AAC`, `Opus`, ...
    pub codec: Option<String>,
    /// Hz.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<u32>,
    /// Average kbit/s over the push's live time.
    pub kbps: Option<u32>,
}

/// One interruption record. The field order is the order of the JSON. `None` is null: not known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The push's id.
    pub id: PushId,
    /// The push's number in callbacks.
    pub sequence: Sequence,
    /// Where the push ran: `lastframe`, or the name of an import.
    pub source: String,
    /// Owner of the domain.
    pub account: Option<AccountId>,
    /// Push domain.
    pub domain: Option<String>,
    /// Path of the push URL.
    pub app: Option<String>,
    /// Stream name.
    pub stream: Option<String>,
    /// `rtmp`, `rtmps`, `srt`, `whip`.
    pub protocol: String,
    /// The pusher's address.
    pub client_ip: IpAddr,
    /// The pusher's port.
    pub client_port: u16,
    /// The node that took the push.
    pub node: String,
    /// When the connection was accepted (or the push before it on the same connection ended).
    pub connected_at: Timestamp,
    /// When the push went live; null if it never did.
    pub published_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// From going live to the end; 0 if it never went live.
    pub duration_ms: u64,
    /// First number of the cause.
    pub errcode: u16,
    /// Second number of the cause.
    pub sub_errcode: u16,
    /// The table's message, in the reader's language; filled in when shown.
    #[serde(default)]
    pub errmsg: String,
    /// Who ended it: `client`, `network`, `server`, `policy`, `operator`.
    pub side: String,
    /// The finer finding, if there is one.
    pub detail: Option<DetailRecord>,
    /// How many identical ends this record stands for; above 1 only for refused and pre-publish ends.
    pub attempts: u64,
    /// When the last of those attempts ended; null for a single one.
    #[serde(default)]
    pub last_attempt_at: Option<Timestamp>,
    /// Bytes received on the connection for this push.
    pub bytes_in: u64,
    /// Bytes sent on the connection for this push.
    pub bytes_out: u64,
    /// Video, if any was seen.
    pub video: Option<VideoRecord>,
    /// Audio, if any was seen.
    pub audio: Option<AudioRecord>,
    /// The encoder's own name for itself.
    pub encoder: Option<String>,
    /// The push URL's query, secrets masked.
    pub stream_param: Option<String>,
}

/// The parameter of a push URL that makes a push a test, and its value.
pub const TEST_PARAM: &str = "test";
/// See [`TEST_PARAM`].
pub const TEST_VALUE: &str = "1";

impl Record {
    /// The cause by its numbers.
    pub fn code(&self) -> Code {
        Code::new(self.errcode, self.sub_errcode)
    }

    /// Whether the push was a test, or asked to be one.
    pub fn is_test(&self) -> bool {
        is_test(self.stream_param.as_deref())
    }
}

/// Whether a push with these stored parameters is a test. Pushes to an app of tests have the parameter in their record
/// too, whether their URL had it or not.
pub fn is_test(stream_param: Option<&str>) -> bool {
    stream_param.is_some_and(|query| Params::parse(query).get(TEST_PARAM) == Some(TEST_VALUE))
}

/// The parameters of a test push as they are stored: with the one that says so.
pub fn marked_as_test(stream_param: Option<String>) -> Option<String> {
    if is_test(stream_param.as_deref()) {
        return stream_param;
    }
    let mark = format!("{TEST_PARAM}={TEST_VALUE}");
    // It comes first: the first of a name counts, and a URL may say `test=0`.
    Some(stream_param.map_or_else(|| mark.clone(), |query| format!("{mark}&{query}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_push_is_known_by_its_stored_parameters() {
        assert!(is_test(Some("test=1")) && is_test(Some("txTime=6A000000&test=1")));
        for other in [None, Some(""), Some("test=0"), Some("test"), Some("contest=1"), Some("a=test=1")] {
            assert!(!is_test(other), "{other:?}");
        }
    }

    #[test]
    fn the_mark_is_added_once_and_counts_whatever_the_url_says() {
        for query in [None, Some("a=1"), Some("test=0&a=1"), Some("test=1"), Some("a=1&test=1")] {
            let marked = marked_as_test(query.map(str::to_owned));
            assert!(is_test(marked.as_deref()), "{marked:?}");
            assert_eq!(marked_as_test(marked.clone()), marked);
        }
        assert_eq!(marked_as_test(Some("a=1".into())).as_deref(), Some("test=1&a=1"));
    }
}
