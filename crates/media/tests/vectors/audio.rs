//! Audio messages. What the comments abbreviate stands in the module above.
#![allow(dead_code)]

/// ffmpeg 9: two video and two audio tracks, `-c:v libx264 -c:a aac`: the sequence header of the second audio track.
pub const AAC_SECOND_TRACK: &str = "95006d70346101118856e500";
/// ffmpeg 5: `A -ac 2 -ar 44100 -c:a aac`
pub const AAC: &str = "af00121056e500";
/// ffmpeg 9: `A -ac 6 -c:a aac`
pub const AAC_6: &str = "af0011b056e500";
/// The channel message that follows it.
pub const AAC_6_CHANNELS: &str = "946d70346101060000003f";
/// ffmpeg 9: `A -ac 2 -c:a libopus`
pub const OPUS: &str = "904f7075734f707573486561640102380180bb0000000000";
/// The start of its first frame.
pub const OPUS_FRAME: &str = "914f707573fc7e0299e7f9ecf511d613fd3afcf53c747846";
/// ffmpeg 9: `A -ac 2 -c:a flac -sample_fmt s16`
pub const FLAC: &str = "90664c6143040004000000000010980bb802f00000000000000000000000000000000000000000";
/// ffmpeg 9: `A -ac 6 -c:a ac3`
pub const AC3: &str = "9061632d33";
/// The start of its first frame.
pub const AC3_FRAME: &str = "9161632d330b77b50b1e40ebf8403eff99ff0841fc3f87f0";
/// ffmpeg 9: `A -ac 6 -c:a eac3`: the start of the first frame.
pub const EAC3_FRAME: &str = "9165632d330b77037f3f87c00020f820000200400004001f";
/// ffmpeg 5: `A -ac 1 -ar 22050 -c:a libmp3lame`: the start of the first frame.
pub const MP3_FRAME: &str = "2afff340c40014388670175818007fe4";
/// ffmpeg 5: `A -ac 1 -ar 16000 -c:a libspeex`: the start of the first frame.
pub const SPEEX_FRAME: &str = "b630549822d2000068e8e8e8";

/// Every vector, for the tests that break them.
pub const ALL_AUDIO: &[&str] = &[
    AAC,
    AAC_6,
    AAC_6_CHANNELS,
    AAC_SECOND_TRACK,
    OPUS,
    OPUS_FRAME,
    FLAC,
    AC3,
    AC3_FRAME,
    EAC3_FRAME,
    MP3_FRAME,
    SPEEX_FRAME,
];
