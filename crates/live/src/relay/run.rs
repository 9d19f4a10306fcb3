//! One relay: a live stream passed on to one target, again and again until the stream ends.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use rtmp::ertmp::Enhancements;

use super::backoff::Backoff;
use super::flow::{Flow, FlowEnd, enhancements};
use super::link::Link;
use super::parting::Parting;
use super::relays::{Place, Ready};
use super::side::Goodbye;
use super::target::Endpoint;
use crate::hub::feed::{Step, Viewer, ViewerInfo, ViewerKind};
use crate::shared::Shared;

/// Live for this long, a target counts as good again.
const PROVED: Duration = Duration::from_secs(10);
/// So often in a row a target may ask to go elsewhere.
const MOVES: usize = 5;
/// How often it is looked whether another node of a cluster carries the stream.
const LOOK: Duration = Duration::from_millis(100);
/// A node that the stream has left has this long to take it back from the target.
const TAKING_BACK: Duration = Duration::from_millis(500);

/// Runs until the stream has ended for good.
pub(crate) async fn run(place: &Place, ready: &Ready) {
    let stopping = place.shared().relays.stopping();
    tokio::pin!(stopping);
    loop {
        let link = tokio::select! {
            // First, so that a live target hears its goodbye.
            biased;
            link = pass_on(place, ready) => link,
            () = &mut stopping => return,
        };
        // The place first: who goes live while the goodbye is said begins anew.
        let again = place.again();
        if let Some(link) = link {
            link.leave(Goodbye::Delete).await;
        }
        if !again {
            return;
        }
    }
}

/// Passes the stream on until it ends; the link that was open then.
async fn pass_on(place: &Place, ready: &Ready) -> Option<Link> {
    let (shared, status) = (place.shared(), place.status());
    let mut viewer = watch(shared, status.key.clone(), None)?;
    // A push that sends nothing troubles no target.
    let enhanced = first_headers(&mut viewer).await?;
    let target = ready.rule.target.endpoint(&status.key);
    let (mut endpoint, mut moves, mut backoff) = (target.clone(), 0, Backoff::default());
    loop {
        unless_ended(&mut viewer, until_here(shared, &status.key)).await?;
        status.connecting(endpoint.to_string());
        let random = shared.handshake_bytes();
        let opening = ready.dialer.open(&endpoint, &enhanced, random);
        let parting = match unless_ended(&mut viewer, opening).await? {
            Err(parting) => parting,
            Ok(mut link) => {
                status.live();
                tracing::info!(relay = %status.name, key = %status.key, to = %endpoint, "relay is live");
                let since = shared.clock.instant();
                // A new viewer begins at the last key frame that the hub still has.
                let Some(fresh) = watch(shared, status.key.clone(), link.peer()) else { return Some(link) };
                viewer = fresh;
                let stop = async {
                    tokio::select! {
                        () = shared.relays.stopping() => Stop::Node,
                        () = until_elsewhere(shared, &status.key) => Stop::Elsewhere,
                    }
                };
                match Flow::new(&mut link, &mut viewer, status).run(stop).await {
                    FlowEnd::StreamEnded | FlowEnd::Stopped(Stop::Node) => return Some(link),
                    FlowEnd::Stopped(Stop::Elsewhere) => {
                        tracing::info!(relay = %status.name, key = %status.key, to = %endpoint, "another node carries the stream");
                        status.elsewhere();
                        link.leave(Goodbye::Delete).await;
                        (endpoint, moves, backoff) = (target.clone(), 0, Backoff::default());
                        continue;
                    }
                    FlowEnd::Parted(parting) => {
                        if shared.clock.instant().saturating_duration_since(since) >= PROVED {
                            backoff.succeeded();
                            moves = 0;
                        }
                        if matches!(parting, Parting::Moved(_)) {
                            link.leave(Goodbye::Delete).await;
                        }
                        parting
                    }
                }
            }
        };
        if let Some(elsewhere) = moved(&parting, &endpoint).filter(|_| moves < MOVES) {
            moves += 1;
            status.moved(elsewhere.to_string());
            endpoint = elsewhere;
            continue;
        }
        endpoint = target.clone();
        let chance = random_number(shared);
        let pause = if parting.is_refusal() { Backoff::refused(chance) } else { backoff.failed(chance) };
        tracing::warn!(relay = %status.name, key = %status.key, to = %endpoint, %parting, ?pause, "relay failed");
        status.parted(&parting, Some(pause));
        unless_ended(&mut viewer, tokio::time::sleep(pause)).await?;
    }
}

/// Why a stream is taken back that goes on.
#[derive(Debug)]
enum Stop {
    /// This node stops.
    Node,
    /// Another node carries the stream, and passes it on.
    Elsewhere,
}

/// Ready once another node carries the stream; where there is one node, none ever does.
async fn until_elsewhere(shared: &Shared, key: &model::StreamKey) {
    if shared.cluster.is_none() {
        return std::future::pending().await;
    }
    while !shared.hub.is_elsewhere(key) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Ready once this node carries the stream, and another that did so has had the time to take it back from the target.
async fn until_here(shared: &Shared, key: &model::StreamKey) {
    while shared.hub.is_elsewhere(key) {
        while shared.hub.is_elsewhere(key) {
            tokio::time::sleep(LOOK).await;
        }
        tokio::time::sleep(TAKING_BACK).await;
    }
}

/// A viewer on behalf of a target, as long as the stream is live.
pub(super) fn watch(shared: &Shared, key: model::StreamKey, peer: Option<SocketAddr>) -> Option<Viewer> {
    let client = peer.unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into());
    let who = ViewerInfo { kind: ViewerKind::Relay, client, since: shared.clock.now() };
    shared.hub.watch(&key, who).ok()
}

async fn first_headers(viewer: &mut Viewer) -> Option<Enhancements> {
    loop {
        match viewer.next().await {
            Step::Headers(headers) => return Some(enhancements(&headers)),
            Step::Ended(_) => return None,
            Step::Batch(_) | Step::Skipped { .. } => {}
        }
    }
}

/// Does `work` unless the stream ends meanwhile; its media is let go.
async fn unless_ended<T>(viewer: &mut Viewer, work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            step = viewer.next() => if let Step::Ended(_) = step { return None },
        }
    }
}

/// Where a target has asked to go.
pub(super) fn moved(parting: &Parting, endpoint: &Endpoint) -> Option<Endpoint> {
    match parting {
        Parting::Moved(to) => endpoint.moved(to.as_deref()),
        _ => None,
    }
}

fn random_number(shared: &Shared) -> u64 {
    shared.handshake_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
