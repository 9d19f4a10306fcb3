//! One template.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::{CallbackKind, CallbackTemplate, TemplateId};
use serde::Deserialize;

use super::Fields;
use crate::callback::manage as callback;
use crate::callback::trial::try_out;
use crate::console::frame::{Frame, render};
use crate::console::note::Note;
use crate::console::visit::{Act, Admins, Visit};
use crate::console::wording;
use crate::state::WebState;

#[derive(Template)]
#[template(path = "callback.html")]
struct Page {
    f: Frame,
    note: Note,
    template: CallbackTemplate,
    signed: bool,
    /// The kinds that have a URL: word and name.
    kinds: Vec<(&'static str, String)>,
    bound: bool,
}

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing {
    f: Frame,
    title: String,
    text: String,
}

fn link(id: TemplateId) -> String {
    format!("/callbacks/{id}")
}

/// The page. URLs of receivers may carry secrets, so it is for administrators.
pub(in crate::console) async fn page(
    visit: Visit<Admins>,
    State(state): State<WebState>,
    Path(id): Path<TemplateId>,
) -> Response {
    let f = visit.f;
    let Ok(template) = callback::template(&state, f.scope(), id) else {
        let page = Missing { title: f.t("callbacks-title"), text: f.t("callback-no-template"), f };
        return render(StatusCode::NOT_FOUND, &page);
    };
    let kinds = [
        (CallbackKind::Begin, "begin", "event-begin"),
        (CallbackKind::End, "end", "event-end"),
        (CallbackKind::Exception, "exception", "event-exception"),
    ];
    let has_url = |(kind, word, key)| template.urls.of(kind).map(|_| (word, f.t(key)));
    let page = Page {
        kinds: kinds.into_iter().filter_map(has_url).collect(),
        signed: !template.key.is_empty(),
        bound: state.catalog().callback_rules.values().any(|rule| rule.template == id),
        note: f.take_note(),
        template,
        f,
    };
    render(StatusCode::OK, &page)
}

/// Changes the template.
pub(in crate::console) async fn save(
    State(state): State<WebState>,
    Path(id): Path<TemplateId>,
    act: Act<Admins, Fields>,
) -> Response {
    let Act { f, by, form, .. } = act;
    let fields = |old: &CallbackTemplate| form.over(old.urls.clone());
    let done = callback::modify_template(&state, f.scope(), id, fields, &by).await;
    let note = match done {
        Ok(_) => Note::done(f.t("callback-saved")),
        Err(error) => Note::mistake(wording::callback_refused(&error, &f)),
    };
    f.go_with(&link(id), note)
}

#[derive(Deserialize)]
pub(in crate::console) struct Trial {
    kind: CallbackKind,
}

/// Sends one sample now, and tells what came of it.
pub(in crate::console) async fn test(
    State(state): State<WebState>,
    Path(id): Path<TemplateId>,
    act: Act<Admins, Trial>,
) -> Response {
    let Act { f, form, .. } = act;
    let template = match callback::template(&state, f.scope(), id) {
        Ok(template) => template,
        Err(error) => {
            return f.go_with("/callbacks", Note::mistake(wording::callback_refused(&error, &f)));
        }
    };
    let Ok(_place) = state.trials().try_acquire() else {
        return f.go_with(&link(id), Note::mistake(f.t("trial-busy")));
    };
    let answer = try_out(&state, &template, form.kind).await;
    let text = if answer.is_received() { f.t("callback-received") } else { f.t("callback-not-received") };
    let mut facts = vec![
        (
            f.t("trial-answered"),
            match answer.status {
                Some(status) => format!("{status} {}", answer.body),
                None => f.t("trial-no-answer"),
            },
        ),
        (f.t("trial-took"), format!("{} ms", answer.took_ms)),
    ];
    let alert = !answer.is_received();
    if let Some(failure) = answer.failure {
        facts.push((f.t("trial-why"), failure));
    }
    f.go_with(&link(id), Note { text, alert, facts, ..Note::default() })
}

#[derive(Deserialize)]
pub(in crate::console) struct Nothing {}

/// Deletes the template.
pub(in crate::console) async fn remove(
    State(state): State<WebState>,
    Path(id): Path<TemplateId>,
    act: Act<Admins, Nothing>,
) -> Response {
    let Act { f, by, .. } = act;
    match callback::delete_template(&state, f.scope(), id, &by).await {
        Ok(()) => f.go_with("/callbacks", Note::done(f.t("callback-removed"))),
        Err(error) => f.go_with(&link(id), Note::mistake(wording::callback_refused(&error, &f))),
    }
}
