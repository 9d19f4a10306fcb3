//! `POST /streams/drop`, `/streams/forbid`, `/streams/resume`, `/streams/switch`; `GET /streams/forbidden`.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use live::Switched;
use model::catalog::Role;
use model::{Sequence, StreamKey, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Caller;
use crate::actions;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamBody {
    domain: String,
    app: String,
    stream: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForbidBody {
    domain: String,
    app: String,
    stream: String,
    #[serde(default)]
    until: Option<Timestamp>,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchBody {
    domain: String,
    app: String,
    stream: String,
    /// The push that is to carry the stream; the next backup where it is left out.
    #[serde(default)]
    sequence: Option<Sequence>,
}

type Body<T> = Result<Json<T>, JsonRejection>;

fn read<T>(body: Body<T>) -> Result<T, Problem> {
    body.map(|Json(body)| body).map_err(|e| Problem::new(Kind::BadRequest, e.body_text()))
}

fn key(domain: &str, app: String, stream: String) -> StreamKey {
    StreamKey::new(domain.to_ascii_lowercase(), app, stream)
}

/// An answer that names the nodes which did not give theirs; one that holds for all says nothing of nodes.
pub(super) fn answer(mut body: Value, silent: &[String]) -> Value {
    if let (Value::Object(fields), false) = (&mut body, silent.is_empty()) {
        fields.insert("nodes_silent".to_owned(), json!(silent));
    }
    body
}

/// Ends the push that carries a stream: 21/100.
pub async fn drop_stream(
    caller: Caller,
    State(state): State<WebState>,
    body: Body<StreamBody>,
) -> Result<Json<Value>, Problem> {
    caller.require(Role::Operator)?;
    let body = read(body)?;
    let by = caller.by();
    let told =
        actions::drop_stream(&state, caller.scope, &key(&body.domain, body.app, body.stream), &by).await?;
    Ok(Json(answer(json!({ "dropped": told.outcome }), &told.silent)))
}

/// Forbids a stream until a time, and ends the push that carries it: 21/101.
pub async fn forbid(
    caller: Caller,
    State(state): State<WebState>,
    body: Body<ForbidBody>,
) -> Result<Json<Value>, Problem> {
    caller.require(Role::Operator)?;
    let body = read(body)?;
    let key = key(&body.domain, body.app, body.stream);
    let done = actions::forbid(&state, caller.scope, key, body.until, body.reason, &caller.by()).await?;
    Ok(Json(answer(json!({ "dropped": done.told, "until": done.until }), &done.silent)))
}

/// Lets a forbidden stream push again.
pub async fn resume(
    caller: Caller,
    State(state): State<WebState>,
    body: Body<StreamBody>,
) -> Result<Json<Value>, Problem> {
    caller.require(Role::Operator)?;
    let body = read(body)?;
    let key = key(&body.domain, body.app, body.stream);
    let resumed = actions::resume(&state, caller.scope, &key, &caller.by()).await?;
    Ok(Json(answer(json!({ "resumed": resumed.outcome }), &resumed.silent)))
}

/// Lets another push carry a stream, on whichever node it waits.
pub async fn switch(
    caller: Caller,
    State(state): State<WebState>,
    body: Body<SwitchBody>,
) -> Result<Json<Value>, Problem> {
    caller.require(Role::Operator)?;
    let body = read(body)?;
    let key = key(&body.domain, body.app, body.stream);
    let (to, told) = actions::switch(&state, caller.scope, &key, body.sequence, &caller.by()).await?;
    if let Some((kind, why)) = actions::not_switched(told.outcome) {
        let silent = match told.silent.is_empty() {
            true => String::new(),
            false => format!(" (nodes that did not answer: {})", told.silent.join(", ")),
        };
        return Err(Problem::new(kind, format!("{why}{silent}")).with_field("sequence"));
    }
    let body = json!({ "sequence": to, "was_live": told.outcome == Switched::Already });
    Ok(Json(answer(body, &told.silent)))
}

/// The streams that are forbidden now, by key.
pub async fn forbidden(caller: Caller, State(state): State<WebState>) -> Json<Value> {
    let catalog = state.catalog();
    let now = state.clock().now();
    let mut list: Vec<_> = catalog
        .forbidden
        .values()
        .filter(|f| f.until > now)
        .filter(|f| caller.scope.covers(catalog.domain(&f.key.domain).map(|d| d.account)))
        .collect();
    list.sort_by(|a, b| a.key.cmp(&b.key));
    let list: Vec<Value> = list
        .into_iter()
        .map(|f| {
            json!({
                "domain": f.key.domain, "app": f.key.app, "stream": f.key.stream,
                "since": f.since, "until": f.until, "reason": f.reason,
            })
        })
        .collect();
    Json(json!({ "forbidden": list }))
}
