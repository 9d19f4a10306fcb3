//! Audio codecs.

use std::fmt;

use super::{CodecId, FourCc};

/// An audio codec, as named by SoundFormat (FLV 10.1, E.4.2.1) or FourCC (Enhanced RTMP v2, "Enhancing Audio").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// AAC.
    Aac,
    /// MPEG-1/2 layer III.
    Mp3,
    /// Opus.
    Opus,
    /// FLAC.
    Flac,
    /// AC-3.
    Ac3,
    /// Enhanced AC-3.
    Eac3,
    /// Speex.
    Speex,
    /// Nellymoser, in its three forms.
    Nellymoser,
    /// G.711 A-law.
    G711ALaw,
    /// G.711 µ-law.
    G711MuLaw,
    /// Linear PCM in the byte order of the machine that sent it.
    PcmPlatform,
    /// Linear PCM, little endian.
    PcmLe,
    /// ADPCM.
    AdPcm,
    /// "Device-specific sound".
    Native,
    /// Anything else, as the message named it.
    Other(CodecId),
}

impl AudioCodec {
    /// The codec behind a four-bit SoundFormat.
    pub fn from_classic_id(id: u8) -> Self {
        match id {
            0 => Self::PcmPlatform,
            1 => Self::AdPcm,
            2 | 14 => Self::Mp3,
            3 => Self::PcmLe,
            4..=6 => Self::Nellymoser,
            7 => Self::G711ALaw,
            8 => Self::G711MuLaw,
            10 => Self::Aac,
            11 => Self::Speex,
            15 => Self::Native,
            _ => Self::Other(CodecId::Classic(id)),
        }
    }

    /// The codec behind an Enhanced RTMP FourCC.
    pub fn from_four_cc(four_cc: FourCc) -> Self {
        match &four_cc.0 {
            b"mp4a" => Self::Aac,
            b".mp3" => Self::Mp3,
            b"Opus" => Self::Opus,
            b"fLaC" => Self::Flac,
            b"ac-3" => Self::Ac3,
            b"ec-3" => Self::Eac3,
            _ => Self::Other(CodecId::FourCc(four_cc)),
        }
    }

    /// Whether current players and packagers are likely to refuse it (event 13).
    pub fn is_uncommon(self) -> bool {
        !matches!(self, Self::Aac | Self::Mp3 | Self::Opus)
    }

    /// Whether a sequence header has to come before the first frame (event 11). Opus may leave it out.
    pub fn needs_sequence_header(self) -> bool {
        matches!(self, Self::Aac | Self::Flac)
    }
}

impl fmt::Display for AudioCodec {
    /// The word the record shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aac => "AAC",
            Self::Mp3 => "MP3",
            Self::Opus => "Opus",
            Self::Flac => "FLAC",
            Self::Ac3 => "AC-3",
            Self::Eac3 => "E-AC-3",
            Self::Speex => "Speex",
            Self::Nellymoser => "Nellymoser",
            Self::G711ALaw => "G.711 A-law",
            Self::G711MuLaw => "G.711 µ-law",
            Self::PcmPlatform | Self::PcmLe => "PCM",
            Self::AdPcm => "ADPCM",
            Self::Native => "native",
            Self::Other(id) => return id.fmt(f),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mp3_at_8_khz_is_mp3() {
        assert_eq!(AudioCodec::from_classic_id(14), AudioCodec::Mp3);
    }

    #[test]
    fn an_unknown_codec_keeps_the_name_it_came_with() {
        assert_eq!(AudioCodec::from_classic_id(13).to_string(), "codec id 13");
        assert_eq!(AudioCodec::from_four_cc(FourCc(*b"alac")).to_string(), "codec alac");
    }

    #[test]
    fn aac_mp3_and_opus_are_common() {
        assert!(
            !AudioCodec::Aac.is_uncommon()
                && !AudioCodec::Mp3.is_uncommon()
                && !AudioCodec::Opus.is_uncommon()
        );
        assert!(AudioCodec::Speex.is_uncommon() && AudioCodec::Flac.is_uncommon());
    }
}
