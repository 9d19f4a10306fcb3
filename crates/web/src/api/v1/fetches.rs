//! `GET /fetches` and `GET /fetches/{id}`: streams of other nodes that were fetched for viewers, and how that ended.

use axum::Json;
use axum::extract::State;
use model::{FetchRecord, Timestamp};
use serde::{Deserialize, Serialize};
use store::{FetchCursor, FetchQuery};
use uuid::Uuid;

use super::Caller;
use super::causes::language;
use super::input::{Params, Segments};
use super::page::Page;
use crate::present::fetch_in_language;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// Which fetches.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchParams {
    domain: Option<String>,
    app: Option<String>,
    stream: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    limit: Option<usize>,
    after: Option<String>,
    lang: Option<String>,
}

/// One page.
#[derive(Serialize)]
pub struct FetchPage {
    fetches: Vec<FetchRecord>,
    /// Goes on after this page; null on the last one.
    next: Option<String>,
    /// The database of all nodes did not answer: these are this node's alone.
    here_only: bool,
}

/// In which language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    lang: Option<String>,
}

/// A page of fetches that have ended, newest end first.
pub async fn list(
    caller: Caller,
    State(state): State<WebState>,
    Params(params): Params<FetchParams>,
) -> Result<Json<FetchPage>, Problem> {
    let lang = language(params.lang.as_deref())?;
    let limit = Page::of(params.limit, None)?.limit;
    let wrong = |_| Problem::new(Kind::BadRequest, "write what `next` said, unchanged").with_field("after");
    let after: Option<FetchCursor> = params.after.map(|text| text.parse().map_err(wrong)).transpose()?;
    let query = FetchQuery {
        account: caller.scope.account(),
        domain: params.domain.map(|domain| domain.to_ascii_lowercase()),
        app: params.app,
        stream: params.stream,
        since: params.since,
        until: params.until,
        after,
        limit,
    };
    let history = state.history().clone();
    let found = tokio::task::spawn_blocking(move || history.fetches(&query)).await??;
    let last = found.fetches.last().filter(|_| found.fetches.len() >= limit);
    let next = last.map(|fetch| FetchCursor::of(fetch).to_string());
    let fetches = found.fetches.into_iter().map(|fetch| fetch_in_language(fetch, lang)).collect();
    Ok(Json(FetchPage { fetches, next, here_only: found.here_only }))
}

/// One fetch that has ended.
pub async fn one(
    caller: Caller,
    State(state): State<WebState>,
    Segments(id): Segments<String>,
    Params(Language { lang }): Params<Language>,
) -> Result<Json<FetchRecord>, Problem> {
    let lang = language(lang.as_deref())?;
    let nothing = || Problem::new(Kind::NotFound, "there is no fetch with this id that has ended");
    let id: Uuid = id.parse().map_err(|_| nothing())?;
    let history = state.history().clone();
    let found = tokio::task::spawn_blocking(move || history.fetch(id)).await??;
    let fetch = found.filter(|fetch| caller.scope.covers(fetch.account)).ok_or_else(nothing)?;
    Ok(Json(fetch_in_language(fetch, lang)))
}
