//! What a track is made of, from a sequence header or a coded frame.

use super::TrackError;
use crate::codec::{AudioCodec, VideoCodec};
use crate::config::{
    AudioConfig, FrameSize, VideoConfig, audio_config, audio_frame_config, frame_size, video_config,
};

/// Ticks a second of every video track.
pub const VIDEO_TIMESCALE: u32 = 90_000;

/// The tracks of a presentation; at least one has to be there for it to be of use.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracks {
    /// The picture, as track 1.
    pub video: Option<VideoTrack>,
    /// The sound, as track 2.
    pub audio: Option<AudioTrack>,
}

impl Tracks {
    /// The codec strings of RFC 6381, for CODECS of a playlist.
    pub fn codecs(&self) -> String {
        let video = self.video.as_ref().map(|video| video.config.codec_string.clone());
        let audio = self.audio.as_ref().map(AudioTrack::codec_string);
        video.into_iter().chain(audio).collect::<Vec<_>>().join(",")
    }
}

/// A video track.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoTrack {
    pub(super) codec: VideoCodec,
    pub(super) record: Vec<u8>,
    pub(super) width: u16,
    pub(super) height: u16,
    config: VideoConfig,
}

impl VideoTrack {
    /// The track that a sequence header and its first key frame describe. `None` while the header is one of those empty
    /// ones that ffmpeg sends before its encoder has made the real one.
    ///
    /// # Errors
    /// [`TrackError`] when HLS cannot carry the codec, the header is broken, or neither it nor the frame holds the size.
    pub fn new(codec: VideoCodec, record: &[u8], key_frame: &[u8]) -> Result<Option<Self>, TrackError> {
        if !matches!(codec, VideoCodec::Avc | VideoCodec::Hevc | VideoCodec::Av1 | VideoCodec::Vp9) {
            return Err(TrackError::VideoCodec(codec));
        }
        let Some(config) = video_config(codec, record)? else {
            return Ok(None);
        };
        let size = match (config.width, config.height) {
            (Some(width), Some(height)) => FrameSize { width, height },
            _ => frame_size(codec, key_frame)?.ok_or(TrackError::PictureSize)?,
        };
        let FrameSize { width, height } = size;
        let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(TrackError::PictureTooLarge { width, height });
        };
        let record = match codec {
            VideoCodec::Hevc => complete_arrays(record),
            VideoCodec::Vp9 => bare_vp_record(record),
            _ => record.to_vec(),
        };
        Ok(Some(Self { codec, record, width, height, config }))
    }

    /// Width and height of the picture in pixels.
    pub fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// Frames a second, where the encoder announces them.
    pub fn fps(&self) -> Option<f64> {
        self.config.fps
    }

    /// A coded frame as a sample has it. A temporal delimiter of AV1 does not belong into one (AV1 in ISOBMFF, 2.4).
    pub fn sample_start(&self, frame: &[u8]) -> usize {
        const TEMPORAL_DELIMITER: [u8; 2] = [0x12, 0];
        match self.codec {
            VideoCodec::Av1 if frame.starts_with(&TEMPORAL_DELIMITER) => TEMPORAL_DELIMITER.len(),
            _ => 0,
        }
    }
}

/// Marks the parameter sets of an HEVC record as complete, which the sample entry `hvc1` demands (ISO/IEC 14496-15,
/// 8.4.1.1.1); encoders for RTMP leave the mark out.
fn complete_arrays(record: &[u8]) -> Vec<u8> {
    const ARRAYS: usize = 22;
    const COMPLETE: u8 = 0x80;
    let mut record = record.to_vec();
    let mut at = ARRAYS + 1;
    for _ in 0..record.get(ARRAYS).copied().unwrap_or(0) {
        let Some([kind, high, low]) = record.get(at..).and_then(|rest| rest.first_chunk::<3>()).copied()
        else {
            break;
        };
        if let Some(first) = record.get_mut(at)
            && matches!(kind & 0x3f, 32..=34)
        {
            *first |= COMPLETE;
        }
        at += 3;
        for _ in 0..u16::from_be_bytes([high, low]) {
            let Some(size) = record.get(at..).and_then(|rest| rest.first_chunk::<2>()) else { break };
            at += 2 + usize::from(u16::from_be_bytes(*size));
        }
    }
    record
}

/// A VP9 record without the version and flags of its box, which ffmpeg sends along.
fn bare_vp_record(record: &[u8]) -> Vec<u8> {
    const FULL_BOX: [u8; 4] = [1, 0, 0, 0];
    let bare = if record.len() >= 12 { record.strip_prefix(&FULL_BOX) } else { None };
    bare.unwrap_or(record).to_vec()
}

/// An audio track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioTrack {
    pub(super) codec: AudioCodec,
    pub(super) record: Vec<u8>,
    pub(super) channels: u8,
    config: AudioConfig,
}

impl AudioTrack {
    /// The track that a sequence header describes. `None` where a frame has to tell ([`AudioTrack::from_frame`]): MP3,
    /// and Opus with an empty header.
    ///
    /// # Errors
    /// [`TrackError`] when HLS cannot carry the codec, or the header is broken.
    pub fn from_header(codec: AudioCodec, record: &[u8]) -> Result<Option<Self>, TrackError> {
        match codec {
            AudioCodec::Aac => {}
            AudioCodec::Opus | AudioCodec::Mp3 if record.is_empty() => return Ok(None),
            AudioCodec::Opus => {}
            AudioCodec::Mp3 => return Ok(None),
            _ => return Err(TrackError::AudioCodec(codec)),
        }
        let Some(config) = audio_config(codec, record)? else { return Ok(None) };
        let channels = config.channels.ok_or(TrackError::Channels)?;
        Ok(Some(Self { codec, record: record.to_vec(), channels, config }))
    }

