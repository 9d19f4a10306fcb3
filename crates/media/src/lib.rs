//! Sans-I/O media parsing: what the watch on a live push and its record need to know of a message body.
//!
//! Bytes in, values out: no sockets, no clock, no async, and no allocation for a coded frame.
//!
//! | question | answered by |
//! |---|---|
//! | what is in this RTMP video or audio message? | [`parse_video`], [`parse_audio`]; all tracks: [`video_tracks`], [`audio_tracks`] |
//! | which size, profile, frame rate, sample rate? | [`video_config`], [`audio_config`] from a sequence header |
//! | the same, for codecs that have no sequence header | [`frame_size`], [`audio_frame_config`] from a coded frame |
//! | does the frame hold together? | [`check_access_unit`] |
//! | how is it written to a file or an HTTP response? | [`flv`] |
//!
//! Errors are typed values that name the field, the byte (and bit) offset in the slice that was handed in, and what
//! was found there. Nothing here panics on any input.
#![forbid(unsafe_code)]

mod access_unit;
mod bits;
mod codec;
mod config;
pub mod flv;
mod offset;
mod tag;

pub use access_unit::{AccessUnit, AccessUnitError, check_access_unit};
pub use codec::{AudioCodec, CodecId, FourCc, VideoCodec};
pub use config::{
    AudioConfig, ChannelConfig, ChannelOrder, ConfigError, FrameSize, Level, VideoConfig, ac3_frame_config,
    audio_config, audio_frame_config, frame_size, mp3_frame_config, multichannel_config, opus_frame_config,
    video_config,
};
pub use offset::BitOffset;
pub use tag::{
    AudioKind, AudioTag, AudioTracks, ClassicSound, Multitrack, TagError, TrackLayout, VideoCommand,
    VideoKind, VideoTag, VideoTracks, audio_tracks, parse_audio, parse_video, video_tracks,
};
