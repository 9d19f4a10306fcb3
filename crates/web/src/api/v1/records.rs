//! `GET /records` and `GET /records/{id}`.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use cause::export::Export;
use cause::health::ReportRecord;
use cause::{Evidence, Lang};
use model::record::DetailRecord;
use model::{PushId, Record};
use serde::Serialize;
use serde_json::Value;

use super::Caller;
use super::causes::language;
use super::input::{Params, Segments};
use crate::present::{self, in_language};
use crate::problem::{Kind, Problem};
use crate::query::{Filter, full_page};
use crate::state::WebState;

type Pairs = Vec<(String, String)>;

/// One page. A typed answer, so that fields keep their order.
#[derive(Serialize)]
pub struct RecordPage {
    records: Vec<Record>,
    /// Goes on after this page; null on the last one.
    next: Option<String>,
    /// The database of all nodes did not answer: these are this node's alone.
    here_only: bool,
}

/// One record and what lies behind it.
#[derive(Serialize)]
pub struct RecordAnswer {
    record: Record,
    /// Whether it was a test push, or asked to be one.
    test: bool,
    /// How well it did; null where it never was live, or once the evidence is gone.
    health: Option<ReportRecord>,
    findings: Vec<Value>,
    /// What else happened, whatever the cause.
    factors: Vec<DetailRecord>,
    /// What cannot be told from here, and which datum would tell.
    untold: Vec<DetailRecord>,
    events: Vec<Value>,
    evidence: Option<Evidence>,
}

/// A page of records, newest first.
pub async fn list(
    caller: Caller,
    State(state): State<WebState>,
    Params(pairs): Params<Pairs>,
) -> Result<Json<RecordPage>, Problem> {
    let (lang, pairs) = split_language(pairs)?;
    let filter = Filter::read(pairs).map_err(|e| Problem::new(Kind::BadRequest, e.to_string()))?;
    if let Some(name) = filter.unknown.first() {
        return Err(Problem::new(Kind::BadRequest, format!("there is no parameter `{name}`")));
    }
    let query = filter.to_query(caller.scope, state.clock().now());
    let reader = state.reader().clone();
    let page = tokio::task::spawn_blocking(move || full_page(&reader, query)).await??;
    let records = page.records.into_iter().map(|r| in_language(r, lang)).collect();
    let next = page.next.map(|cursor| cursor.to_string());
    Ok(Json(RecordPage { records, next, here_only: page.here_only }))
}

/// One record with its evidence and findings; evidence is null once its time is over.
pub async fn one(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<String>,
    Params(pairs): Params<Pairs>,
) -> Result<Json<RecordAnswer>, Problem> {
    let (lang, _) = split_language(pairs)?;
    let (record, evidence) = read(&caller, &state, &id).await?;
    let verdict = evidence.as_ref().map(cause::verdict);
    let findings = verdict.iter().flat_map(|v| present::findings(v, lang)).collect();
    let factors = verdict.iter().flat_map(|v| present::details(&v.factors, lang)).collect();
    let untold = verdict.iter().flat_map(|v| present::details(&v.untold, lang)).collect();
    let events = evidence.iter().flat_map(|e| present::events(e, &record, lang)).collect();
    let health = evidence.as_ref().and_then(|e| cause::health::report(e, &record));
    let health = health.map(|report| report.to_record(lang));
    let test = record.is_test();
    let record = in_language(record, lang);
    Ok(Json(RecordAnswer { record, test, health, findings, factors, untold, events, evidence }))
}

/// One record with its evidence as a file that can be judged again and replayed.
pub async fn export(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<String>,
) -> Result<impl IntoResponse, Problem> {
    let (record, evidence) = read(&caller, &state, &id).await?;
    let name = format!("attachment; filename=\"{}.json\"", record.id);
    Ok(([(header::CONTENT_DISPOSITION, name)], Json(Export::new(record, evidence))))
}

async fn read(caller: &Caller, state: &WebState, id: &str) -> Result<(Record, Option<Evidence>), Problem> {
    let nothing = || Problem::new(Kind::NotFound, "there is no record with this id");
    let id: PushId = id.parse().map_err(|_| nothing())?;
    let reader = state.reader().clone();
    let found = tokio::task::spawn_blocking(move || reader.get(id)).await??;
    let (record, evidence) = found.filter(|(r, _)| caller.scope.covers(r.account)).ok_or_else(nothing)?;
    let evidence = evidence.and_then(|bytes| match Evidence::decode(&bytes) {
        Ok(evidence) => Some(evidence),
        Err(error) => {
            tracing::warn!(%id, %error, "evidence cannot be read");
            None
        }
    });
    Ok((record, evidence))
}

fn split_language(pairs: Pairs) -> Result<(Lang, Pairs), Problem> {
    let (lang, rest): (Pairs, Pairs) = pairs.into_iter().partition(|(name, _)| name == "lang");
    Ok((language(lang.first().map(|(_, value)| value.as_str()))?, rest))
}
