//! Templates and rules, as the APIs and the console change them. Each function keeps to the scope it is given: what
//! lies outside is like what does not exist.

use live::outbound::UrlError;
use live::{CatalogError, Change, OrderedBy};
use model::catalog::{ANY_APP, AccountId, CallbackRule, CallbackTemplate, CallbackUrls, Catalog, TemplateId};

use crate::actions::Scope;
use crate::edit::edit;
use crate::state::WebState;

/// Templates of one account.
pub const MAX_TEMPLATES: usize = 50;
/// Bytes of a template's name.
pub const MAX_NAME: usize = 255;
/// Bytes of a description.
pub const MAX_DESCRIPTION: usize = 1024;
/// Bytes of a URL.
pub const MAX_URL: usize = 2048;
/// Bytes of a callback key.
pub const MAX_KEY: usize = 256;
/// Bytes of an app's name in a rule.
pub const MAX_APP: usize = 255;

/// Why a template or rule was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// No such template in this scope.
    #[error("there is no such callback template")]
    NoTemplate,
    /// No such domain in this scope.
    #[error("there is no such domain in the catalog")]
    NoDomain,
    /// No such rule in this scope.
    #[error("there is no callback rule for this domain and app")]
    NoRule,
    /// No such account.
    #[error("there is no such account in the catalog")]
    NoAccount,
    /// The account has its fifty.
    #[error("the account has {MAX_TEMPLATES} callback templates already")]
    TooMany,
    /// Rules refer to the template.
    #[error("callback rules refer to the template; delete them first")]
    InUse,
    /// The domain and app have a rule.
    #[error("there is a rule for this domain and app; delete it first")]
    Bound,
    /// A template without any URL tells nobody anything.
    #[error("at least one URL is needed")]
    NoUrl,
    /// A value that cannot be taken.
    #[error("{field} {why}")]
    Invalid {
        /// The field, by its name in the template or rule.
        field: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A URL that may not be asked.
    #[error("{field} {source}")]
    Url {
        /// The URL's field.
        field: &'static str,
        /// Why not.
        source: UrlError,
    },
    /// The store did not take it; nothing has changed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// The parts of a template that are given; the others stay as they are, or empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateFields {
    /// Name.
    pub name: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// All URLs.
    pub urls: Option<CallbackUrls>,
    /// Callback key.
    pub key: Option<String>,
}

/// The templates in scope, by number.
pub fn templates(state: &WebState, scope: Scope) -> Vec<CallbackTemplate> {
    let catalog = state.catalog();
    let mut list: Vec<_> =
        catalog.callback_templates.values().filter(|t| scope.covers(Some(t.account))).cloned().collect();
    list.sort_by_key(|template| template.id);
    list
}

/// One template.
///
/// # Errors
/// [`ManageError::NoTemplate`].
pub fn template(state: &WebState, scope: Scope, id: TemplateId) -> Result<CallbackTemplate, ManageError> {
    find(&state.catalog(), scope, id).cloned()
}

/// Makes a template for an account.
///
/// # Errors
/// [`ManageError`].
pub async fn create_template(
    state: &WebState,
    scope: Scope,
    account: AccountId,
    fields: TemplateFields,
    by: &OrderedBy,
) -> Result<CallbackTemplate, ManageError> {
    let decide = |catalog: &Catalog| {
        if !scope.covers(Some(account)) || !catalog.accounts.contains_key(&account) {
            return Err(ManageError::NoAccount);
        }
        if catalog.callback_templates.values().filter(|t| t.account == account).count() >= MAX_TEMPLATES {
            return Err(ManageError::TooMany);
        }
        let template = CallbackTemplate {
            id: free_id(catalog),
            account,
            name: fields.name.ok_or_else(|| invalid("name", "is missing"))?,
            description: fields.description.unwrap_or_default(),
            urls: fields.urls.unwrap_or_default(),
            key: fields.key.unwrap_or_default(),
            created: state.clock().now(),
        };
        put(state, template)
    };
    Ok(edit(state, by, decide).await?.0)
}

/// Changes the parts of a template that `fields` gives, which is told what the template is.
///
/// # Errors
/// [`ManageError`].
pub async fn modify_template(
    state: &WebState,
    scope: Scope,
    id: TemplateId,
    fields: impl FnOnce(&CallbackTemplate) -> TemplateFields,
    by: &OrderedBy,
) -> Result<CallbackTemplate, ManageError> {
    let decide = |catalog: &Catalog| {
        let old = find(catalog, scope, id)?.clone();
        let fields = fields(&old);
        let template = CallbackTemplate {
            name: fields.name.unwrap_or(old.name),
            description: fields.description.unwrap_or(old.description),
            urls: fields.urls.unwrap_or(old.urls),
            key: fields.key.unwrap_or(old.key),
            ..old
        };
        put(state, template)
    };
    Ok(edit(state, by, decide).await?.0)
}

/// Deletes a template that no rule refers to. Its events that wait are given up.
///
/// # Errors
/// [`ManageError`].
pub async fn delete_template(
    state: &WebState,
    scope: Scope,
    id: TemplateId,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    let decide = |catalog: &Catalog| {
        find(catalog, scope, id)?;
        match catalog.callback_rules.values().any(|rule| rule.template == id) {
            true => Err(ManageError::InUse),
            false => Ok((Change::DeleteCallbackTemplate(id), ())),
        }
    };
    edit(state, by, decide).await?;
    Ok(())
}

