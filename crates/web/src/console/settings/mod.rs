//! Settings: what concerns the reader, and those who use the console and the APIs.
//!
//! | module | holds |
//! |---|---|
//! | `own` | language, theme, one's own password; how long records are kept |
//! | `users` | people with their roles |
//! | `accounts` | accounts and their status |
//! | `keys` | keys for the APIs |
//! | `audit` | who changed what |

mod accounts;
mod audit;
mod keys;
mod own;
mod users;

use axum::Router;
use axum::routing::{get, post};
use model::catalog::{AccountId, Role};

use super::frame::Frame;
use crate::state::WebState;

/// The routes of all settings.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/settings", get(own::page))
        .route("/settings/theme", post(own::theme))
        .route("/settings/password", post(own::password))
        .route("/settings/users", get(users::page).post(users::submit))
        .route("/settings/accounts", get(accounts::page).post(accounts::submit))
        .route("/settings/keys", get(keys::page).post(keys::submit))
        .route("/settings/audit", get(audit::page))
}

/// A role as a choice.
struct RoleChoice {
    value: &'static str,
    text: String,
    chosen: bool,
}

fn role_choices(present: Role, f: &Frame) -> Vec<RoleChoice> {
    [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)]
        .into_iter()
        .map(|(value, role)| RoleChoice { value, text: f.t(role_key(role)), chosen: role == present })
        .collect()
}

/// An account as a choice.
struct AccountChoice {
    value: AccountId,
    text: String,
    chosen: bool,
}

/// All accounts together, for those who see them, and each of `known`. One that is chosen and not known is there too, so
/// that saving a form does not change it.
fn account_choices(known: &[AccountId], present: AccountId, f: &Frame) -> Vec<AccountChoice> {
    let mut values: Vec<AccountId> = known.to_vec();
    if f.sees_all() {
        values.insert(0, 0);
    }
    if !values.contains(&present) {
        values.push(present);
    }
    let text = |value: AccountId| if value == 0 { f.t("key-all-accounts") } else { value.to_string() };
    let choice = |value: AccountId| AccountChoice { text: text(value), chosen: value == present, value };
    values.into_iter().map(choice).collect()
}

/// The text key of a role's name.
fn role_key(role: Role) -> &'static str {
    match role {
        Role::Viewer => "role-viewer",
        Role::Operator => "role-operator",
        Role::Admin => "role-admin",
    }
}
