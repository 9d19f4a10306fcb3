//! A template tried out: one event of a push that never was, sent now and once.

use model::catalog::{CallbackKind, CallbackTemplate};
use model::{PushId, StreamKey};
use store::{Notice, Occurrence, ReportedEvent, Told, Waiting};

use super::deliver::entry;
use super::message::message;
use super::send::{Answer, Request, send};
use crate::state::WebState;

/// Sends a sample of a kind of event by a template; gives what came of it. It counts as no delivery, and stands among them
/// as `test`.
pub async fn try_out(state: &WebState, template: &CallbackTemplate, kind: CallbackKind) -> Answer {
    let settings = &state.config().callback;
    let Some(url) = template.urls.of(kind) else {
        return Answer::not_sent("the template names no URL for this kind of event");
    };
    let now = state.clock().now();
    let waiting = sample(state.clock().push_id(), template, kind, now);
    let notice = Notice {
        node: "test".to_owned(),
        client_ip: std::net::Ipv4Addr::new(192, 0, 2, 1).into(),
        stream_param: Some("test=1".to_owned()),
        original_param: None,
        told: told(kind, now),
    };
    let text = message(&waiting, &notice, &template.key, now, settings.timeout);
    let answer = match (settings.reach.check_url(url), settings.reach.client(settings.timeout)) {
        (Ok(target), Ok(client)) => {
            let request = Request { url: &target, delivery: &waiting.id, attempt: 1, body: &text.body };
            send(&client, request, settings.timeout, state.clock()).await
        }
        (Err(error), _) => Answer::not_sent(format!("the URL {error}")),
        (_, Err(error)) => Answer::not_sent(live::outbound::why(&error)),
    };
    state.outbox().remember(entry(&waiting, "test", url, text.masked, answer.clone(), now));
    answer
}

fn sample(push: PushId, template: &CallbackTemplate, kind: CallbackKind, now: model::Timestamp) -> Waiting {
    Waiting {
        id: format!("test-{push}-{}", kind.event_type()),
        template: template.id,
        push,
        kind,
        account: Some(template.account),
        key: StreamKey::new("test.invalid", "live", "test"),
        created_at: now,
        attempts: 0,
        notice: None,
    }
}

fn told(kind: CallbackKind, now: model::Timestamp) -> Told {
    match kind {
        CallbackKind::Begin => Told::Begin,
        CallbackKind::End => {
            Told::End { errcode: 1, sub_errcode: 0, duration_ms: 60_000, width: 1280, height: 720 }
        }
        CallbackKind::Exception => {
            let occurrences = vec![Occurrence { at: now, what: "sample".to_owned(), seen: None }];
            Told::Exception {
                interval_ms: 5_000,
                events: vec![ReportedEvent { kind: 6, count: 1, occurrences }],
            }
        }
    }
}
