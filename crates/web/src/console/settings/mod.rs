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
use model::catalog::Role;

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

/// The text key of a role's name.
fn role_key(role: Role) -> &'static str {
    match role {
        Role::Viewer => "role-viewer",
        Role::Operator => "role-operator",
        Role::Admin => "role-admin",
    }
}
