//! HLS and low-latency HLS: a packager per live stream that somebody asks for, and the requests of players.
//!
//! | file | what lives there |
//! |---|---|
//! | `stream` | one packaged stream: what can be played now, and waiting for more |
//! | `task` | the task that feeds its packager from the hub |
//! | `session` | players, who have no connection of their own |
//! | `request` | what players ask for |
//! | `error` | why they do not get it |
//!
//! Packaging begins at the first request and stops when nobody has asked for a while, unless the configuration wants it
//! always. Segments and parts lie in memory, once for all players.

mod error;
mod request;
mod session;
mod stream;
mod task;
#[cfg(test)]
mod tests;

pub use self::error::HlsError;
pub use self::request::{File, Opened, Reload};
/// A playlist as it goes over the wire.
pub use media::hls::Text;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::hls::Settings;
use model::{Clock, StreamKey};

use self::session::Sessions;
use self::stream::Stream;
use crate::config::{HlsConfig, HlsMode};
use crate::hub::Hub;
use crate::hub::feed::{ViewerInfo, ViewerKind};

/// All packaged streams of this node and their players.
pub struct Hls {
    config: HlsConfig,
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
    /// Locked when a player opens a stream and when packaging ends.
    streams: Mutex<HashMap<StreamKey, Arc<Stream>>>,
    sessions: Sessions,
    /// Bytes in segments and parts of all streams.
    held: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Hls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hls").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Hls {
    pub(crate) fn new(config: HlsConfig, hub: Arc<Hub>, clock: Arc<dyn Clock>) -> Self {
        let (streams, sessions) = (Mutex::default(), Sessions::default());
        Self { config, hub, clock, streams, sessions, held: Arc::default() }
    }

    /// Bytes that segments and parts take on this node.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// How many streams are being packaged.
    pub fn packaged(&self) -> usize {
        self.lock().len()
    }

    /// Lets go of players that are gone, and packages what is always to be packaged; called now and then.
    pub(crate) fn sweep(self: &Arc<Self>) {
        self.sessions.sweep(self.clock.instant());
        if self.config.mode == HlsMode::Always {
            for key in self.hub.live_keys() {
                // A stream that ended just now is no matter.
                let _ = self.stream(&key);
            }
        }
    }

    /// The packaged stream; packaging begins where it has not.
    fn stream(self: &Arc<Self>, key: &StreamKey) -> Result<Arc<Stream>, HlsError> {
        if self.config.mode == HlsMode::Off {
            return Err(HlsError::Off);
        }
        let mut streams = self.lock();
        if let Some(stream) = streams.get(key) {
            return Ok(stream.clone());
        }
        if self.held() > self.config.memory {
            return Err(HlsError::Full);
        }
        let client = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let info = ViewerInfo { kind: ViewerKind::Packager, client, since: self.clock.now() };
        let viewer = self.hub.watch(key, info)?;
        let stream = Arc::new(Stream::new(key.clone(), self.clock.instant(), self.held.clone()));
        streams.insert(key.clone(), stream.clone());
        drop(streams);
        tokio::spawn(task::run(self.clone(), stream.clone(), viewer));
        Ok(stream)
    }

    fn remove(&self, stream: &Arc<Stream>) {
        let mut streams = self.lock();
        if streams.get(&stream.key).is_some_and(|known| Arc::ptr_eq(known, stream)) {
            streams.remove(&stream.key);
        }
    }

    /// Bytes that one stream may hold: its limit, or an equal part of the node's budget once that is spent.
    fn fair_share(&self) -> usize {
        if self.held() <= self.config.memory {
            return self.config.stream_memory;
        }
        self.config.stream_memory.min(self.config.memory / self.packaged().max(1))
    }

    fn settings(&self) -> Settings {
        let HlsConfig { part, segment, stream_memory, .. } = self.config;
        Settings { part, segment, max_bytes: stream_memory }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamKey, Arc<Stream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
