//! `/healthz` and `/readyz`, for those who restart and route.

use axum::extract::State;
use axum::http::StatusCode;
use live::DrainPhase;

use crate::state::WebState;

/// The process answers.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// The process can take pushes: it is not stopping or draining, the journal can be written and the catalog is loaded.
///
/// A database of all nodes is named, but decides nothing: records wait in the data folder while it is away.
pub async fn ready(State(state): State<WebState>) -> (StatusCode, String) {
    if state.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    if state.live().drain_state().phase != DrainPhase::Open {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
    }
    if !state.journal().writable() {
        return (StatusCode::SERVICE_UNAVAILABLE, "journal not writable\n".to_owned());
    }
    if state.catalog().domains.is_empty() {
        return (StatusCode::SERVICE_UNAVAILABLE, "catalog empty\n".to_owned());
    }
    let database = match state.journal().shipping() {
        None => String::new(),
        Some(shipping) if shipping.connected => {
            format!("database: connected, {} records wait\n", shipping.waiting)
        }
        Some(shipping) => format!("database: away, {} records wait\n", shipping.waiting),
    };
    let registry = match state.live().registry_is_connected() {
        None => "",
        Some(true) => "cluster: connected\n",
        Some(false) => "cluster: away, new pushes are refused\n",
    };
    (StatusCode::OK, format!("ready\n{database}{registry}"))
}
