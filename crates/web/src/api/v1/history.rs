//! `/callbacks/deliveries`, `/events`, `/audit`: what was told to others, what happened to live pushes, who changed what.

use axum::Json;
use axum::extract::State;
use model::catalog::{AccountId, CallbackKind, Role, TemplateId};
use model::{PushId, Sequence, Timestamp};
use serde::{Deserialize, Serialize};
use store::{AuditQuery, AuditRow, DeliveryQuery, DeliveryRow, EventQuery, EventRow, Occurrence};

use super::Caller;
use super::causes::language;
use super::input::Params;
use super::page::Page;
use crate::problem::Problem;
use crate::state::WebState;

/// Which deliveries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryParams {
    domain: Option<String>,
    stream: Option<String>,
    kind: Option<CallbackKind>,
    delivered: Option<bool>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    limit: Option<usize>,
    after: Option<String>,
}

/// One try to deliver an event.
#[derive(Serialize)]
pub struct DeliveryAnswer {
    delivery: String,
    attempt: u32,
    outcome: String,
    kind: CallbackKind,
    template: TemplateId,
    push: PushId,
    sequence: Sequence,
    account: Option<AccountId>,
    domain: String,
    app: String,
    stream: String,
    event_at: Timestamp,
    sent_at: Timestamp,
    took_ms: u64,
    status: Option<u16>,
    reason: Option<String>,
    url: String,
    request: String,
    response: String,
}

impl From<DeliveryRow> for DeliveryAnswer {
    fn from(DeliveryRow { entry, .. }: DeliveryRow) -> Self {
        Self {
            delivery: entry.delivery,
            attempt: entry.attempt,
            outcome: entry.outcome,
            kind: entry.kind,
            template: entry.template,
            push: entry.push,
            sequence: entry.push.sequence(),
            account: entry.account,
            domain: entry.key.domain,
            app: entry.key.app,
            stream: entry.key.stream,
            event_at: entry.event_at,
            sent_at: entry.sent_at,
            took_ms: entry.took_ms,
            status: entry.status,
            reason: entry.reason,
            url: entry.url,
            request: entry.request,
            response: entry.response,
        }
    }
}

/// A page of deliveries.
#[derive(Serialize)]
pub struct Deliveries {
    deliveries: Vec<DeliveryAnswer>,
    next: Option<String>,
}

/// `GET /callbacks/deliveries`.
pub async fn deliveries(
    caller: Caller,
    State(state): State<WebState>,
    Params(params): Params<DeliveryParams>,
) -> Result<Json<Deliveries>, Problem> {
    let page = Page::of(params.limit, params.after.as_deref())?;
    let query = DeliveryQuery {
        account: caller.scope.account(),
        domain: params.domain.map(|domain| domain.to_ascii_lowercase()),
        stream: params.stream,
        kind: params.kind,
        delivered: params.delivered,
        since: params.since,
        until: params.until,
        below: page.below,
        skip: 0,
        limit: page.limit,
    };
    let history = state.history().clone();
    let rows = tokio::task::spawn_blocking(move || history.deliveries(&query)).await??;
    let next = page.next(&rows, |row| row.id);
    Ok(Json(Deliveries { deliveries: rows.into_iter().map(DeliveryAnswer::from).collect(), next }))
}

/// Which events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventParams {
    domain: Option<String>,
    app: Option<String>,
    stream: Option<String>,
    push: Option<PushId>,
    kind: Option<u8>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    limit: Option<usize>,
    after: Option<String>,
    lang: Option<String>,
}

/// One type of event of a push within an interval.
#[derive(Serialize)]
pub struct EventAnswer {
    at: Timestamp,
    interval_ms: u64,
    push: PushId,
    sequence: Sequence,
    account: AccountId,
    domain: String,
    app: String,
    stream: String,
    client_ip: std::net::IpAddr,
    kind: u8,
    name: String,
    count: u64,
    occurrences: Vec<Occurrence>,
}

impl EventAnswer {
    /// A row with its type's name in a language.
    pub fn of(row: EventRow, lang: cause::Lang) -> Self {
        let name = cause::EventKind::from_number(row.kind).map(|kind| kind.name(lang).to_owned());
        Self {
            at: row.at,
            interval_ms: row.interval_ms,
            push: row.push,
            sequence: row.sequence,
            account: row.account,
            domain: row.key.domain,
            app: row.key.app,
            stream: row.key.stream,
            client_ip: row.client_ip,
            kind: row.kind,
            name: name.unwrap_or_else(|| row.kind.to_string()),
            count: row.count,
            // The words say what the numbers do.
            occurrences: row.occurrences.into_iter().map(|o| Occurrence { seen: None, ..o }).collect(),
        }
    }
}

/// A page of events.
#[derive(Serialize)]
pub struct Events {
    events: Vec<EventAnswer>,
    next: Option<String>,
}

/// `GET /events`.
pub async fn events(
    caller: Caller,
    State(state): State<WebState>,
    Params(params): Params<EventParams>,
) -> Result<Json<Events>, Problem> {
    let lang = language(params.lang.as_deref())?;
    let page = Page::of(params.limit, params.after.as_deref())?;
    let query = EventQuery {
        fuzzy: false,
        account: caller.scope.account(),
        domain: params.domain.map(|domain| domain.to_ascii_lowercase()),
        app: params.app,
        stream: params.stream,
        push: params.push,
        kind: params.kind,
        since: params.since,
        until: params.until,
        below: page.below,
        limit: page.limit,
    };
    let history = state.history().clone();
    let rows = tokio::task::spawn_blocking(move || history.events(&query)).await??;
    let next = page.next(&rows, |row| row.id);
    Ok(Json(Events { events: rows.into_iter().map(|row| EventAnswer::of(row, lang)).collect(), next }))
}

/// Which entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditParams {
    who: Option<String>,
    action: Option<String>,
    target: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

/// A page of the audit log.
#[derive(Serialize)]
pub struct AuditLog {
    entries: Vec<AuditRow>,
    next: Option<String>,
}

/// `GET /audit`.
pub async fn audit(
    caller: Caller,
    State(state): State<WebState>,
    Params(params): Params<AuditParams>,
) -> Result<Json<AuditLog>, Problem> {
    caller.require(Role::Admin)?;
    let page = Page::of(params.limit, params.after.as_deref())?;
    let query = AuditQuery {
        account: caller.scope.account(),
        who: params.who,
        action: params.action,
        target: params.target,
        below: page.below,
        limit: page.limit,
    };
    let catalog = state.users().clone();
    let entries = tokio::task::spawn_blocking(move || catalog.audit_log(&query)).await??;
    let next = page.next(&entries, |row| row.id);
    Ok(Json(AuditLog { entries, next }))
}
