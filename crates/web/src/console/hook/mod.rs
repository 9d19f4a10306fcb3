//! The authentication hook: who is asked before a push goes live, and what it says when it is tried out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use live::{HookChoice, HookChoiceError, HookSample, HookState, HookTrial};
use model::{StreamKey, mask};
use serde::Deserialize;

use super::frame::{Frame, render};
use super::note::Note;
use super::visit::{Act, NodeAdmins, Visit};
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
    /// `None` where nobody is asked.
    hook: Option<Hook>,
    /// It is not the configuration's.
    chosen: bool,
    /// Why the hook cannot be asked; empty for nothing.
    broken: String,
    domains: Vec<String>,
    client: String,
}

struct Hook {
    url: String,
    timeout_ms: u128,
}

/// The page. The hook may see secrets of push URLs, so it is for administrators.
pub(super) async fn page(visit: Visit<NodeAdmins>, State(state): State<WebState>) -> Response {
    let f = visit.f;
    let HookState { hook, chosen, broken } = state.live().auth_hook();
    let page = Page {
        hook: hook.map(|hook| Hook { url: hook.url, timeout_ms: hook.timeout.as_millis() }),
        chosen,
        broken: broken.unwrap_or_default(),
        domains: manage::domains::list(&state, f.scope()).into_iter().map(|d| d.name).collect(),
        client: visit.client.ip.to_string(),
        note: f.take_note(),
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
pub(super) async fn submit(State(state): State<WebState>, act: Act<NodeAdmins, Sample>) -> Response {
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

/// Which hook is to be asked from now on.
#[derive(Deserialize)]
pub(super) struct Chosen {
    /// `hook`, `nobody`, `configured`.
    act: String,
    /// Empty for that of the present one: URLs may hold secrets, so that the page does not show them whole.
    #[serde(default)]
    url: String,
    #[serde(default)]
    timeout_ms: u64,
}

/// Chooses another hook, or none.
pub(super) async fn choose(State(state): State<WebState>, act: Act<NodeAdmins, Chosen>) -> Response {
    let Act { f, by, form, .. } = act;
    let url = form.url.trim().to_owned();
    let (choice, done) = match form.act.as_str() {
        "nobody" => (HookChoice::Nobody, "hook-off"),
        "configured" => (HookChoice::Configured, "hook-as-configured"),
        _ => {
            let timeout = Duration::from_millis(form.timeout_ms);
            (HookChoice::Hook { url: (!url.is_empty()).then_some(url), timeout }, "hook-chosen")
        }
    };
    let note = match state.live().choose_auth_hook(choice, &by).await {
        Ok(()) => Note::done(f.t(done)),
        Err(error) => Note::mistake(refused(&error, &f)),
    };
    f.go_with(PAGE, note)
}

fn refused(error: &HookChoiceError, f: &Frame) -> String {
    match error {
        HookChoiceError::Url(error) => f.tn("callback-bad-url", error),
        HookChoiceError::Length => f.t("hook-bad-url"),
        HookChoiceError::Timeout => f.t("hook-bad-timeout"),
        HookChoiceError::Client(_) | HookChoiceError::Store(_) | HookChoiceError::Stopping => {
            tracing::error!(%error, "the authentication hook was not changed");
            f.t("change-failed")
        }
    }
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
