//! Media as a transport stream (ISO/IEC 13818-1), made once: each unit only gets its times, its stamp and its counters.

use std::time::Duration;

use super::media::{AUDIO_PER_MINUTE, Sizes};
use super::stamp::{self, Stamp};
use crate::media;

/// Frames of audio in one PES packet, as encoders bundle them.
pub(super) const AUDIO_TOGETHER: u64 = 4;
const PACKET: usize = 188;
const PMT: u16 = 0x1000;
const VIDEO: u16 = 0x100;
const AUDIO: u16 = 0x101;
const START: [u8; 4] = [0, 0, 0, 1];
/// Ticks of all times a second.
const CLOCK: u64 = 90_000;
/// The clock of the programme is this far behind the times of pictures.
const AHEAD: u64 = CLOCK / 10;
/// Where the clock stands in a packet with an adaptation field, and where the time in a PES packet.
const PCR_AT: usize = 6;
const PTS_AT: usize = 9;

/// The continuity counters of one stream, by packet identifier.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    tables: u8,
    video: u8,
    audio: u8,
}

/// Everything that a publisher sends.
#[derive(Debug)]
pub(super) struct TsMedia {
    tables: Vec<u8>,
    key: Unit,
    inter: Unit,
    audio: Unit,
    group: u64,
}

/// One unit in packets, and where in them stands what is patched.
#[derive(Debug)]
struct Unit {
    packets: Vec<u8>,
    clock: bool,
    stamp_at: Option<usize>,
}

impl TsMedia {
    pub(super) fn new(sizes: &Sizes) -> Self {
        let mut tables = Vec::new();
        section(0, &[0, 1, 0xC1, 0, 0, 0, 1, high(PMT), low(PMT)], 0x00, &mut tables);
        let programme = [
            0,
            1,
            0xC1,
            0,
            0,
            high(VIDEO),
            low(VIDEO),
            0xF0,
            0,
            0x1B,
            high(VIDEO),
            low(VIDEO),
            0xF0,
            0,
            0x0F,
            high(AUDIO),
            low(AUDIO),
            0xF0,
            0,
        ];
        section(PMT, &programme, 0x02, &mut tables);
        Self {
            tables,
            key: picture(true, sizes.key),
            inter: picture(false, sizes.inter),
            audio: Unit::new(AUDIO, 0xC0, &sounds(sizes.audio), false),
            group: sizes.group,
        }
    }

    /// Appends picture number `nth` of a push, with the tables ahead of a key frame.
    pub(super) fn video(
        &mut self,
        nth: u64,
        at: Duration,
        stamp: Stamp,
        counters: &mut Counters,
        out: &mut Vec<u8>,
    ) {
        let key = nth.is_multiple_of(self.group);
        if key {
            // PAT and PMT count alike, as each comes once with the other.
            for table in self.tables.chunks_exact(PACKET) {
                append(table, &mut counters.tables.clone(), out);
            }
            counters.tables = next(counters.tables);
        }
        let unit = if key { &mut self.key } else { &mut self.inter };
        let ticks = u64::try_from(at.as_micros()).unwrap_or(0) * CLOCK / 1_000_000 + AHEAD;
        unit.stamp(stamp);
        unit.at(ticks, &mut counters.video, out);
    }

    /// Appends a bundle of audio, of which the first frame is number `nth`.
    pub(super) fn audio(&mut self, nth: u64, counters: &mut Counters, out: &mut Vec<u8>) {
        let ticks = nth * 60 * CLOCK / u64::from(AUDIO_PER_MINUTE) + AHEAD;
        self.audio.at(ticks, &mut counters.audio, out);
    }
}

