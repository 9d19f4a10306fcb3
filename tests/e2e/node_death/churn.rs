//! Clients that come and go without end, and keep a log of their own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use crate::support::clock::wall;
use crate::support::pusher::{NotLive, Pusher};

/// Clients at once.
const CLIENTS: u64 = 8;

/// One accepted publish, as its client saw it.
#[derive(Debug)]
pub struct Life {
    pub stream: String,
    /// How and when the client ended it; `None` if it was live when the server went.
    pub ended: Option<(Ended, Instant)>,
}

/// How a client ended its push.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    DeleteStream,
    EndOfFile,
    Reset,
}

/// The clients of one round.
#[derive(Debug)]
pub struct Churn {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Life>>>,
}

impl Churn {
    /// Starts them.
    pub fn start(address: SocketAddr, round: u64, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |number: u64| {
            let (stop, dice) = (stop.clone(), Dice(seed ^ (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            thread::spawn(move || come_and_go(address, &format!("r{round}-c{number}"), dice, &stop))
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { stop, clients }
    }

    /// Waits until all have noticed that the server is gone; what they did.
    pub fn stop(self) -> Vec<Life> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    }
}

fn come_and_go(address: SocketAddr, prefix: &str, mut dice: Dice, stop: &AtomicBool) -> Vec<Life> {
    let mut lives = Vec::new();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let stream = format!("{prefix}-{number}");
        match Pusher::push(address, &stream) {
            Ok(pusher) => {
                let ended = live(pusher, &mut dice).ok();
                lives.push(Life { stream, ended });
            }
            Err(NotLive::Lost(_)) => sleep(Duration::from_millis(20)),
            Err(NotLive::Refused(told)) => panic!("{stream} was refused: {told:?}"),
        }
    }
    lives
}

fn live(mut pusher: Pusher, dice: &mut Dice) -> io::Result<(Ended, Instant)> {
    for _ in 0..dice.next() % 8 {
        pusher.send_media(1_500)?;
        sleep(Duration::from_millis(dice.next() % 40));
        if pusher.answer() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(match dice.next() % 3 {
        0 => (Ended::DeleteStream, pusher.delete_stream()?),
        1 => (Ended::EndOfFile, pusher.end_of_file()?),
        _ => (Ended::Reset, pusher.reset()?),
    })
}

/// Numbers without order (xorshift64).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Seeded by the time.
    pub fn new() -> Self {
        Self(wall().millis().unsigned_abs() | 1)
    }

    /// Seeded by a number.
    #[cfg(all(feature = "cluster", feature = "postgres"))]
    pub fn seeded(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
