//! The headers of RTMP audio and video messages, which are those of FLV tags (FLV 10.1, annex E.4) with the Enhanced
//! RTMP forms (v1 and v2) beside the classic ones.

mod audio;
mod cursor;
mod enhanced;
mod error;
mod video;

pub use audio::{AudioKind, AudioTag, AudioTracks, ClassicSound, audio_tracks, parse_audio};
pub use enhanced::{Multitrack, TrackLayout};
pub use error::TagError;
pub use video::{VideoCommand, VideoKind, VideoTag, VideoTracks, parse_video, video_tracks};