impl Unit {
    fn new(pid: u16, stream_id: u8, data: &[u8], clock: bool) -> Self {
        let mut pes = vec![0, 0, 1, stream_id, 0, 0, 0x80, 0x80, 5, 0, 0, 0, 0, 0];
        // Video may leave its length open; audio may not.
        if !clock {
            let length = u16::try_from(data.len() + 8).unwrap_or(0);
            pes.splice(4..6, length.to_be_bytes());
        }
        pes.extend_from_slice(data);
        let mut packets = Vec::new();
        let (mut rest, mut first) = (&pes[..], true);
        while !rest.is_empty() {
            let field = if first && clock { vec![0x10, 0, 0, 0, 0, 0, 0] } else { Vec::new() };
            rest = packet(pid, first, field, rest, &mut packets);
            first = false;
        }
        let stamp_at = packets.windows(stamp::ID.len()).position(|bytes| bytes == stamp::ID);
        Self { packets, clock, stamp_at: stamp_at.map(|at| at + stamp::ID.len()) }
    }

    fn stamp(&mut self, stamp: Stamp) {
        if let Some(place) = self.stamp_at.and_then(|at| self.packets.get_mut(at..at + stamp::SIZE)) {
            place.copy_from_slice(&stamp.bytes());
        }
    }

    /// Appends the unit with this time.
    fn at(&mut self, ticks: u64, counter: &mut u8, out: &mut Vec<u8>) {
        let header = 4 + if self.packets.get(3) == Some(&0x30) { 1 + self.field() } else { 0 };
        if self.clock
            && let Some(clock) = self.packets.get_mut(PCR_AT..PCR_AT + 6)
        {
            clock.copy_from_slice(&pcr(ticks.saturating_sub(AHEAD)));
        }
        if let Some(time) = self.packets.get_mut(header + PTS_AT..header + PTS_AT + 5) {
            time.copy_from_slice(&pts(ticks));
        }
        append(&self.packets, counter, out);
    }

    fn field(&self) -> usize {
        self.packets.get(4).copied().map_or(0, usize::from)
    }
}

/// Appends one packet with as much of `data` as it takes, and gives the rest. What the last one does not fill is stuffed.
fn packet<'a>(pid: u16, first: bool, mut field: Vec<u8>, data: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let room = PACKET - 4;
    let used = |field: &Vec<u8>| if field.is_empty() { 0 } else { field.len() + 1 };
    let spare = room.saturating_sub(used(&field) + data.len());
    let flags = if spare + field.len() > 0 { 0x30 } else { 0x10 };
    out.extend_from_slice(&[0x47, if first { 0x40 } else { 0 } | high(pid), low(pid), flags]);
    match (spare, field.is_empty()) {
        (0, true) => {}
        // A field of no bytes is its length alone.
        (1, true) => out.push(0),
        _ => {
            if field.is_empty() {
                field.push(0);
                field.resize(spare - 1, 0xFF);
            } else {
                field.resize(field.len() + spare, 0xFF);
            }
            out.push(u8::try_from(field.len()).unwrap_or(0));
            out.extend_from_slice(&field);
        }
    }
    let taken = (PACKET - (out.len() % PACKET)) % PACKET;
    let (now, later) = data.split_at(taken.min(data.len()));
    out.extend_from_slice(now);
    later
}

/// Appends packets, each with the next count.
fn append(packets: &[u8], counter: &mut u8, out: &mut Vec<u8>) {
    let from = out.len();
    out.extend_from_slice(packets);
    for packet in out.get_mut(from..).unwrap_or_default().chunks_exact_mut(PACKET) {
        if let Some(flags) = packet.get_mut(3) {
            *flags = *flags & 0xF0 | *counter;
        }
        *counter = next(*counter);
    }
}

/// Counts in four bits.
fn next(counter: u8) -> u8 {
    counter.wrapping_add(1) & 0x0F
}

/// A table in one packet.
fn section(pid: u16, body: &[u8], table: u8, out: &mut Vec<u8>) {
    let [length_high, length_low] = (u16::try_from(body.len() + 4).unwrap_or(0) | 0xB000).to_be_bytes();
    let mut section = vec![table, length_high, length_low];
    section.extend_from_slice(body);
    section.extend_from_slice(&crc(&section).to_be_bytes());
    let mut packet = vec![0x47, 0x40 | high(pid), low(pid), 0x10, 0];
    packet.extend_from_slice(&section);
    packet.resize(PACKET, 0xFF);
    out.extend_from_slice(&packet);
}

/// CRC-32/MPEG-2.
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            crc << 1 ^ if crc >> 31 == 1 { 0x04C1_1DB7 } else { 0 }
        })
    })
}

