//! What can be asked of the records, and how pages follow each other.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;
use model::{Code, PushId, Record, Timestamp};

use crate::limits::MAX_PAGE;

/// Which records are wanted. All conditions hold at once; the default wants the newest 50.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordQuery {
    /// The stream's name.
    pub stream: Option<String>,
    /// Whether `stream` is any part of the name, whatever its letter case, instead of all of it.
    pub fuzzy: bool,
    /// The push domain.
    pub domain: Option<String>,
    /// The path.
    pub app: Option<String>,
    /// The pusher's address or network.
    pub ip: Option<IpNet>,
    /// Any of these causes; empty means all.
    pub codes: Vec<Code>,
    /// Who ended it: `client`, `network`, `server`, `policy`, `operator`.
    pub side: Option<String>,
    /// The owner of the domain.
    pub account: Option<u64>,
    /// Ended at this time or later.
    pub since: Option<Timestamp>,
    /// Ended before this time.
    pub until: Option<Timestamp>,
    /// Records on the page, 1 to 1000.
    pub limit: usize,
    /// Go on after the page that gave this cursor.
    pub after: Option<Cursor>,
}

impl Default for RecordQuery {
    fn default() -> Self {
        Self {
            stream: None,
            fuzzy: false,
            domain: None,
            app: None,
            ip: None,
            codes: Vec::new(),
            side: None,
            account: None,
            since: None,
            until: None,
            limit: 50,
            after: None,
        }
    }
}

impl RecordQuery {
    /// Below the first position, from the second on.
    pub(crate) fn span(&self) -> (Cursor, Cursor) {
        let below = self.until.map_or(Cursor::NEWEST, Cursor::at).min(self.after.unwrap_or(Cursor::NEWEST));
        (below, self.since.map_or(Cursor::OLDEST, Cursor::at))
    }

    pub(crate) fn page_size(&self) -> usize {
        self.limit.clamp(1, MAX_PAGE)
    }
}

/// One page of records, newest end first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` when there is nothing older.
    ///
    /// A query looks at a bounded number of rows, so that none holds the disk for long. Where conditions that are each
    /// common hardly ever meet, a page can therefore be short, or even empty, and still have a next one: whoever wants a
    /// full page goes on from `next`.
    pub next: Option<Cursor>,
    /// The database of all nodes did not answer: these are this node's alone.
    pub here_only: bool,
}

/// A place between two records. As text (for URLs) it is opaque; it stays good while records are added, filed or aged
/// out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    pub(crate) ended_at: i64,
    pub(crate) tie: i64,
}

/// Bits of a position that come from the push id.
pub(crate) const TIE_BITS: u32 = 36;
const TIE_MASK: i64 = (1 << TIE_BITS) - 1;

/// The part of a push's position in time that tells it from others that ended in the same millisecond: 36 bits of the
/// random part of its id.
pub(crate) fn tie(id: PushId) -> i64 {
    let low = id.as_bytes().iter().skip(8).fold(0i64, |sum, byte| (sum << 8) | i64::from(*byte));
    // Some makers of ids leave a part constant or counting; mixing spreads whatever varies over all bits kept.
    (low.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()) >> 20) & TIE_MASK
}

impl Cursor {
    /// The place before everything.
    pub(crate) const NEWEST: Self = Self { ended_at: i64::MAX, tie: i64::MAX };

    /// The place after everything.
    pub(crate) const OLDEST: Self = Self { ended_at: i64::MIN, tie: 0 };

    /// The place after whatever ended at that time or later.
    pub(crate) fn at(time: Timestamp) -> Self {
        Self { ended_at: time.millis(), tie: 0 }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.ended_at, self.tie)
    }
}

/// Text that is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no cursor: use the one that came with the page before")]
pub struct CursorError(pub String);

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_hexdigit());
            digits.then(|| i64::from_str_radix(part, 16).ok()).flatten()
        };
        text.split_once('-')
            .and_then(|(ended_at, tie)| Some(Self { ended_at: parse(ended_at)?, tie: parse(tie)? }))
            .ok_or_else(|| CursorError(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back_from_its_text(ended_at in 0i64.., tie in 0i64..) {
            let cursor = Cursor { ended_at, tie };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn any_text_is_a_cursor_or_an_error(text in ".{0,40}") {
            let _ = text.parse::<Cursor>();
        }

        #[test]
        fn a_tie_has_36_bits(bytes: [u8; 16]) {
            prop_assert!((0..1i64 << TIE_BITS).contains(&tie(PushId::from_bytes(bytes))));
        }
    }

    #[test]
    fn ids_that_only_count_still_spread() {
        let ties: std::collections::HashSet<_> =
            (0..100_000u128).map(|low| tie(PushId::from_parts(Timestamp(1_000), low))).collect();
        assert!(ties.len() > 99_990, "{}", ties.len());
    }
}
