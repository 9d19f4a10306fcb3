//! What the audit log says of a change: the thing, whose it is, and each field that is different afterwards.

use model::catalog::{AccountId, Catalog};
use model::mask::{MASK, is_secret_name};
use model::{Sequence, StreamKey, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::AuditEntry;

use super::Change;
use crate::OrderedBy;

/// The entry of a change, told against the catalog before it.
pub(super) fn changed(before: &Catalog, change: &Change, by: &OrderedBy, now: Timestamp) -> AuditEntry {
    let told = tell(before, change);
    entry(told, by, now)
}

/// The entry of an order to drop a stream, which told so many pushes to end.
pub(crate) fn dropped(
    catalog: &Catalog,
    key: &StreamKey,
    told: usize,
    by: &OrderedBy,
    now: Timestamp,
) -> AuditEntry {
    let told = Told {
        action: "drop",
        target: key.to_string(),
        account: owner(catalog, &key.domain),
        what: json!({ "pushes": told }),
    };
    entry(told, by, now)
}

/// The entry of an order to let another push carry a stream.
pub(crate) fn switched(
    catalog: &Catalog,
    key: &StreamKey,
    to: Sequence,
    by: &OrderedBy,
    now: Timestamp,
) -> AuditEntry {
    let told = Told {
        action: "switch",
        target: key.to_string(),
        account: owner(catalog, &key.domain),
        what: json!({ "to": to }),
    };
    entry(told, by, now)
}

struct Told {
    action: &'static str,
    target: String,
    account: Option<AccountId>,
    what: Value,
}

fn entry(told: Told, by: &OrderedBy, now: Timestamp) -> AuditEntry {
    AuditEntry {
        at: now,
        who: by.who.clone(),
        via: by.via.to_owned(),
        origin: by.from.map(|ip| ip.to_string()),
        account: told.account,
        action: told.action.to_owned(),
        target: told.target,
        what: told.what,
    }
}

fn tell(before: &Catalog, change: &Change) -> Told {
    let told = |action, target: String, account, what: Value| Told { action, target, account, what };
    match change {
        Change::PutAccount(account) => {
            let what = difference(before.accounts.get(&account.id), Some(account));
            told("put_account", account.id.to_string(), Some(account.id), what)
        }
        Change::DeleteAccount(id) => {
            let what = difference(before.accounts.get(id), None);
            told("delete_account", id.to_string(), Some(*id), what)
        }
        Change::PutDomain(domain) => {
            let what = difference(before.domain(&domain.name), Some(domain));
            told("put_domain", domain.name.clone(), Some(domain.account), what)
        }
        Change::DeleteDomain(name) => {
            let old = before.domain(name);
            told("delete_domain", name.clone(), old.map(|d| d.account), difference(old, None))
        }
        Change::PutApiKey(key) => {
            let what = difference(before.api_keys.get(&key.id), Some(key));
            told("put_api_key", key.id.clone(), nonzero(key.account), what)
        }
        Change::DeleteApiKey(id) => {
            let old = before.api_keys.get(id);
            told("delete_api_key", id.clone(), old.and_then(|k| nonzero(k.account)), difference(old, None))
        }
        Change::Forbid(forbidden) => {
            let account = owner(before, &forbidden.key.domain);
            let what = difference(before.forbidden.get(&forbidden.key), Some(forbidden));
            told("forbid", forbidden.key.to_string(), account, what)
        }
        Change::Resume(key) => {
            let what = difference(before.forbidden.get(key), None);
            told("resume", key.to_string(), owner(before, &key.domain), what)
        }
        Change::PutCallbackTemplate(template) => {
            let what = difference(before.callback_templates.get(&template.id), Some(&**template));
            told("put_callback_template", template.id.to_string(), Some(template.account), what)
        }
        Change::DeleteCallbackTemplate(id) => {
            let old = before.callback_templates.get(id);
            let account = old.map(|t| t.account);
            told("delete_callback_template", id.to_string(), account, difference(old, None))
        }
        Change::PutCallbackRule(rule) => {
            let old = before.callback_rules.get(&(rule.domain.clone(), rule.app.clone()));
            let target = format!("{}/{}", rule.domain, rule.app);
            told("put_callback_rule", target, owner(before, &rule.domain), difference(old, Some(rule)))
        }
        Change::DeleteCallbackRule { domain, app } => {
            let old = before.callback_rules.get(&(domain.clone(), app.clone()));
            let target = format!("{domain}/{app}");
            told("delete_callback_rule", target, owner(before, domain), difference(old, None))
        }
    }
}

fn owner(catalog: &Catalog, domain: &str) -> Option<AccountId> {
    catalog.domain(domain).map(|d| d.account)
}

/// Account 0 of a key stands for all accounts.
fn nonzero(account: AccountId) -> Option<AccountId> {
    (account != 0).then_some(account)
}

/// `{field: {before, after}}` of the fields that differ. Secrets are masked: that they changed is told, not to what.
fn difference<T: Serialize + ?Sized>(before: Option<&T>, after: Option<&T>) -> Value {
    let fields = |thing: Option<&T>| match thing.map(serde_json::to_value) {
        Some(Ok(Value::Object(fields))) => fields,
        _ => Map::new(),
    };
    let (before, after) = (fields(before), fields(after));
    let mut changed = Map::new();
    for name in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(name), after.get(name));
        if old != new && !changed.contains_key(name) {
            changed.insert(name.clone(), json!({ "before": shown(name, old), "after": shown(name, new) }));
        }
    }
    Value::Object(changed)
}

fn shown(name: &str, value: Option<&Value>) -> Value {
    match value {
        Some(Value::String(text)) if is_secret_name(name) && !text.is_empty() => MASK.into(),
        Some(Value::Object(fields)) => {
            fields.iter().map(|(name, value)| (name.clone(), shown(name, Some(value)))).collect()
        }
        // A URL of a callback may carry a secret in its query or its user part.
        Some(Value::String(text)) => model::mask::mask_text(text).into(),
        other => other.cloned().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use model::catalog::Domain;

    use super::*;

    fn by() -> OrderedBy {
        OrderedBy { who: "AKID".into(), via: "api", from: Some("192.0.2.7".parse().unwrap()) }
    }

    #[test]
    fn a_change_tells_the_fields_that_changed_and_no_secret() {
        let mut catalog = Catalog::default();
        catalog.domains.insert("d.example".into(), Domain::new("d.example", 7, "OLD-SECRET"));
        let mut domain = Domain::new("d.example", 7, "NEW-SECRET");
        domain.max_pushes = 3;
        let entry = changed(&catalog, &Change::PutDomain(Box::new(domain)), &by(), Timestamp(1));
        assert_eq!((entry.action.as_str(), entry.target.as_str()), ("put_domain", "d.example"));
        assert_eq!((entry.account, entry.origin.as_deref()), (Some(7), Some("192.0.2.7")));
        assert_eq!(
            entry.what,
            json!({
                "key": { "before": "***", "after": "***" },
                "max_pushes": { "before": 0, "after": 3 },
            })
        );
    }

    #[test]
    fn deleting_tells_what_was_there() {
        let mut catalog = Catalog::default();
        catalog.domains.insert("d.example".into(), Domain::new("d.example", 7, "SECRET"));
        let entry = changed(&catalog, &Change::DeleteDomain("d.example".into()), &by(), Timestamp(1));
        assert_eq!(entry.account, Some(7));
        assert_eq!(entry.what["name"], json!({ "before": "d.example", "after": null }));
        assert!(!entry.what.to_string().contains("SECRET"), "{}", entry.what);
    }
}
