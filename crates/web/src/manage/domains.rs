//! Domains with their rules, limits, IP lists and apps.

use ipnet::IpNet;
use live::{Change, OrderedBy};
use model::catalog::{AccountId, App, ConflictRule, Domain, DomainKind};
use serde::Deserialize;

use super::{Clash, ManageError, Thing, change, invalid, is_name, secret};
use crate::actions::Scope;
use crate::state::WebState;

/// Entries of each list.
pub const MAX_LIST: usize = 1_000;
/// Bytes of a fresh key.
const KEY: usize = 16;

/// What is to be changed; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DomainPatch {
    /// Whether the domain may be used at all.
    pub enabled: Option<bool>,
    /// Whether push URLs must be signed.
    pub auth: Option<bool>,
    /// What a second push of a live stream key does.
    pub conflict: Option<ConflictRule>,
    /// Whether `?priority=N` is heeded.
    pub priority: Option<bool>,
    /// Client networks that alone may push.
    pub allow: Option<Vec<IpNet>>,
    /// Client networks that may not push.
    pub block: Option<Vec<IpNet>>,
    /// Pushes at once on the domain.
    pub max_pushes: Option<u32>,
    /// Pushes at once of one stream key.
    pub max_pushes_per_stream: Option<u32>,
    /// All listed apps.
    pub apps: Option<Vec<App>>,
    /// Whether only streams with a channel may push.
    pub channel_mode: Option<bool>,
    /// Whether play URLs must be signed.
    pub play_auth: Option<bool>,
}

/// The domains in scope, by name.
pub fn list(state: &WebState, scope: Scope) -> Vec<Domain> {
    let catalog = state.catalog();
    let mut domains: Vec<_> =
        catalog.domains.values().filter(|d| scope.covers(Some(d.account))).cloned().collect();
    domains.sort_by(|a, b| a.name.cmp(&b.name));
    domains
}

/// One domain.
///
/// # Errors
/// [`ManageError::Missing`].
pub fn one(state: &WebState, scope: Scope, name: &str) -> Result<Domain, ManageError> {
    let catalog = state.catalog();
    let found = catalog.domain(name).filter(|d| scope.covers(Some(d.account)));
    found.cloned().ok_or(ManageError::Missing(Thing::Domain))
}

/// Adds a domain with a fresh key, and gives both; the key for the only time.
///
/// # Errors
/// [`ManageError`].
pub async fn create(
    state: &WebState,
    scope: Scope,
    name: &str,
    account: AccountId,
    kind: DomainKind,
    by: &OrderedBy,
) -> Result<(Domain, String), ManageError> {
    let name = name.trim().to_ascii_lowercase();
    if !is_host_name(&name) {
        return Err(invalid("name", "is no host name; write one such as push.example.com"));
    }
    let key = secret(KEY)?;
    let mut domain = Domain::new(name, account, String::new());
    domain.kind = kind;
    domain.created = Some(state.clock().now());
    match kind {
        DomainKind::Push => domain.key.clone_from(&key),
        DomainKind::Play => domain.play_key.clone_from(&key),
    }
    change(state, by, |catalog| {
        if !scope.covers(Some(account)) || !catalog.accounts.contains_key(&account) {
            return Err(invalid("account", "there is no such account"));
        }
        match catalog.domain(&domain.name) {
            Some(_) => Err(ManageError::Exists(Thing::Domain)),
            None => Ok(Change::PutDomain(Box::new(domain.clone()))),
        }
    })
    .await?;
    Ok((domain, key))
}

/// Changes the given parts of a domain; gives it as it is then.
///
/// # Errors
/// [`ManageError`].
pub async fn modify(
    state: &WebState,
    scope: Scope,
    name: &str,
    patch: DomainPatch,
    by: &OrderedBy,
) -> Result<Domain, ManageError> {
    for (field, list) in [("allow", patch.allow.as_ref()), ("block", patch.block.as_ref())] {
        if list.is_some_and(|list| list.len() > MAX_LIST) {
            return Err(invalid(field, "has more than 1000 entries"));
        }
    }
    if let Some(apps) = &patch.apps {
        check_apps(apps)?;
    }
    change_domain(state, scope, name, by, |domain| {
        apply(domain, patch);
        if domain.kind == DomainKind::Push
            && domain.auth
            && domain.key.is_empty()
            && domain.backup_key.is_empty()
        {
            return Err(Clash::NoKey.into());
        }
        if domain.play_auth && domain.play_key.is_empty() && domain.play_backup_key.is_empty() {
            return Err(Clash::NoPlayKey.into());
        }
        Ok(())
    })
    .await
}

