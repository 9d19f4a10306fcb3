//! Sound.

mod adts;
mod mp3;
mod opus;

pub use adts::adts_frame_size;
pub use mp3::mp3_frame_size;

use bytes::Bytes;

use super::time::{Steady, TICKS_PER_SECOND, message_ms};
use super::{Message, MessageKind, PackError};
use crate::codec::AudioCodec;
use crate::flv::MAX_BODY;

/// Packs the frames of one audio track.
#[derive(Debug)]
pub struct AudioPacker {
    codec: Codec,
    record: Option<Vec<u8>>,
    steady: Steady,
}

#[derive(Debug, Clone, Copy)]
enum Codec {
    Aac,
    Opus { channels: u8 },
    Mp3,
}

/// A frame cut out of the data.
struct Frame<'a> {
    /// What stands before the data in a message.
    head: [u8; 5],
    /// How many bytes of the head are used.
    head_size: usize,
    data: &'a [u8],
    /// From the start of what was handed in, in ticks.
    offset: i64,
}

impl AudioPacker {
    /// A packer for AAC (in ADTS frames, which name their channels themselves), Opus (bare packets) or MP3.
    ///
    /// # Errors
    /// [`PackError::AudioCodec`] for any other codec, [`PackError::Channels`] for Opus of none or more than 8 channels.
    pub fn new(codec: AudioCodec, channels: u8) -> Result<Self, PackError> {
        let codec = match codec {
            AudioCodec::Aac => Codec::Aac,
            AudioCodec::Opus if (1..=8).contains(&channels) => Codec::Opus { channels },
            AudioCodec::Opus => return Err(PackError::Channels { codec, channels }),
            AudioCodec::Mp3 => Codec::Mp3,
            other => return Err(PackError::AudioCodec(other)),
        };
        Ok(Self { codec, record: None, steady: Steady::default() })
    }

    /// Packs whole frames (any number of AAC or MP3, one packet of Opus) and appends the messages: a sequence header where
    /// the configuration is new, then the frames. `pts` is the first one's, in ticks of 1/90000 s.
    ///
    /// # Errors
    /// [`PackError`] when a frame cannot be parsed or carried; the frames before it have been appended.
    pub fn pack(&mut self, data: &[u8], pts: i64, out: &mut Vec<Message>) -> Result<(), PackError> {
        if data.is_empty() {
            return Err(PackError::Empty);
        }
        match self.codec {
            Codec::Opus { channels } => {
                if self.record.is_none() {
                    self.header(opus::header(channels), pts, out);
                }
                self.frame(opus::frame(data), pts, out)
            }
            Codec::Aac => {
                let mut frames = adts::Frames::new(data);
                while let Some((record, frame)) = frames.next()? {
                    if self.record.as_deref() != Some(&record) {
                        let body = [&adts::HEADER[..], &record].concat();
                        self.header((record.to_vec(), body), pts.saturating_add(frame.offset), out);
                    }
                    self.frame(frame, pts, out)?;
                }
                Ok(())
            }
            Codec::Mp3 => {
                let mut frames = mp3::Frames::new(data);
                while let Some(frame) = frames.next()? {
                    self.frame(frame, pts, out)?;
                }
                Ok(())
            }
        }
    }

    fn header(&mut self, (record, body): (Vec<u8>, Vec<u8>), pts: i64, out: &mut Vec<Message>) {
        let timestamp_ms = message_ms(self.steady.hold(pts));
        let payload = Bytes::from(body);
        out.push(Message { kind: MessageKind::Audio, timestamp_ms, header: true, key: true, payload });
        self.record = Some(record);
    }

    fn frame(&mut self, frame: Frame<'_>, pts: i64, out: &mut Vec<Message>) -> Result<(), PackError> {
        let head = frame.head.get(..frame.head_size).unwrap_or_default();
        let found = head.len() + frame.data.len();
        if found > MAX_BODY {
            return Err(PackError::TooLong { found });
        }
        let mut body = Vec::with_capacity(found);
        body.extend_from_slice(head);
        body.extend_from_slice(frame.data);
        let timestamp_ms = message_ms(self.steady.hold(pts.saturating_add(frame.offset)));
        let payload = Bytes::from(body);
        out.push(Message { kind: MessageKind::Audio, timestamp_ms, header: false, key: true, payload });
        Ok(())
    }
}

/// How long so many samples play, in ticks.
fn ticks(samples: i64, sample_rate: u32) -> i64 {
    samples.saturating_mul(TICKS_PER_SECOND) / i64::from(sample_rate.max(1))
}
