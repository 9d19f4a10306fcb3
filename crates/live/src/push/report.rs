//! The events of a reporting interval, as the journal takes them.

use std::time::Duration;

use cause::Lang;
use model::Timestamp;
use store::{Occurrence, PushReport, ReportedEvent, Seen};

use super::Push;
use super::events::EventReport;

/// Words what was noted of a push that is live; `None` for one that never was.
pub fn report(push: &Push, events: &[EventReport], at: Timestamp, interval: Duration) -> Option<PushReport> {
    let handle = push.handle.as_ref()?;
    Some(PushReport {
        push: push.id,
        account: handle.account,
        key: handle.key.clone(),
        client_ip: push.client.ip(),
        stream_param: push.stream_param.clone(),
        at,
        interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
        events: events.iter().map(reported).collect(),
    })
}

fn reported(event: &EventReport) -> ReportedEvent {
    let seen = |seen: &super::events::EventSeen| Occurrence {
        at: seen.at,
        what: seen.what.text(Some(event.kind), Lang::En),
        seen: Some(Seen {
            value: seen.what.value,
            timestamp: seen.what.timestamp,
            text: seen.what.text.clone(),
        }),
    };
    ReportedEvent {
        kind: event.kind.number(),
        count: event.count,
        occurrences: event.seen.iter().map(seen).collect(),
    }
}
