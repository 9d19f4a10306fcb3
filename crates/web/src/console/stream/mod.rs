//! One stream key: is it live, how has it been doing, and what ends it?
//!
//! | module | holds |
//! |---|---|
//! | [`strip`] | pushes and gaps along a day or a week |
//! | [`fetched`] | how nodes fetched it from each other |
//! | [`figures`] | how often it is interrupted |
//! | [`preview`] | a player for the operator's eyes |

mod fetched;
mod figures;
mod preview;
mod strip;

use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::{AccountId, Forbidden, Role};
use model::{FetchRecord, Record, StreamKey, Timestamp};
use serde::Deserialize;
use store::{EventQuery, EventRow, FetchQuery, Reader, RecordQuery, StoreError};

pub(super) use preview::page as preview;

use super::columns::Columns;
use super::events;
use super::frame::{Frame, SignedIn, render};
use super::row::{self, Minutes, Row};
use super::show::{Chip, When, grouped};
use super::streams::{LiveRow, told};
use crate::query::extended;
use crate::state::WebState;

/// Records that a page is made of at most.
const MAX_RECORDS: usize = 500;
/// Records, events and fetches that are listed.
const LISTED: usize = 20;
const EVENTS: usize = 8;
const FETCHES: usize = 8;
const CAUSES: usize = 6;

#[derive(Template)]
#[template(path = "stream.html")]
struct Page {
    f: Frame,
    key: StreamKey,
    /// The push that carries the stream first, then those that wait.
    live: Vec<LiveRow>,
    /// Set while the stream is forbidden.
    forbidden: Option<(When, String)>,
    figures: figures::Figures,
    strip: strip::Strip,
    spans: Vec<Span>,
    causes: Vec<(Chip, String, String)>,
    columns: Columns,
    rows: Vec<Row>,
    all_records: String,
    events: Vec<events::Row>,
    all_events: String,
    fetched: Vec<fetched::Fetched>,
    preview: String,
    done: String,
    mistake: String,
    may_act: bool,
    /// Where forms lead back to.
    back: String,
}

/// A span of time to choose.
struct Span {
    text: String,
    link: String,
    chosen: bool,
}

/// Which stream key, and how far back.
#[derive(Deserialize)]
pub(super) struct Params {
    domain: String,
    app: String,
    stream: String,
    #[serde(default)]
    range: String,
    #[serde(default)]
    done: String,
}

impl Params {
    fn key(&self) -> StreamKey {
        StreamKey::new(self.domain.to_ascii_lowercase(), self.app.as_str(), self.stream.as_str())
    }
}

/// The page of a stream key.
pub fn link(key: &StreamKey) -> String {
    format!("/streams/key{}", query(key))
}

/// The player of a stream key.
pub fn preview_link(key: &StreamKey) -> String {
    format!("/streams/preview{}", query(key))
}

fn query(key: &StreamKey) -> String {
    extended("", &[("domain", &key.domain), ("app", &key.app), ("stream", &key.stream)])
}

/// What the store knows of a stream.
#[derive(Default)]
struct Known {
    records: Vec<Record>,
    minutes: Minutes,
    events: Vec<EventRow>,
    fetches: Vec<FetchRecord>,
}

