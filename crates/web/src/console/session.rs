//! Who is signed in. Sessions live in memory: a restart signs everybody out, and nothing on disk can be stolen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::Clock;
use model::catalog::Role;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::note::{GOOD_FOR, Note, Waiting};
use crate::actions::Scope;

/// The session's cookie.
pub const COOKIE: &str = "lastframe_session";
/// A session ends this long after sign-in.
pub const LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// Sessions kept at once; above it the oldest goes.
const MAX_SESSIONS: usize = 1_000;

type Key = [u8; 32];

/// A signed-in user.
#[derive(Clone, Debug)]
pub struct Session {
    /// Name of the user.
    pub user: String,
    /// What the user may do.
    pub role: Role,
    /// Whose things the user may see and act on.
    pub scope: Scope,
    /// The token that every form of this session carries.
    pub csrf: String,
    until: Instant,
    note: Arc<Mutex<Option<Waiting>>>,
}

impl Session {
    /// Leaves a note for the page at `path`. A note that was there goes.
    pub fn leave(&self, path: &str, note: Note, now: Instant) {
        *self.note() = Some(Waiting { at: path.to_owned(), note, since: now });
    }

    /// Takes the note for the page at `path`.
    pub fn take(&self, path: &str, now: Instant) -> Option<Note> {
        let mut note = self.note();
        let good = |w: &Waiting| w.at == path && now.saturating_duration_since(w.since) < GOOD_FOR;
        if note.as_ref().is_some_and(good) { note.take().map(|w| w.note) } else { None }
    }

    fn note(&self) -> std::sync::MutexGuard<'_, Option<Waiting>> {
        self.note.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All sessions.
pub struct Sessions {
    clock: Arc<dyn Clock>,
    open: Mutex<HashMap<Key, Session>>,
}

/// Randomness of the system could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoRandomness(getrandom::Error);

impl Sessions {
    /// No sessions yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, open: Mutex::new(HashMap::new()) }
    }

    /// Opens a session; gives the cookie's value. Only its digest is kept.
    pub fn open(&self, user: String, role: Role, scope: Scope) -> Result<String, NoRandomness> {
        let token = token()?;
        let session = Session {
            user,
            role,
            scope,
            csrf: self::token()?,
            until: self.clock.instant() + LIFETIME,
            note: Arc::default(),
        };
        let now = self.clock.instant();
        let mut open = self.lock();
        if open.len() >= MAX_SESSIONS {
            open.retain(|_, s| s.until > now);
        }
        if open.len() >= MAX_SESSIONS
            && let Some(oldest) = open.iter().min_by_key(|(_, s)| s.until).map(|(key, _)| *key)
        {
            open.remove(&oldest);
        }
        open.insert(digest(&token), session);
        Ok(token)
    }

    /// The session that a cookie's value opens.
    pub fn find(&self, token: &str) -> Option<Session> {
        let now = self.clock.instant();
        self.lock().get(&digest(token)).filter(|s| s.until > now).cloned()
    }

    /// Ends the sessions of a user, but that of the cookie's value `keep`.
    pub fn close_all(&self, user: &str, keep: Option<&str>) {
        let keep = keep.map(digest);
        self.lock().retain(|key, session| session.user != user || Some(*key) == keep);
    }

    /// Ends a session.
    pub fn close(&self, token: &str) {
        self.lock().remove(&digest(token));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 256 random bits as text.
pub fn token() -> Result<String, NoRandomness> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(hex::encode(bytes))
}

/// Whether two tokens are the same, in a time that does not tell where they differ. Empty ones never are.
pub fn same(a: &str, b: &str) -> bool {
    !a.is_empty() && digest(a).ct_eq(&digest(b)).into()
}

fn digest(token: &str) -> Key {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use model::clock::ManualClock;

    use super::*;

    #[test]
    fn a_session_lives_until_its_time_or_its_end() {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let sessions = Sessions::new(clock.clone());
        let first = sessions.open("admin".into(), Role::Admin, Scope::All).unwrap();
        let second = sessions.open("admin".into(), Role::Admin, Scope::All).unwrap();
        assert_ne!(sessions.find(&first).unwrap().csrf, sessions.find(&second).unwrap().csrf);
        sessions.close(&first);
        assert!(sessions.find(&first).is_none());
        assert!(sessions.find("").is_none());
        clock.advance(LIFETIME);
        assert!(sessions.find(&second).is_none());
    }

    #[test]
    fn a_new_password_ends_the_other_sessions_of_that_user_alone() {
        let sessions = Sessions::new(Arc::new(ManualClock::new(Timestamp(0))));
        let open = |user: &str| sessions.open(user.into(), Role::Admin, Scope::All).unwrap();
        let (here, elsewhere, somebody) = (open("a"), open("a"), open("b"));
        sessions.close_all("a", Some(&here));
        assert!(sessions.find(&here).is_some() && sessions.find(&somebody).is_some());
        assert!(sessions.find(&elsewhere).is_none());
    }

    #[test]
    fn a_note_is_read_once_on_its_own_page_and_does_not_wait_for_ever() {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let sessions = Sessions::new(clock.clone());
        let token = sessions.open("a".into(), Role::Admin, Scope::All).unwrap();
        let session = sessions.find(&token).unwrap();
        session.leave("/domains/d", Note::done("SECRET".into()), clock.instant());
        assert!(session.take("/domains", clock.instant()).is_none());
        assert!(sessions.find(&token).unwrap().take("/domains/d", clock.instant()).is_some());
        assert!(session.take("/domains/d", clock.instant()).is_none());
        session.leave("/domains/d", Note::done("SECRET".into()), clock.instant());
        clock.advance(GOOD_FOR);
        assert!(session.take("/domains/d", clock.instant()).is_none());
    }

    #[test]
    fn the_number_of_sessions_is_bounded() {
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let sessions = Sessions::new(clock.clone());
        let first = sessions.open("admin".into(), Role::Admin, Scope::All).unwrap();
        clock.advance(Duration::from_secs(1));
        for _ in 0..MAX_SESSIONS {
            sessions.open("admin".into(), Role::Admin, Scope::All).unwrap();
        }
        assert!(sessions.find(&first).is_none());
        assert_eq!(sessions.lock().len(), MAX_SESSIONS);
    }
}