/// Lists an app, or replaces the one of that name.
///
/// # Errors
/// [`ManageError`].
pub async fn put_app(
    state: &WebState,
    scope: Scope,
    domain: &str,
    app: App,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    change_domain(state, scope, domain, by, |domain| {
        domain.apps.retain(|known| known.name != app.name);
        domain.apps.push(app);
        domain.apps.sort_by(|a, b| a.name.cmp(&b.name));
        check_apps(&domain.apps)
    })
    .await
    .map(drop)
}

/// Takes an app off the list; it is then enabled, as all apps are that are not listed.
///
/// # Errors
/// [`ManageError`].
pub async fn delete_app(
    state: &WebState,
    scope: Scope,
    domain: &str,
    app: &str,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    change_domain(state, scope, domain, by, |domain| {
        let before = domain.apps.len();
        domain.apps.retain(|known| known.name != app);
        if domain.apps.len() == before { Err(ManageError::Missing(Thing::App)) } else { Ok(()) }
    })
    .await
    .map(drop)
}

/// Deletes a domain that no callback rule names.
///
/// # Errors
/// [`ManageError`].
pub async fn delete(state: &WebState, scope: Scope, name: &str, by: &OrderedBy) -> Result<(), ManageError> {
    let deleted = change(state, by, |catalog| {
        let found = catalog.domain(name).filter(|d| scope.covers(Some(d.account)));
        let domain = found.ok_or(ManageError::Missing(Thing::Domain))?;
        match catalog.callback_rules.values().any(|rule| rule.domain == domain.name) {
            true => Err(Clash::DomainHasRules.into()),
            false => Ok(Change::DeleteDomain(domain.name.clone())),
        }
    });
    if deleted.await? { Ok(()) } else { Err(ManageError::Missing(Thing::Domain)) }
}

/// Changes a domain as `edit` does; gives it as it is then.
pub(super) async fn change_domain(
    state: &WebState,
    scope: Scope,
    name: &str,
    by: &OrderedBy,
    edit: impl FnOnce(&mut Domain) -> Result<(), ManageError>,
) -> Result<Domain, ManageError> {
    let mut changed = None;
    change(state, by, |catalog| {
        let found = catalog.domain(name).filter(|d| scope.covers(Some(d.account)));
        let mut domain = found.cloned().ok_or(ManageError::Missing(Thing::Domain))?;
        edit(&mut domain)?;
        changed = Some(domain.clone());
        Ok(Change::PutDomain(Box::new(domain)))
    })
    .await?;
    changed.ok_or(ManageError::GivenUp)
}

fn apply(domain: &mut Domain, patch: DomainPatch) {
    fn set<T>(field: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *field = value;
        }
    }
    set(&mut domain.enabled, patch.enabled);
    set(&mut domain.auth, patch.auth);
    set(&mut domain.conflict, patch.conflict);
    set(&mut domain.priority, patch.priority);
    set(&mut domain.allow, patch.allow);
    set(&mut domain.block, patch.block);
    set(&mut domain.max_pushes, patch.max_pushes);
    set(&mut domain.max_pushes_per_stream, patch.max_pushes_per_stream);
    set(&mut domain.apps, patch.apps);
    set(&mut domain.channel_mode, patch.channel_mode);
    set(&mut domain.play_auth, patch.play_auth);
}

fn check_apps(apps: &[App]) -> Result<(), ManageError> {
    if apps.len() > MAX_LIST || apps.iter().any(|app| !is_name(&app.name)) {
        return Err(invalid("apps", "at most 1000, each with a name of 1 to 255 bytes"));
    }
    let mut names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).any(|pair| pair.first() == pair.last()) {
        true => Err(invalid("apps", "names an app twice")),
        false => Ok(()),
    }
}

fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}
