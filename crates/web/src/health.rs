//! `/healthz` and `/readyz`, for those who restart and route.

use axum::extract::State;
use axum::http::StatusCode;

use crate::state::WebState;

/// The process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The process can take pushes: the journal can be written and the catalog is loaded.
pub async fn ready(State(state): State<WebState>) -> (StatusCode, &'static str) {
    if !state.journal().writable() {
        return (StatusCode::SERVICE_UNAVAILABLE, "journal not writable\n");
    }
    if state.catalog().domains.is_empty() {
        return (StatusCode::SERVICE_UNAVAILABLE, "catalog empty\n");
    }
    (StatusCode::OK, "ready\n")
}
