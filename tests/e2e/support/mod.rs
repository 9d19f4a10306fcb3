//! What the scenarios share: a server of their own, clients that push to it, and eyes to look at what it kept.

#[cfg(all(feature = "cluster", feature = "postgres"))]
pub mod authority;
pub mod axe;
pub mod balancer;
pub mod browser;
pub mod clock;
pub mod encoder;
pub mod fleet;
pub mod hook;
pub mod http;
pub mod media;
pub mod namespace;
#[cfg(feature = "cluster")]
pub mod nats;
#[cfg(all(feature = "cluster", feature = "postgres"))]
pub mod nats_account;
pub mod nginx;
pub mod players;
pub mod playlist;
pub mod ports;
#[cfg(feature = "postgres")]
#[path = "../../../crates/store/tests/common/postgres.rs"]
pub mod postgres;
pub mod pusher;
pub mod receiver;
pub mod rights;
pub mod screens;
pub mod sdk;
pub mod server;
pub mod setup;
pub mod signal;
#[cfg(all(feature = "cluster", feature = "postgres"))]
pub mod site;
pub mod srt_caller;
pub mod tls_front;
pub mod tls_tunnel;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by scenarios that need the machine for themselves, because they time something or push by the hundred.
static HEAVY: Mutex<()> = Mutex::new(());

/// Waits for the other heavy scenarios.
pub fn alone() -> MutexGuard<'static, ()> {
    HEAVY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the long forms of the scenarios were asked for.
pub fn long() -> bool {
    std::env::var_os("LASTFRAME_LONG").is_some_and(|value| value == "1")
}
