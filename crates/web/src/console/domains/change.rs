//! What the forms of a domain's page do.

use axum::extract::{Path, State};
use axum::response::Response;
use ipnet::IpNet;
use model::catalog::{App, Channel, ConflictRule, TemplateId};
use serde::Deserialize;

use super::link;
use crate::callback::manage::{self as callback, Binding};
use crate::console::frame::Frame;
use crate::console::note::Note;
use crate::console::visit::{Act, Admins};
use crate::console::wording;
use crate::manage::domains::DomainPatch;
use crate::manage::keys::WhichKey;
use crate::manage::{self, ManageError};
use crate::state::WebState;

/// Back to the domain's page, with what came of it.
fn back(f: &Frame, name: &str, done: Result<Note, ManageError>) -> Response {
    let note = done.unwrap_or_else(|error| Note::mistake(wording::refused(&error, f)));
    f.go_with(&link(name), note)
}

#[derive(Deserialize)]
pub(in crate::console) struct Settings {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    auth: bool,
    #[serde(default)]
    play_auth: bool,
    #[serde(default)]
    priority: bool,
    #[serde(default)]
    channel_mode: bool,
    conflict: ConflictRule,
    max_pushes: u32,
    max_pushes_per_stream: u32,
    #[serde(default)]
    allow: String,
    #[serde(default)]
    block: String,
}

/// Rules, limits and lists.
pub(in crate::console) async fn settings(
    State(state): State<WebState>,
    Path(name): Path<String>,
    act: Act<Admins, Settings>,
) -> Response {
    let Act { f, by, form, .. } = act;
    let draft = vec![("allow", form.allow.clone()), ("block", form.block.clone())];
    let (allow, block) = match (networks(&form.allow), networks(&form.block)) {
        (Ok(allow), Ok(block)) => (allow, block),
        (Err(wrong), _) | (_, Err(wrong)) => {
            let note = Note { draft, ..Note::mistake(f.tn("invalid-network", wrong)) };
            return f.go_with(&link(&name), note);
        }
    };
    let patch = DomainPatch {
        enabled: Some(form.enabled),
        auth: Some(form.auth),
        conflict: Some(form.conflict),
        priority: Some(form.priority),
        allow: Some(allow),
        block: Some(block),
        max_pushes: Some(form.max_pushes),
        max_pushes_per_stream: Some(form.max_pushes_per_stream),
        apps: None,
        channel_mode: Some(form.channel_mode),
        play_auth: Some(form.play_auth),
    };
    match manage::domains::modify(&state, f.scope(), &name, patch, &by).await {
        Ok(_) => f.go_with(&link(&name), Note::done(f.t("domain-saved"))),
        Err(error) => f.go_with(&link(&name), Note { draft, ..Note::mistake(wording::refused(&error, &f)) }),
    }
}

/// The networks of a list, one a line or between commas; the error is the first that is none.
fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let read = |part: &str| {
        let address = || part.parse::<std::net::IpAddr>().ok().map(IpNet::from);
        part.parse::<IpNet>().ok().or_else(address).ok_or_else(|| part.chars().take(60).collect())
    };
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|part| !part.is_empty()).map(read).collect()
}

#[derive(Deserialize)]
pub(in crate::console) struct Keys {
    /// `make` or `remove`.
    act: String,
    which: WhichKey,
}

/// Makes a key or takes one away.
pub(in crate::console) async fn keys(
    State(state): State<WebState>,
    Path(name): Path<String>,
    act: Act<Admins, Keys>,
) -> Response {
    let Act { f, by, form, .. } = act;
    let done = match form.act.as_str() {
        "remove" => {
            let removed = manage::keys::remove_backup(&state, f.scope(), &name, form.which, &by).await;
            removed.map(|()| Note::done(f.t("key-removed")))
        }
        _ => {
            let (text, label) = match form.which {
                WhichKey::Push => ("key-push-made", "key-push"),
                WhichKey::Backup => ("key-backup-made", "key-backup"),
                WhichKey::Play => ("key-play-made", "key-play"),
                WhichKey::PlayBackup => ("key-backup-made", "key-play-backup"),
            };
            let made = manage::keys::rotate(&state, f.scope(), &name, form.which, &by).await;
            made.map(|key| Note::done(f.t(text)).with_secret(f.t(label), key))
        }
    };
    back(&f, &name, done)
}

#[derive(Deserialize)]
pub(in crate::console) struct Apps {
    /// `put` or `remove`.
    act: String,
    app: String,
    #[serde(default)]
    enabled: bool,
    /// Empty means the domain's.
    #[serde(default)]
    conflict: String,
    #[serde(default)]
    test: bool,
}

