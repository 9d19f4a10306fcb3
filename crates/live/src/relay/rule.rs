//! Which live streams are passed on, and where to.

use std::path::PathBuf;
use std::time::Duration;

use model::StreamKey;

use super::pattern::Pattern;
use super::target::Target;

/// `[[relay]]`: every live stream whose key fits is passed on to the target.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it is called in API and metrics; no two have the same.
    pub name: String,
    /// Which domains.
    pub domain: Pattern,
    /// Which apps.
    pub app: Pattern,
    /// Which streams.
    pub stream: Pattern,
    /// Where to.
    pub target: Target,
    /// Certificate authorities beside the system's, for RTMPS.
    pub ca: Option<PathBuf>,
}

/// `[proxy]`: every push is passed on, and goes live only once the upstream has accepted it.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// The server behind this one. Without a path the push's own app and stream name are used.
    pub upstream: Target,
    /// Time for it to accept a push.
    pub timeout: Duration,
    /// Certificate authorities beside the system's, for RTMPS.
    pub ca: Option<PathBuf>,
}

impl Rule {
    /// Whether the rule is for this stream.
    pub fn fits(&self, key: &StreamKey) -> bool {
        self.domain.fits(&key.domain) && self.app.fits(&key.app) && self.stream.fits(&key.stream)
    }
}
