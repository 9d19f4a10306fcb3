//! Moves packets between two TUN devices, by way of a [`Pipe`] in each direction.

use std::fs::File;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::{Clock, SystemClock};

use super::conditions::Conditions;
use super::pipe::Pipe;
use super::sys;

/// More than any packet: the devices' MTU is 1500.
const LARGEST_PACKET: usize = 4096;

/// What the relay does to packets, each way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Path {
    /// From the client.
    pub up: Conditions,
    /// To the client.
    pub down: Conditions,
}

/// A running relay. It ends with the value, and its devices with it.
#[derive(Debug)]
pub(super) struct Relay {
    wanted: Arc<Mutex<Wanted>>,
    wake: PipeWriter,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Wanted {
    path: Path,
    changed: bool,
    over: bool,
}

impl Relay {
    /// Starts one between the client's device and this host's.
    pub(super) fn start(client: File, host: File, path: Path) -> std::io::Result<Self> {
        let wanted = Arc::new(Mutex::new(Wanted { path, changed: false, over: false }));
        let (woken, wake) = std::io::pipe()?;
        let mover = Mover {
            started: SystemClock.instant(),
            wanted: Arc::clone(&wanted),
            woken,
            up: Pipe::new(path.up, 1),
            down: Pipe::new(path.down, 2),
            client,
            host,
        };
        let thread = std::thread::Builder::new().name("relay".to_owned()).spawn(move || mover.run())?;
        Ok(Self { wanted, wake, thread: Some(thread) })
    }

    /// What the path does now.
    pub(super) fn path(&self) -> Path {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).path
    }

    /// Changes what the path does.
    pub(super) fn change(&self, change: impl FnOnce(&mut Path)) {
        {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut wanted.path);
            wanted.changed = true;
        }
        self.wake();
    }

    fn wake(&self) {
        // A pipe that is full wakes as well.
        let _ = (&self.wake).write(&[1]);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread's own.
struct Mover {
    started: Instant,
    wanted: Arc<Mutex<Wanted>>,
    woken: PipeReader,
    up: Pipe,
    down: Pipe,
    client: File,
    host: File,
}

impl Mover {
    fn run(mut self) {
        let mut packet = vec![0; LARGEST_PACKET];
        while self.obey() {
            let now = self.now();
            deliver(&mut self.up, now, &self.host);
            deliver(&mut self.down, now, &self.client);
            let due = self.up.next_due().into_iter().chain(self.down.next_due()).min();
            let timeout = due.map(|due| due.saturating_sub(now));
            let files = [self.client.as_fd(), self.host.as_fd(), self.woken.as_fd()];
            let Ok([from_client, from_host, woken]) = sys::readable(files, timeout) else { return };
            let now = self.now();
            if from_client {
                take(&mut self.up, now, &self.client, &mut packet);
            }
            if from_host {
                take(&mut self.down, now, &self.host, &mut packet);
            }
            if woken {
                let _ = (&self.woken).read(&mut packet);
            }
        }
    }

    fn now(&self) -> Duration {
        SystemClock.instant().saturating_duration_since(self.started)
    }

    /// Takes over what is wanted; false at the end.
    fn obey(&mut self) -> bool {
        let (path, changed) = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            if wanted.over {
                return false;
            }
            (wanted.path, std::mem::take(&mut wanted.changed))
        };
        if changed {
            let now = self.now();
            self.up.change(now, path.up);
            self.down.change(now, path.down);
        }
        true
    }
}

/// Takes in what has left by a device.
fn take(pipe: &mut Pipe, now: Duration, mut from: &File, packet: &mut [u8]) {
    /// So that the other direction is not kept waiting.
    const AT_ONCE: usize = 64;
    for _ in 0..AT_ONCE {
        match from.read(packet) {
            Ok(length) => pipe.push(now, packet.get(..length).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Nothing more for now, or the device is down.
            Err(_) => return,
        }
    }
}

/// Gives to a device what has come out. What it does not take, such as while it is down, is lost.
fn deliver(pipe: &mut Pipe, now: Duration, mut to: &File) {
    while let Some(packet) = pipe.pop(now) {
        let _ = to.write(&packet);
    }
}
