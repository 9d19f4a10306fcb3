//! The authentication hook: who is asked before a push goes live, and what it says when it is tried out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use live::{HookSample, HookTrial};
use model::{StreamKey, mask};
use serde::Deserialize;

use super::frame::{Frame, render};
use super::note::Note;
use super::visit::{Act, Admins, Visit};
use crate::actions::Scope;
use crate::manage;
use crate::state::WebState;

const PAGE: &str = "/hook";
/// The longest value of a field, bytes.
const MAX_FIELD: usize = 1_024;
/// So much of an answer is shown, characters.
const SHOWN: usize = 2_000;

#[derive(Template)]
#[template(path = "hook.html")]
struct Page {
    f: Frame,
    note: Note,
    /// `None` where no hook is set up.
    hook: Option<Hook>,
    domains: Vec<String>,
    client: String,
}

struct Hook {
    url: String,
    timeout_ms: u128,
}

/// The page. The hook may see secrets of push URLs, so it is for administrators.
pub(super) async fn page(visit: Visit<Admins>, State(state): State<WebState>) -> Response {
    let f = visit.f;
    let hook = state.live().auth_hook().map(|h| Hook { url: h.url, timeout_ms: h.timeout.as_millis() });
    let page = Page {
        domains: manage::domains::list(&state, Scope::All).into_iter().map(|d| d.name).collect(),
        client: visit.client.ip.to_string(),
        note: f.take_note(),
        hook,
        f,
    };
    render(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub(super) struct Sample {
    domain: String,
    app: String,
    stream: String,
    #[serde(default)]
    param: String,
    #[serde(default)]
    client: String,
}

/// Asks the hook about the push that the form describes.
pub(super) async fn submit(State(state): State<WebState>, act: Act<Admins, Sample>) -> Response {
    let Act { f, form, .. } = act;
    if [&form.domain, &form.app, &form.stream, &form.param].iter().any(|field| field.len() > MAX_FIELD) {
        return f.go_with(PAGE, Note::mistake(f.t("invalid-value")));
    }
    let Ok(_place) = state.trials().try_acquire() else {
        return f.go_with(PAGE, Note::mistake(f.t("trial-busy")));
    };
    let ip = form.client.trim().parse::<IpAddr>().unwrap_or(Ipv4Addr::LOCALHOST.into());
    let sample = HookSample {
        key: StreamKey::new(form.domain.trim().to_ascii_lowercase(), form.app, form.stream),
        stream_param: form.param,
        client: SocketAddr::new(ip, 1935),
    };
    let note = match state.live().try_auth_hook(&sample).await {
        Some(trial) => told(trial, &f),
        None => Note::mistake(f.t("hook-none")),
    };
    f.go_with(PAGE, note)
}

fn told(trial: HookTrial, f: &Frame) -> Note {
    let answer = match &trial.answer {
        Some((status, body)) => format!("{status} {}", body.chars().take(SHOWN).collect::<String>()),
        None => f.t("trial-no-answer"),
    };
    let text = if trial.refusal.is_none() { f.t("hook-lets-in") } else { f.t("hook-refuses") };
    let mut facts = vec![
        (f.t("trial-asked"), mask::mask_text(&trial.question)),
        (f.t("trial-answered"), answer),
        (f.t("trial-took"), format!("{} ms", trial.took.as_millis())),
    ];
    if let Some(detail) = &trial.refusal {
        facts.push((f.t("trial-why"), detail.text(f.lang)));
    }
    Note { text, alert: trial.refusal.is_some(), facts, ..Note::default() }
}
