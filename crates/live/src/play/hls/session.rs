//! HLS players have no connection of their own: a session is what stands for one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::error::HlsError;
use super::stream::Stream;
use crate::hub::feed::Seat;

/// A player that has asked for nothing for this long is gone. Players ask at least once a target duration, which is ten
/// seconds at most.
pub(super) const IDLE: Duration = Duration::from_secs(30);
/// How long what is left of a stream that ended can be played.
const AFTER_END: Duration = Duration::from_secs(60);
/// Sessions at once on this node; each takes some hundred bytes.
const AT_MOST: usize = 100_000;

/// One player.
#[derive(Debug)]
pub(super) struct Session {
    pub stream: Arc<Stream>,
    /// Its place among the viewers.
    pub seat: Seat,
    began: Instant,
    /// Milliseconds from `began` to the newest request.
    seen: AtomicU64,
}

impl Session {
    fn see(&self, now: Instant) {
        let seen = now.saturating_duration_since(self.began).as_millis();
        self.seen.fetch_max(u64::try_from(seen).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.stream.ask(now);
    }

    fn is_over(&self, now: Instant) -> bool {
        let seen = Duration::from_millis(self.seen.load(Ordering::Relaxed));
        let idle = now.saturating_duration_since(self.began).saturating_sub(seen);
        idle > IDLE || self.stream.over_for(now).is_some_and(|over| over > AFTER_END)
    }
}

/// All sessions of the node by token. Written when a player comes or goes, read at each request.
#[derive(Debug, Default)]
pub(super) struct Sessions(RwLock<HashMap<u128, Arc<Session>>>);

impl Sessions {
    /// Opens a session; its token cannot be guessed, because it opens what a signature may have had to open.
    pub fn open(&self, stream: &Arc<Stream>, seat: Seat, now: Instant) -> Result<String, HlsError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| HlsError::Full)?;
        let token = u128::from_be_bytes(bytes);
        stream.ask(now);
        let session = Session { stream: stream.clone(), seat, began: now, seen: AtomicU64::new(0) };
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= AT_MOST {
            return Err(HlsError::Full);
        }
        all.insert(token, Arc::new(session));
        Ok(format!("{token:032x}"))
    }

    /// The session behind a token, which goes on with this.
    pub fn find(&self, token: &str, now: Instant) -> Result<Arc<Session>, HlsError> {
        let number = u128::from_str_radix(token, 16).map_err(|_| HlsError::NoSession)?;
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let session = all.get(&number).cloned().ok_or(HlsError::NoSession)?;
        drop(all);
        session.see(now);
        Ok(session)
    }

    /// Ends the sessions of players that are gone.
    pub fn sweep(&self, now: Instant) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let over = all.extract_if(|_, session| session.is_over(now)).collect::<Vec<_>>();
        drop(all);
        // Leaving takes locks of the streams, which must not be waited for with the sessions locked.
        drop(over);
    }
}
