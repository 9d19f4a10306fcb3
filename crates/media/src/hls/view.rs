//! What viewers can see at one moment; never changes, so that any number of them can share it.

use std::sync::{Arc, OnceLock};

use super::playlist;
use super::segment::{Init, Part, Segment};
use super::text::Text;

/// What a playlist promises once and for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Targets {
    /// EXT-X-TARGETDURATION, in seconds.
    pub segment_secs: u32,
    /// PART-TARGET, in microseconds.
    pub part_us: i64,
}

impl Targets {
    /// How far from the end a segment may be left out of an update, in seconds: six target durations, which is as near as
    /// it may be (CAN-SKIP-UNTIL; RFC 8216bis, 4.4.3.8).
    pub(super) fn skip_secs(self) -> u32 {
        self.segment_secs.saturating_mul(6)
    }
}

/// A live stream as its playlist describes it at one moment.
#[derive(Debug)]
pub struct View {
    targets: Targets,
    segments: Vec<Arc<Segment>>,
    /// The first segment that the playlist lists.
    listed: usize,
    /// How many are complete; one more may be open.
    complete: usize,
    next: (u64, usize),
    discontinuities: u64,
    ended: bool,
    playlist: OnceLock<Text>,
    update: OnceLock<Text>,
}

/// Whether something has come yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It is there, or was.
    Yes,
    /// It will be, soon.
    NotYet,
    /// It lies so far ahead that the request cannot be honest (RFC 8216bis, 6.2.5.2), or after the end.
    Never,
}

impl View {
    pub(super) fn new(
        targets: Targets,
        segments: Vec<Arc<Segment>>,
        (listed, complete): (usize, usize),
        next: (u64, usize),
        discontinuities: u64,
        ended: bool,
    ) -> Self {
        let (playlist, update) = (OnceLock::new(), OnceLock::new());
        Self { targets, segments, listed, complete, next, discontinuities, ended, playlist, update }
    }

    /// What the playlist promises.
    pub fn targets(&self) -> Targets {
        self.targets
    }

    /// The segments that the playlist lists; the last may be open.
    pub fn listed(&self) -> &[Arc<Segment>] {
        self.segments.get(self.listed..).unwrap_or_default()
    }

    /// Of those, the ones that are complete.
    pub fn listed_complete(&self) -> &[Arc<Segment>] {
        self.segments.get(self.listed..self.complete).unwrap_or_default()
    }

    /// EXT-X-DISCONTINUITY-SEQUENCE.
    pub fn discontinuities(&self) -> u64 {
        self.discontinuities
    }

    /// Segment and part that come next; at the end there are none.
    pub fn next_part(&self) -> Option<(u64, usize)> {
        (!self.ended).then_some(self.next)
    }

    /// Whether nothing more will come.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The media playlist; written once, by whoever asks first.
    pub fn playlist(&self) -> &Text {
        self.playlist.get_or_init(|| Text::new(playlist::media(self)))
    }

    /// The media playlist for who has had it a moment ago (Playlist Delta Update, RFC 8216bis, 6.2.5.1): without the
    /// segments that lie before the skip boundary. Where there are none, it is the whole playlist.
    pub fn update(&self) -> &Text {
        match self.skipped() {
            0 => self.playlist(),
            skipped => self.update.get_or_init(|| Text::new(playlist::update(self, skipped))),
        }
    }

    /// How many of the listed segments may be left out of an update: those that lie as far from the end as the playlist
    /// says (CAN-SKIP-UNTIL).
    fn skipped(&self) -> usize {
        let boundary_us = i64::from(self.targets.skip_secs()).saturating_mul(1_000_000);
        if self.ended {
            return 0;
        }
        let mut until_end: i64 = self.listed().iter().map(|segment| segment.duration_us()).sum();
        let complete = self.listed_complete().iter();
        let old = complete.take_while(|segment| {
            let far = until_end > boundary_us;
            until_end -= segment.duration_us();
            far
        });
        old.count()
    }

    /// The multivariant playlist that leads to the media playlist at `uri`.
    pub fn multivariant(&self, uri: &str) -> String {
        playlist::multivariant(self, uri)
    }

    /// Whether the playlist has a segment, or a part of it when one is asked for (`_HLS_msn`, `_HLS_part`).
    pub fn reached(&self, msn: u64, part: Option<usize>) -> Reached {
        let (next_msn, next_part) = self.next;
        let there = match part {
            None => msn < next_msn,
            // A part beyond the last of a complete segment stands for the first of the next one.
            Some(part) => msn < next_msn && self.has_part(msn, part) || msn == next_msn && part < next_part,
        };
        match there {
            true => Reached::Yes,
            false if self.ended => Reached::Never,
            false if msn > next_msn.saturating_add(1) => Reached::Never,
            false => Reached::NotYet,
        }
    }

    fn has_part(&self, msn: u64, part: usize) -> bool {
        let (next_msn, next_part) = self.next;
        let beyond = self.segment(msn).is_some_and(|segment| part >= segment.parts.len());
        !beyond || msn.saturating_add(1) < next_msn || next_part > 0
    }

    /// A complete segment.
    pub fn segment(&self, msn: u64) -> Option<&Arc<Segment>> {
        self.segments.get(..self.complete).unwrap_or_default().iter().find(|segment| segment.msn == msn)
    }

    /// A part, or whether to wait for it.
    ///
    /// # Errors
    /// [`Reached::NotYet`] for the part that comes next, [`Reached::Never`] for any other that is not there.
    pub fn part(&self, msn: u64, part: usize) -> Result<&Arc<Part>, Reached> {
        let segment = self.segments.iter().find(|segment| segment.msn == msn);
        match segment.and_then(|segment| segment.parts.get(part)) {
            Some(part) => Ok(part),
            None if !self.ended && self.next == (msn, part) => Err(Reached::NotYet),
            None => Err(Reached::Never),
        }
    }

    /// An initialization segment.
    pub fn init(&self, id: u32) -> Option<&Arc<Init>> {
        self.segments.iter().map(|segment| &segment.init).find(|init| init.id == id)
    }
}
