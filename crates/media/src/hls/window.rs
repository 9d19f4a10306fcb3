//! The segments that are kept: those that the playlist lists, some that it listed until just now, and the open one.

use std::collections::VecDeque;
use std::sync::Arc;

use super::segment::{Init, Part, Segment};
use super::settings::Settings;
use super::view::{Targets, View};

/// Segments in a playlist, as long as three target durations are not more.
const LISTED: usize = 8;
/// Segments in a playlist in any case; only timestamps that hardly move get there.
const LISTED_AT_MOST: usize = 32;
/// Segments kept after the playlist has dropped them, for players that are fetching them.
const RETIRED: usize = 3;
/// The target duration where the first key frames are further apart than anyone wants to wait.
const LONGEST_TARGET: u32 = 10;
/// An open first segment this long is shown before it is complete.
const SHOW_AFTER_US: i64 = 4_000_000;
/// What a segment may be longer than the target duration, which compares rounded seconds.
const ROUNDING_US: i64 = 450_000;
/// Parts may be longer than planned by this share, because frame times are uneven.
const PART_SLACK: f64 = 1.1;

/// What a segment begins with.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub init: &'a Arc<Init>,
    /// Whether it follows another timeline or other codecs.
    pub discontinuity: bool,
    /// When its first frame came, in milliseconds since the Unix epoch.
    pub date_ms: i64,
}

#[derive(Debug)]
pub(super) struct Window {
    settings: Settings,
    /// Complete segments, oldest first; the first `retired` are not listed any more.
    segments: VecDeque<Arc<Segment>>,
    retired: usize,
    open: Option<Segment>,
    next_msn: u64,
    /// Discontinuities among the segments that are not listed any more.
    discontinuities: u64,
    bytes: usize,
    targets: Option<Targets>,
    ended: bool,
    fragments: u32,
    revision: u64,
}

impl Window {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            segments: VecDeque::new(),
            retired: 0,
            open: None,
            next_msn: 0,
            discontinuities: 0,
            bytes: 0,
            targets: None,
            ended: false,
            fragments: 0,
            revision: 0,
        }
    }

    /// Number of the next movie fragment.
    pub fn next_fragment(&mut self) -> u32 {
        self.fragments = self.fragments.wrapping_add(1);
        self.fragments
    }

    /// Whether a playlist may have been seen, after which its promises bind.
    pub fn is_shown(&self) -> bool {
        self.targets.is_some()
    }

    /// Rises with everything that a view shows.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Bytes kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes of the open segment.
    pub fn open_bytes(&self) -> usize {
        self.open.as_ref().map_or(0, Segment::size)
    }

    /// How long a segment may become, in microseconds.
    pub fn longest_us(&self) -> i64 {
        let target = self.targets.map_or(LONGEST_TARGET, |targets| targets.segment_secs);
        i64::from(target) * 1_000_000 + ROUNDING_US
    }

    /// How long a part may become once a playlist has said so, in microseconds.
    pub fn part_limit_us(&self) -> Option<i64> {
        self.targets.map(|targets| targets.part_us)
    }

    /// Adds a part; opens a segment with it where none is open.
    pub fn add(&mut self, part: Part, head: &Head<'_>, part_us: i64) {
        self.revision += 1;
        self.bytes += part.bytes.len();
        let msn = self.next_msn;
        let discontinuity = head.discontinuity && !self.segments.is_empty();
        let open = self.open.get_or_insert_with(|| Segment {
            msn,
            init: head.init.clone(),
            discontinuity,
            date_ms: 0,
            parts: Vec::new(),
        });
        self.next_msn = open.msn + 1;
        open.date_ms = head.date_ms;
        open.parts.push(Arc::new(part));
        if open.duration_us() >= SHOW_AFTER_US {
            self.show(LONGEST_TARGET, part_us);
        }
        self.trim(self.settings.max_bytes);
    }

    /// Completes the open segment.
    pub fn complete(&mut self, part_us: i64) {
        let Some(open) = self.open.take() else { return };
        self.revision += 1;
        let duration = open.duration_us();
        let planned = (self.settings.segment_us() + 500_000) / 1_000_000;
        let secs = ((duration + 500_000) / 1_000_000).max(planned);
        self.segments.push_back(Arc::new(open));
        self.show(u32::try_from(secs).unwrap_or(LONGEST_TARGET).clamp(1, LONGEST_TARGET), part_us);
        self.slide();
    }

    pub fn end(&mut self) {
        self.revision += 1;
        self.ended = true;
    }

    /// Drops the oldest segments until at most `bytes` are kept, or the last complete one is left.
    pub fn trim(&mut self, bytes: usize) {
        while self.bytes > bytes && self.segments.len() > 1 {
            if self.retired == 0 {
                self.retire();
            }
            self.forget();
        }
    }

    pub fn view(&self) -> Option<View> {
        let targets = self.targets?;
        let mut segments: Vec<_> = self.segments.iter().cloned().collect();
        let complete = segments.len();
        segments.extend(self.open.clone().map(Arc::new));
        Some(View::new(
            targets,
            segments,
            (self.retired, complete),
            self.next_part(),
            self.discontinuities,
            self.ended,
        ))
    }

    /// Number of the segment and the part that come next.
    fn next_part(&self) -> (u64, usize) {
        self.open.as_ref().map_or((self.next_msn, 0), |open| (open.msn, open.parts.len()))
    }

    fn show(&mut self, segment_secs: u32, part_us: i64) {
        self.targets.get_or_insert_with(|| {
            // Milliseconds, as the playlist will have it.
            let part_ms = (part_us as f64 * PART_SLACK / 1000.0).ceil() as i64;
            Targets { segment_secs, part_us: part_ms.max(1).saturating_mul(1000) }
        });
    }

    /// A playlist may not become shorter than three target durations (RFC 8216bis, 6.2.2).
    fn slide(&mut self) {
        let least = 3 * self.longest_us();
        loop {
            let listed = self.segments.range(self.retired..);
            let count = listed.len();
            let after: i64 = listed.skip(1).map(|segment| segment.duration_us()).sum();
            if count <= LISTED || (after < least && count <= LISTED_AT_MOST) {
                break;
            }
            self.retire();
        }
        while self.retired > RETIRED {
            self.forget();
        }
    }

    fn retire(&mut self) {
        if let Some(segment) = self.segments.get(self.retired) {
            self.discontinuities += u64::from(segment.discontinuity);
            self.retired += 1;
        }
    }

    fn forget(&mut self) {
        if let Some(segment) = self.segments.pop_front() {
            self.bytes = self.bytes.saturating_sub(segment.size());
            self.retired = self.retired.saturating_sub(1);
        }
    }
}
