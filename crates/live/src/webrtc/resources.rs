//! Sessions by the name of their HTTP resource (RFC 9725, 4.2). The name cannot be guessed, so whoever knows it may end the
//! session. Those that have ended are remembered for a while, with why.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::Code;
use tokio::sync::mpsc;

/// Ended sessions that are remembered.
const REMEMBERED: usize = 4096;
/// For how long.
const REMEMBERED_FOR: Duration = Duration::from_secs(300);
/// What a session has not yet looked at of what its resource was told.
const WAITING: usize = 4;

/// Which side of the product a resource belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// A push.
    Whip,
    /// A viewer.
    Whep,
}

/// Why a resource cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceError {
    /// There is none of this name, and was none lately.
    #[error("there is no such session")]
    Unknown,
    /// It has ended.
    #[error("the session has ended: {text}")]
    Ended {
        /// The push's cause; `None` for a viewer.
        code: Option<Code>,
        /// What the client was told, or is told now.
        text: String,
    },
    /// The request is about an earlier state of the session.
    #[error("the session is not in the state that If-Match names")]
    Mismatch,
    /// ICE would have to start anew.
    #[error("this server does not restart ICE: start a new session")]
    Restart,
}

/// What a session is told by its resource.
#[derive(Debug)]
pub(crate) enum Told {
    /// DELETE.
    Delete,
}

#[derive(Debug)]
enum Entry {
    Open { kind: ResourceKind, told: mpsc::Sender<Told>, tag: String, client_fragment: Option<String> },
    Ended { kind: ResourceKind, at: Instant, code: Option<Code>, text: String },
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<String, Entry>,
    ended: VecDeque<String>,
}

/// All resources of the node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources(Arc<Mutex<State>>);

/// A session's own resource; without a word of why, it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Resource {
    all: Resources,
    id: String,
    told: mpsc::Receiver<Told>,
}

impl Resources {
    /// A new resource. `None` without randomness.
    pub(crate) fn open(
        &self,
        kind: ResourceKind,
        tag: &str,
        client_fragment: Option<&str>,
    ) -> Option<Resource> {
        let mut random = [0u8; 16];
        getrandom::fill(&mut random).ok()?;
        let id = hex::encode(random);
        let (told, receiver) = mpsc::channel(WAITING);
        let client_fragment = client_fragment.map(str::to_owned);
        let entry = Entry::Open { kind, told, tag: tag.to_owned(), client_fragment };
        self.lock().entries.insert(id.clone(), entry);
        Some(Resource { all: self.clone(), id, told: receiver })
    }

    /// DELETE: the session ends.
    pub(crate) fn delete(&self, kind: ResourceKind, id: &str) -> Result<(), ResourceError> {
        match self.lock().entries.get(id) {
            Some(Entry::Open { kind: of, told, .. }) if *of == kind => {
                // A session that has been told already is on its way out.
                let _ = told.try_send(Told::Delete);
                Ok(())
            }
            entry => Err(missing(kind, entry)),
        }
    }

    /// PATCH: candidates of the client's. The server answers checks and makes none (RFC 8445, 2.5), so it need not know
    /// them; what it cannot do is start ICE anew.
    pub(crate) fn trickle(
        &self,
        kind: ResourceKind,
        id: &str,
        if_match: Option<&str>,
        fragment: Option<&str>,
    ) -> Result<(), ResourceError> {
        match self.lock().entries.get(id) {
            Some(Entry::Open { kind: of, tag, client_fragment, .. }) if *of == kind => {
                let wanted = if_match.map(|tag| tag.trim().trim_matches('"'));
                if wanted.is_some_and(|wanted| wanted != "*" && wanted != tag) {
                    return Err(ResourceError::Mismatch);
                }
                match (fragment, client_fragment) {
                    (Some(named), Some(known)) if named != known => Err(ResourceError::Restart),
                    _ => Ok(()),
                }
            }
            entry => Err(missing(kind, entry)),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing(kind: ResourceKind, entry: Option<&Entry>) -> ResourceError {
    match entry {
        Some(Entry::Ended { kind: of, code, text, .. }) if *of == kind => {
            ResourceError::Ended { code: *code, text: text.clone() }
        }
        _ => ResourceError::Unknown,
    }
}

impl Resource {
    /// Its name.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What it was told.
    pub(crate) fn poll_told(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Told> {
        match self.told.poll_recv(cx) {
            std::task::Poll::Ready(Some(told)) => std::task::Poll::Ready(told),
            _ => std::task::Poll::Pending,
        }
    }

    /// The session has ended; whoever asks for it is told so from now on.
    pub(crate) fn ended(self, now: Instant, code: Option<Code>, text: String) {
        let mut state = self.all.lock();
        let Some(Entry::Open { kind, .. }) = state.entries.get(&self.id) else { return };
        let entry = Entry::Ended { kind: *kind, at: now, code, text };
        state.entries.insert(self.id.clone(), entry);
        state.ended.push_back(self.id.clone());
        while let Some(oldest) = state.ended.front() {
            let old = match state.entries.get(oldest) {
                Some(Entry::Ended { at, .. }) => now.saturating_duration_since(*at) > REMEMBERED_FOR,
                _ => true,
            };
            if !old && state.ended.len() <= REMEMBERED {
                break;
            }
            if let Some(oldest) = state.ended.pop_front() {
                state.entries.remove(&oldest);
            }
        }
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        let mut state = self.all.lock();
        if matches!(state.entries.get(&self.id), Some(Entry::Open { .. })) {
            state.entries.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    #[test]
    fn a_session_is_told_of_delete_and_says_why_it_ended() {
        let all = Resources::default();
        let mut resource = all.open(ResourceKind::Whip, "tag", Some("client")).unwrap();
        let id = resource.id().to_owned();
        assert_eq!(all.delete(ResourceKind::Whep, &id), Err(ResourceError::Unknown), "of the other kind");
        assert_eq!(all.delete(ResourceKind::Whip, &id), Ok(()));
        assert!(matches!(resource.told.try_recv(), Ok(Told::Delete)));
        let code = Some(Code::new(35, 0));
        resource.ended(SystemClock.instant(), code, "bye".to_owned());
        let ended = ResourceError::Ended { code, text: "bye".to_owned() };
        assert_eq!(all.delete(ResourceKind::Whip, &id), Err(ended));
    }

    #[test]
    fn candidates_are_taken_and_a_restart_is_not() {
        let all = Resources::default();
        let resource = all.open(ResourceKind::Whip, "tag", Some("client")).unwrap();
        let trickle = |tag, fragment| all.trickle(ResourceKind::Whip, resource.id(), tag, fragment);
        assert_eq!(trickle(Some("\"tag\""), Some("client")), Ok(()));
        assert_eq!(trickle(None, None), Ok(()));
        assert_eq!(trickle(Some("\"other\""), None), Err(ResourceError::Mismatch));
        assert_eq!(trickle(Some("*"), Some("another")), Err(ResourceError::Restart));
    }

    #[test]
    fn ended_sessions_are_forgotten_in_time() {
        let all = Resources::default();
        let first = all.open(ResourceKind::Whep, "", None).unwrap();
        let (id, now) = (first.id().to_owned(), SystemClock.instant());
        first.ended(now, None, String::new());
        let later = all.open(ResourceKind::Whep, "", None).unwrap();
        later.ended(now + REMEMBERED_FOR * 2, None, String::new());
        assert_eq!(all.delete(ResourceKind::Whep, &id), Err(ResourceError::Unknown));
        assert_eq!(all.lock().entries.len(), 1);
    }
}
