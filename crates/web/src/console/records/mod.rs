//! Stream interruption records: which pushes ended, when and why?

mod export;
mod views;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use cause::{Cause, Lang, Side};

pub(super) use export::file;
pub(super) use views::submit as keep_view;

use super::columns::Columns;
use super::domains;
use super::filter_form::{FilterForm, from_form};
use super::frame::{Frame, SignedIn, render};
use super::row::{self, Row};
use super::show::mark;
use crate::query::{Filter, extended, full_page};
use crate::state::WebState;

#[derive(Template)]
#[template(path = "records.html")]
struct Page {
    /// The database of all nodes does not answer.
    here_only: bool,
    f: Frame,
    form: FilterForm,
    domains: Vec<String>,
    sides: Vec<Choice>,
    causes: Vec<CauseGroup>,
    columns: Columns,
    views: Vec<views::View>,
    /// What the page shows, as a view keeps it.
    query: String,
    rows: Vec<Row>,
    /// Link to the older page; empty on the last one.
    older: String,
    /// Link to the newest page; empty on it.
    newest: String,
    filtered: bool,
    /// Links to the same as files.
    as_csv: String,
    as_json: String,
    /// What is wrong with the filters; empty for nothing.
    mistake: String,
    rtmp_port: u16,
}

struct Choice {
    value: String,
    text: String,
    chosen: bool,
}

struct CauseGroup {
    name: String,
    choices: Vec<Choice>,
}

/// The page.
pub(super) async fn page(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let (columns, pairs) = Columns::take(pairs);
    let (filter, mut mistake) = match Filter::read(from_form(pairs)) {
        Ok(filter) => (filter, String::new()),
        Err(error) => (Filter::default(), error.to_string()),
    };
    let query = filter.to_query(f.scope(), state.clock().now());
    let reader = state.reader().clone();
    let draws = columns.has("minute");
    let read = move || {
        let page = full_page(&reader, query)?;
        let minutes = if draws { row::minutes(&reader, &page.records) } else { row::Minutes::default() };
        Ok::<_, store::StoreError>((page, minutes))
    };
    let (found, minutes) = match tokio::task::spawn_blocking(read).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::error!(%error, "the records cannot be read");
            mistake = f.t("records-unreadable");
            Default::default()
        }
        Err(error) => {
            tracing::error!(%error, "the records cannot be read");
            mistake = f.t("records-unreadable");
            Default::default()
        }
    };
    let (records, next, here_only) = (found.records, found.next, found.here_only);
    let status = if mistake.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let chosen = columns.in_url();
    let in_url = |query: String| match &chosen {
        Some(names) => extended(&query, &[("columns", names)]),
        None => query,
    };
    let link = |cursor| format!("/records{}", in_url(filter.to_query_string(cursor)));
    let older = next.as_ref().map(|cursor| link(Some(cursor))).unwrap_or_default();
    let newest = filter.after.map(|_| link(None)).unwrap_or_default();
    let export =
        |format| format!("/records/export{}", extended(&filter.to_query_string(None), &[("format", format)]));
    let (as_csv, as_json) = (export("csv"), export("json"));
    let query = in_url(filter.to_query_string(None));
    let views = views::of_user(&state, &f, &query).await;
    let page = Page {
        here_only,
        form: FilterForm::of(&filter),
        domains: domains::names(&state, &f),
        sides: sides(&filter, f.lang),
        causes: causes(&filter, f.lang),
        rows: Row::all(records, &minutes, &f),
        columns,
        views,
        query: query.trim_start_matches('?').to_owned(),
        older,
        newest,
        filtered: !filter.is_empty(),
        as_csv,
        as_json,
        mistake,
        rtmp_port: state.config().rtmp_port,
        f,
    };
    render(status, &page)
}

fn sides(filter: &Filter, lang: Lang) -> Vec<Choice> {
    let choice = |side: Side| Choice {
        value: side.as_str().to_owned(),
        text: format!("{} {}", mark(side), side.label(lang)),
        chosen: filter.side == Some(side),
    };
    Side::ALL.into_iter().map(choice).collect()
}

fn causes(filter: &Filter, lang: Lang) -> Vec<CauseGroup> {
    let choice = |cause: Cause| Choice {
        value: cause.code().to_string(),
        text: format!("{} {}", cause.code(), cause.errmsg(lang)),
        chosen: filter.codes.contains(&cause.code()),
    };
    let group = |side: Side| CauseGroup {
        name: format!("{} {}", mark(side), side.label(lang)),
        choices: Cause::ALL.into_iter().filter(|c| c.side() == side).map(choice).collect(),
    };
    Side::ALL.into_iter().map(group).collect()
}
