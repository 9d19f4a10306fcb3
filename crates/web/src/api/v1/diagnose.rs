//! `GET /diagnose`: what happened to a stream in a window of time.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use model::{PushId, Record, StreamKey, Timestamp};
use serde::{Deserialize, Serialize};
use store::{EventQuery, ListQuery, Reader, RecordQuery};

use super::Caller;
use super::causes::language;
use super::history::EventAnswer;
use super::input::Params;
use crate::diagnose::{Diagnosis, Span, diagnose};
use crate::present::in_language;
use crate::problem::{Kind, Problem};
use crate::query::full_page;
use crate::state::WebState;

/// The longest window.
const MAX_WINDOW: Duration = Duration::from_secs(31 * 86_400);
/// The window unless `since` says otherwise.
const WINDOW: Duration = Duration::from_secs(86_400);
/// Records and events of one answer.
const MAX_ROWS: usize = 1_000;
/// Pushes that are looked at after the window.
const MAX_LATER: usize = 200;

/// Which stream, and when.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiagnoseParams {
    domain: String,
    app: String,
    stream: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    lang: Option<String>,
}

/// A push that is live.
#[derive(Serialize)]
pub struct LiveSpan {
    id: PushId,
    published_at: Timestamp,
    role: &'static str,
}

/// What happened.
#[derive(Serialize)]
pub struct DiagnoseAnswer {
    since: Timestamp,
    until: Timestamp,
    /// Every push that ended in the window or later, oldest first, refused ones too.
    records: Vec<Record>,
    live: Vec<LiveSpan>,
    #[serde(flatten)]
    diagnosis: Diagnosis,
    /// Abnormalities while pushes were live, oldest first.
    events: Vec<EventAnswer>,
    /// More happened than one answer holds; ask for a shorter window.
    truncated: bool,
}

/// Answers it.
pub async fn answer(
    caller: Caller,
    State(state): State<WebState>,
    Params(params): Params<DiagnoseParams>,
) -> Result<Json<DiagnoseAnswer>, Problem> {
    let lang = language(params.lang.as_deref())?;
    let now = state.clock().now();
    let until = params.until.unwrap_or(now).min(now);
    let since = params.since.unwrap_or_else(|| until.minus(WINDOW));
    if since >= until || since < until.minus(MAX_WINDOW) {
        let text = "must lie before `until`, at most 31 days";
        return Err(Problem::new(Kind::BadRequest, text).with_field("since"));
    }
    let key = StreamKey::new(params.domain.to_ascii_lowercase(), params.app, params.stream);
    let events = EventQuery {
        account: caller.scope.account(),
        domain: Some(key.domain.clone()),
        app: Some(key.app.clone()),
        stream: Some(key.stream.clone()),
        since: Some(since),
        until: Some(until),
        limit: MAX_ROWS,
        ..EventQuery::default()
    };
    let ended = RecordQuery {
        domain: Some(key.domain.clone()),
        app: Some(key.app.clone()),
        stream: Some(key.stream.clone()),
        account: caller.scope.account(),
        since: Some(since),
        until: Some(until),
        limit: MAX_ROWS,
        ..RecordQuery::default()
    };
    let (reader, history) = (state.reader().clone(), state.history().clone());
    let read = tokio::task::spawn_blocking(move || {
        let later = ended_later(&reader, &ended, until)?;
        Ok::<_, store::StoreError>((full_page(&reader, ended)?, later, history.events(&events)?))
    });
    let (page, later, events) = read.await??;
    let mut records = page.records;
    records.reverse();
    records.extend(later);
    let live: Vec<LiveSpan> = live_spans(&state, &caller, &key, until);
    let mut spans: BTreeMap<PushId, Span> =
        records.iter().filter_map(Span::of).map(|span| (span.push, span)).collect();
    for push in live.iter().filter(|push| push.role == "live") {
        // A push that ended while we asked has both.
        let span = Span { push: push.id, from: push.published_at, to: None, code: None };
        spans.entry(push.id).or_insert(span);
    }
    let refused: Vec<_> =
        records.iter().filter(|r| r.published_at.is_none()).map(|r| (r.id, r.ended_at)).collect();
    let truncated = page.next.is_some() || events.len() >= MAX_ROWS;
    Ok(Json(DiagnoseAnswer {
        since,
        until,
        diagnosis: diagnose(spans.into_values().collect(), &refused, since, until),
        records: records.into_iter().map(|record| in_language(record, lang)).collect(),
        live,
        events: events.into_iter().rev().map(|row| EventAnswer::of(row, lang)).collect(),
        truncated,
    }))
}

/// The pushes that were live in the window and ended after it: the next to end after `until`, among which they are
/// unless hundreds waited beside them.
fn ended_later(
    reader: &Reader,
    ended: &RecordQuery,
    until: Timestamp,
) -> Result<Vec<Record>, store::StoreError> {
    let filter = RecordQuery { since: Some(until), until: None, ..ended.clone() };
    let next =
        ListQuery { filter, published: true, ascending: true, skip: 0, take: MAX_LATER, count_to: MAX_LATER };
    let mut records = reader.list(&next)?.records;
    records.retain(|record| record.published_at.is_some_and(|at| at < until));
    Ok(records)
}

fn live_spans(state: &WebState, caller: &Caller, key: &StreamKey, until: Timestamp) -> Vec<LiveSpan> {
    let pushes = state.live().pushes();
    let is_its = |push: &live::LivePush| {
        caller.scope.covers(Some(push.account))
            && (&push.domain, &push.app, &push.stream) == (&key.domain, &key.app, &key.stream)
            && push.published_at < until
    };
    let its = pushes.into_iter().filter(is_its);
    its.map(|p| LiveSpan { id: p.id, published_at: p.published_at, role: p.role }).collect()
}
