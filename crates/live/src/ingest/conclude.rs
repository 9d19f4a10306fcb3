//! The end of a push, whichever transport carried it: its task's value becomes verdict, record and log line.

use std::sync::Arc;

use cause::evidence::{Act, Close, Stage};
use cause::{Cause, Detail, DetailKey};
use model::Code;
use tracing::Span;

use super::intake::note_contests;
use super::way::Way;
use crate::caught::caught;
use crate::hub::Parting;
use crate::push::{ConnectionFacts, End, Push};
use crate::recent::Ended;
use crate::relay::proxy::goodbye_after;
use crate::shared::Shared;

/// Waits for the end of what runs a push; a panic in it becomes an end too (5/0), and the second value is true then. The
/// push can be ordered to end from [`crate::shared::Orders::enter`] until [`crate::shared::Orders::leave`], which are the
/// caller's.
pub(super) async fn end_of(span: &Span, run: impl Future<Output = End>) -> (End, bool) {
    match caught(run).await {
        Ok(end) => (end, false),
        Err(panic) => {
            span.in_scope(|| tracing::error!(panic, "the push's task failed"));
            let detail = Detail::new(DetailKey::TaskPanic).with("reason", panic);
            let act = Act { code: Cause::TaskFailed.code(), detail: Some(detail) };
            (End { close: Close::TaskFailed, act: Some(act), ..End::default() }, true)
        }
    }
}

/// What a push leaves to its viewers. In a cluster they wait where the stream is likely to go on with another node.
fn parting(shared: &Shared, cause: Cause) -> Parting {
    let moves = match cause {
        Cause::TakenOver | Cause::TakenOverEmpty | Cause::OwnershipLost => true,
        // A drain; in proxy mode it is the server behind this one that has ended the push.
        Cause::ProxyToldToStop => shared.relays.proxy.is_none(),
        _ => false,
    };
    match shared.cluster.is_some() && moves {
        true => Parting::Lost,
        false => Parting::after(cause),
    }
}

/// Verdict, record, log line.
pub(super) async fn conclude<W: Way>(shared: &Arc<Shared>, way: &W, push: &mut Push, end: &End) {
    with_facts(shared, way.facts(), push, end).await;
}

/// As [`conclude`], for what never became a connection; gives the cause's code.
pub(super) async fn with_facts(
    shared: &Arc<Shared>,
    facts: ConnectionFacts,
    push: &mut Push,
    end: &End,
) -> Code {
    let now = shared.clock.instant();
    note_contests(push, now);
    let (verdict, row) =
        push.conclude(end.clone(), facts, now, shared.clock.now(), &shared.config.node_label);
    // The place is given back first, so that whoever reads the record finds the stream key free.
    if let Some(place) = push.place.take() {
        place.leave(parting(shared, verdict.cause));
    }
    let was_test = push.test.take().is_some();
    push.slot = None;
    push.tenure = None;
    if let Some(upstream) = push.upstream.take() {
        upstream.end(goodbye_after(end));
    }
    let was_live = push.stage == Stage::Live;
    if let (Some(handle), Some(published_at), true) = (&push.handle, push.published_at, was_live && !was_test)
    {
        shared.recent.ended(&handle.key, Ended { published_at, at: now, code: verdict.cause.code() });
    }
    shared.counters.ended(verdict.cause);
    tracing::info!(
        code = %verdict.cause.code(),
        side = verdict.cause.side().as_str(),
        domain = push.claimed.domain.as_deref(),
        app = push.claimed.app.as_deref(),
        stream = push.claimed.stream.as_deref(),
        detail = verdict.detail.as_ref().map(|d| d.key.as_str()),
        duration_ms = row.record.duration_ms,
        "push ended"
    );
    match push.open.take() {
        Some(open) if was_live => open.close(row),
        Some(open) => open.abandon(row),
        None => shared.journal.refuse(row).await,
    }
    verdict.cause.code()
}
