//! The templates, and where they are bound.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::{AccountId, CallbackKind, CallbackTemplate, TemplateId};
use model::mask;

use super::Fields;
use crate::callback::manage as callback;
use crate::console::frame::{Frame, render};
use crate::console::note::Note;
use crate::console::visit::{Act, Admins, Anybody, Visit};
use crate::console::wording;
use crate::manage;
use crate::state::WebState;

const PAGE: &str = "/callbacks";

#[derive(Template)]
#[template(path = "callbacks.html")]
struct Page {
    f: Frame,
    note: Note,
    rows: Vec<Row>,
    accounts: Vec<AccountId>,
}

struct Row {
    id: TemplateId,
    name: String,
    description: String,
    account: AccountId,
    signed: bool,
    /// Event and URL, secrets masked.
    urls: Vec<(String, String)>,
    /// Domain and app.
    bound: Vec<String>,
}

/// The page.
pub(in crate::console) async fn page(visit: Visit<Anybody>, State(state): State<WebState>) -> Response {
    let f = visit.f;
    let rules = callback::rules(&state, f.scope());
    let row = |template: CallbackTemplate| Row {
        urls: urls(&template, &f),
        bound: rules
            .iter()
            .filter(|rule| rule.template == template.id)
            .map(|rule| format!("{}/{}", rule.domain, rule.app))
            .collect(),
        signed: !template.key.is_empty(),
        id: template.id,
        name: template.name,
        description: template.description,
        account: template.account,
    };
    let page = Page {
        rows: callback::templates(&state, f.scope()).into_iter().map(row).collect(),
        accounts: manage::accounts::list(&state, f.scope()).into_iter().map(|a| a.id).collect(),
        note: f.take_note(),
        f,
    };
    render(StatusCode::OK, &page)
}

fn urls(template: &CallbackTemplate, f: &Frame) -> Vec<(String, String)> {
    let kinds = [
        (CallbackKind::Begin, "event-begin"),
        (CallbackKind::End, "event-end"),
        (CallbackKind::Exception, "event-exception"),
    ];
    let url = |(kind, key)| Some((f.t(key), mask::mask_text(template.urls.of(kind)?)));
    kinds.into_iter().filter_map(url).collect()
}

/// Makes a template.
pub(in crate::console) async fn add(State(state): State<WebState>, act: Act<Admins, Fields>) -> Response {
    let Act { f, by, form, .. } = act;
    let account = form.account;
    let made = callback::create_template(&state, f.scope(), account, form.over(Default::default()), &by);
    match made.await {
        Ok(made) => f.go_with(&format!("/callbacks/{}", made.id), Note::done(f.t("callback-made"))),
        Err(error) => f.go_with(PAGE, Note::mistake(wording::callback_refused(&error, &f))),
    }
}
