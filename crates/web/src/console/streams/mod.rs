//! Streams: who is live, how healthy, who watches, and what an operator does about it.

mod act;
mod grade;
mod live_row;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::{Forbidden, Role};
use serde::Deserialize;

pub(super) use act::submit;
pub(super) use live_row::LiveRow;

use super::frame::{Frame, SignedIn, render};
use super::show::{When, grouped};
use super::stream;
use crate::state::WebState;

/// Rows on the page; a node carries more pushes than a person reads.
const SHOWN: usize = 300;

#[derive(Template)]
#[template(path = "streams.html")]
struct Page {
    f: Frame,
    rows: Vec<LiveRow>,
    /// How many there are beyond those that are shown.
    more: usize,
    forbidden: Vec<ForbiddenRow>,
    /// What the last action did; empty for nothing.
    done: String,
    search: String,
    /// Pushes, and viewers of them all.
    pushes: String,
    viewers: String,
    /// Whether the user may act.
    may_act: bool,
    /// Where forms lead back to.
    back: String,
    rtmp_port: u16,
}

struct ForbiddenRow {
    link: String,
    domain: String,
    app: String,
    stream: String,
    until: When,
    reason: String,
    by: String,
}

#[derive(Deserialize, Default)]
pub(super) struct Params {
    #[serde(default)]
    done: String,
    #[serde(default)]
    search: String,
}

/// The page.
pub(super) async fn page(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Query(params): Query<Params>,
) -> Response {
    let now = state.clock().now();
    let wanted = params.search.trim().to_lowercase();
    let mut pushes = state.pushes_everywhere(f.scope()).await.outcome;
    pushes.extend(state.test_pushes(f.scope()));
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    pushes.retain(|push| {
        wanted.is_empty() || has(&push.stream) || has(&push.domain) || has(&push.client_ip.to_string())
    });
    let (count, viewers) = (pushes.len(), pushes.iter().map(|push| push.played.viewers as u64).sum());
    pushes.truncate(SHOWN);
    let catalog = state.catalog();
    let seen = |entry: &&Forbidden| entry.until > now && f.scope().has(&catalog, &entry.key.domain);
    let mut forbidden: Vec<Forbidden> = catalog.forbidden.values().filter(seen).cloned().collect();
    forbidden.sort_by_key(|entry| entry.until);
    let page = Page {
        rows: pushes.into_iter().map(|push| LiveRow::of(push, now, &f)).collect(),
        more: count.saturating_sub(SHOWN),
        pushes: grouped(count as u64),
        viewers: grouped(viewers),
        forbidden: forbidden.into_iter().map(ForbiddenRow::of).collect(),
        done: told(&params.done, &f),
        search: params.search,
        may_act: f.may(Role::Operator),
        back: String::new(),
        rtmp_port: state.config().rtmp_port,
        f,
    };
    render(StatusCode::OK, &page)
}

/// What an action did, in words.
pub(super) fn told(done: &str, f: &Frame) -> String {
    match done {
        "dropped" => f.t("streams-dropped"),
        "forbidden" => f.t("streams-forbade"),
        "resumed" => f.t("streams-resumed"),
        "switched" => f.t("streams-switched"),
        "gone" => f.t("streams-gone"),
        "not-waiting" => f.t("streams-not-waiting"),
        "moved" => f.t("streams-moved"),
        "unreachable" => f.t("streams-unreachable"),
        _ => String::new(),
    }
}

impl ForbiddenRow {
    fn of(entry: Forbidden) -> Self {
        Self {
            link: stream::link(&entry.key),
            until: When::of(entry.until),
            reason: entry.reason,
            by: entry.by,
            domain: entry.key.domain,
            app: entry.key.app,
            stream: entry.key.stream,
        }
    }
}
