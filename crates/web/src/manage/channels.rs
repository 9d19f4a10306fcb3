//! Channels: the streams that may push to a domain in channel mode.

use live::OrderedBy;
use model::catalog::Channel;

use super::domains::change_domain;
use super::{Clash, ManageError, Thing, invalid, is_name};
use crate::actions::Scope;
use crate::state::WebState;

/// Channels of one domain.
pub const MAX_CHANNELS: usize = 10_000;

/// Adds a channel, or replaces the one of that name.
///
/// # Errors
/// [`ManageError`].
pub async fn put(
    state: &WebState,
    scope: Scope,
    domain: &str,
    channel: Channel,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    if !is_name(&channel.name) {
        return Err(invalid("channel", "must have 1 to 255 bytes"));
    }
    change_domain(state, scope, domain, by, |domain| {
        domain.channels.retain(|known| known.name != channel.name);
        if domain.channels.len() >= MAX_CHANNELS {
            return Err(Clash::TooManyChannels.into());
        }
        domain.channels.push(channel);
        domain.channels.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    })
    .await
    .map(drop)
}

/// Deletes a channel.
///
/// # Errors
/// [`ManageError`].
pub async fn delete(
    state: &WebState,
    scope: Scope,
    domain: &str,
    channel: &str,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    change_domain(state, scope, domain, by, |domain| {
        let before = domain.channels.len();
        domain.channels.retain(|known| known.name != channel);
        if domain.channels.len() == before { Err(ManageError::Missing(Thing::Channel)) } else { Ok(()) }
    })
    .await
    .map(drop)
}
