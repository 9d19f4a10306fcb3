//! `GET /cluster`: which nodes are there, and which of their streams this one fetches.

use axum::Json;
use axum::extract::State;
use model::catalog::Role;
use serde_json::{Value, json};

use super::Caller;
use crate::problem::Problem;

use crate::state::WebState;

/// The nodes, this one first; none where it stands alone.
pub async fn list(caller: Caller, State(state): State<WebState>) -> Result<Json<Value>, Problem> {
    caller.require(Role::Viewer)?;
    let live = state.live();
    let (mut pulls, mut ended) = live.pulls();
    let catalog = state.catalog();
    pulls.retain(|pull| caller.scope.has(&catalog, &pull.domain));
    ended.retain(|ended| caller.scope.has(&catalog, &ended.pull.domain));
    Ok(Json(json!({
        "connected": live.registry_is_connected(),
        "nodes": live.nodes(),
        "pulls": pulls,
        "ended_pulls": ended,
    })))
}
