//! Streams: who is live, how healthy, and what an operator does about it.

mod act;
mod grade;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use live::LivePush;
use model::Timestamp;
use model::catalog::{Forbidden, Role};
use serde::Deserialize;

pub(super) use act::submit;

use super::frame::{Frame, SignedIn, render};
use super::show::{When, duration, grouped};
use crate::state::WebState;
use grade::Grade;

/// Rows on the page; a node carries more pushes than a person reads.
const SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "streams.html")]
struct Page {
    f: Frame,
    rows: Vec<Row>,
    /// How many there are beyond those that are shown.
    more: usize,
    forbidden: Vec<ForbiddenRow>,
    /// What the last action did; empty for nothing.
    done: String,
    search: String,
    /// Whether the user may act.
    may_act: bool,
    rtmp_port: u16,
}

struct Row {
    domain: String,
    app: String,
    stream: String,
    backup: bool,
    history: String,
    client: String,
    since: When,
    lasted: String,
    media: String,
    kbps: String,
    fps: String,
    lag: String,
    rtt: String,
    grade: Grade,
}

struct ForbiddenRow {
    domain: String,
    app: String,
    stream: String,
    until: When,
    reason: String,
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
    let wanted = params.search.to_lowercase();
    let mut pushes = state.live().pushes();
    pushes.retain(|push| wanted.is_empty() || push.stream.to_lowercase().contains(&wanted));
    let more = pushes.len().saturating_sub(SHOWN);
    pushes.truncate(SHOWN);
    let mut forbidden: Vec<Forbidden> =
        state.catalog().forbidden.values().filter(|entry| entry.until > now).cloned().collect();
    forbidden.sort_by_key(|entry| entry.until);
    let page = Page {
        rows: pushes.into_iter().map(|push| Row::of(push, now, &f)).collect(),
        more,
        forbidden: forbidden.into_iter().map(ForbiddenRow::of).collect(),
        done: match params.done.as_str() {
            "dropped" => f.t("streams-dropped"),
            "forbidden" => f.t("streams-forbade"),
            "resumed" => f.t("streams-resumed"),
            "gone" => f.t("streams-gone"),
            _ => String::new(),
        },
        search: params.search,
        may_act: f.session.as_ref().is_some_and(|session| session.role >= Role::Operator),
        rtmp_port: state.config().rtmp_port,
        f,
    };
    render(StatusCode::OK, &page)
}

impl Row {
    fn of(push: LivePush, now: Timestamp, f: &Frame) -> Self {
        let state = &push.state;
        let size = state.width.zip(state.height).map(|(w, h)| format!("{w}×{h}"));
        let media = [state.video_codec.clone(), size, state.audio_codec.clone()];
        let lived = u64::try_from(now.millis() - push.published_at.millis()).unwrap_or(0);
        Self {
            grade: Grade::of(&push, lived, f),
            history: crate::query::link(&[
                ("stream", &push.stream),
                ("domain", &push.domain),
                ("app", &push.app),
            ]),
            backup: push.role == "backup",
            client: push.client_ip.to_string(),
            since: When::of(push.published_at),
            lasted: duration(f.words(), lived),
            media: media.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            kbps: grouped(state.kbps.into()),
            fps: state.fps.to_string(),
            lag: grouped(u64::try_from(state.lag_ms).unwrap_or(0)),
            rtt: if state.rcv_rtt_ms > 0.0 { format!("{:.0}", state.rcv_rtt_ms) } else { String::new() },
            domain: push.domain,
            app: push.app,
            stream: push.stream,
        }
    }
}

impl ForbiddenRow {
    fn of(entry: Forbidden) -> Self {
        Self {
            until: When::of(entry.until),
            reason: entry.reason,
            domain: entry.key.domain,
            app: entry.key.app,
            stream: entry.key.stream,
        }
    }
}
