//! Keys for the APIs.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::{AccountId, Role};
use serde::Deserialize;

use super::{AccountChoice, RoleChoice, account_choices, role_choices, role_key};
use crate::console::frame::{Frame, render};
use crate::console::note::Note;
use crate::console::visit::{Act, Admins, Visit};
use crate::console::wording;
use crate::manage::{accounts, api_keys};
use crate::state::WebState;

const PAGE: &str = "/settings/keys";

#[derive(Template)]
#[template(path = "settings_keys.html")]
struct Page {
    f: Frame,
    note: Note,
    rows: Vec<Row>,
    accounts: Vec<AccountChoice>,
    roles: Vec<RoleChoice>,
}

struct Row {
    id: String,
    account: String,
    role: String,
}

/// The page.
pub(in crate::console) async fn page(visit: Visit<Admins>, State(state): State<WebState>) -> Response {
    let f = visit.f;
    let row = |key: api_keys::KeyFacts| Row {
        account: if key.account == 0 { f.t("key-all-accounts") } else { key.account.to_string() },
        role: f.t(role_key(key.role)),
        id: key.id,
    };
    let known: Vec<AccountId> = accounts::list(&state, f.scope()).into_iter().map(|a| a.id).collect();
    let page = Page {
        rows: api_keys::list(&state, f.scope()).into_iter().map(row).collect(),
        accounts: account_choices(&known, f.account().unwrap_or(0), &f),
        roles: role_choices(Role::Viewer, &f),
        note: f.take_note(),
        f,
    };
    render(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub(in crate::console) struct Submitted {
    /// `make` or `revoke`.
    act: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    account: AccountId,
    #[serde(default)]
    role: Option<Role>,
}

/// Makes a key, or takes one away.
pub(in crate::console) async fn submit(
    State(state): State<WebState>,
    act: Act<Admins, Submitted>,
) -> Response {
    let Act { f, by, form, .. } = act;
    let done = match form.act.as_str() {
        "revoke" => {
            let revoked = api_keys::delete(&state, f.scope(), &form.id, &by).await;
            revoked.map(|()| Note::done(f.t("api-key-revoked")))
        }
        _ => {
            let role = form.role.unwrap_or(Role::Viewer);
            let made = api_keys::create(&state, f.scope(), form.account, role, &by).await;
            made.map(|key| {
                Note::done(f.t("api-key-made"))
                    .with_secret("SecretId".to_owned(), key.id)
                    .with_secret("SecretKey".to_owned(), key.secret)
            })
        }
    };
    let note = done.unwrap_or_else(|error| Note::mistake(wording::refused(&error, &f)));
    f.go_with(PAGE, note)
}
