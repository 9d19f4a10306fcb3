//! The transport stream in an SRT connection becomes messages for the hub.

use std::sync::Arc;
use std::time::Instant;

use cause::evidence::{FaultClass, FaultKind, ProtocolFault, TsFacts};
use media::pack::{AudioPacker, Message as Packed, PackError, Unroll, VideoPacker};
use media::ts::{Codec, Demuxer, Faults, Output, Unit};

use crate::ingest::intake;
use crate::ingest::memory::MemoryShare;
use crate::push::{End, Push};
use crate::shared::Shared;

/// Takes a transport stream apart and its units in.
pub(super) struct MediaIn {
    demuxer: Demuxer,
    packers: Packers,
    /// Its half-received units count with the node's half-received messages.
    memory: MemoryShare,
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
    pub(super) fn new(shared: Arc<Shared>) -> Self {
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
            memory: MemoryShare::new(shared),
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
        self.hand_on(shared, push, now).or_else(|| self.memory.hold(self.demuxer.buffered()))
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

    fn hand_on(&mut self, shared: &Shared, push: &mut Push, now: Instant) -> Option<End> {
        for error in self.packers.wrong.drain(..) {
            let at_ms = push.watch.at_ms(now);
            push.watch.media_mut().broken_data(at_ms, &error);
        }
        let mut end = intake::packed(shared, push, now, self.packers.messages.drain(..));
        if let Some((pid, size)) = self.packers.too_large.take() {
            let found = format!("a unit of more than {size} bytes on stream {pid}");
            let (kind, class) = (FaultKind::MessageTooLarge, FaultClass::Invalid);
            let length = u32::try_from(size).ok();
            let fault = ProtocolFault { length, ..ProtocolFault::unplaced(kind, class, "unit_size", found) };
            end = end.or(Some(End::fault(fault)));
        }
        end
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
