//! Accounts: who owns domains, and whether they may push.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::{AccountId, AccountStatus};
use serde::Deserialize;

use crate::console::frame::{Frame, render};
use crate::console::note::Note;
use crate::console::visit::{Act, Anybody, NodeAdmins, Visit};
use crate::console::wording;
use crate::manage::accounts;
use crate::state::WebState;

const PAGE: &str = "/settings/accounts";

#[derive(Template)]
#[template(path = "settings_accounts.html")]
struct Page {
    f: Frame,
    note: Note,
    rows: Vec<Row>,
    statuses: Vec<Status>,
}

struct Row {
    id: AccountId,
    status: String,
    active: bool,
    statuses: Vec<Status>,
    max_pushes: u32,
    domains: usize,
    live: usize,
}

struct Status {
    value: &'static str,
    text: String,
    chosen: bool,
}

fn statuses(present: AccountStatus, f: &Frame) -> Vec<Status> {
    [
        ("active", AccountStatus::Active),
        ("stopped", AccountStatus::Stopped),
        ("overdue", AccountStatus::Overdue),
        ("force_stopped", AccountStatus::ForceStopped),
    ]
    .into_iter()
    .map(|(value, status)| Status { value, text: f.t(status_key(status)), chosen: status == present })
    .collect()
}

fn status_key(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Active => "account-active",
        AccountStatus::Stopped => "account-stopped",
        AccountStatus::Overdue => "account-overdue",
        AccountStatus::ForceStopped => "account-force-stopped",
    }
}

/// The page.
pub(in crate::console) async fn page(visit: Visit<Anybody>, State(state): State<WebState>) -> Response {
    let f = visit.f;
    let (catalog, pushes) = (state.catalog(), state.pushes(f.scope()));
    let owner = |domain: &str| catalog.domain(domain).map(|d| d.account);
    let rows = accounts::list(&state, f.scope()).into_iter().map(|account| Row {
        status: f.t(status_key(account.status)),
        active: account.status == AccountStatus::Active,
        statuses: statuses(account.status, &f),
        max_pushes: account.max_pushes,
        domains: catalog.domains.values().filter(|d| d.account == account.id).count(),
        live: pushes.iter().filter(|push| owner(&push.domain) == Some(account.id)).count(),
        id: account.id,
    });
    let page =
        Page { rows: rows.collect(), statuses: statuses(AccountStatus::Active, &f), note: f.take_note(), f };
    render(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub(in crate::console) struct Submitted {
    /// `add`, `put`, `remove`.
    act: String,
    id: AccountId,
    #[serde(default)]
    status: AccountStatus,
    #[serde(default)]
    max_pushes: u32,
}

/// Adds an account, changes one, removes one.
pub(in crate::console) async fn submit(
    State(state): State<WebState>,
    act: Act<NodeAdmins, Submitted>,
) -> Response {
    let Act { f, by, form, .. } = act;
    let done = match form.act.as_str() {
        "remove" => accounts::delete(&state, f.scope(), form.id, &by).await.map(|()| "account-removed"),
        // A slip must not overwrite an account that is there.
        "add" if accounts::one(&state, f.scope(), form.id).is_ok() => {
            return f.go_with(PAGE, Note::mistake(f.t("account-exists")));
        }
        _ => accounts::put(&state, f.scope(), form.id, form.status, form.max_pushes, &by)
            .await
            .map(|_| "account-saved"),
    };
    let note = match done {
        Ok(key) => Note::done(f.t(key)),
        Err(error) => Note::mistake(wording::refused(&error, &f)),
    };
    f.go_with(PAGE, note)
}
