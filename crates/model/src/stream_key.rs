//! The stream key of a push: its domain, app and stream, and how they are read from what encoders send.
//!
//! | source | read by |
//! |---|---|
//! | RTMP and RTMPS: `tcUrl`, `app`, publish name | [`PushUrl::from_rtmp`] |
//! | WHIP and HTTP playback: Host header, path, query | [`PushUrl::from_path`] |
//! | SRT: stream id | [`PushUrl::from_srt_streamid`] |
//!
//! Reading never fails: what is missing or illegal is found by [`admission`](crate::admission), which can then name
//! the cause. `tests/encoders.rs` holds what each encoder really sends.

mod host;
mod params;
mod push_url;
mod srt;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use host::Host;
pub use host::is_domain_name;
pub use params::{Params, decode};
pub use push_url::PushUrl;

/// Domain, app and stream: what names a live stream. As text `domain/app/stream`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamKey {
    /// Push domain, lower case.
    pub domain: String,
    /// AppName: one path segment, or several with `/` between them.
    pub app: String,
    /// StreamName: one path segment.
    pub stream: String,
}

impl StreamKey {
    /// A stream key of these three parts.
    pub fn new(domain: impl Into<String>, app: impl Into<String>, stream: impl Into<String>) -> Self {
        Self { domain: domain.into(), app: app.into(), stream: stream.into() }
    }
}

impl fmt::Display for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.domain, self.app, self.stream)
    }
}

/// Text that is no stream key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no stream key: write domain/app/stream, such as push.example.com/live/demo")]
pub struct StreamKeyError(pub String);

impl FromStr for StreamKey {
    type Err = StreamKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(domain, path)| {
            let (app, stream) = path.rsplit_once('/')?;
            Some((domain, app, stream))
        });
        match parts {
            Some((domain, app, stream)) if ![domain, app, stream].contains(&"") => {
                Ok(Self::new(domain.to_ascii_lowercase(), app, stream))
            }
            _ => Err(StreamKeyError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_key_reads_back_from_its_text() {
        let key = StreamKey::new("push.example.com", "live/eu", "demo");
        assert_eq!(key.to_string(), "push.example.com/live/eu/demo");
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!("PUSH.Example.com/live/A".parse(), Ok(StreamKey::new("push.example.com", "live", "A")));
    }

    #[test]
    fn a_stream_key_needs_all_three_parts() {
        for text in ["", "d", "d/a", "d//s", "/a/s", "d/a/"] {
            assert_eq!(text.parse::<StreamKey>(), Err(StreamKeyError(text.to_owned())), "{text}");
        }
    }
}