/// The rules in scope, by domain and app.
pub fn rules(state: &WebState, scope: Scope) -> Vec<CallbackRule> {
    let catalog = state.catalog();
    let owner = |rule: &CallbackRule| catalog.domain(&rule.domain).map(|d| d.account);
    let mut list: Vec<_> =
        catalog.callback_rules.values().filter(|rule| scope.covers(owner(rule))).cloned().collect();
    list.sort_by(|a, b| (&a.domain, &a.app).cmp(&(&b.domain, &b.app)));
    list
}

/// What is bound to what. App `*` is every app of the domain that has no rule of its own.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The domain.
    pub domain: &'a str,
    /// The app.
    pub app: &'a str,
    /// The template.
    pub template: TemplateId,
}

/// Binds a template to a domain and app; a rule that is there is replaced where `replace` says so.
///
/// # Errors
/// [`ManageError`].
pub async fn bind(
    state: &WebState,
    scope: Scope,
    Binding { domain, app, template }: Binding<'_>,
    replace: bool,
    by: &OrderedBy,
) -> Result<CallbackRule, ManageError> {
    let decide = |catalog: &Catalog| {
        let domain =
            catalog.domain(domain).filter(|d| scope.covers(Some(d.account))).ok_or(ManageError::NoDomain)?;
        let key = (domain.name.clone(), app.to_owned());
        let old = catalog.callback_rules.get(&key);
        if old.is_some() && !replace {
            return Err(ManageError::Bound);
        }
        // A template of another account would sign this domain's events with that account's key.
        find(catalog, scope, template).and_then(|found| {
            if found.account == domain.account { Ok(()) } else { Err(ManageError::NoTemplate) }
        })?;
        if app.is_empty() || app.len() > MAX_APP || app.chars().any(char::is_control) {
            return Err(invalid("app", format!("must have 1 to {MAX_APP} bytes; `{ANY_APP}` is every app")));
        }
        let now = state.clock().now();
        let created = old.map_or(now, |rule| rule.created);
        let rule = CallbackRule { domain: key.0, app: key.1, template, created, updated: now };
        Ok((Change::PutCallbackRule(rule.clone()), rule))
    };
    Ok(edit(state, by, decide).await?.0)
}

/// Deletes the rule of a domain and app.
///
/// # Errors
/// [`ManageError`].
pub async fn unbind(
    state: &WebState,
    scope: Scope,
    domain: &str,
    app: &str,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    let domain = domain.to_ascii_lowercase();
    let decide = |catalog: &Catalog| {
        // A rule may outlive its domain; only who sees everything can then remove it.
        match scope.covers(catalog.domain(&domain).map(|d| d.account)) {
            true => Ok((Change::DeleteCallbackRule { domain: domain.clone(), app: app.to_owned() }, ())),
            false => Err(ManageError::NoRule),
        }
    };
    match edit(state, by, decide).await? {
        (_, true) => Ok(()),
        (_, false) => Err(ManageError::NoRule),
    }
}

fn find(catalog: &Catalog, scope: Scope, id: TemplateId) -> Result<&CallbackTemplate, ManageError> {
    let found = catalog.callback_templates.get(&id).filter(|t| scope.covers(Some(t.account)));
    found.ok_or(ManageError::NoTemplate)
}

/// The change that writes a template, once it is found good.
fn put(state: &WebState, template: CallbackTemplate) -> Result<(Change, CallbackTemplate), ManageError> {
    check(state, &template)?;
    Ok((Change::PutCallbackTemplate(Box::new(template.clone())), template))
}

fn check(state: &WebState, template: &CallbackTemplate) -> Result<(), ManageError> {
    let name = template.name.trim();
    if name.is_empty() || template.name.len() > MAX_NAME || template.name.chars().any(char::is_control) {
        return Err(invalid("name", format!("must have 1 to {MAX_NAME} bytes")));
    }
    if template.description.len() > MAX_DESCRIPTION {
        return Err(invalid("description", format!("must have at most {MAX_DESCRIPTION} bytes")));
    }
    if template.key.len() > MAX_KEY || template.key.chars().any(char::is_control) {
        return Err(invalid("key", format!("must have at most {MAX_KEY} bytes")));
    }
    if template.urls.record_exception_levels.len() > 16
        || template.urls.record_exception_levels.iter().any(|level| level.len() > 32)
    {
        return Err(invalid("record_exception_levels", "must be error, warning or info"));
    }
    let mut any = false;
    for (field, url) in template.urls.named().into_iter().filter(|(_, url)| !url.is_empty()) {
        any = true;
        if url.len() > MAX_URL {
            return Err(invalid(field, format!("must have at most {MAX_URL} bytes")));
        }
        let reach = &state.config().callback.reach;
        reach.check_url(url).map_err(|source| ManageError::Url { field, source })?;
    }
    if any { Ok(()) } else { Err(ManageError::NoUrl) }
}

fn invalid(field: &'static str, why: impl Into<String>) -> ManageError {
    ManageError::Invalid { field, why: why.into() }
}

/// A number that is not taken. Numbers are not given again at once, so that a tool that remembers a deleted template
/// does not meet another one.
fn free_id(catalog: &Catalog) -> TemplateId {
    let mut bytes = [0; 4];
    let newest = catalog.callback_templates.keys().max().copied().unwrap_or_default();
    let random = getrandom::fill(&mut bytes).map_or(newest, |()| u32::from_le_bytes(bytes));
    let first = 100_000 + random % 900_000_000;
    (first..=u32::MAX).find(|id| !catalog.callback_templates.contains_key(id)).unwrap_or(first)
}
