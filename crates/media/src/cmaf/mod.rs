//! Writes fragmented MP4 for CMAF players (ISO/IEC 23000-19) and HLS (RFC 8216): an initialization segment, then fragments.
//!
//! | question | answered by |
//! |---|---|
//! | can this codec be carried, and how is it called? | [`VideoTrack`], [`AudioTrack`], [`Tracks::codecs`] |
//! | what does a player read first? | [`init_segment`] |
//! | how are coded frames wrapped? | [`fragment`] |
//!
//! Picture and sound share one file, as HLS allows; a track file each, as CMAF alone would have it, would double the
//! requests of every viewer.

mod boxes;
mod error;
mod fragment;
mod init;
mod sample_entry;
mod track;

pub use error::TrackError;
pub use fragment::{Run, Sample, fragment};
pub use init::init_segment;
pub use track::{AudioTrack, Tracks, VIDEO_TIMESCALE, VideoTrack};

/// track_ID of the picture.
pub const VIDEO_TRACK: u32 = 1;
/// track_ID of the sound.
pub const AUDIO_TRACK: u32 = 2;
