//! What a peer tells its driver.

use std::time::Duration;

use cause::evidence::{Close, Errno};
use str0m::media::{MediaAdded, MediaData};
use str0m::stats::MediaIngressStats;

/// What came next.
#[derive(Debug)]
pub(crate) enum Input {
    /// ICE and DTLS are through.
    Connected,
    /// The offer and answer have this media.
    Added(MediaAdded),
    /// A frame.
    Media(Box<MediaData>),
    /// A viewer cannot decode any more.
    KeyFrameWanted,
    /// What was counted of incoming media.
    Stats(Box<MediaIngressStats>),
    /// What the other side counts of us, and the round trip.
    RoundTrip(Option<Duration>),
    /// The resource was deleted.
    Deleted,
    /// The client has closed DTLS.
    Closed,
    /// The client has stopped answering; with what the network said of the way to it last.
    Lost(Option<Errno>),
    /// The network says that no program has the client's port any more.
    Gone,
    /// The client's connection has ended in this way, and it did not come by another.
    CutOff(Close),
    /// The session cannot go on.
    Failed(String),
    /// What was waited for beside the peer is there.
    Other,
    /// The deadline has passed.
    Due,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The answer was given, nothing has come.
    #[default]
    Answered,
    /// The client has checked a path to us.
    Checked,
    /// The client has spoken DTLS.
    Dtls,
    /// Connected.
    Connected,
}

/// Totals of a peer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// Binding requests with the right password.
    pub(crate) checks: u32,
    /// Packets that were not for this session, or could not be read.
    pub(crate) strangers: u32,
    /// Packets that the system, or a client that does not read, had no room for.
    pub(crate) unsent: u32,
}
