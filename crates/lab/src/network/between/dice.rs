//! Chance that can be repeated.

/// A generator of pseudo-random numbers (xorshift64*), good enough to lose packets by.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    /// The same seed throws the same.
    pub(super) fn new(seed: u64) -> Self {
        // All zeroes would stay so.
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// A number from 0 to below 1.
    pub(super) fn share(&mut self) -> f64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let bits = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        f64::from(u32::try_from(bits).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
    }

    /// True in this share of throws.
    pub(super) fn hits(&mut self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }
}
