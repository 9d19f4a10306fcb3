//! The types of events.

use crate::detail::Unit;

/// Makes [`EventKind`] and what is known of each type from its row.
macro_rules! event_kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $key:literal, $unit:ident;)+) => {
        /// A type of event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum EventKind {
            $($(#[doc = $doc])+ $variant = $number,)+
        }

        impl EventKind {
            /// Every type, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The type of that number.
            pub fn from_number(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// The stable key, snake case.
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)+
                }
            }

            /// What [`Occurrence::value`](super::Occurrence::value) counts.
            pub fn unit(self) -> Unit {
                match self {
                    $(Self::$variant => Unit::$unit,)+
                }
            }
        }
    };
}

event_kinds! {
    /// A video timestamp went back.
    VideoBack = 1, "video_back", Millis;
    /// An audio timestamp went back.
    AudioBack = 2, "audio_back", Millis;
    /// A video timestamp jumped ahead.
    VideoJump = 3, "video_jump", Millis;
    /// An audio timestamp jumped ahead.
    AudioJump = 4, "audio_jump", Millis;
    /// The chunk size is large.
    ChunkSize = 5, "chunk_size", Bytes;
    /// Two video frames arrived far apart.
    VideoGap = 6, "video_gap", Millis;
    /// Two audio frames arrived far apart.
    AudioGap = 7, "audio_gap", Millis;
    /// The video codec changed.
    VideoCodecChanged = 8, "video_codec_changed", Text;
    /// The audio codec changed.
    AudioCodecChanged = 9, "audio_codec_changed", Text;
    /// A video frame came before its codec header.
    NoVideoHeader = 10, "no_video_header", Text;
    /// An audio frame came before its codec header.
    NoAudioHeader = 11, "no_audio_header", Text;
    /// The timestamps of two audio frames lie far apart, but not so far as a jump.
    AudioStep = 12, "audio_step", Millis;
    /// An uncommon codec.
    UncommonCodec = 13, "uncommon_codec", Text;
    /// A codec header, or another message, that cannot be parsed.
    Unparsable = 14, "unparsable", Text;
    /// Few video frames a second.
    LowFrameRate = 15, "low_frame_rate", Rate;
    /// A long time from one key frame to the next.
    LongGop = 16, "long_gop", Millis;
    /// Our probe is unacknowledged and being retransmitted.
    PathSuspect = 100, "path_suspect", Millis;
    /// Media came again after silence.
    Resumed = 101, "resumed", Millis;
    /// The upstream of proxy mode was too slow: frames were left out on the way to it.
    UpstreamSlow = 102, "upstream_slow", Count;
}

impl serde::Serialize for EventKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.key())
    }
}

impl EventKind {
    /// The number that the callback and the API give.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Whether the push error callback knows the type.
    pub fn is_of_callback(self) -> bool {
        self.number() <= 16
    }

    /// Its place in [`Self::ALL`].
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|kind| *kind == self).unwrap_or_default()
    }
}
