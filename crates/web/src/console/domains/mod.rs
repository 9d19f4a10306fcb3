//! Domains: how do I push here, and who may?
//!
//! | module | holds |
//! |---|---|
//! | `one` | the page of a domain |
//! | `change` | what its forms do |

mod change;
mod one;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::{AccountId, AccountStatus, ConflictRule, Domain, DomainKind};
use serde::Deserialize;

pub(super) use change::{apps, callbacks, channels, keys, remove, settings};
pub(super) use one::page as one;

use super::frame::{Frame, percent_encode, render};
use super::note::Note;
use super::show::grouped;
use super::visit::{Act, Admins, Anybody, Visit};
use super::wording;
use crate::manage;
use crate::state::WebState;

#[derive(Template)]
#[template(path = "domains.html")]
struct Page {
    f: Frame,
    note: Note,
    rows: Vec<Row>,
    accounts: Vec<AccountId>,
}

struct Row {
    name: String,
    push: bool,
    enabled: bool,
    signed: bool,
    account: AccountId,
    /// The account may not push.
    account_stopped: bool,
    conflict: String,
    live: String,
}

/// The list.
pub(super) async fn page(visit: Visit<Anybody>, State(state): State<WebState>) -> Response {
    let f = visit.f;
    let pushes = state.pushes(f.scope());
    let catalog = state.catalog();
    let row = |domain: Domain| Row {
        push: domain.kind == DomainKind::Push,
        enabled: domain.enabled,
        signed: match domain.kind {
            DomainKind::Push => domain.auth,
            DomainKind::Play => domain.play_auth,
        },
        account: domain.account,
        account_stopped: catalog
            .accounts
            .get(&domain.account)
            .is_none_or(|a| a.status != AccountStatus::Active),
        conflict: f.t(conflict_key(domain.conflict)),
        live: grouped(pushes.iter().filter(|push| push.domain == domain.name).count() as u64),
        name: domain.name,
    };
    let page = Page {
        rows: manage::domains::list(&state, f.scope()).into_iter().map(row).collect(),
        accounts: manage::accounts::list(&state, f.scope()).into_iter().map(|a| a.id).collect(),
        note: f.take_note(),
        f,
    };
    render(StatusCode::OK, &page)
}

/// The names of all domains that the reader may see, as filters offer them.
pub(super) fn names(state: &WebState, f: &Frame) -> Vec<String> {
    manage::domains::list(state, f.scope()).into_iter().map(|domain| domain.name).collect()
}

/// The text key of what a conflict rule does.
fn conflict_key(rule: ConflictRule) -> &'static str {
    match rule {
        ConflictRule::Replace => "conflict-replace",
        ConflictRule::Backup => "conflict-backup",
        ConflictRule::Refuse => "conflict-refuse",
    }
}

#[derive(Deserialize)]
pub(super) struct NewDomain {
    name: String,
    account: AccountId,
    kind: DomainKind,
}

/// Adds a domain, and shows its key on the page of it.
pub(super) async fn add(State(state): State<WebState>, act: Act<Admins, NewDomain>) -> Response {
    let Act { f, by, form, .. } = act;
    let added = manage::domains::create(&state, f.scope(), &form.name, form.account, form.kind, &by).await;
    match added {
        Ok((domain, key)) => {
            let label = match domain.kind {
                DomainKind::Push => f.t("key-push"),
                DomainKind::Play => f.t("key-play"),
            };
            let note = Note::done(f.tn("domain-added", &domain.name)).with_secret(label, key);
            f.go_with(&link(&domain.name), note)
        }
        Err(error) => f.go_with("/domains", Note::mistake(wording::refused(&error, &f))),
    }
}

/// The page of a domain.
fn link(name: &str) -> String {
    let mut link = "/domains/".to_owned();
    percent_encode(name, &mut link);
    link
}
