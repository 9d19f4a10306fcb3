//! Proofs for an ACME authority that this server answers for a name: HTTP-01 (RFC 8555, 8.3), on every listener.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::state::WebState;

/// What an authority is answered, and what came of it. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Challenges(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    answers: Mutex<HashMap<String, String>>,
    issued: AtomicU64,
    failed: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Challenges {
    /// Answers with this key authorization where the authority asks for `token`.
    pub fn answer(&self, token: &str, key_authorization: &str) {
        lock(&self.0.answers).insert(token.to_owned(), key_authorization.to_owned());
    }

    /// Answers nothing any more: an order is over.
    pub fn clear(&self) {
        lock(&self.0.answers).clear();
    }

    /// Notes how an order came out: why it failed, or that it did not.
    pub fn note(&self, failed: Option<String>) {
        let counter = if failed.is_some() { &self.0.failed } else { &self.0.issued };
        counter.fetch_add(1, Ordering::Relaxed);
        *lock(&self.0.last_error) = failed;
    }

    /// Orders that gave a certificate, and orders that failed.
    pub(crate) fn orders(&self) -> (u64, u64) {
        (self.0.issued.load(Ordering::Relaxed), self.0.failed.load(Ordering::Relaxed))
    }

    /// Why the last order failed; `None` where it did not.
    pub(crate) fn last_error(&self) -> Option<String> {
        lock(&self.0.last_error).clone()
    }
}

/// `GET /.well-known/acme-challenge/{token}`.
pub(crate) async fn answer(State(state): State<WebState>, Path(token): Path<String>) -> Response {
    let found = lock(&state.challenges().0.answers).get(&token).cloned();
    match found {
        Some(answer) => ([(header::CONTENT_TYPE, "application/octet-stream")], answer).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
