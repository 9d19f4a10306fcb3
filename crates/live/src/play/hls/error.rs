//! Why an HLS request is not answered with media.

use media::cmaf::TrackError;

use crate::hub::WatchError;

/// Why an HLS request is not answered with media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HlsError {
    /// The configuration has turned HLS off.
    #[error("this server does not serve HLS ([play] hls = \"off\")")]
    Off,
    /// Nobody publishes the stream.
    #[error(transparent)]
    NotLive(#[from] WatchError),
    /// The stream's codecs have no place in HLS.
    #[error(transparent)]
    Unsupported(#[from] TrackError),
    /// No key frame and no sound came in the time that a request waits.
    #[error("the stream is live, but no media has come yet that a player could begin with")]
    NothingYet,
    /// What was waited for did not come in time (RFC 8216bis, 6.2.5.2).
    #[error("what was asked for did not come in time")]
    Late,
    /// The session is not known, or it expired because nothing was asked for in it.
    #[error("this session is over; open index.m3u8 again")]
    NoSession,
    /// The file has left the window, was never in it, or will not come.
    #[error("this is not in the playlist any more, or never was")]
    NoSuchFile,
    /// The request is for something far ahead of the stream.
    #[error("segment {msn} lies too far ahead")]
    TooFar {
        /// The media sequence number that was asked for.
        msn: u64,
    },
    /// More sessions, or more memory for segments, than the configuration allows.
    #[error("no room for another HLS player on this server")]
    Full,
}
