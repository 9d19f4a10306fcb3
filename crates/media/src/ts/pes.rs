//! PES packets become whole units (ISO/IEC 13818-1, 2.4.3.6).

use super::WRAP;

/// The unit that one stream is receiving.
#[derive(Debug, Default)]
pub(super) struct Pes {
    held: Vec<u8>,
    /// Bytes that the unit will have with its header; 0 where only the next beginning ends it.
    whole: usize,
    begun: bool,
    last_pts: Option<u64>,
}

/// What a payload led to.
pub(super) enum Step {
    /// The unit is not whole yet.
    More,
    /// More bytes than allowed.
    TooLarge(usize),
    /// The unit is whole.
    Whole,
}

/// A whole unit's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) pts: u64,
    pub(super) dts: u64,
}

/// A buffer larger than this is given back once its unit is gone.
const KEEP: usize = 512 * 1024;

impl Pes {
    /// Whether a unit has begun.
    pub(super) fn begun(&self) -> bool {
        self.begun
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Forgets the unit; returns whether there was one.
    pub(super) fn forget(&mut self) -> bool {
        self.held.clear();
        self.held.shrink_to(KEEP);
        std::mem::replace(&mut self.begun, false)
    }

    /// Begins a unit. False where what begins is no PES packet.
    pub(super) fn begin(&mut self, payload: &[u8]) -> bool {
        let Some([0, 0, 1, _, high, low]) = payload.first_chunk::<6>() else { return false };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        self.whole = if length == 0 { 0 } else { 6 + length };
        self.begun = true;
        true
    }

    /// Adds a payload to the unit that has begun.
    pub(super) fn add(&mut self, payload: &[u8], limit: usize) -> Step {
        if self.held.len() + payload.len() > limit {
            let size = self.held.len() + payload.len();
            self.forget();
            return Step::TooLarge(size);
        }
        self.held.extend_from_slice(payload);
        if self.whole > 0 && self.held.len() >= self.whole { Step::Whole } else { Step::More }
    }

    /// The whole unit: its times and its bytes. None where it cannot be read, or has no time and none came before.
    pub(super) fn unit(&mut self) -> Option<(Times, &[u8])> {
        let end = if self.whole == 0 { self.held.len() } else { self.whole.min(self.held.len()) };
        let unit = self.held.get(6..end)?;
        let ([marks, flags, length], rest) = unit.split_first_chunk::<3>()?;
        if marks & 0xC0 != 0x80 {
            return None;
        }
        let (fields, data) = rest.split_at_checked(usize::from(*length))?;
        let pts = if flags & 0x80 != 0 { time(fields.get(..5)?) } else { None };
        let dts = if flags & 0xC0 == 0xC0 { time(fields.get(5..10)?) } else { None };
        let pts = pts.or(self.last_pts)?;
        self.last_pts = Some(pts);
        Some((Times { pts, dts: dts.unwrap_or(pts) }, data))
    }
}

/// 33 bits with marker bits between them.
fn time(field: &[u8]) -> Option<u64> {
    let [a, b, c, d, e] = field.first_chunk::<5>()?;
    let high = u64::from(a >> 1 & 0x07) << 30;
    let middle = u64::from(u16::from_be_bytes([*b, *c]) >> 1) << 15;
    let low = u64::from(u16::from_be_bytes([*d, *e]) >> 1);
    Some((high | middle | low) % WRAP)
}
