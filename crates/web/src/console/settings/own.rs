//! What concerns the reader alone, and what the node keeps.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::role_key;
use crate::client::Client;
use crate::console::frame::{Frame, render};
use crate::console::note::Note;
use crate::console::show::duration;
use crate::console::theme::{self, Theme};
use crate::console::visit::{Act, Anybody, Visit};
use crate::console::{cookie, wording};
use crate::manage::users;
use crate::password::Checked;
use crate::state::WebState;

const A_YEAR: u64 = 365 * 86_400;
const PAGE: &str = "/settings";

#[derive(Template)]
#[template(path = "settings.html")]
struct Page {
    f: Frame,
    note: Note,
    themes: Vec<(&'static str, String, bool)>,
    role: String,
    /// The account that the reader is tied to; empty for none.
    account: String,
    min_password: usize,
    records: String,
    evidence: String,
    history: String,
}

/// The page.
pub(in crate::console) async fn page(visit: Visit<Anybody>, State(state): State<WebState>) -> Response {
    let f = visit.f;
    let text = |theme: Theme| match theme {
        Theme::Auto => f.t("theme-auto"),
        Theme::Light => f.t("theme-light"),
        Theme::Dark => f.t("theme-dark"),
    };
    let kept = state.config().retention;
    let long = |time: Duration| match (time.as_secs() / 86_400, time.as_secs() % 86_400) {
        (days @ 1.., 0) => f.tn("streams-days", days),
        _ => duration(f.words(), u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
    };
    let page = Page {
        themes: Theme::ALL.into_iter().map(|t| (t.as_str(), text(t), t == f.theme)).collect(),
        role: f.t(role_key(f.role())),
        account: f.account().map(|account| account.to_string()).unwrap_or_default(),
        min_password: users::MIN_PASSWORD,
        records: long(kept.records),
        evidence: long(kept.evidence),
        history: long(kept.history),
        note: f.take_note(),
        f,
    };
    render(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub(in crate::console) struct ThemeForm {
    theme: String,
}

/// Keeps the reader's theme.
pub(in crate::console) async fn theme(act: Act<Anybody, ThemeForm>) -> Response {
    let chosen = Theme::named(&act.form.theme);
    let mut response = Redirect::to(PAGE).into_response();
    if let Some(value) = cookie::set(theme::COOKIE, chosen.as_str(), A_YEAR, act.client.tls) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

#[derive(Deserialize)]
pub(in crate::console) struct PasswordForm {
    #[serde(default)]
    present: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    again: String,
}

/// Changes the reader's own password, for whoever knows the present one. Other sessions of the user end.
pub(in crate::console) async fn password(
    State(state): State<WebState>,
    act: Act<Anybody, PasswordForm>,
) -> Response {
    let Act { f, by, client, session, form, .. } = act;
    let mistake = |text: String| f.go_with(PAGE, Note::mistake(text));
    if form.new != form.again {
        return mistake(f.t("password-differs"));
    }
    match check(&state, client, f.user(), form.present).await {
        Some(Checked::Right) => {}
        Some(Checked::Wait(seconds)) => return mistake(f.tn("sign-in-wait", seconds.div_ceil(60))),
        Some(Checked::Wrong) => return mistake(f.t("password-wrong")),
        None => return mistake(f.t("change-failed")),
    }
    match users::choose_password(&state, f.user(), form.new, &session, &by).await {
        Ok(()) => f.go_with(PAGE, Note::done(f.t("password-changed"))),
        Err(error) => mistake(wording::refused(&error, &f)),
    }
}

/// Checks the present password with the same bound on attempts as signing in.
async fn check(state: &WebState, client: Client, user: &str, password: String) -> Option<Checked> {
    let (users, name) = (state.users().clone(), user.to_owned());
    let found = tokio::task::spawn_blocking(move || users.user(&name)).await.ok()?.ok()?;
    let stored = found.map(|user| user.password_hash);
    Some(state.passwords().check(client.ip, password, stored).await)
}
