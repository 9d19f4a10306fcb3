//! The transport stream in an SRT connection becomes messages for the hub.

use std::time::Instant;

use cause::evidence::{FaultClass, FaultKind, ProtocolFault, TsFacts};
use cause::{Cause, Detail, DetailKey};
use media::pack::{AudioPacker, Message as Packed, MessageKind, PackError, Unroll, VideoPacker};
use media::ts::{Codec, Demuxer, Faults, Output, Unit};

use crate::ingest::intake::{self, Message};
use crate::push::{End, Push};
use crate::shared::Shared;

/// Less than this in half-received units is not worth a number that all connections share.
const COUNTED_FROM: usize = 256 * 1024;
/// The number under which the black box notes a track.
const VIDEO_TRACK: u8 = 1;
const AUDIO_TRACK: u8 = 2;

/// Takes a transport stream apart and its units in.
pub(super) struct MediaIn {
    demuxer: Demuxer,
    packers: Packers,
    /// Bytes that count against the node's memory for half-received messages.
    counted: usize,
}

struct Packers {
    /// Sound and picture of a programme have one clock.
    clock: Unroll,
    origin: Option<i64>,
    video: Option<(Codec, VideoPacker)>,
    audio: Option<(Codec, AudioPacker)>,
    messages: Vec<Packed>,
    wrong: Vec<PackError>,
    too_large: Option<(u16, usize)>,
}

impl MediaIn {
    pub(super) fn new(shared: &Shared) -> Self {
        Self {
            demuxer: Demuxer::new(shared.config.limits.message),
            packers: Packers {
                clock: Unroll::new(33),
                origin: None,
                video: None,
                audio: None,
                messages: Vec::new(),
                wrong: Vec::new(),
                too_large: None,
            },
            counted: 0,
        }
    }

    /// Takes the next bytes in; gives the push's end where they are reason for one.
    pub(super) fn take(
        &mut self,
        shared: &Shared,
        push: &mut Push,
        now: Instant,
        bytes: &[u8],
    ) -> Option<End> {
        push.watch.bytes(now, bytes.len());
        let Self { demuxer, packers, .. } = self;
        demuxer.push(bytes, &mut |output| packers.take(output));
        self.hand_on(shared, push, now).or_else(|| self.count(shared))
    }

    /// The stream has ended: takes in what nothing else ends.
    pub(super) fn finish(&mut self, shared: &Shared, push: &mut Push, now: Instant) {
        let Self { demuxer, packers, .. } = self;
        demuxer.finish(&mut |output| packers.take(output));
        self.hand_on(shared, push, now);
    }

    /// What was wrong so far.
    pub(super) fn facts(&self) -> TsFacts {
        let Faults {
            packets,
            sync_losses,
            continuity_gaps,
            crc_errors,
            clock_jumps,
            marked_broken,
            broken_units,
            unsupported_streams,
        } = self.demuxer.faults();
        TsFacts {
            packets,
            sync_losses,
            continuity_gaps,
            crc_errors,
            clock_jumps,
            marked_broken,
            broken_units,
            unsupported_streams,
        }
    }

    /// Gives back what counts for this push.
    pub(super) fn release(&mut self, shared: &Shared) {
        shared.message_memory.change(std::mem::take(&mut self.counted), 0);
    }

    fn hand_on(&mut self, shared: &Shared, push: &mut Push, now: Instant) -> Option<End> {
        for error in self.packers.wrong.drain(..) {
            let at_ms = push.watch.at_ms(now);
            push.watch.media_mut().broken_data(at_ms, &error);
        }
        let mut end = None;
        for packed in self.packers.messages.drain(..) {
            let video = packed.kind == MessageKind::Video;
            let message = Message {
                video,
                timestamp: packed.timestamp_ms,
                payload: packed.payload,
                track: if video { VIDEO_TRACK } else { AUDIO_TRACK },
            };
            if let Some(fault) = intake::media(shared, push, now, message) {
                end = end.or(Some(End::fault(broken(fault.rule, fault.what))));
            }
        }
        if let Some((pid, size)) = self.packers.too_large.take() {
            let fault = ProtocolFault {
                kind: FaultKind::MessageTooLarge,
                length: u32::try_from(size).ok(),
                ..broken("unit_size", format!("a unit of more than {size} bytes on stream {pid}"))
            };
            end = end.or(Some(End::fault(fault)));
        }
        end
    }

    fn count(&mut self, shared: &Shared) -> Option<End> {
        let held = self.demuxer.buffered();
        let counted = if held >= COUNTED_FROM { held } else { 0 };
        if counted == self.counted {
            return None;
        }
        let memory = &shared.message_memory;
        let fits = memory.change(self.counted, counted);
        self.counted = counted;
        (!fits).then(|| {
            let detail =
                Detail::new(DetailKey::MessageBudget).with("size", held).with("limit", memory.budget());
            End::cause(Cause::MessageTooLarge, Some(detail))
        })
    }
}

fn broken(rule: &str, found: String) -> ProtocolFault {
    ProtocolFault {
        kind: FaultKind::Media,
        class: FaultClass::Invalid,
        rule: rule.to_owned(),
        offset: 0,
        chunk_stream: None,
        message_type: None,
        length: None,
        marker: None,
        path: String::new(),
        found,
    }
}

impl Packers {
    fn take(&mut self, output: Output<'_>) {
        let packed = match output {
            Output::Unit(unit) => self.pack(&unit),
            Output::TooLarge { pid, size } => {
                self.too_large = Some((pid, size));
                Ok(())
            }
        };
        // One of each payload is enough to know what is wrong.
        if let Err(error) = packed
            && self.wrong.is_empty()
        {
            self.wrong.push(error);
        }
    }

    fn pack(&mut self, unit: &Unit<'_>) -> Result<(), PackError> {
        let dts = self.clock.unroll(unit.dts);
        // The presentation lies near the decoding, whichever of the two has wrapped.
        let pts = self.clock.unroll(unit.pts);
        self.clock.unroll(unit.dts);
        let origin = *self.origin.get_or_insert(dts);
        let (pts, dts) = (pts.saturating_sub(origin), dts.saturating_sub(origin));
        match unit.codec {
            Codec::Video(codec) => {
                let (known, mut packer) = match self.video.take().filter(|(known, _)| *known == unit.codec) {
                    Some(known) => known,
                    None => (unit.codec, VideoPacker::new(codec)?),
                };
                let packed = packer.pack(unit.data, pts, dts, &mut self.messages);
                self.video = Some((known, packer));
                packed
            }
            Codec::Audio { codec, channels } => {
                let (known, mut packer) = match self.audio.take().filter(|(known, _)| *known == unit.codec) {
                    Some(known) => known,
                    None => (unit.codec, AudioPacker::new(codec, channels)?),
                };
                let packed = packer.pack(unit.data, pts, &mut self.messages);
                self.audio = Some((known, packer));
                packed
            }
        }
    }
}
