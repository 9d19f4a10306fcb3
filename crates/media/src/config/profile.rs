//! Profiles and levels under the names of their specifications.

use std::fmt;

use crate::codec::VideoCodec;

/// A level, such as 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Level {
    /// Before the point.
    pub major: u8,
    /// After the point.
    pub minor: u8,
    /// Whether it is level 1b of H.264, between 1.0 and 1.1.
    pub b: bool,
}

impl Level {
    pub(super) fn new(major: u8, minor: u8) -> Self {
        Self { major, minor, b: false }
    }

    /// Tenths: H.264, VP9.
    pub(super) fn from_tenths(tenths: u8) -> Self {
        Self::new(tenths / 10, tenths % 10)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.b {
            true => write!(f, "{}b", self.major),
            false => write!(f, "{}.{}", self.major, self.minor),
        }
    }
}

/// The name of a profile, where the specification gives one.
pub(super) fn profile_name(codec: VideoCodec, profile: u8) -> Option<&'static str> {
    Some(match (codec, profile) {
        (VideoCodec::Avc, 66) => "Baseline",
        (VideoCodec::Avc, 77) => "Main",
        (VideoCodec::Avc, 88) => "Extended",
        (VideoCodec::Avc, 100) => "High",
        (VideoCodec::Avc, 110) => "High 10",
        (VideoCodec::Avc, 122) => "High 4:2:2",
        (VideoCodec::Avc, 244) => "High 4:4:4 Predictive",
        (VideoCodec::Hevc, 1) => "Main",
        (VideoCodec::Hevc, 2) => "Main 10",
        (VideoCodec::Hevc, 3) => "Main Still Picture",
        (VideoCodec::Hevc, 4) => "Format Range Extensions",
        (VideoCodec::Vvc, 1) => "Main 10",
        (VideoCodec::Vvc, 33) => "Main 10 4:4:4",
        (VideoCodec::Av1, 0) => "Main",
        (VideoCodec::Av1, 1) => "High",
        (VideoCodec::Av1, 2) => "Professional",
        (VideoCodec::Vp9, 0) => "Profile 0",
        (VideoCodec::Vp9, 1) => "Profile 1",
        (VideoCodec::Vp9, 2) => "Profile 2",
        (VideoCodec::Vp9, 3) => "Profile 3",
        _ => return None,
    })
}
