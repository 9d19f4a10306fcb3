//! What is known of a WebRTC session.

use serde::{Deserialize, Serialize};

/// A WebRTC session at its end. Counts are totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebRtcFacts {
    /// How far it came.
    pub step: WebRtcStep,
    /// Checks of the client's that we answered (STUN binding requests with the right password).
    pub checks: u32,
    /// The round-trip time, µs; 0 where it was not measured.
    pub rtt_us: u32,
    /// RTP packets of video received, those sent again included.
    pub video_packets: u64,
    /// RTP packets of video that did not come, as our receiver reports told the client.
    pub video_lost: u64,
    /// Interarrival jitter of video in the last receiver report, µs (RFC 3550, 6.4.1).
    pub video_jitter_us: u32,
    /// RTP packets of audio received.
    pub audio_packets: u64,
    /// RTP packets of audio that did not come.
    pub audio_lost: u64,
    /// Interarrival jitter of audio in the last receiver report, µs.
    pub audio_jitter_us: u32,
    /// Requests of ours to send packets again (NACK).
    pub nacks: u64,
    /// Requests of ours for a key frame (PLI, FIR).
    pub plis: u64,
    /// Frames of video that came behind a hole.
    pub gaps: u64,
    /// Frames that could not be carried on.
    pub broken_units: u64,
    /// Datagrams that could not be read, or were not this session's.
    pub strangers: u32,
    /// Datagrams of ours that the system had no room for.
    pub unsent: u32,
}

/// How far a WebRTC session came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebRtcStep {
    /// The answer was given; not one check of a path came to us.
    #[default]
    Answered,
    /// A path was checked; the client did not begin DTLS on it.
    Checked,
    /// DTLS was begun and not finished.
    Dtls,
    /// Media could flow.
    Connected,
}
