//! What a path does to packets in one direction.

use std::time::Duration;

/// The state of a path in one direction. The default is a path that does nothing but deliver.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// On the way for this long.
    pub delay: Duration,
    /// And for up to this much longer, at random; packets keep their order.
    pub jitter: Duration,
    /// Share of packets that are lost, 0 to 1.
    pub loss: f64,
    /// The bottleneck, if there is one.
    pub rate: Option<Rate>,
    /// Share of packets that are overtaken by those behind them, 0 to 1.
    pub reorder: f64,
    /// An overtaken packet is held back for this long.
    pub reorder_by: Duration,
    /// Share of packets that arrive twice, 0 to 1.
    pub duplicate: f64,
    /// IP packets larger than this, bytes, are swallowed, and nobody is told.
    pub largest: Option<usize>,
    /// Everything is swallowed, also what is on its way.
    pub black_hole: bool,
}

/// A bottleneck, and the queue before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// kbit/s of IP packets.
    pub kbps: u32,
    /// A packet that would have to wait longer than this is dropped.
    pub queue: Duration,
}

impl Conditions {
    /// A path on which packets are under way for this long.
    pub fn delayed(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }
}

impl Rate {
    /// How long the bottleneck is busy with so many bytes.
    pub fn time_for(self, bytes: usize) -> Duration {
        let bits = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(8);
        // kbit/s are bits a millisecond.
        Duration::from_micros(bits.saturating_mul(1_000) / u64::from(self.kbps.max(1)))
    }
}
