//! How events are sent.

use std::time::Duration;

use live::outbound::Reach;

/// Settings of `[callback]`.
#[derive(Clone, Debug)]
pub struct CallbackSettings {
    /// Which addresses receivers may stand on.
    pub reach: Reach,
    /// Time for a receiver's answer.
    pub timeout: Duration,
    /// Tries after the first one.
    pub retries: u32,
    /// Time from one try to the next.
    pub retry_every: Duration,
    /// Requests under way to one receiver.
    pub per_receiver: usize,
    /// Requests under way in all.
    pub in_all: usize,
    /// Events that wait for one template; beyond it the oldest are given up.
    pub backlog: u64,
}

impl Default for CallbackSettings {
    fn default() -> Self {
        Self {
            reach: Reach::default(),
            timeout: Duration::from_secs(20),
            retries: 12,
            retry_every: Duration::from_secs(60),
            per_receiver: 8,
            in_all: 128,
            backlog: 10_000,
        }
    }
}
