//! What happens, as it happens: server-sent events that tell open pages to look again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::frame::Frame;
use crate::actions::Scope;
use crate::state::WebState;

/// Pages that listen at once; those above it look now and then instead.
const MAX_LISTENERS: usize = 200;
/// A page that went away without a word is noticed by this.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// After this time the page asks anew, and is asked whether it is still signed in.
const LIFETIME: Duration = Duration::from_secs(600);
/// At most so many notices a second: a page looks again as a whole.
const EVERY: Duration = Duration::from_millis(250);

/// Places of listening pages.
#[derive(Clone)]
pub struct Listeners(Arc<Semaphore>);

impl Default for Listeners {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_LISTENERS)))
    }
}

/// The feed. It says that records came, not which: pages know what they show.
pub(super) async fn listen(f: Frame, State(state): State<WebState>) -> Response {
    if f.session.is_none() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(place) = Arc::clone(&state.listeners().0).try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let records = state.journal().subscribe();
    let until = tokio::time::Instant::now() + LIFETIME;
    let feed = Feed { records, scope: f.scope(), until, _place: place };
    let events = stream::unfold(feed, |mut feed| async move {
        let came = tokio::time::timeout_at(feed.until, feed.came()).await;
        match came {
            Ok(true) => Some((Ok::<_, Infallible>(Event::default().event("record").data("1")), feed)),
            Ok(false) | Err(_) => None,
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

struct Feed {
    records: tokio::sync::broadcast::Receiver<Arc<model::Record>>,
    scope: Scope,
    until: tokio::time::Instant,
    _place: OwnedSemaphorePermit,
}

impl Feed {
    /// Waits for records that the listener may see; false once there will be none.
    async fn came(&mut self) -> bool {
        loop {
            match self.records.recv().await {
                // Others do not even learn that something ended somewhere.
                Ok(record) if !self.scope.covers(record.account) => {}
                Ok(_) | Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return false,
            }
        }
        // What comes on its heels is told with it.
        tokio::time::sleep(EVERY).await;
        while !matches!(
            self.records.try_recv(),
            Err(tokio::sync::broadcast::error::TryRecvError::Empty
                | tokio::sync::broadcast::error::TryRecvError::Closed)
        ) {}
        true
    }
}
