//! Many pushes at once, kept alive by one thread.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::pusher::Pusher;

/// Pushes that send a frame each, five times a second, until the fleet is dropped or the server goes.
pub struct Fleet {
    stop: Arc<AtomicBool>,
    frames: Option<JoinHandle<()>>,
    pushers: Arc<Mutex<Vec<Pusher>>>,
}

/// Bytes of each frame.
const FRAME: usize = 2_000;

impl Fleet {
    /// Publishes `count` streams, each accepted before the next.
    ///
    /// # Panics
    /// When one is refused.
    pub fn publish(address: SocketAddr, prefix: &str, count: usize) -> Self {
        let pushers: Arc<Mutex<Vec<Pusher>>> = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let frames = thread::spawn({
            let (pushers, stop) = (pushers.clone(), stop.clone());
            move || send(&pushers, &stop)
        });
        for stream in (0..count).map(|i| format!("{prefix}-{i}")) {
            let pusher = Pusher::push(address, &stream).unwrap_or_else(|why| panic!("{stream}: {why:?}"));
            pushers.lock().unwrap_or_else(PoisonError::into_inner).push(pusher);
        }
        Self { stop, frames: Some(frames), pushers }
    }

    /// All pushes leave at once with deleteStream.
    pub fn leave(mut self) {
        self.halt();
        let pushers: Vec<_> = self.pushers.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        let mut leaving = Vec::new();
        for pusher in pushers {
            leaving.push(thread::spawn(|| pusher.delete_stream().unwrap()));
        }
        for thread in leaving {
            thread.join().unwrap();
        }
    }

    fn halt(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.frames.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.halt();
    }
}

fn send(pushers: &Mutex<Vec<Pusher>>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        for pusher in pushers.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            // A server that was killed ends this one's part, and that is what is tested.
            let _ = pusher.send_media(FRAME);
            pusher.answer();
        }
        thread::sleep(Duration::from_millis(200));
    }
}
