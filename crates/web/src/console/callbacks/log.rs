//! The delivery log: what was sent to whom, and what they answered.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::CallbackKind;
use serde::Deserialize;
use store::{DeliveryQuery, DeliveryRow};

use crate::console::frame::{Frame, render};
use crate::console::note::Note;
use crate::console::show::{When, grouped};
use crate::console::visit::{Anybody, Visit};
use crate::state::WebState;

/// Deliveries on a page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "deliveries.html")]
struct Page {
    f: Frame,
    note: Note,
    rows: Vec<Row>,
    form: Params,
    filtered: bool,
    /// Where older ones are; empty for none.
    older: String,
}

struct Row {
    at: When,
    kind: String,
    stream: String,
    place: String,
    url: String,
    outcome: String,
    ok: bool,
    attempt: u32,
    status: String,
    took: String,
    reason: String,
    request: String,
    response: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::console) struct Params {
    domain: String,
    stream: String,
    outcome: String,
    below: Option<u64>,
}

/// The page.
pub(in crate::console) async fn page(
    visit: Visit<Anybody>,
    State(state): State<WebState>,
    Query(form): Query<Params>,
) -> Response {
    let f = visit.f;
    let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let query = DeliveryQuery {
        account: f.scope().account(),
        domain: given(&form.domain).map(|domain| domain.to_ascii_lowercase()),
        stream: given(&form.stream),
        delivered: match form.outcome.as_str() {
            "delivered" => Some(true),
            "failed" => Some(false),
            _ => None,
        },
        below: form.below,
        limit: PAGE,
        ..DeliveryQuery::default()
    };
    let history = state.history().clone();
    let read = tokio::task::spawn_blocking(move || history.deliveries(&query)).await;
    let (rows, note) = match read {
        Ok(Ok(rows)) => (rows, Note::default()),
        failed => {
            tracing::error!(failed = ?failed.map(|read| read.map(drop)), "the deliveries cannot be read");
            (Vec::new(), Note::mistake(f.t("records-unreadable")))
        }
    };
    let below = rows.last().filter(|_| rows.len() >= PAGE).map(|row| row.id);
    let page = Page {
        older: below.map(|below| older(&form, below)).unwrap_or_default(),
        filtered: [&form.domain, &form.stream, &form.outcome].iter().any(|text| !text.is_empty()),
        rows: rows.into_iter().map(|row| Row::of(row, &f)).collect(),
        form,
        note,
        f,
    };
    render(StatusCode::OK, &page)
}

fn older(form: &Params, below: u64) -> String {
    let pairs = [("domain", &form.domain), ("stream", &form.stream), ("outcome", &form.outcome)];
    let mut given: Vec<(&str, String)> =
        pairs.into_iter().filter(|(_, v)| !v.is_empty()).map(|(name, value)| (name, value.clone())).collect();
    given.push(("below", below.to_string()));
    format!("/callbacks/log?{}", serde_urlencoded::to_string(given).unwrap_or_default())
}

impl Row {
    fn of(row: DeliveryRow, f: &Frame) -> Self {
        let entry = row.entry;
        let kind = match entry.kind {
            CallbackKind::Begin => "event-begin",
            CallbackKind::End => "event-end",
            CallbackKind::Exception => "event-exception",
        };
        let ok = entry.reason.is_none();
        let outcome = match entry.outcome.as_str() {
            "delivered" => f.t("outcome-delivered"),
            "retry" => f.t("outcome-retry"),
            "given_up" => f.t("outcome-given-up"),
            "test" => f.t("outcome-test"),
            other => other.to_owned(),
        };
        Self {
            at: When::of(entry.sent_at),
            kind: f.t(kind),
            place: format!("{}/{}", entry.key.domain, entry.key.app),
            stream: entry.key.stream,
            url: entry.url,
            outcome,
            ok,
            attempt: entry.attempt,
            status: entry.status.map(|status| status.to_string()).unwrap_or_default(),
            took: grouped(entry.took_ms),
            reason: entry.reason.unwrap_or_default(),
            request: entry.request,
            response: entry.response,
        }
    }
}