/// The page.
pub(super) async fn page(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Query(params): Query<Params>,
) -> Response {
    let now = state.clock().now();
    let key = params.key();
    let (hours, chosen) = if params.range == "7d" { (7 * 24, "7d") } else { (24, "24h") };
    let since = now.minus(Duration::from_secs(hours * 3_600));
    let (reader, history, wanted) = (state.reader().clone(), state.history().clone(), key.clone());
    let (account, fetched) = (f.scope().account(), key.clone());
    let read = move || -> Result<Known, StoreError> {
        let records = records(&reader, &wanted, since, account)?;
        let events = history.events(&EventQuery {
            account,
            domain: Some(wanted.domain),
            app: Some(wanted.app),
            stream: Some(wanted.stream),
            since: Some(since),
            limit: EVENTS,
            ..EventQuery::default()
        })?;
        let fetches = history.fetches(&FetchQuery {
            account,
            domain: Some(fetched.domain),
            app: Some(fetched.app),
            stream: Some(fetched.stream),
            since: Some(since),
            limit: FETCHES,
            ..FetchQuery::default()
        })?;
        let minutes = row::minutes(&reader, records.get(..LISTED).unwrap_or(&records));
        Ok(Known { records, minutes, events, fetches: fetches.fetches })
    };
    let (known, mistake) = match tokio::task::spawn_blocking(read).await {
        Ok(Ok(known)) => (known, String::new()),
        Ok(Err(error)) => {
            tracing::error!(%error, stream = %key, "the records of a stream cannot be read");
            (Known::default(), f.t("records-unreadable"))
        }
        Err(error) => {
            tracing::error!(%error, stream = %key, "the records of a stream cannot be read");
            (Known::default(), f.t("records-unreadable"))
        }
    };
    let mut pushes = state.pushes_everywhere(f.scope()).await.outcome;
    pushes.retain(|push| push.domain == key.domain && push.app == key.app && push.stream == key.stream);
    let live_since = pushes.iter().find(|push| push.role != "backup").map(|push| push.published_at);
    let window = strip::Window { since, until: now, live_since };
    let catalog = state.catalog();
    let seen = |entry: &&Forbidden| entry.until > now && f.scope().has(&catalog, &key.domain);
    let forbidden = catalog.forbidden.get(&key).filter(seen).cloned();
    let span = |range: &str, text: String| Span {
        text,
        link: extended(&query(&key), &[("range", range)]),
        chosen: chosen == range,
    };
    let filters = format!("{}{}", query(&key), if chosen == "7d" { "&since=7d" } else { "&since=24h" });
    let page = Page {
        figures: figures::Figures::of(&known.records, &window, &f),
        strip: strip::Strip::of(&known.records, &window, &f),
        spans: vec![span("24h", f.t("range-day")), span("7d", f.t("range-week"))],
        causes: causes(&known.records, &filters, &f),
        live: pushes.into_iter().map(|push| LiveRow::of(push, now, &f)).collect(),
        forbidden: forbidden.map(|entry| (When::of(entry.until), entry.reason)),
        columns: Columns::default(),
        rows: Row::all(known.records.into_iter().take(LISTED).collect(), &known.minutes, &f),
        all_records: format!("/records{filters}"),
        events: events::rows(known.events, &state, &f),
        all_events: format!("/events{filters}"),
        fetched: known.fetches.into_iter().map(|fetch| fetched::Fetched::of(fetch, &f)).collect(),
        preview: preview_link(&key),
        done: told(&params.done, &f),
        mistake,
        may_act: f.may(Role::Operator),
        back: "stream".to_owned(),
        key,
        f,
    };
    render(StatusCode::OK, &page)
}

/// The ends of a stream since a time, newest first.
fn records(
    reader: &Reader,
    key: &StreamKey,
    since: Timestamp,
    account: Option<AccountId>,
) -> Result<Vec<Record>, StoreError> {
    let query = RecordQuery {
        account,
        domain: Some(key.domain.clone()),
        app: Some(key.app.clone()),
        stream: Some(key.stream.clone()),
        since: Some(since),
        limit: MAX_RECORDS,
        ..RecordQuery::default()
    };
    Ok(crate::query::full_page(reader, query)?.records)
}

/// The causes that ended it, most first: chip, count, and where their records are.
fn causes(records: &[Record], filters: &str, f: &Frame) -> Vec<(Chip, String, String)> {
    let mut counts = std::collections::BTreeMap::new();
    for record in records {
        *counts.entry(record.code()).or_insert(0u64) += record.attempts;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let line = |(code, count): (model::Code, u64)| {
        let link = extended(&format!("/records{filters}"), &[("code", &code.to_string())]);
        (Chip::of(code, f.lang), grouped(count), link)
    };
    counts.into_iter().take(CAUSES).map(line).collect()
}
