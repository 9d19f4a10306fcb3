//! What transports other than plain TCP know of their path and of the stream in them.

use serde::{Deserialize, Serialize};

use super::{TlsFacts, WebRtcFacts};

/// The facts of one transport. Stored by the number of the variant: new ones are added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CarrierFacts {
    /// SRT with MPEG-TS in it.
    Srt(Box<SrtFacts>),
    /// TLS with RTMP in it, or a connection that was meant to become that.
    Tls(Box<TlsFacts>),
    /// WebRTC.
    WebRtc(Box<WebRtcFacts>),
}

impl CarrierFacts {
    /// Bytes of memory that the facts take beside the evidence itself.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Srt(facts) => size_of_val(&**facts),
            Self::Tls(facts) => size_of_val(&**facts) + facts.texts().map(String::capacity).sum::<usize>(),
            Self::WebRtc(facts) => size_of_val(&**facts),
        }
    }

    /// The facts of TLS, where it is that.
    pub(super) fn tls(&self) -> Option<&TlsFacts> {
        match self {
            Self::Tls(tls) => Some(tls),
            Self::Srt(_) | Self::WebRtc(_) => None,
        }
    }

    /// As [`Self::tls`].
    pub(super) fn tls_mut(&mut self) -> Option<&mut TlsFacts> {
        match self {
            Self::Tls(tls) => Some(tls),
            Self::Srt(_) | Self::WebRtc(_) => None,
        }
    }
}

/// An SRT connection at its end. Counts are totals since it was accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SrtFacts {
    /// The version that the caller gave, as 0xMMmmpp (0x010501 is 1.5.1); 0 where it came to none.
    pub peer_version: u32,
    /// Media was encrypted with a passphrase.
    pub encrypted: bool,
    /// The latency that both sides agreed on, ms.
    pub latency_ms: u32,
    /// The smoothed round-trip time, µs; 0 before the first measurement.
    pub rtt_us: u32,
    /// Data packets received, every copy.
    pub packets: u64,
    /// Packets found missing, each counted once.
    pub lost: u64,
    /// Packets that were sent again and arrived.
    pub retransmitted: u64,
    /// Missing packets that had not come when they were due: holes in the stream.
    pub dropped: u64,
    /// Packets that came after they had been given up.
    pub belated: u64,
    /// Packets that could not be decrypted.
    pub undecrypted: u64,
    /// Packets that this server had no room for.
    pub overflowed: u64,
    /// Reports of the network that the caller's port is closed.
    pub refused: u32,
    /// The transport stream in it.
    pub ts: TsFacts,
}

/// What was wrong in an MPEG transport stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TsFacts {
    /// Packets of 188 bytes.
    pub packets: u64,
    /// Times that the sync byte was not where it belongs.
    pub sync_losses: u64,
    /// Continuity counters that jumped: packets are missing.
    pub continuity_gaps: u64,
    /// Tables with a wrong checksum.
    pub crc_errors: u64,
    /// Jumps of the programme clock that were not announced.
    pub clock_jumps: u64,
    /// Packets marked as broken by the sender's own equipment.
    pub marked_broken: u64,
    /// PES packets that could not be read, or were larger than allowed.
    pub broken_units: u64,
    /// Streams of a kind that is not carried on.
    pub unsupported_streams: u64,
}
