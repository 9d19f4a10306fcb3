//! Why a handshake failed.

use std::fmt;

use thiserror::Error;

use super::VERSION;

/// The handshake failed here, for this reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("handshake failed at byte {offset}: {kind}")]
pub struct HandshakeError {
    /// Offset, in what the peer sent on this connection, of the first byte of what is wrong.
    pub offset: u64,
    /// What is wrong.
    pub kind: HandshakeErrorKind,
}

/// What is wrong with a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HandshakeErrorKind {
    /// The first byte is no version of RTMP: the peer most likely speaks something else.
    #[error("version {version:#04x} instead of 3{guess}")]
    BadVersion {
        /// The byte.
        version: u8,
        /// What it looks like instead.
        guess: Guess,
    },
    /// The peer wants RTMPE (version 6, 8 or 9), the encrypted kind, long broken and not supported.
    #[error("version {0} is RTMPE, which is not supported")]
    Encrypted(u8),
    /// The server's answer does not prove that it knows the key: something between it and us changed our packet.
    #[error("the digest of the answer does not match")]
    DigestMismatch,
}

impl HandshakeErrorKind {
    /// Whether what was sent is legal, and merely nothing this crate supports. All else is broken input.
    pub fn is_incompatible(&self) -> bool {
        matches!(self, Self::Encrypted(_))
    }
}

/// What a first byte other than a version looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guess {
    /// A TLS handshake record (0x16): RTMPS sent to the plain port.
    Tls,
    /// The first letter of a method of HTTP or RTSP.
    Http,
    /// `G` (0x47): an HTTP GET, or the sync byte of an MPEG transport stream.
    HttpOrTransportStream,
    /// `F`: an FLV file without RTMP around it.
    Flv,
    /// Zero: most files of the MPEG-4 family begin so.
    Mp4,
    /// `S`: the banner of an SSH client.
    Ssh,
    /// A version before RTMP 1.0 (1, 2), or one reserved for later (4 to 31).
    OtherVersion,
    /// Nothing known.
    Unknown,
}

impl Guess {
    pub(super) fn from_first_byte(byte: u8) -> Self {
        match byte {
            0x16 => Self::Tls,
            b'G' => Self::HttpOrTransportStream,
            // ANNOUNCE, CONNECT, DELETE and DESCRIBE, HEAD, OPTIONS, POST and PUT and PRI (HTTP/2), TRACE
            b'A' | b'C' | b'D' | b'H' | b'O' | b'P' | b'T' => Self::Http,
            b'F' => Self::Flv,
            b'S' => Self::Ssh,
            0 => Self::Mp4,
            1..32 => Self::OtherVersion,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Guess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls => ", looks like TLS",
            Self::Http => ", looks like HTTP or RTSP",
            Self::HttpOrTransportStream => ", looks like HTTP or an MPEG transport stream",
            Self::Flv => ", looks like an FLV file",
            Self::Mp4 => ", looks like an MPEG-4 file",
            Self::Ssh => ", looks like SSH",
            Self::OtherVersion => ", an old or future version of RTMP",
            Self::Unknown => "",
        })
    }
}

/// Accepts the one version of plain RTMP, as the first byte of a connection.
pub(super) fn check_version(version: u8) -> Result<(), HandshakeError> {
    let kind = match version {
        VERSION => return Ok(()),
        6 | 8 | 9 => HandshakeErrorKind::Encrypted(version),
        _ => HandshakeErrorKind::BadVersion { version, guess: Guess::from_first_byte(version) },
    };
    Err(HandshakeError { offset: 0, kind })
}
