//! `/domains/{name}/channels`: the streams that may push to a domain in channel mode.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::catalog::{Channel, Role};
use serde::{Deserialize, Serialize};

use super::super::Caller;
use super::super::input::{Body, Segments};
use super::domains::{find, store};
use super::invalid;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// Channels of one domain.
const MAX_CHANNELS: usize = 10_000;

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
    let mut channels = find(&state, &caller, &name)?.channels;
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
    if !(1..=255).contains(&channel.len()) || channel.chars().any(char::is_control) {
        return Err(invalid("channel", "must have 1 to 255 bytes"));
    }
    let channel = Channel { name: channel, enabled: body.enabled };
    let _editing = state.edit().await;
    let mut domain = find(&state, &caller, &name)?;
    domain.channels.retain(|known| known.name != channel.name);
    if domain.channels.len() >= MAX_CHANNELS {
        return Err(Problem::new(Kind::Conflict, "the domain has 10000 channels already"));
    }
    domain.channels.push(channel.clone());
    store(&state, &caller, domain).await?;
    Ok(Json(channel))
}

/// `DELETE /domains/{name}/channels/{channel}`.
pub async fn delete(
    caller: Caller,
    State(state): State<WebState>,
    Segments((name, channel)): Segments<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.require(Role::Admin)?;
    let _editing = state.edit().await;
    let mut domain = find(&state, &caller, &name)?;
    let before = domain.channels.len();
    domain.channels.retain(|known| known.name != channel);
    if domain.channels.len() == before {
        return Err(Problem::new(Kind::NotFound, "the domain has no such channel"));
    }
    store(&state, &caller, domain).await?;
    Ok(StatusCode::NO_CONTENT)
}
