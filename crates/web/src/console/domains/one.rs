//! The page of one domain.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use model::catalog::{ConflictRule, Domain, DomainKind, TemplateId};
use serde::Deserialize;

use super::conflict_key;
use crate::actions::Scope;
use crate::callback::manage as callbacks;
use crate::console::frame::{Frame, render};
use crate::console::note::Note;
use crate::console::show::grouped;
use crate::console::visit::{Anybody, Visit};
use crate::manage;
use crate::state::WebState;

/// Channels on the page; a domain has up to 10,000.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "domain.html")]
struct Page {
    f: Frame,
    note: Note,
    domain: Domain,
    push: bool,
    link: String,
    allow: String,
    block: String,
    conflicts: Vec<Choice>,
    apps: Vec<AppRow>,
    channels: Vec<(String, bool)>,
    channel_count: String,
    more_channels: usize,
    search: String,
    rules: Vec<RuleRow>,
    templates: Vec<(TemplateId, String)>,
}

struct Choice {
    value: &'static str,
    text: String,
    chosen: bool,
}

struct AppRow {
    name: String,
    enabled: bool,
    test: bool,
    conflict: String,
    conflicts: Vec<Choice>,
}

struct RuleRow {
    app: String,
    template: TemplateId,
    name: String,
}

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing {
    f: Frame,
    title: String,
    text: String,
}

#[derive(Deserialize, Default)]
pub(in crate::console) struct Params {
    #[serde(default)]
    channel: String,
}

/// The page.
pub(in crate::console) async fn page(
    visit: Visit<Anybody>,
    State(state): State<WebState>,
    Path(name): Path<String>,
    Query(params): Query<Params>,
) -> Response {
    let f = visit.f;
    let Ok(mut domain) = manage::domains::one(&state, f.scope(), &name) else {
        let page = Missing { title: f.t("domains-title"), text: f.t("domain-missing"), f };
        return render(StatusCode::NOT_FOUND, &page);
    };
    let note = f.take_note();
    let mut channels = std::mem::take(&mut domain.channels);
    let channel_count = grouped(channels.len() as u64);
    channels.retain(|channel| channel.name.contains(&params.channel));
    let more_channels = channels.len().saturating_sub(SHOWN);
    channels.truncate(SHOWN);
    let list = |field: &str, networks: &[ipnet::IpNet]| match note.drafted(field) {
        Some(draft) => draft.to_owned(),
        None => networks.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    };
    let templates = callbacks::templates(&state, Scope::Account(domain.account));
    let name_of = |id: TemplateId| {
        templates.iter().find(|t| t.id == id).map_or_else(|| id.to_string(), |t| t.name.clone())
    };
    let rules = callbacks::rules(&state, f.scope()).into_iter().filter(|rule| rule.domain == domain.name);
    let page = Page {
        rules: rules
            .map(|rule| RuleRow { name: name_of(rule.template), app: rule.app, template: rule.template })
            .collect(),
        templates: templates.iter().map(|t| (t.id, t.name.clone())).collect(),
        link: super::link(&domain.name),
        push: domain.kind == DomainKind::Push,
        allow: list("allow", &domain.allow),
        block: list("block", &domain.block),
        conflicts: conflicts(Some(domain.conflict), &f),
        apps: domain.apps.iter().map(|app| app_row(app, &f)).collect(),
        channels: channels.into_iter().map(|channel| (channel.name, channel.enabled)).collect(),
        channel_count,
        more_channels,
        search: params.channel,
        domain,
        note,
        f,
    };
    render(StatusCode::OK, &page)
}

fn app_row(app: &model::catalog::App, f: &Frame) -> AppRow {
    AppRow {
        name: app.name.clone(),
        enabled: app.enabled,
        test: app.test,
        conflict: app.conflict.map_or_else(|| f.t("conflict-domain"), |rule| f.t(conflict_key(rule))),
        conflicts: conflicts(app.conflict, f),
    }
}

fn conflicts(present: Option<ConflictRule>, f: &Frame) -> Vec<Choice> {
    [("replace", ConflictRule::Replace), ("backup", ConflictRule::Backup), ("refuse", ConflictRule::Refuse)]
        .into_iter()
        .map(|(value, rule)| Choice { value, text: f.t(conflict_key(rule)), chosen: present == Some(rule) })
        .collect()
}