    /// The track that a coded frame describes by itself. `None` for codecs whose frames do not.
    ///
    /// # Errors
    /// [`TrackError`] when HLS cannot carry the codec, or the frame's header is broken.
    pub fn from_frame(codec: AudioCodec, frame: &[u8]) -> Result<Option<Self>, TrackError> {
        match codec {
            AudioCodec::Aac => return Ok(None),
            AudioCodec::Opus | AudioCodec::Mp3 => {}
            _ => return Err(TrackError::AudioCodec(codec)),
        }
        let Some(config) = audio_frame_config(codec, frame)? else { return Ok(None) };
        let channels = config.channels.ok_or(TrackError::Channels)?;
        Ok(Some(Self { codec, record: Vec::new(), channels, config }))
    }

    /// The codec.
    pub fn codec(&self) -> AudioCodec {
        self.codec
    }

    /// Ticks a second of the track: the rate at which the sound is played.
    pub fn timescale(&self) -> u32 {
        self.config.sample_rate.max(1)
    }

    /// How long a coded frame plays, in ticks.
    pub fn frame_duration(&self, frame: &[u8]) -> u32 {
        match self.codec {
            AudioCodec::Opus => opus_duration(frame),
            // Layer III has two granules of 576 samples, one in the low rates of MPEG-2.
            AudioCodec::Mp3 if self.config.sample_rate < 32_000 => 576,
            AudioCodec::Mp3 => 1152,
            _ => match self.config.object_type {
                // With SBR, 1024 samples of the core play as 2048.
                Some(5 | 29) => 2048,
                Some(23 | 39) => 512,
                _ => 1024,
            },
        }
    }

    /// The codec string of RFC 6381.
    pub fn codec_string(&self) -> String {
        match self.codec {
            AudioCodec::Opus => String::from("Opus"),
            AudioCodec::Mp3 => String::from("mp4a.40.34"),
            _ => format!("mp4a.40.{}", self.config.object_type.unwrap_or(2)),
        }
    }
}

/// Samples at 48 kHz in an Opus packet (RFC 6716, 3.1 and 3.2.5).
fn opus_duration(packet: &[u8]) -> u32 {
    let Some(&toc) = packet.first() else { return 0 };
    let frame = match toc >> 3 {
        mode @ 0..=11 => [480, 960, 1920, 2880].get(usize::from(mode & 3)).copied().unwrap_or(960),
        mode @ 12..=15 => 480 << (mode & 1),
        mode => 120 << (mode & 3),
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1).copied().unwrap_or(1) & 0x3f),
    };
    // A packet holds at most 120 ms.
    (frame * frames).min(5760)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opus_packets_tell_how_long_they_play() {
        for (packet, samples) in [
            (&[0x08u8][..], 960),    // SILK narrowband, 20 ms
            (&[0x18][..], 2880),     // SILK, 60 ms
            (&[0x60][..], 480),      // hybrid, 10 ms
            (&[0x68][..], 960),      // hybrid, 20 ms
            (&[0xfc][..], 960),      // CELT fullband, 20 ms
            (&[0xe1][..], 240),      // CELT, twice 2.5 ms
            (&[0xf3, 3][..], 1440),  // CELT, three times 10 ms
            (&[0xfb, 63][..], 5760), // more than a packet may hold
            (&[][..], 0),
        ] {
            assert_eq!(opus_duration(packet), samples, "{packet:02x?}");
        }
    }

    #[test]
    fn parameter_sets_of_hevc_are_marked_complete_and_other_units_are_left_alone() {
        let mut record = vec![0; 22];
        record.extend([2, 0x20, 0, 1, 0, 2, 0xaa, 0xbb, 0x27, 0, 1, 0, 1, 0xcc]);
        let complete = complete_arrays(&record);
        assert_eq!(complete[23..], [0xa0, 0, 1, 0, 2, 0xaa, 0xbb, 0x27, 0, 1, 0, 1, 0xcc]);
        assert_eq!(complete_arrays(&record[..27]).len(), 27, "cut short");
    }

    #[test]
    fn the_version_that_ffmpeg_sends_before_a_vp9_record_is_left_out() {
        let bare = [0, 0x1e, 0x82, 2, 2, 2, 0, 0];
        let with_version = [&[1, 0, 0, 0][..], &bare].concat();
        assert_eq!(bare_vp_record(&with_version), bare);
        assert_eq!(bare_vp_record(&bare), bare);
    }

    #[test]
    fn codecs_that_hls_cannot_carry_say_so() {
        let error = VideoTrack::new(VideoCodec::Vp8, &[], &[]).unwrap_err();
        assert_eq!(error.to_string(), "VP8 video cannot be carried in HLS; it can in RTMP and HTTP-FLV");
        let error = AudioTrack::from_frame(AudioCodec::Speex, &[0]).unwrap_err();
        assert_eq!(error.to_string(), "Speex audio cannot be carried in HLS; it can in RTMP and HTTP-FLV");
    }
}
