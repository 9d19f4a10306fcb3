//! Sign-in and sign-out.

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::cookie;
use super::frame::{Frame, render, safe_path};
use super::session::{self, LIFETIME};
use crate::actions::Scope;
use crate::client::Client;
use crate::password::Checked;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// The token of the sign-in form, which has no session yet: it must come back both as a cookie and in the form.
const FORM_COOKIE: &str = "lastframe_form";
const FORM_LIFETIME: u64 = 3_600;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    f: Frame,
    /// Text key of what is wrong; empty for nothing.
    notice: String,
    /// Whether secrets may travel on this connection; if not, there is no form.
    safe: bool,
    token: String,
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Params {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct Submitted {
    #[serde(default)]
    user: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

/// The form.
pub(super) async fn page(
    f: Frame,
    client: Client,
    State(state): State<WebState>,
    headers: HeaderMap,
    Query(params): Query<Params>,
) -> Result<Response, Problem> {
    if f.session.is_some() && client.may_carry_secrets(&state) {
        return Ok(Redirect::to(safe_path(&params.next)).into_response());
    }
    form(f, client, &state, &headers, StatusCode::OK, String::new(), &params.next)
}

/// Checks what was entered.
pub(super) async fn submit(
    f: Frame,
    client: Client,
    State(state): State<WebState>,
    headers: HeaderMap,
    submitted: Result<Form<Submitted>, FormRejection>,
) -> Result<Response, Problem> {
    client.require_safe_transport(&state)?;
    let Form(submitted) = submitted.map_err(|e| Problem::new(Kind::BadRequest, e.body_text()))?;
    let again = |f, status, notice| form(f, client, &state, &headers, status, notice, &submitted.next);
    if !session::same(cookie::read(&headers, FORM_COOKIE).unwrap_or_default(), &submitted.token) {
        let notice = f.t("sign-in-stale");
        return again(f, StatusCode::FORBIDDEN, notice);
    }
    let users = state.users().clone();
    let name = submitted.user.clone();
    let user = tokio::task::spawn_blocking(move || users.user(&name)).await??;
    let stored = user.as_ref().map(|u| u.password_hash.clone());
    let checked = state.passwords().check(client.ip, submitted.password.clone(), stored).await;
    match (checked, user) {
        (Checked::Right, Some(user)) => {
            let token = state
                .sessions()
                .open(user.name.clone(), user.role, Scope::of(user.account))
                .map_err(no_randomness)?;
            // Checking took its time: whoever was removed or given another role meanwhile is asked again.
            let (users, name) = (state.users().clone(), user.name.clone());
            if tokio::task::spawn_blocking(move || users.user(&name)).await??.as_ref() != Some(&user) {
                state.sessions().close(&token);
                let notice = f.t("sign-in-wrong");
                return again(f, StatusCode::UNAUTHORIZED, notice);
            }
            tracing::info!(user = user.name, client = %client.ip, "signed in");
            let mut response = Redirect::to(safe_path(&submitted.next)).into_response();
            add_cookie(&mut response, session::COOKIE, &token, LIFETIME.as_secs(), client);
            add_cookie(&mut response, FORM_COOKIE, "", 0, client);
            Ok(response)
        }
        (Checked::Wait(seconds), _) => {
            let notice = f.tn("sign-in-wait", seconds.div_ceil(60));
            tracing::warn!(client = %client.ip, "too many failed sign-ins");
            let mut response = again(f, StatusCode::TOO_MANY_REQUESTS, notice)?;
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            Ok(response)
        }
        _ => {
            tracing::warn!(client = %client.ip, "sign-in failed");
            let notice = f.t("sign-in-wrong");
            again(f, StatusCode::UNAUTHORIZED, notice)
        }
    }
}

/// Ends the session.
pub(super) async fn sign_out(
    f: Frame,
    client: Client,
    State(state): State<WebState>,
    headers: HeaderMap,
    submitted: Result<Form<Submitted>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(submitted) = submitted.map_err(|e| Problem::new(Kind::BadRequest, e.body_text()))?;
    if f.session.is_some() && !session::same(f.csrf(), &submitted.token) {
        return Err(Problem::new(Kind::Forbidden, "the form is not of this session; load the page again"));
    }
    if let Some(token) = cookie::read(&headers, session::COOKIE) {
        state.sessions().close(token);
    }
    let mut response = Redirect::to("/sign-in").into_response();
    add_cookie(&mut response, session::COOKIE, "", 0, client);
    Ok(response)
}

fn form(
    f: Frame,
    client: Client,
    state: &WebState,
    headers: &HeaderMap,
    status: StatusCode,
    notice: String,
    next: &str,
) -> Result<Response, Problem> {
    let safe = client.may_carry_secrets(state);
    let status = if safe { status } else { StatusCode::FORBIDDEN };
    // A form opened in a second tab must not make the first one stale.
    let token = match cookie::read(headers, FORM_COOKIE)
        .filter(|t| t.len() == 64 && t.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        Some(token) => token.to_owned(),
        None => session::token().map_err(no_randomness)?,
    };
    let page = Page { f, notice, safe, token: token.clone(), next: safe_path(next).to_owned() };
    let mut response = render(status, &page);
    add_cookie(&mut response, FORM_COOKIE, &token, FORM_LIFETIME, client);
    Ok(response)
}

fn add_cookie(response: &mut Response, name: &str, value: &str, max_age: u64, client: Client) {
    if let Some(value) = cookie::set(name, value, max_age, client.tls) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn no_randomness(error: session::NoRandomness) -> Problem {
    tracing::error!(%error, "nobody can sign in");
    Problem::new(Kind::Internal, "the sign-in failed; the server's log says why")
}
