//! Push errors: what is going wrong in pushes that are still live?

use std::collections::HashSet;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cause::EventKind;
use cause::event::Occurrence;
use model::PushId;
use store::{EventQuery, EventRow, StreamEvents};

use super::filter_form::{FilterForm, from_form};
use super::frame::{Frame, SignedIn, render};
use super::show::{When, grouped};
use super::{domains, stream};
use crate::actions::Scope;
use crate::query::{Filter, extended};
use crate::state::WebState;

/// Rows on a page.
const PAGE: usize = 50;
/// Streams that are named.
const STREAMS: usize = 6;
/// Occurrences that a row tells in words.
const TOLD: usize = 2;

#[derive(Template)]
#[template(path = "events.html")]
struct Page {
    f: Frame,
    form: FilterForm,
    domains: Vec<String>,
    kinds: Vec<Choice>,
    streams: Vec<StreamLine>,
    rows: Vec<Row>,
    /// Link to the older page; empty on the last one.
    older: String,
    /// Link to the newest page; empty on it.
    newest: String,
    filtered: bool,
    mistake: String,
}

struct Choice {
    value: u8,
    text: String,
    chosen: bool,
}

/// What is shown of a stream with many abnormalities.
struct StreamLine {
    link: String,
    stream: String,
    place: String,
    kinds: String,
    count: String,
    last: When,
}

/// One type of abnormality of a push within an interval.
pub(super) struct Row {
    pub id: u64,
    pub at: When,
    pub kind: u8,
    pub name: String,
    pub count: String,
    pub stream: String,
    pub place: String,
    /// The page of the stream key.
    pub stream_link: String,
    pub client: String,
    /// What was seen, in words.
    pub seen: Vec<String>,
    /// The push's record; empty while it is live.
    pub record: String,
}

/// What the URL says beyond the filters of records.
#[derive(Default)]
struct Own {
    kind: Option<u8>,
    below: Option<u64>,
}

/// The page.
pub(super) async fn page(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let (own, pairs) = Own::take(pairs);
    let (filter, mut mistake) = match Filter::read(from_form(pairs)) {
        Ok(filter) => (filter, String::new()),
        Err(error) => (Filter::default(), error.to_string()),
    };
    let query = own.query(&filter, f.scope(), &state);
    let history = state.history().clone();
    let found = tokio::task::spawn_blocking(move || {
        let rows = history.events(&query)?;
        let streams = history.event_streams(&EventQuery { limit: STREAMS, ..query })?;
        Ok::<_, store::StoreError>((rows, streams))
    });
    let (found, streams) = match found.await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::error!(%error, "the events cannot be read");
            mistake = f.t("events-unreadable");
            (Vec::new(), Vec::new())
        }
        Err(error) => {
            tracing::error!(%error, "the events cannot be read");
            mistake = f.t("events-unreadable");
            (Vec::new(), Vec::new())
        }
    };
    let status = if mistake.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let older = found.last().filter(|_| found.len() >= PAGE).map(|row| own.link(&filter, Some(row.id)));
    let page = Page {
        form: FilterForm::of(&filter),
        domains: domains::names(&state, &f),
        kinds: kinds(own.kind, &f),
        streams: streams.into_iter().map(|stream| StreamLine::of(stream, &f)).collect(),
        rows: rows(found, &state, &f),
        older: older.unwrap_or_default(),
        newest: own.below.map(|_| own.link(&filter, None)).unwrap_or_default(),
        filtered: !filter.is_empty() || own.kind.is_some(),
        mistake,
        f,
    };
    render(status, &page)
}

/// Events as rows, each with the way to its push's record once that has ended.
pub(super) fn rows(found: Vec<EventRow>, state: &WebState, f: &Frame) -> Vec<Row> {
    let live: HashSet<PushId> = state.pushes(f.scope()).into_iter().map(|push| push.id).collect();
    found.into_iter().map(|row| Row::of(row, &live, f)).collect()
}

impl Own {
    fn take(pairs: Vec<(String, String)>) -> (Self, Vec<(String, String)>) {
        let mut own = Self::default();
        let mut others = Vec::new();
        for (name, value) in pairs {
            match name.as_str() {
                "kind" => own.kind = value.parse().ok(),
                "below" => own.below = value.parse().ok(),
                // Those have no meaning here.
                "after" | "code" | "side" | "ip" => {}
                _ => others.push((name, value)),
            }
        }
        (own, others)
    }

    fn query(&self, filter: &Filter, scope: Scope, state: &WebState) -> EventQuery {
        let records = filter.to_query(scope, state.clock().now());
        EventQuery {
            account: records.account,
            stream: records.stream,
            fuzzy: records.fuzzy,
            domain: records.domain,
            app: records.app,
            kind: self.kind,
            since: records.since,
            until: records.until,
            below: self.below,
            limit: PAGE,
            ..EventQuery::default()
        }
    }

    fn link(&self, filter: &Filter, below: Option<u64>) -> String {
        let kind = self.kind.map(|kind| kind.to_string());
        let below = below.map(|below| below.to_string());
        let more: Vec<(&str, &str)> = [("kind", &kind), ("below", &below)]
            .into_iter()
            .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
            .collect();
        format!("/events{}", extended(&filter.to_query_string(None), &more))
    }
}

fn kinds(chosen: Option<u8>, f: &Frame) -> Vec<Choice> {
    let choice = |kind: &EventKind| Choice {
        value: kind.number(),
        text: format!("{} {}", kind.number(), kind.name(f.lang)),
        chosen: chosen == Some(kind.number()),
    };
    EventKind::ALL.iter().map(choice).collect()
}

fn name(kind: u8, f: &Frame) -> String {
    EventKind::from_number(kind).map_or_else(|| kind.to_string(), |kind| kind.name(f.lang).to_owned())
}

impl StreamLine {
    fn of(stream: StreamEvents, f: &Frame) -> Self {
        let kinds: Vec<String> = stream.kinds.iter().map(|kind| name(*kind, f)).collect();
        Self {
            link: stream::link(&stream.key),
            kinds: kinds.join(" · "),
            count: grouped(stream.count),
            last: When::of(stream.last),
            place: format!("{}/{}", stream.key.domain, stream.key.app),
            stream: stream.key.stream,
        }
    }
}

impl Row {
    fn of(row: EventRow, live: &HashSet<PushId>, f: &Frame) -> Self {
        let kind = EventKind::from_number(row.kind);
        let told = row.occurrences.iter().rev().take(TOLD).map(|seen| match &seen.seen {
            Some(numbers) => Occurrence {
                at_ms: 0,
                value: numbers.value,
                timestamp: numbers.timestamp,
                text: numbers.text.clone(),
            }
            .text(kind, f.lang),
            None => seen.what.clone(),
        });
        Self {
            seen: told.collect(),
            record: if live.contains(&row.push) { String::new() } else { format!("/records/{}", row.push) },
            id: row.id,
            at: When::of(row.at),
            kind: row.kind,
            name: name(row.kind, f),
            count: grouped(row.count),
            stream_link: stream::link(&row.key),
            place: format!("{}/{}", row.key.domain, row.key.app),
            stream: row.key.stream,
            client: row.client_ip.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_link_keeps_filters_type_and_place() {
        let (own, others) =
            Own::take(pairs(&[("stream", "a b"), ("kind", "6"), ("below", "90"), ("code", "x")]));
        let filter = Filter::read(from_form(others)).unwrap();
        assert_eq!(own.link(&filter, Some(7)), "/events?stream=a%20b&kind=6&below=7");
        assert_eq!(own.link(&Filter::default(), None), "/events?kind=6");
    }
}
