//! Controls: programs that do the least that a server of their kind can do, to compare servers with.
//!
//! Both speak RTMP as far as a client insists on it. `sink` then reads and forgets. `fanout` writes what publishers
//! send to everybody who plays, one write a frame and player, or one write a player each so many milliseconds, and looks
//! at nothing but where messages end.

mod fanout;
mod reception;
mod sink;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// When the fanout writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// At once: one write for each message and player.
    Frame,
    /// One write a player for all that has come in this time.
    Time(Duration),
}

/// Accepts pushes at `listen`, and reads and forgets them, for ever.
///
/// # Errors
/// What the system said when it would not go on.
pub fn sink(listen: SocketAddr) -> io::Result<()> {
    sink::run(listen)
}

/// Accepts pushes and plays at `listen`, and writes what is pushed to all who play the same name, for ever.
///
/// # Errors
/// As [`sink`].
pub fn fanout(listen: SocketAddr, every: Every) -> io::Result<()> {
    fanout::run(listen, every)
}
