//! `GET /pushes`: who is live.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Caller;
use super::streams::answer;
use crate::state::WebState;

/// The live pushes that the caller may see, tests among them, oldest first.
pub async fn list(caller: Caller, State(state): State<WebState>) -> Json<Value> {
    let all = state.pushes_everywhere(caller.scope).await;
    let mut pushes = all.outcome;
    pushes.extend(state.test_pushes(caller.scope));
    pushes.sort_by_key(|push| push.id);
    Json(answer(json!({ "pushes": pushes }), &all.silent))
}
