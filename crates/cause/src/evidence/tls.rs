//! What is known of a connection's TLS.

use serde::{Deserialize, Serialize};

/// The facts of a secured connection, or of one that was meant to become one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    /// Such as `TLSv1.3`. Known from the moment on at which the server has answered the client's hello.
    pub version: Option<String>,
    /// The host name that the client asked for (SNI, RFC 6066 section 3).
    pub server_name: Option<String>,
    /// The client ended TLS with its closing message (`close_notify`, RFC 8446 section 6.1). Without it the end is
    /// ragged: the program, or the path, was cut off.
    pub close_notify: bool,
    /// What broke TLS, if something did.
    pub failure: Option<TlsFailure>,
}

/// What broke TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFailure {
    /// In which way.
    pub kind: TlsFailureKind,
    /// What was found, in one English sentence without its full stop.
    pub found: String,
}

/// In which way TLS was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsFailureKind {
    /// The first byte is that of plain RTMP.
    PlainRtmp,
    /// The first byte is that of no TLS.
    NotTls,
    /// The client sent an alert: it gave up, or refused what we offer.
    Alert,
    /// What the client sent cannot be read, authenticated or agreed to.
    Broken,
}

impl TlsFacts {
    /// The texts in it, to be counted and cut.
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        let failure = self.failure.as_ref().map(|failure| &failure.found);
        [&self.version, &self.server_name].into_iter().flatten().chain(failure)
    }

    /// As [`Self::texts`].
    pub(super) fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let failure = self.failure.as_mut().map(|failure| &mut failure.found);
        [&mut self.version, &mut self.server_name].into_iter().flatten().chain(failure)
    }
}
