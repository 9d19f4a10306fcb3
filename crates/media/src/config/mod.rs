//! Codec configuration: what a sequence header, or where there is none a coded frame, says about the media.

mod aac;
mod ac3;
mod audio;
mod av1;
mod avc;
mod error;
mod flac;
mod frame_size;
mod hevc;
mod mp3;
pub(crate) mod obu;
mod opus;
mod parameter_sets;
mod profile;
mod video;
mod vp;
mod vvc;

pub use ac3::ac3_frame_config;
pub use audio::{
    AudioConfig, ChannelConfig, ChannelOrder, audio_config, audio_frame_config, multichannel_config,
};
pub(crate) use av1::av1_record_head;
pub use error::ConfigError;
pub use frame_size::{FrameSize, frame_size};
pub(crate) use hevc::profile_tier_level as hevc_profile_tier_level;
pub use mp3::mp3_frame_config;
pub use opus::opus_frame_config;
pub use profile::Level;
pub use video::{VideoConfig, video_config};
