//! Packets go to the tables or to the stream that they belong to, and whole units come out.

use super::frames::Frames;
use super::packet::{NULL_PID, Packet};
use super::pes::{Pes, Step, Times};
use super::section::Sections;
use super::sync::Sync;
use super::tables::{self, Programme};
use super::{Codec, Faults, Output, PACKET, Unit, WRAP, opus};
use crate::codec::AudioCodec;

/// A clock that goes on by more than this, or back, has jumped: 10 s.
const CLOCK_JUMP: u64 = 900_000;
const PAT: u16 = 0;

/// Takes a transport stream apart.
#[derive(Debug)]
pub struct Demuxer {
    sync: Sync,
    state: State,
}

#[derive(Debug)]
struct State {
    limit: usize,
    pat: Table,
    pmt: Option<(u16, Table)>,
    programme: Programme,
    clock: Option<u64>,
    video: Option<Track>,
    audio: Option<Track>,
    faults: Faults,
}

#[derive(Debug, Default)]
struct Table {
    sections: Sections,
    continuity: Continuity,
}

#[derive(Debug)]
struct Track {
    pid: u16,
    codec: Codec,
    pes: Pes,
    continuity: Continuity,
    frames: Option<Frames>,
}

/// The continuity counter of one stream.
#[derive(Debug, Default)]
struct Continuity(Option<u8>);

enum Seen {
    InOrder,
    /// The same packet once more, which the standard allows.
    Again,
    Gap,
}

impl Continuity {
    fn see(&mut self, packet: &Packet<'_>) -> Seen {
        if packet.payload.is_none() {
            return Seen::InOrder;
        }
        match self.0.replace(packet.continuity) {
            None => Seen::InOrder,
            Some(_) if packet.discontinuity => Seen::InOrder,
            Some(last) if last == packet.continuity => Seen::Again,
            Some(last) if (last + 1) & 0x0F == packet.continuity => Seen::InOrder,
            Some(_) => Seen::Gap,
        }
    }
}

impl Track {
    fn new(pid: u16, codec: Codec) -> Self {
        let frames = match codec {
            Codec::Audio { codec: codec @ (AudioCodec::Aac | AudioCodec::Mp3), .. } => {
                Some(Frames::new(codec))
            }
            _ => None,
        };
        Self { pid, codec, pes: Pes::default(), continuity: Continuity::default(), frames }
    }

    /// Takes a packet; returns how many units were found broken.
    fn push(
        &mut self,
        packet: &Packet<'_>,
        payload: &[u8],
        limit: usize,
        out: &mut impl FnMut(Output<'_>),
    ) -> u64 {
        let mut broken = 0;
        if packet.starts {
            if self.pes.begun() {
                broken += self.finish(out);
            }
            if !self.pes.begin(payload) {
                return broken + 1;
            }
        } else if !self.pes.begun() {
            return broken;
        }
        match self.pes.add(payload, limit) {
            Step::More => broken,
            Step::Whole => broken + self.finish(out),
            Step::TooLarge(size) => {
                out(Output::TooLarge { pid: self.pid, size });
                broken + 1
            }
        }
    }

    /// Gives the unit that has come to its end.
    fn finish(&mut self, out: &mut impl FnMut(Output<'_>)) -> u64 {
        let Self { pid, codec, pes, frames, .. } = self;
        let (pid, codec) = (*pid, *codec);
        let mut give = |times: Times, data: &[u8]| {
            out(Output::Unit(Unit { codec, pid, pts: times.pts, dts: times.dts, data }));
        };
        let at = |pts| Times { pts, dts: pts };
        let broken = match pes.unit() {
            None => 1,
            Some((_, [])) => 0,
            Some((times, data)) => match (frames, codec) {
                (Some(frames), _) => {
                    let before = frames.strays;
                    frames.push(times, data, &mut |pts, frames| give(at(pts), frames));
                    frames.strays - before
                }
                (None, Codec::Audio { codec: AudioCodec::Opus, .. }) => {
                    u64::from(!opus::packets(times.pts, data, &mut |pts, packet| give(at(pts), packet)))
                }
                (None, _) => {
                    give(times, data);
                    0
                }
            },
        };
        pes.forget();
        broken
    }

    /// A part is missing; returns how many units that broke.
    fn hole(&mut self) -> u64 {
        if let Some(frames) = &mut self.frames {
            frames.broken();
        }
        u64::from(self.pes.forget())
    }
}

impl Demuxer {
    /// A demuxer that passes over units larger than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            sync: Sync::default(),
            state: State {
                limit,
                pat: Table::default(),
                pmt: None,
                programme: Programme::default(),
                clock: None,
                video: None,
                audio: None,
                faults: Faults::default(),
            },
        }
    }

