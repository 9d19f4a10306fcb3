//! Pictures.

mod av1;
mod avc;
mod hevc;
mod sets;
mod vp;
mod write;

use super::time::{Steady, composition_ms, message_ms};
use super::{Message, MessageKind, PackError};
use crate::codec::VideoCodec;
use av1::Av1;
use avc::Avc;
use bytes::Bytes;
use hevc::Hevc;
use vp::Vp;

/// Packs the access units of one video track.
#[derive(Debug)]
pub struct VideoPacker {
    codec: Codec,
    record: Option<Vec<u8>>,
    steady: Steady,
    waiting: u64,
}

#[derive(Debug)]
enum Codec {
    Avc(Avc),
    Hevc(Hevc),
    Av1(Av1),
    Vp(Vp),
}

/// A unit that was looked through: what has to be written, and how.
struct Looked {
    /// The codec's configuration, where the unit holds all of it and it is not the one that was sent last.
    record: Option<Vec<u8>>,
    /// Whether decoding can start here.
    key: bool,
    /// Whether it holds a picture at all.
    picture: bool,
}

impl VideoPacker {
    /// A packer for H.264, HEVC (both with start codes), AV1 (temporal units whose open bitstream units have sizes), VP8
    /// or VP9.
    ///
    /// # Errors
    /// [`PackError::VideoCodec`] for any other codec.
    pub fn new(codec: VideoCodec) -> Result<Self, PackError> {
        let codec = match codec {
            VideoCodec::Avc => Codec::Avc(Avc::default()),
            VideoCodec::Hevc => Codec::Hevc(Hevc::default()),
            VideoCodec::Av1 => Codec::Av1(Av1::default()),
            VideoCodec::Vp8 => Codec::Vp(Vp::vp8()),
            VideoCodec::Vp9 => Codec::Vp(Vp::vp9()),
            other => return Err(PackError::VideoCodec(other)),
        };
        Ok(Self { codec, record: None, steady: Steady::default(), waiting: 0 })
    }

    /// Pictures that were passed over because the parameter sets to decode them had not come.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Packs one whole access unit and appends the messages: a sequence header where the configuration is new, then the
    /// frame. Times are in ticks of 1/90000 s; a decoding time that goes back by less than 10 s is held at the last one.
    ///
    /// Access units before the first complete parameter sets give nothing.
    ///
    /// # Errors
    /// [`PackError`] when the unit cannot be parsed or carried; nothing is appended then.
    pub fn pack(&mut self, unit: &[u8], pts: i64, dts: i64, out: &mut Vec<Message>) -> Result<(), PackError> {
        if unit.is_empty() {
            return Err(PackError::Empty);
        }
        let looked = match &mut self.codec {
            Codec::Avc(avc) => avc.look(unit),
            Codec::Hevc(hevc) => hevc.look(unit),
            Codec::Av1(av1) => av1.look(unit),
            Codec::Vp(vp) => vp.look(unit),
        }?;
        let fresh = looked.record.filter(|record| self.record.as_ref() != Some(record));
        if fresh.is_none() && self.record.is_none() {
            self.waiting = self.waiting.saturating_add(u64::from(looked.picture));
            return Ok(());
        }
        let dts = self.steady.hold(dts);
        let composition = composition_ms(pts, dts);
        let frame = match (&self.codec, looked.picture) {
            (_, false) => None,
            (Codec::Avc(avc), _) => Some(avc.frame(unit, looked.key, composition)?),
            (Codec::Hevc(hevc), _) => Some(hevc.frame(unit, looked.key, composition)?),
            (Codec::Av1(av1), _) => Some(av1.frame(unit, looked.key)?),
            (Codec::Vp(vp), _) => Some(vp.frame(unit, looked.key)?),
        };
        let timestamp_ms = message_ms(dts);
        let mut say = |header, key, payload: Vec<u8>| {
            let payload = Bytes::from(payload);
            out.push(Message { kind: MessageKind::Video, timestamp_ms, header, key, payload });
        };
        if let Some(record) = fresh {
            let header = match &self.codec {
                Codec::Avc(_) => write::classic_header(&record),
                Codec::Hevc(_) => write::enhanced_header(*b"hvc1", &record),
                Codec::Av1(_) => write::enhanced_header(*b"av01", &record),
                Codec::Vp(vp) => write::enhanced_header(vp.four_cc(), &record),
            };
            say(true, true, header);
            self.record = Some(record);
        }
        if let Some(frame) = frame {
            say(false, looked.key, frame);
        }
        Ok(())
    }
}
