//! Abnormalities while a push is live, counted by type. They are reported and kept; the push is not touched.

use cause::evidence::EventCount;

/// Types of events: 1-16 are those of the push error callback, those from 100 are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// A video timestamp went back.
    VideoBack = 1,
    /// An audio timestamp went back.
    AudioBack = 2,
    /// A video timestamp jumped ahead by more than a second.
    VideoJump = 3,
    /// An audio timestamp jumped ahead by more than a second.
    AudioJump = 4,
    /// A chunk size above 8192.
    ChunkSize = 5,
    /// Two video frames arrived more than three seconds apart.
    VideoGap = 6,
    /// Two audio frames arrived more than a second apart.
    AudioGap = 7,
    /// The video codec changed.
    VideoCodecChanged = 8,
    /// The audio codec changed.
    AudioCodecChanged = 9,
    /// A video frame came before its codec header.
    NoVideoHeader = 10,
    /// An audio frame came before its codec header.
    NoAudioHeader = 11,
    /// An uncommon codec.
    UncommonCodec = 13,
    /// A media or metadata message that cannot be parsed.
    Unparsable = 14,
    /// More than ten seconds from one key frame to the next.
    LongGop = 16,
    /// Our probe is unacknowledged and being retransmitted.
    PathSuspect = 100,
    /// Media came again after silence.
    Resumed = 101,
}

/// Counts of the events of one push.
#[derive(Debug, Default)]
pub struct Events {
    counts: Vec<EventCount>,
}

impl Events {
    /// Notes an event; `what` words it and is called only where the wording is kept.
    pub fn note(&mut self, kind: EventKind, at_ms: u32, what: impl FnOnce() -> String) {
        let kind = kind as u8;
        match self.counts.iter_mut().find(|e| e.kind == kind) {
            Some(event) => {
                event.count = event.count.saturating_add(1);
                // A push that errs with every frame must not pay for words at each.
                if at_ms.saturating_sub(event.last_ms) >= 1000 {
                    event.last = what();
                }
                event.last_ms = at_ms;
            }
            None => {
                self.counts.push(EventCount { kind, count: 1, first_ms: at_ms, last_ms: at_ms, last: what() })
            }
        }
    }

    /// Whether the event was noted within the last `ms` milliseconds.
    pub fn within(&self, kind: EventKind, at_ms: u32, ms: u32) -> bool {
        self.counts.iter().any(|e| e.kind == kind as u8 && at_ms.saturating_sub(e.last_ms) < ms)
    }

    /// All counts so far.
    pub fn counts(&self) -> &[EventCount] {
        &self.counts
    }
}