/// Lists an app, switches it, takes it off the list.
pub(in crate::console) async fn apps(
    State(state): State<WebState>,
    Path(name): Path<String>,
    act: Act<Admins, Apps>,
) -> Response {
    let Act { f, by, form, .. } = act;
    // As admission joins the segments of a path.
    let app = form.app.split('/').filter(|s| !s.is_empty()).collect::<Vec<_>>().join("/");
    let done = match form.act.as_str() {
        "remove" => {
            let removed = manage::domains::delete_app(&state, f.scope(), &name, &app, &by).await;
            removed.map(|()| Note::done(f.t("app-removed")))
        }
        _ => {
            let conflict = match form.conflict.as_str() {
                "replace" => Some(ConflictRule::Replace),
                "backup" => Some(ConflictRule::Backup),
                "refuse" => Some(ConflictRule::Refuse),
                _ => None,
            };
            let app = App { name: app, enabled: form.enabled, conflict, test: form.test };
            let put = manage::domains::put_app(&state, f.scope(), &name, app, &by).await;
            put.map(|()| Note::done(f.t("app-saved")))
        }
    };
    back(&f, &name, done)
}

#[derive(Deserialize)]
pub(in crate::console) struct Channels {
    /// `put` or `remove`.
    act: String,
    channel: String,
    #[serde(default)]
    enabled: bool,
}

/// Adds a channel, switches it, takes it away.
pub(in crate::console) async fn channels(
    State(state): State<WebState>,
    Path(name): Path<String>,
    act: Act<Admins, Channels>,
) -> Response {
    let Act { f, by, form, .. } = act;
    let done = match form.act.as_str() {
        "remove" => {
            let removed = manage::channels::delete(&state, f.scope(), &name, &form.channel, &by).await;
            removed.map(|()| Note::done(f.t("channel-removed")))
        }
        _ => {
            let channel = Channel { name: form.channel.trim().to_owned(), enabled: form.enabled };
            let put = manage::channels::put(&state, f.scope(), &name, channel, &by).await;
            put.map(|()| Note::done(f.t("channel-saved")))
        }
    };
    back(&f, &name, done)
}

#[derive(Deserialize)]
pub(in crate::console) struct Callbacks {
    /// `bind` or `unbind`.
    act: String,
    app: String,
    #[serde(default)]
    template: TemplateId,
}

/// Binds a callback template to the domain, or unbinds it.
pub(in crate::console) async fn callbacks(
    State(state): State<WebState>,
    Path(name): Path<String>,
    act: Act<Admins, Callbacks>,
) -> Response {
    let Act { f, by, form, .. } = act;
    let app = form.app.trim();
    let done = match form.act.as_str() {
        "unbind" => callback::unbind(&state, f.scope(), &name, app, &by).await.map(|()| "callback-unbound"),
        _ => {
            let wanted = Binding { domain: &name, app, template: form.template };
            callback::bind(&state, f.scope(), wanted, true, &by).await.map(|_| "callback-bound")
        }
    };
    let note = match done {
        Ok(key) => Note::done(f.t(key)),
        Err(error) => Note::mistake(wording::callback_refused(&error, &f)),
    };
    f.go_with(&link(&name), note)
}

#[derive(Deserialize)]
pub(in crate::console) struct Remove {
    /// The name once more, so that a slip of the hand deletes nothing.
    #[serde(default)]
    confirm: String,
}

/// Deletes the domain.
pub(in crate::console) async fn remove(
    State(state): State<WebState>,
    Path(name): Path<String>,
    act: Act<Admins, Remove>,
) -> Response {
    let Act { f, by, form, .. } = act;
    if !form.confirm.trim().eq_ignore_ascii_case(&name) {
        return f.go_with(&link(&name), Note::mistake(f.t("domain-not-confirmed")));
    }
    match manage::domains::delete(&state, f.scope(), &name, &by).await {
        Ok(()) => f.go_with("/domains", Note::done(f.tn("domain-removed", &name))),
        Err(error) => f.go_with(&link(&name), Note::mistake(wording::refused(&error, &f))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_by_line_or_comma_and_a_bare_address_is_a_network_of_one() {
        let read = networks("10.0.0.0/8, 192.0.2.7\r\n\n2001:db8::/32").unwrap();
        let text: Vec<String> = read.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]);
        assert_eq!(networks("10.0.0.0/8 everybody"), Err("everybody".into()));
        assert_eq!(networks(" \n"), Ok(Vec::new()));
    }
}
