//! One thing of the catalog as it stands in the bucket: its name says what it is, its value is its JSON.

use live::Change;
use model::StreamKey;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::names::{escaped, key_of, of_key, unescaped};

/// The name of what a change is about.
pub(super) fn name_of(change: &Change) -> String {
    let rule = |domain: &str, app: &str| format!("rule.{}.{}", escaped(domain), escaped(app));
    match change {
        Change::PutAccount(account) => format!("account.{}", account.id),
        Change::DeleteAccount(id) => format!("account.{id}"),
        Change::PutDomain(domain) => format!("domain.{}", escaped(&domain.name)),
        Change::DeleteDomain(name) => format!("domain.{}", escaped(name)),
        Change::PutApiKey(key) => format!("api_key.{}", escaped(&key.id)),
        Change::DeleteApiKey(id) => format!("api_key.{}", escaped(id)),
        Change::Forbid(forbidden) => format!("forbidden.{}", of_key(&forbidden.key)),
        Change::Resume(key) => format!("forbidden.{}", of_key(key)),
        Change::PutCallbackTemplate(template) => format!("template.{}", template.id),
        Change::DeleteCallbackTemplate(id) => format!("template.{id}"),
        Change::PutCallbackRule(put) => rule(&put.domain, &put.app),
        Change::DeleteCallbackRule { domain, app } => rule(domain, app),
    }
}

/// What stands under that name after the change; `None` where nothing does.
pub(super) fn value_of(change: &Change) -> Result<Option<Vec<u8>>, serde_json::Error> {
    fn json(item: &impl Serialize) -> Result<Option<Vec<u8>>, serde_json::Error> {
        serde_json::to_vec(item).map(Some)
    }
    match change {
        Change::PutAccount(item) => json(item),
        Change::PutDomain(item) => json(item),
        Change::PutApiKey(item) => json(item),
        Change::Forbid(item) => json(item),
        Change::PutCallbackTemplate(item) => json(item),
        Change::PutCallbackRule(item) => json(item),
        Change::DeleteAccount(_)
        | Change::DeleteDomain(_)
        | Change::DeleteApiKey(_)
        | Change::Resume(_)
        | Change::DeleteCallbackTemplate(_)
        | Change::DeleteCallbackRule { .. } => Ok(None),
    }
}

/// Why what stands in the bucket means nothing to this node.
#[derive(Debug, thiserror::Error)]
pub(super) enum ItemError {
    /// Nothing of a catalog is called so.
    #[error("nothing of a catalog is called so")]
    Name,
    /// The value is none of its kind, perhaps of a newer version.
    #[error("it cannot be read: {0}")]
    Value(#[from] serde_json::Error),
    /// The value is about something else than its name.
    #[error("its name and what it holds differ")]
    Differ,
}

/// The change that makes a catalog hold this value under this name, or nothing.
pub(super) fn change_of(name: &str, value: Option<&[u8]>) -> Result<Change, ItemError> {
    let (kind, rest) = name.split_once('.').ok_or(ItemError::Name)?;
    let text = || unescaped(rest).ok_or(ItemError::Name);
    let change = match (kind, value) {
        ("account", None) => Change::DeleteAccount(rest.parse().map_err(|_| ItemError::Name)?),
        ("account", Some(value)) => Change::PutAccount(read(value)?),
        ("domain", None) => Change::DeleteDomain(text()?),
        ("domain", Some(value)) => Change::PutDomain(read(value)?),
        ("api_key", None) => Change::DeleteApiKey(text()?),
        ("api_key", Some(value)) => Change::PutApiKey(read(value)?),
        ("forbidden", None) => Change::Resume(stream_key(rest)?),
        ("forbidden", Some(value)) => Change::Forbid(read(value)?),
        ("template", None) => Change::DeleteCallbackTemplate(rest.parse().map_err(|_| ItemError::Name)?),
        ("template", Some(value)) => Change::PutCallbackTemplate(read(value)?),
        ("rule", None) => {
            let (domain, app) = rest.split_once('.').ok_or(ItemError::Name)?;
            let part = |part| unescaped(part).ok_or(ItemError::Name);
            Change::DeleteCallbackRule { domain: part(domain)?, app: part(app)? }
        }
        ("rule", Some(value)) => Change::PutCallbackRule(read(value)?),
        _ => return Err(ItemError::Name),
    };
    // Whoever writes there by hand must not change one thing under the name of another.
    if name_of(&change) == name { Ok(change) } else { Err(ItemError::Differ) }
}

fn read<T: DeserializeOwned>(value: &[u8]) -> Result<T, ItemError> {
    Ok(serde_json::from_slice(value)?)
}

fn stream_key(name: &str) -> Result<StreamKey, ItemError> {
    key_of(name).ok_or(ItemError::Name)
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use model::catalog::{
        Account, AccountStatus, ApiKey, CallbackRule, CallbackTemplate, Domain, Forbidden, Role,
    };
    use proptest::prelude::*;

    use super::*;

    fn puts() -> Vec<Change> {
        let key = StreamKey::new("push.example.com", "live/eu", "配信.1");
        let forbidden = Forbidden {
            key,
            since: Timestamp(1),
            until: Timestamp(2),
            reason: "why".into(),
            by: "ann".into(),
        };
        let api_key = ApiKey { id: "AKID.1".into(), secret: "s".into(), account: 0, role: Role::Admin };
        let template: CallbackTemplate =
            serde_json::from_str(r#"{ "id": 3, "account": 7, "name": "t", "urls": {} }"#).unwrap();
        let rule: CallbackRule =
            serde_json::from_str(r#"{ "domain": "push.example.com", "app": "live", "template": 3 }"#)
                .unwrap();
        vec![
            Change::PutAccount(Account { id: 7, status: AccountStatus::Active, max_pushes: 3 }),
            Change::PutDomain(Box::new(Domain::new("push.example.com", 7, "k"))),
            Change::PutApiKey(api_key),
            Change::Forbid(forbidden),
            Change::PutCallbackTemplate(Box::new(template)),
            Change::PutCallbackRule(rule),
        ]
    }

    #[test]
    fn what_is_put_is_read_back_and_its_deletion_is_about_the_same() {
        for put in puts() {
            let (name, value) = (name_of(&put), value_of(&put).unwrap().unwrap());
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=.".contains(&b)), "{name}");
            let back = change_of(&name, Some(&value)).unwrap();
            assert_eq!(format!("{back:?}"), format!("{put:?}"));
            assert_eq!(value_of(&back).unwrap().unwrap(), value, "the same thing has one form");
            let deleted = change_of(&name, None).unwrap();
            assert_eq!((name_of(&deleted), value_of(&deleted).unwrap()), (name, None));
        }
    }

    #[test]
    fn a_value_under_the_name_of_another_is_refused() {
        let value =
            value_of(&Change::PutDomain(Box::new(Domain::new("a.example", 1, "k")))).unwrap().unwrap();
        assert!(matches!(change_of("domain.b=2Eexample", Some(&value)), Err(ItemError::Differ)));
        assert!(matches!(change_of("account.1", Some(&value)), Err(ItemError::Value(_))));
    }

    proptest! {
        #[test]
        fn whatever_stands_there_is_read_or_refused(name in "[a-z_]{0,9}[.a-zA-Z0-9=_-]{0,40}", value: Option<Vec<u8>>) {
            let _ = change_of(&name, value.as_deref());
        }
    }
}
