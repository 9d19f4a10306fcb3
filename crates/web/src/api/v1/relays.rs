//! `GET /relays`: which live streams are passed on to where.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Caller;
use crate::state::WebState;

/// The relays of streams that the caller may see, by name and stream.
pub async fn list(caller: Caller, State(state): State<WebState>) -> Json<Value> {
    let mut relays = state.live().relays();
    relays.retain(|relay| caller.scope.covers(Some(relay.account)));
    Json(json!({ "relays": relays }))
}
