//! How two pushes of one key are judged: whether the one that is live still sends, and what the loser is told.

use std::time::{Duration, Instant};

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};

use super::duel::WINDOW;
use crate::cluster::TakenBy;
use crate::push::PushHandle;

/// A push that has sent no media for this long counts as empty when another takes over: 21/103 in place of 21/102.
const EMPTY_AFTER: Duration = Duration::from_secs(3);

/// Whether a push has sent nothing for so long that another may have its place without a contest.
pub(super) fn is_empty(push: &PushHandle, now: Instant) -> bool {
    push.since_media(now).is_none_or(|since| since >= EMPTY_AFTER)
}

fn act(cause: Cause, detail: Detail) -> Act {
    Act { code: cause.code(), detail: Some(detail) }
}

pub(crate) fn replaced(old: &PushHandle, new: TakenBy, now: Instant) -> Act {
    let cause = if is_empty(old, now) { Cause::TakenOverEmpty } else { Cause::TakenOver };
    let mut detail = Detail::new(DetailKey::ReplacedBy)
        .with("address", new.client.to_string())
        .with("push", new.push.to_string());
    if let Some(since) = old.since_media(now) {
        detail = detail.with("silence_ms", millis(since));
    }
    act(cause, detail)
}

pub(super) fn already_live(live: &PushHandle, now: Instant) -> Act {
    let detail = Detail::new(DetailKey::AlreadyLive)
        .with("address", live.client.to_string())
        .with("push", live.id.to_string())
        .with("live_ms", millis(live.age(now)));
    act(Cause::TooManyPushesOfStream, detail)
}

pub(super) fn too_many(have: u32, limit: u32) -> Act {
    let detail =
        Detail::new(DetailKey::LimitOf).with("scope", "stream").with("have", have).with("limit", limit);
    act(Cause::TooManyPushesOfStream, detail)
}

pub(super) fn lower_priority(mine: i64, theirs: i64, live: &PushHandle) -> Act {
    let detail = Detail::new(DetailKey::PriorityBelow)
        .with("priority", mine.to_string())
        .with("live_priority", theirs.to_string())
        .with("push", live.id.to_string());
    act(Cause::PriorityLower, detail)
}

pub(super) fn duel(live: &PushHandle, new: &PushHandle, takeovers: usize) -> Act {
    let detail = Detail::new(DetailKey::Duel)
        .with("live", live.client.to_string())
        .with("refused", new.client.to_string())
        .with("push", live.id.to_string())
        .with("takeovers", u64::try_from(takeovers).unwrap_or(u64::MAX))
        .with("window_ms", millis(WINDOW));
    act(Cause::TooManyPushesOfStream, detail)
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}
