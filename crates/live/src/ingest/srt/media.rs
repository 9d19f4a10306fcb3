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

/// Units whose time lies further from that of the unit before, and from the time that has passed, are of another clock:
/// an encoder was started anew behind the same connection, or the stream is another one. 3 s of 1/90000 s.
const JUMP: i64 = 270_000;

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
    timeline: Timeline,
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
                timeline: Timeline::default(),
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
        demuxer.push(bytes, &mut |output| packers.take(now, output));
        self.hand_on(shared, push, now).or_else(|| self.memory.hold(self.demuxer.buffered()))
    }

    /// The stream has ended: takes in what nothing else ends.
    pub(super) fn finish(&mut self, shared: &Shared, push: &mut Push, now: Instant) {
        let Self { demuxer, packers, .. } = self;
        demuxer.finish(&mut |output| packers.take(now, output));
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
    fn take(&mut self, now: Instant, output: Output<'_>) {
        let packed = match output {
            Output::Unit(unit) => self.pack(now, &unit),
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

    fn pack(&mut self, now: Instant, unit: &Unit<'_>) -> Result<(), PackError> {
        let dts = self.clock.unroll(unit.dts);
        // The presentation lies near the decoding, whichever of the two has wrapped.
        let pts = self.clock.unroll(unit.pts);
        self.clock.unroll(unit.dts);
        let origin = self.timeline.origin(now, dts);
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

/// Times that begin at 0 and go on where the clock of the stream jumps, so that players and the lag of the push see no
/// jump: sound and picture are moved alike.
#[derive(Debug, Default)]
struct Timeline {
    origin: i64,
    last: Option<(i64, Instant)>,
}

impl Timeline {
    /// What is to be taken from the times of a unit that is decoded at `dts`.
    fn origin(&mut self, now: Instant, dts: i64) -> i64 {
        match self.last {
            None => self.origin = dts,
            Some((last, at)) => {
                let passed = now.saturating_duration_since(at).as_micros();
                let passed = i64::try_from(passed).unwrap_or(i64::MAX / 9).saturating_mul(9) / 100;
                let step = dts.saturating_sub(last);
                let beyond = step.saturating_sub(passed);
                if step.saturating_abs() > JUMP && beyond.saturating_abs() > JUMP {
                    self.origin = self.origin.saturating_add(beyond);
                }
            }
        }
        self.last = Some((dts, now));
        self.origin
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::{Clock, SystemClock};

    use super::*;

    /// Times as they come out, in tenths of a second, of units that come at these times with these.
    fn told(units: &[(u64, i64)]) -> Vec<i64> {
        let (start, mut timeline) = (SystemClock.instant(), Timeline::default());
        let told = |(at, dts): &(u64, i64)| {
            let dts = dts * 9_000;
            (dts - timeline.origin(start + Duration::from_millis(at * 100), dts)) / 9_000
        };
        units.iter().map(told).collect()
    }

    #[test]
    fn a_clock_that_jumps_either_way_goes_on_where_it_was() {
        assert_eq!(told(&[(0, 700), (1, 701), (2, 5_000), (3, 5_001)]), [0, 1, 2, 3]);
        assert_eq!(told(&[(0, 700), (1, 701), (2, 10), (3, 11)]), [0, 1, 2, 3]);
        // Units of the old clock that come in between are no harm to those of the new one.
        assert_eq!(told(&[(0, 700), (1, 10), (1, 701), (2, 11), (3, 12)]), [0, 1, 1, 2, 3]);
    }

    #[test]
    fn a_pause_and_a_burst_are_no_jumps() {
        assert_eq!(told(&[(0, 0), (100, 100), (101, 101)]), [0, 100, 101], "ten seconds of silence");
        assert_eq!(told(&[(0, 0), (100, 1), (100, 2), (100, 3)]), [0, 1, 2, 3], "what was held up");
    }
}
