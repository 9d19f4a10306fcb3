//! Proxy mode, seen from a push: the upstream is asked before the client hears `Publish.Start`, and a backup is passed on
//! once it carries the stream.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::admission::Admission;

use super::admission::{Question, left_or_ordered};
use super::way::Way;
use crate::push::{End, Push};
use crate::relay::link::Link;
use crate::relay::proxy::{Passage, Proxy, told_to_stop};
use crate::shared::Shared;

/// Between attempts while the upstream still holds the name for the push that this one replaces.
const NAME_IS_FREED: Duration = Duration::from_millis(200);

/// A push's way to the upstream, before it is live.
pub(super) struct Upward {
    passage: Box<Passage>,
    /// None for a backup, which is passed on once it carries the stream.
    link: Option<Link>,
}

/// Publishes the push to the upstream.
///
/// # Errors
/// 10/0 with what the upstream said, or how else the push ended meanwhile.
pub(super) async fn ask<W: Way>(
    shared: &Arc<Shared>,
    proxy: &Proxy,
    way: &mut W,
    push: &mut Push,
    admission: &Admission,
    question: &Question,
) -> Result<Upward, Box<End>> {
    let mut passage = Box::new(Passage {
        push: push.id,
        key: admission.key.clone(),
        account: admission.account,
        order: push.order.clone(),
        endpoint: proxy.endpoint(&admission.key, &question.url.query),
        enhanced: question.enhanced.clone(),
    });
    if !push.place.as_ref().is_some_and(|place| place.comes_first()) {
        return Ok(Upward { passage, link: None });
    }
    let order = push.order.clone();
    let deadline = shared.clock.instant() + proxy.limit();
    let mut freed = false;
    loop {
        let opening = proxy.open(&mut passage, shared.handshake_bytes());
        let Some(opened) = way.hold(&mut push.watch, &order, opening).await else {
            return Err(Box::new(left_or_ordered(way, push)));
        };
        let parting = match opened {
            Ok(link) => return Ok(Upward { passage, link: Some(link) }),
            Err(parting) => parting,
        };
        // Few servers let a second publisher take a name over: the push that this one replaces has to go first.
        freed |= push.place.as_ref().is_some_and(|place| place.replaces_any());
        let busy = parting.said().is_some_and(|said| said.is_busy())
            // Where the upstream alone decides, this may be its refusal of somebody who must not end another's push.
            || parting.may_be_busy() && !shared.config.admission.admit_any;
        if !busy || !freed || shared.clock.instant() >= deadline {
            return Err(Box::new(End::act(told_to_stop(&parting, &passage.endpoint))));
        }
        if let Some(place) = &mut push.place {
            place.take_over();
        }
        let pause = tokio::time::sleep(NAME_IS_FREED);
        if way.hold(&mut push.watch, &order, pause).await.is_none() {
            return Err(Box::new(left_or_ordered(way, push)));
        }
    }
}

/// The push is about to be live: its media goes to the upstream from now on, or once it carries the stream.
pub(super) fn begin(shared: &Arc<Shared>, push: &mut Push, upward: Option<Upward>) {
    let (Some(proxy), Some(Upward { passage, link })) = (&shared.relays.proxy, upward) else { return };
    match link {
        Some(link) => push.upstream = Some(proxy.start(shared, *passage, Some(link))),
        None => push.passage = Some(passage),
    }
}

/// Once a second: passes a backup on that has come to carry the stream, and notes what the upstream was too slow for.
pub(super) fn look(shared: &Arc<Shared>, push: &mut Push, now: Instant) {
    if let Some(upstream) = &mut push.upstream {
        let skipped = upstream.newly_skipped();
        if skipped > 0 {
            let at_ms = push.watch.at_ms(now);
            push.watch.media_mut().upstream_slow(at_ms, skipped);
        }
        return;
    }
    if push.passage.is_none() || !push.place.as_ref().is_some_and(|place| place.comes_first()) {
        return;
    }
    if let (Some(proxy), Some(passage)) = (&shared.relays.proxy, push.passage.take()) {
        push.upstream = Some(proxy.start(shared, *passage, None));
    }
}
