//! Video codecs.

use std::fmt;

use super::{CodecId, FourCc};

/// A video codec, as named by CodecID (FLV 10.1, E.4.3.1) or FourCC (Enhanced RTMP v2, "Enhancing Video").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VideoCodec {
    /// Sorenson H.263.
    H263,
    /// Screen video, version 1.
    Screen,
    /// Screen video, version 2.
    ScreenV2,
    /// On2 VP6.
    Vp6,
    /// On2 VP6 with an alpha channel.
    Vp6Alpha,
    /// H.264.
    Avc,
    /// H.265.
    Hevc,
    /// AV1.
    Av1,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// H.266.
    Vvc,
    /// Anything else, as the message named it.
    Other(CodecId),
}

impl VideoCodec {
    /// The codec behind a four-bit CodecID.
    ///
    /// 12 and 13 stand in no specification. Before Enhanced RTMP, the publishing SDKs and ffmpeg patches of the Chinese
    /// CDNs used them for HEVC and AV1, and encoders built on those still do.
    pub fn from_classic_id(id: u8) -> Self {
        match id {
            2 => Self::H263,
            3 => Self::Screen,
            4 => Self::Vp6,
            5 => Self::Vp6Alpha,
            6 => Self::ScreenV2,
            7 => Self::Avc,
            12 => Self::Hevc,
            13 => Self::Av1,
            _ => Self::Other(CodecId::Classic(id)),
        }
    }

    /// The codec behind an Enhanced RTMP FourCC.
    pub fn from_four_cc(four_cc: FourCc) -> Self {
        match &four_cc.0 {
            b"avc1" => Self::Avc,
            b"hvc1" => Self::Hevc,
            b"av01" => Self::Av1,
            b"vp08" => Self::Vp8,
            b"vp09" => Self::Vp9,
            b"vvc1" => Self::Vvc,
            _ => Self::Other(CodecId::FourCc(four_cc)),
        }
    }

    /// Whether current players and packagers are likely to refuse it (event 13).
    pub fn is_uncommon(self) -> bool {
        !matches!(self, Self::Avc | Self::Hevc | Self::Av1 | Self::Vp8 | Self::Vp9)
    }

    /// Whether coded frames are NAL units with a length before each (ISO/IEC 14496-15).
    pub fn has_nal_units(self) -> bool {
        matches!(self, Self::Avc | Self::Hevc | Self::Vvc)
    }

    /// Whether a sequence header has to come before the first frame (event 10).
    pub fn needs_sequence_header(self) -> bool {
        matches!(self, Self::Avc | Self::Hevc | Self::Vvc | Self::Av1)
    }
}

impl fmt::Display for VideoCodec {
    /// The word the record shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::H263 => "H.263",
            Self::Screen => "Screen",
            Self::ScreenV2 => "Screen 2",
            Self::Vp6 => "VP6",
            Self::Vp6Alpha => "VP6 alpha",
            Self::Avc => "H.264",
            Self::Hevc => "HEVC",
            Self::Av1 => "AV1",
            Self::Vp8 => "VP8",
            Self::Vp9 => "VP9",
            Self::Vvc => "VVC",
            Self::Other(id) => return id.fmt(f),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_ids_12_and_13_are_hevc_and_av1() {
        assert_eq!(VideoCodec::from_classic_id(12), VideoCodec::Hevc);
        assert_eq!(VideoCodec::from_classic_id(13), VideoCodec::Av1);
    }

    #[test]
    fn an_unknown_codec_keeps_the_name_it_came_with() {
        assert_eq!(VideoCodec::from_four_cc(FourCc(*b"theo")).to_string(), "codec theo");
        assert_eq!(VideoCodec::from_classic_id(9).to_string(), "codec id 9");
    }

    #[test]
    fn only_codecs_that_players_of_today_know_are_common() {
        let common = [VideoCodec::Avc, VideoCodec::Hevc, VideoCodec::Av1, VideoCodec::Vp8, VideoCodec::Vp9];
        assert!(common.iter().all(|codec| !codec.is_uncommon()));
        assert!((2..=6).all(|id| VideoCodec::from_classic_id(id).is_uncommon()));
        assert!(VideoCodec::from_four_cc(FourCc(*b"vvc1")).is_uncommon());
    }
}
