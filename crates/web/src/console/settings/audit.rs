//! Who changed what.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use model::mask;
use serde::Deserialize;
use serde_json::Value;
use store::{AuditQuery, AuditRow};

use crate::console::frame::{Frame, render};
use crate::console::note::Note;
use crate::console::show::When;
use crate::console::visit::{Admins, Visit};
use crate::state::WebState;

/// Entries on a page.
const PAGE: usize = 50;
/// The longest value that is shown of a field, characters.
const SHOWN: usize = 120;

/// The actions there are, as they stand in the log.
const ACTIONS: [&str; 19] = [
    "put_domain",
    "delete_domain",
    "put_account",
    "delete_account",
    "put_api_key",
    "delete_api_key",
    "put_user",
    "delete_user",
    "put_callback_template",
    "delete_callback_template",
    "put_callback_rule",
    "delete_callback_rule",
    "drop",
    "forbid",
    "resume",
    "switch",
    "share",
    "unshare",
    "put_auth_hook",
];

#[derive(Template)]
#[template(path = "settings_audit.html")]
struct Page {
    f: Frame,
    note: Note,
    rows: Vec<Row>,
    form: Params,
    actions: Vec<&'static str>,
    filtered: bool,
    /// Where older entries are; empty for none.
    older: String,
}

struct Row {
    at: When,
    who: String,
    via: String,
    origin: String,
    action: String,
    target: String,
    changes: Vec<Change>,
}

/// A field with what it was and what it is.
struct Change {
    field: String,
    before: String,
    after: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(in crate::console) struct Params {
    who: String,
    action: String,
    target: String,
    below: Option<u64>,
}

/// The page.
pub(in crate::console) async fn page(
    visit: Visit<Admins>,
    State(state): State<WebState>,
    Query(form): Query<Params>,
) -> Response {
    let f = visit.f;
    let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let query = AuditQuery {
        account: f.scope().account(),
        who: given(&form.who),
        action: given(&form.action),
        target: given(&form.target),
        below: form.below,
        limit: PAGE,
    };
    let catalog = state.users().clone();
    let read = tokio::task::spawn_blocking(move || catalog.audit_log(&query)).await;
    let (rows, note) = match read {
        Ok(Ok(rows)) => (rows, Note::default()),
        failed => {
            tracing::error!(?failed, "the audit log cannot be read");
            (Vec::new(), Note::mistake(f.t("records-unreadable")))
        }
    };
    let below = rows.last().filter(|_| rows.len() >= PAGE).map(|row| row.id);
    let page = Page {
        older: below.map(|below| older(&form, below)).unwrap_or_default(),
        rows: rows.into_iter().map(Row::of).collect(),
        filtered: [&form.who, &form.action, &form.target].iter().any(|text| !text.is_empty()),
        actions: ACTIONS.to_vec(),
        form,
        note,
        f,
    };
    render(StatusCode::OK, &page)
}

fn older(form: &Params, below: u64) -> String {
    let pairs = [("who", &form.who), ("action", &form.action), ("target", &form.target)];
    let mut given: Vec<(&str, String)> =
        pairs.into_iter().filter(|(_, v)| !v.is_empty()).map(|(name, value)| (name, value.clone())).collect();
    given.push(("below", below.to_string()));
    format!("/settings/audit?{}", serde_urlencoded::to_string(given).unwrap_or_default())
}

impl Row {
    fn of(row: AuditRow) -> Self {
        let entry = row.entry;
        Self {
            at: When::of(entry.at),
            who: entry.who,
            via: entry.via,
            origin: entry.origin.unwrap_or_default(),
            action: entry.action,
            target: entry.target,
            changes: changes(&entry.what),
        }
    }
}

fn changes(what: &Value) -> Vec<Change> {
    let Some(fields) = what.as_object() else { return Vec::new() };
    let mut changes = Vec::new();
    for (field, value) in fields {
        match (value.get("before"), value.get("after")) {
            (None, None) => {
                changes.push(Change {
                    field: field.clone(),
                    before: String::new(),
                    after: shown(Some(value)),
                });
            }
            (before, after) => compare(field, before, after, &mut changes),
        }
    }
    changes
}

/// What a field was and is. Of one that has parts, only the parts that differ are told.
fn compare(field: &str, before: Option<&Value>, after: Option<&Value>, into: &mut Vec<Change>) {
    let parts = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    match (parts(before), parts(after)) {
        (None, None) => {
            let (before, after) = (shown(before), shown(after));
            if before != after || before == mask::MASK {
                into.push(Change { field: field.to_owned(), before, after });
            }
        }
        (old, new) => {
            let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                compare(&format!("{field}.{name}"), old.get(name), new.get(name), into);
            }
        }
    }
}

fn shown(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Array(list)) if list.is_empty() => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_told_by_field_and_what_is_long_is_cut() {
        let told = changes(&json!({
            "max_pushes": { "before": 0, "after": 3 },
            "name": { "before": null, "after": "é".repeat(500) },
            "pushes": 2,
            "key": { "before": "***", "after": "***" },
            "urls": { "before": { "a": "x", "b": "y" }, "after": { "a": "x", "b": "z", "c": "" } },
        }));
        let find = |field: &str| told.iter().find(|c| c.field == field).unwrap();
        assert_eq!((find("max_pushes").before.as_str(), find("max_pushes").after.as_str()), ("0", "3"));
        assert_eq!(find("name").after.chars().count(), SHOWN + 1);
        assert_eq!(find("pushes").after, "2");
        assert_eq!(find("key").after, "***", "that a secret changed is told");
        assert_eq!((find("urls.b").before.as_str(), find("urls.b").after.as_str()), ("y", "z"));
        assert!(!told.iter().any(|change| change.field == "urls.a" || change.field == "urls.c"));
    }
}
