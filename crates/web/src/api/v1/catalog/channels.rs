//! `/domains/{name}/channels`: the streams that may push to a domain in channel mode.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::catalog::{Channel, Role};
use serde::{Deserialize, Serialize};

use super::super::Caller;
use super::super::input::{Body, Segments};
use crate::manage;
use crate::problem::Problem;
use crate::state::WebState;

/// The channels of a domain, by name.
#[derive(Serialize)]
pub struct Channels {
    channels: Vec<Channel>,
}

/// A channel to put.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelBody {
    enabled: bool,
}

/// `GET /domains/{name}/channels`.
pub async fn list(
    caller: Caller,
    State(state): State<WebState>,
    Segments(name): Segments<String>,
) -> Result<Json<Channels>, Problem> {
    let mut channels = manage::domains::one(&state, caller.scope, &name)?.channels;
    channels.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(Channels { channels }))
}

/// `PUT /domains/{name}/channels/{channel}`.
pub async fn put(
    caller: Caller,
    State(state): State<WebState>,
    Segments((name, channel)): Segments<(String, String)>,
    Body(body): Body<ChannelBody>,
) -> Result<Json<Channel>, Problem> {
    caller.require(Role::Admin)?;
    let channel = Channel { name: channel, enabled: body.enabled };
    manage::channels::put(&state, caller.scope, &name, channel.clone(), &caller.by()).await?;
    Ok(Json(channel))
}

/// `DELETE /domains/{name}/channels/{channel}`.
pub async fn delete(
    caller: Caller,
    State(state): State<WebState>,
    Segments((name, channel)): Segments<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require(Role::Admin)?;
    manage::channels::delete(&state, caller.scope, &name, &channel, &caller.by()).await?;
    Ok(StatusCode::NO_CONTENT)
}
