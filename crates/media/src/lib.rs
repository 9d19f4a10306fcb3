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
//! | what is in an MPEG transport stream? | [`ts`] |
//! | how is it written to a file or an HTTP response? | [`flv`] |
//! | how does it come out of MPEG-TS or RTP? | [`pack`]; and the way back into RTP: [`unpack`] |
//! | how is it written for browsers and Apple's players? | [`cmaf`], [`hls`] |
//!
//! ```
//! use media::{VideoKind, check_access_unit, parse_video, video_config};
//!
//! // What libx264 made of 1920x1080 at 30 frames a second.
//! let message = b"\x17\0\0\0\0\x01\x42\xc0\x28\xff\xe1\0\x19\x67\x42\xc0\x28\xda\x01\xe0\x08\x9f\x97\x01\x10\0\0\x03\0\
//!     \x10\0\0\x03\x03\xc8\xf1\x83\x2a\x01\0\x04\x68\xce\x0f\xc8";
//! let tag = parse_video(message)?;
//! assert_eq!(tag.kind, VideoKind::SequenceHeader);
//! let codec = tag.codec.ok_or("a command")?;
//! let config = video_config(codec, &message[tag.body])?.ok_or("no configuration")?;
//! assert_eq!(codec.to_string(), "H.264");
//! assert_eq!((config.width, config.height, config.fps), (Some(1920), Some(1080), Some(30.0)));
//!
//! // A frame that was cut short.
//! let message = b"\x17\x01\0\0\0\0\0\0\x09\x65\x88";
//! let tag = parse_video(message)?;
//! let error = check_access_unit(codec, config.nal_length_size, &message[tag.body]).unwrap_err();
//! assert_eq!(error.to_string(), "unit 0 at byte 4 needs 9 bytes, 2 left");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Errors are typed values that name the field, the byte (and bit) offset in the slice that was handed in, and what
//! was found there. Nothing here panics on any input.
#![forbid(unsafe_code)]

mod access_unit;
mod bits;
pub mod cmaf;
mod codec;
mod config;
pub mod flv;
pub mod hls;
mod offset;
pub mod pack;
mod tag;
pub mod ts;
pub mod unpack;

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
