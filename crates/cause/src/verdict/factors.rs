//! What else happened to a push, whatever its cause: a poor uplink, a slow encoder, our own slowness, events. A push that
//! its client ended well may have been given up because of them.

use std::cmp::Reverse;

use super::Seen;
use super::findings::{slow_encoder, uplink_signs};
use crate::detail::{Detail, DetailKey};
use crate::event::EventCount;
use crate::evidence::{Evidence, Stage};
use crate::table::Cause;

/// Factors that are told; the rest lies in the evidence.
const TOLD: usize = 6;
/// Types of events that are told.
const EVENT_TYPES: usize = 3;
/// Further behind real time than this is far.
const FAR_BEHIND_MS: i32 = 2_000;

pub(super) fn of(e: &Evidence, seen: &Seen, cause: Cause) -> Vec<Detail> {
    if e.stage < Stage::Live {
        return Vec::new();
    }
    let mut factors = Vec::new();
    if cause != Cause::PipelineFailed {
        factors.extend(seen.own_window.map(super::OwnWindow::detail));
    }
    if let Some(uplink) = seen.uplink.filter(|_| cause != Cause::UplinkCollapsed) {
        if uplink.has_collapsed() {
            factors.extend(uplink_signs(&uplink));
        } else if uplink.fell_behind() && !uplink.network_sign() {
            factors.push(slow_encoder(&uplink));
        }
    }
    factors.extend(far_behind(seen));
    factors.extend(events(e));
    factors.truncate(TOLD);
    factors
}

/// How far behind real time the push was in the last second in which anything came.
fn far_behind(seen: &Seen) -> Option<Detail> {
    let last = seen.seconds.iter().rfind(|second| second.bytes > 0)?;
    let far = last.lag_ms > FAR_BEHIND_MS;
    far.then(|| Detail::new(DetailKey::BehindAtEnd).with("lag_ms", last.lag_ms))
}

/// The types of events that happened most often.
fn events(e: &Evidence) -> impl Iterator<Item = Detail> {
    let mut events: Vec<&EventCount> = e.events.iter().collect();
    events.sort_by_key(|event| Reverse(event.count));
    let lived_ms = e.lived_ms;
    let told = move |event: &EventCount| {
        Detail::new(DetailKey::EventsSeen)
            .with("event", event.kind)
            .with("times", event.count)
            .with("last_ms", lived_ms.saturating_sub(u64::from(event.last_ms)))
    };
    events.into_iter().take(EVENT_TYPES).map(told).collect::<Vec<_>>().into_iter()
}
