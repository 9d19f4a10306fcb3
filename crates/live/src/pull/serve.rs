//! The owner's answer to a node that asks for a stream: only one of its own cluster is served, and only what this node
//! carries itself. It never fetches a stream in order to hand it on, so no ring of nodes can come to be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::stream_key::Host;
use model::{PushUrl, StreamKey};

use super::ticket::{PARAMETER, TicketError};
use crate::hub::NotServed;
use crate::hub::feed::{Viewer, ViewerInfo};
use crate::push::OrderSlot;
use crate::shared::Shared;

/// Why somebody who asks as a node is turned away. `Display` is what it is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// This node has not reached the registry since its start.
    #[error("this node does not know yet which nodes are of its cluster")]
    NotYet,
    /// The ticket is not good.
    #[error(transparent)]
    Ticket(#[from] Reason),
    /// It is not this node's to serve.
    #[error(transparent)]
    NotServed(#[from] NotServed),
}

/// Hides how tickets are judged from the rooms that only pass the text on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Reason(TicketError);

/// Whether a play URL comes from another node, or says so; on a node that stands alone none does.
pub(crate) fn asked_by_a_node(shared: &Shared, url: &PushUrl) -> bool {
    shared.cluster.is_some() && url.params.get(PARAMETER).is_some()
}

/// Joins the viewers of a stream on behalf of another node; `order` ends it when the stream is no longer this node's.
///
/// # Errors
/// [`Refused`].
pub(crate) fn serve(
    shared: &Shared,
    url: &PushUrl,
    order: &Arc<OrderSlot>,
    who: ViewerInfo,
) -> Result<Viewer, Refused> {
    let served = join(shared, url, order, who);
    let count = if served.is_ok() { &shared.pulls.sums.served } else { &shared.pulls.sums.refused };
    count.fetch_add(1, Ordering::Relaxed);
    served
}

fn join(shared: &Shared, url: &PushUrl, order: &Arc<OrderSlot>, who: ViewerInfo) -> Result<Viewer, Refused> {
    let cluster = shared.cluster.as_ref().ok_or(Refused::NotYet)?;
    let secret = cluster.secret().ok_or(Refused::NotYet)?;
    let Host::Domain(domain) = &url.host else { return Err(NotServed::NotHere.into()) };
    let key = StreamKey::new(domain.as_str(), url.app.as_str(), url.stream.as_str());
    let ticket = url.params.get(PARAMETER).unwrap_or_default();
    let at = (shared.clock.now(), shared.clock.instant());
    let good = shared.pulls.used.take(&secret, ticket, &key, cluster.me(), at).map_err(Reason)?;
    let viewer = shared.hub.serve(&key, &good.from, good.revision, order, who)?;
    tracing::info!(%key, node = good.from, revision = good.revision, "another node fetches a stream");
    Ok(viewer)
}
