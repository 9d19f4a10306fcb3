//! People who sign in, and what they may do.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::{AccountId, Role};
use serde::Deserialize;

use super::{AccountChoice, RoleChoice, account_choices, role_choices};
use crate::console::frame::{Frame, render};
use crate::console::note::Note;
use crate::console::visit::{Act, Admins, Visit};
use crate::console::wording;
use crate::manage::users::{self, Rights};
use crate::manage::{ManageError, accounts};
use crate::state::WebState;

const PAGE: &str = "/settings/users";

#[derive(Template)]
#[template(path = "settings_users.html")]
struct Page {
    f: Frame,
    note: Note,
    rows: Vec<Row>,
    roles: Vec<RoleChoice>,
    accounts: Vec<AccountChoice>,
}

struct Row {
    name: String,
    own: bool,
    roles: Vec<RoleChoice>,
    accounts: Vec<AccountChoice>,
}

/// The page.
pub(in crate::console) async fn page(visit: Visit<Admins>, State(state): State<WebState>) -> Response {
    let f = visit.f;
    let (listed, mistake) = match users::list(&state, f.scope()).await {
        Ok(listed) => (listed, None),
        Err(error) => (Vec::new(), Some(Note::mistake(wording::refused(&error, &f)))),
    };
    let known: Vec<AccountId> = accounts::list(&state, f.scope()).into_iter().map(|a| a.id).collect();
    let row = |(name, rights): (String, Rights)| Row {
        own: name == f.user(),
        roles: role_choices(rights.role, &f),
        accounts: account_choices(&known, rights.account, &f),
        name,
    };
    let page = Page {
        rows: listed.into_iter().map(row).collect(),
        roles: role_choices(Role::Viewer, &f),
        accounts: account_choices(&known, f.account().unwrap_or(0), &f),
        note: mistake.unwrap_or_else(|| f.take_note()),
        f,
    };
    render(StatusCode::OK, &page)
}

#[derive(Deserialize)]
pub(in crate::console) struct Submitted {
    /// `add`, `rights`, `reset`, `remove`.
    act: String,
    name: String,
    #[serde(default)]
    role: Option<Role>,
    #[serde(default)]
    account: AccountId,
}

/// Adds a user, gives another role or password, removes one.
pub(in crate::console) async fn submit(
    State(state): State<WebState>,
    act: Act<Admins, Submitted>,
) -> Response {
    let Act { f, by, form, .. } = act;
    let (name, scope) = (form.name.trim(), f.scope());
    let rights = Rights { role: form.role.unwrap_or(Role::Viewer), account: form.account };
    let done = match form.act.as_str() {
        "add" => users::add(&state, scope, name, rights, &by)
            .await
            .map(|password| with_password(f.tn("user-added", name), password, &f)),
        "rights" => users::set_rights(&state, scope, name, rights, &by)
            .await
            .map(|()| Note::done(f.tn("user-role-set", name))),
        "reset" => users::reset_password(&state, scope, name, &by)
            .await
            .map(|password| with_password(f.tn("user-reset", name), password, &f)),
        "remove" => {
            users::delete(&state, scope, name, &by).await.map(|()| Note::done(f.tn("user-removed", name)))
        }
        _ => Err(ManageError::Invalid { field: "act", why: "is none of add, rights, reset, remove".into() }),
    };
    let note = done.unwrap_or_else(|error| Note::mistake(wording::refused(&error, &f)));
    f.go_with(PAGE, note)
}

fn with_password(text: String, password: String, f: &Frame) -> Note {
    Note::done(text).with_secret(f.t("sign-in-password"), password)
}