/// An access unit with start codes: delimiter, parameter sets ahead of a key frame, stamp, picture.
fn picture(key: bool, size: usize) -> Unit {
    let mut unit = [&START[..], &[0x09, 0xF0]].concat();
    if key {
        for set in media::parameter_sets() {
            unit.extend_from_slice(&START);
            unit.extend_from_slice(set);
        }
    }
    unit.extend_from_slice(&START);
    unit.extend_from_slice(stamp::unit().get(4..).unwrap_or_default());
    unit.extend_from_slice(&START);
    unit.push(if key { 0x65 } else { 0x41 });
    unit.resize(unit.len() + size.saturating_sub(unit.len()), 0x88);
    Unit::new(VIDEO, 0xE0, &unit, true)
}

/// Frames of AAC-LC, 44100 Hz, stereo, each behind its ADTS header.
fn sounds(size: usize) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xF1, 0x50, 0x80];
    let length = u16::try_from(size + 7).unwrap_or(0);
    frame.extend_from_slice(&[(length >> 3) as u8, ((length & 7) << 5) as u8 | 0x1F, 0xFC]);
    frame[3] |= (length >> 11) as u8 & 3;
    frame.resize(size + 7, 0x21);
    frame.repeat(AUDIO_TOGETHER as usize)
}

fn high(value: u16) -> u8 {
    value.to_be_bytes()[0] & 0x1F
}

fn low(value: u16) -> u8 {
    value.to_be_bytes()[1]
}

fn pts(ticks: u64) -> [u8; 5] {
    let byte = |shift: u32| (ticks >> shift) as u8;
    [0x21 | (byte(30) & 7) << 1, byte(22), byte(14) | 1, byte(7), byte(0) << 1 | 1]
}

fn pcr(ticks: u64) -> [u8; 6] {
    let [.., a, b, c, d] = (ticks >> 1).to_be_bytes();
    [a, b, c, d, ((ticks & 1) as u8) << 7 | 0x7E, 0]
}

#[cfg(test)]
mod tests {
    use ::media::ts::{Demuxer, Output};

    use super::*;

    #[test]
    fn what_is_made_is_a_transport_stream_with_its_times_and_stamps() {
        let sizes = Sizes::new(1_000, 30);
        let mut made = TsMedia::new(&sizes);
        let (mut counters, mut stream) = (Counters::default(), Vec::new());
        for nth in 0..70 {
            let stamp = Stamp { stream: 3, frame: nth, sent_us: 5_000 + nth };
            made.video(nth, Duration::from_millis(nth * 33), stamp, &mut counters, &mut stream);
            made.audio(nth * AUDIO_TOGETHER, &mut counters, &mut stream);
        }
        assert_eq!(stream.len() % PACKET, 0);
        let mut demuxer = Demuxer::new(1 << 20);
        let (mut pictures, mut sounds) = (Vec::new(), 0);
        let mut take = |output: Output<'_>| {
            let Output::Unit(unit) = output else { panic!("too large") };
            if unit.pid == VIDEO {
                pictures.push((unit.pts, unit.data.to_vec()));
            } else {
                sounds += 1;
                assert_eq!(unit.data[..2], [0xFF, 0xF1]);
            }
        };
        demuxer.push(&stream, &mut take);
        demuxer.finish(&mut take);
        assert_eq!((pictures.len(), sounds), (70, 70), "a bundle is one unit");
        for (nth, (pts, data)) in (0_u64..).zip(&pictures) {
            assert_eq!(*pts, nth * 33 * 90 + AHEAD);
            let stamp = Stamp { stream: 3, frame: nth, sent_us: 5_000 + nth }.bytes();
            assert!(data.windows(stamp.len()).any(|bytes| bytes == stamp));
        }
        assert_eq!(pictures[60].1.len(), sizes.key);
        let faults = demuxer.faults();
        let wrong = faults.continuity_gaps + faults.crc_errors + faults.sync_losses + faults.broken_units;
        assert_eq!((wrong, faults.clock_jumps), (0, 0), "{faults:?}");
    }
}