    /// Takes the next bytes of the stream, in any pieces, and gives what they complete.
    pub fn push(&mut self, bytes: &[u8], out: &mut impl FnMut(Output<'_>)) {
        let Self { sync, state } = self;
        sync.push(bytes, &mut |packet| state.packet(packet, out));
        state.faults.sync_losses = sync.losses();
    }

    /// The stream has ended: gives the units whose end nothing else tells.
    pub fn finish(&mut self, out: &mut impl FnMut(Output<'_>)) {
        for track in [&mut self.state.video, &mut self.state.audio].into_iter().flatten() {
            if track.pes.begun() {
                self.state.faults.broken_units += track.finish(out);
            }
        }
    }

    /// Bytes of units that are not whole yet.
    pub fn buffered(&self) -> usize {
        [&self.state.video, &self.state.audio].into_iter().flatten().map(|track| track.pes.held()).sum()
    }

    /// What has been wrong so far.
    pub fn faults(&self) -> Faults {
        self.state.faults
    }

    /// Whether a programme with a stream that is carried on has been found.
    pub fn has_programme(&self) -> bool {
        self.state.video.is_some() || self.state.audio.is_some()
    }
}

impl State {
    fn packet(&mut self, bytes: &[u8; PACKET], out: &mut impl FnMut(Output<'_>)) {
        let packet = Packet::parse(bytes);
        self.faults.packets += 1;
        if packet.pid == NULL_PID {
            return;
        }
        if packet.unusable {
            self.faults.marked_broken += 1;
            return;
        }
        if packet.pid == self.programme.pcr_pid {
            self.clock(&packet);
        }
        if packet.pid == PAT {
            return self.table_of_programmes(&packet);
        }
        if self.pmt.as_ref().is_some_and(|(pid, _)| *pid == packet.pid) {
            return self.table_of_streams(&packet);
        }
        let tracks = [&mut self.video, &mut self.audio];
        let Some(track) = tracks.into_iter().flatten().find(|track| track.pid == packet.pid) else { return };
        match track.continuity.see(&packet) {
            Seen::InOrder => {}
            Seen::Again => return,
            Seen::Gap => {
                self.faults.continuity_gaps += 1;
                self.faults.broken_units += track.hole();
            }
        }
        if let Some(payload) = packet.payload {
            self.faults.broken_units += track.push(&packet, payload, self.limit, out);
        }
    }

    fn clock(&mut self, packet: &Packet<'_>) {
        let Some(pcr) = packet.pcr else { return };
        let last = self.clock.replace(pcr);
        let jumped = last.is_some_and(|last| (pcr + WRAP - last) % WRAP > CLOCK_JUMP);
        if jumped && !packet.discontinuity {
            self.faults.clock_jumps += 1;
        }
    }

    fn table_of_programmes(&mut self, packet: &Packet<'_>) {
        let mut found = None;
        let mut wrong = 0;
        self.pat.push(
            packet,
            &mut self.faults.continuity_gaps,
            &mut |section| match tables::first_programme(section) {
                Ok(pid) => found = pid.or(found),
                Err(tables::WrongChecksum) => wrong += 1,
            },
        );
        self.faults.crc_errors += wrong;
        if let Some(pid) = found.filter(|pid| self.pmt.as_ref().is_none_or(|(known, _)| known != pid)) {
            self.pmt = Some((pid, Table::default()));
        }
    }

    fn table_of_streams(&mut self, packet: &Packet<'_>) {
        let Some((_, table)) = &mut self.pmt else { return };
        let mut found = None;
        let mut wrong = 0;
        table.push(
            packet,
            &mut self.faults.continuity_gaps,
            &mut |section| match tables::programme(section) {
                Ok(programme) => found = programme.or_else(|| found.take()),
                Err(tables::WrongChecksum) => wrong += 1,
            },
        );
        self.faults.crc_errors += wrong;
        if let Some(programme) = found.filter(|programme| *programme != self.programme) {
            self.change(programme);
        }
    }

    /// The programme is new, or has changed. A stream that stays as it was goes on without a break.
    fn change(&mut self, programme: Programme) {
        let first = |video: bool| {
            programme.streams.iter().find_map(|stream| match stream.codec {
                Some(codec) if matches!(codec, Codec::Video(_)) == video => Some((stream.pid, codec)),
                _ => None,
            })
        };
        for (slot, chosen) in [(&mut self.video, first(true)), (&mut self.audio, first(false))] {
            let same = slot.as_ref().map(|track| (track.pid, track.codec)) == chosen;
            if !same {
                *slot = chosen.map(|(pid, codec)| Track::new(pid, codec));
            }
        }
        let unsupported = programme.streams.iter().filter(|stream| stream.codec.is_none()).count();
        self.faults.unsupported_streams += unsupported as u64;
        if programme.pcr_pid != self.programme.pcr_pid {
            self.clock = None;
        }
        self.programme = programme;
    }
}

impl Table {
    fn push(&mut self, packet: &Packet<'_>, gaps: &mut u64, each: &mut impl FnMut(&[u8])) {
        match self.continuity.see(packet) {
            Seen::InOrder => {}
            Seen::Again => return,
            Seen::Gap => {
                *gaps += 1;
                self.sections.broken();
            }
        }
        if let Some(payload) = packet.payload {
            self.sections.push(payload, packet.starts, each);
        }
    }
}
