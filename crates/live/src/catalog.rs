//! The catalog in memory: one snapshot that admission reads without waiting, replaced whole at each change.

mod audit;
mod shared;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};
use model::catalog::{
    Account, AccountId, AccountStatus, ApiKey, CallbackRule, CallbackTemplate, Catalog, Domain, Forbidden,
    TemplateId,
};
use model::{Clock, StreamKey, Timestamp};
use store::{AuditEntry, CatalogStore, StoreError};
use tokio::sync::Mutex;

use crate::OrderedBy;
use crate::push::PushHandle;
pub(crate) use audit::{dropped, switched};
pub use shared::{NotShared, SharedCatalog, all_of};

/// A change of the catalog.
#[derive(Clone, Debug)]
pub enum Change {
    /// Adds or replaces an account.
    PutAccount(Account),
    /// Deletes an account.
    DeleteAccount(AccountId),
    /// Adds or replaces a domain.
    PutDomain(Box<Domain>),
    /// Deletes a domain.
    DeleteDomain(String),
    /// Adds or replaces an API key.
    PutApiKey(ApiKey),
    /// Deletes an API key.
    DeleteApiKey(String),
    /// Forbids a stream.
    Forbid(Forbidden),
    /// Lets a forbidden stream in again.
    Resume(StreamKey),
    /// Adds or replaces a callback template.
    PutCallbackTemplate(Box<CallbackTemplate>),
    /// Deletes a callback template.
    DeleteCallbackTemplate(TemplateId),
    /// Adds or replaces a callback rule.
    PutCallbackRule(CallbackRule),
    /// Deletes the callback rule of a domain and app.
    DeleteCallbackRule {
        /// The domain.
        domain: String,
        /// The app.
        app: String,
    },
}

/// Why a change did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The store refused it; the catalog is as it was.
    #[error("the catalog was not changed: {0}")]
    Store(#[from] StoreError),
    /// The work was given up because the node is stopping.
    #[error("the catalog was not changed: the node is stopping")]
    Stopping,
    /// The stored catalog cannot be read, so nothing can be decided on it.
    #[error("the catalog was not changed: it cannot be read")]
    Unreadable,
    /// The nodes share their catalog, and this change did not become known to them.
    #[error("the catalog was not changed: {0}")]
    NotShared(#[from] NotShared),
}

/// How often a change is tried again that another node's came before.
const TRIES: u32 = 10;
/// The time between two tries, in which the other change arrives.
const AGAIN: Duration = Duration::from_millis(100);

/// The snapshot and the way to change it.
pub(crate) struct CatalogRoom {
    /// `None` while the stored catalog cannot be read: then no push is admitted (18/100).
    snapshot: ArcSwapOption<Catalog>,
    /// Why it cannot.
    failure: ArcSwapOption<String>,
    store: CatalogStore,
    /// Changes come one after another: each is durable and visible before the next begins.
    changing: Mutex<()>,
    /// Where all nodes look for the catalog, if they share one.
    shared: OnceLock<Arc<dyn SharedCatalog>>,
}

impl CatalogRoom {
    /// Loads the stored catalog. Where it cannot be read the room stands empty until [`CatalogRoom::mend`] succeeds.
    /// Blocks on the disk.
    pub(crate) fn load(store: CatalogStore) -> Self {
        let room = Self {
            snapshot: ArcSwapOption::empty(),
            failure: ArcSwapOption::empty(),
            store,
            changing: Mutex::new(()),
            shared: OnceLock::new(),
        };
        room.take(room.store.load());
        room
    }

    /// The newest state; `None` while there is none to be had.
    pub(crate) fn snapshot(&self) -> Option<Arc<Catalog>> {
        self.snapshot.load_full()
    }

    /// The refusal of pushes while there is no state.
    pub(crate) fn unavailable(&self) -> Act {
        let reason = self.failure.load_full().map(|reason| reason.to_string());
        let detail = Detail::new(DetailKey::CatalogError).with_some("reason", reason);
        Act { code: Cause::CatalogUnavailable.code(), detail: Some(detail) }
    }

    /// Reads the stored catalog again if it could not be read before.
    pub(crate) async fn mend(&self) {
        if self.snapshot.load().is_some() {
            return;
        }
        let _one_at_a_time = self.changing.lock().await;
        let store = self.store.clone();
        if let Ok(loaded) = tokio::task::spawn_blocking(move || store.load()).await {
            self.take(loaded);
        }
    }

    /// Makes a change durable, together with its entry in the audit log, then visible. Returns whether it changed
    /// anything.
    ///
    /// # Errors
    /// What the store says; nothing has changed then.
    pub(crate) async fn change(
        &self,
        change: Change,
        by: &OrderedBy,
        now: Timestamp,
    ) -> Result<bool, CatalogError> {
        for _ in 0..TRIES {
            {
                let _one_at_a_time = self.changing.lock().await;
                let before = self.snapshot().unwrap_or_default();
                match self.make(&before, change.clone(), by, now).await {
                    // What this change says is complete in itself, so it may well come after the other one.
                    Err(CatalogError::NotShared(NotShared::Conflict)) => {}
                    made => return made,
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
        Err(NotShared::Conflict.into())
    }

    /// As [`CatalogRoom::change`], for a change that is decided on the newest state: nothing comes in between.
    ///
    /// # Errors
    /// What the store says, or that there is no state to decide on, or that another node's change came before; inside,
    /// what `decide` refuses.
    pub(crate) async fn change_with<E>(
        &self,
        decide: impl FnOnce(&Catalog) -> Result<Change, E>,
        by: &OrderedBy,
        now: Timestamp,
    ) -> Result<Result<bool, E>, CatalogError> {
        let _one_at_a_time = self.changing.lock().await;
        let before = self.snapshot().ok_or(CatalogError::Unreadable)?;
        match decide(&before) {
            Ok(change) => self.make(&before, change, by, now).await.map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Makes a change; the caller holds `changing`.
    async fn make(
        &self,
        before: &Catalog,
        change: Change,
        by: &OrderedBy,
        now: Timestamp,
    ) -> Result<bool, CatalogError> {
        if let Some(shared) = self.shared.get() {
            shared.publish(&change).await?;
        }
        let store = self.store.audited(audit::changed(before, &change, by, now));
        let work = tokio::task::spawn_blocking(move || {
            let changed = apply(&store, &change)?;
            Ok::<_, StoreError>((changed, store.load()))
        });
        let (changed, catalog) = work.await.map_err(|_| CatalogError::Stopping)??;
        self.take(catalog);
        Ok(changed)
    }

    /// Enters an order into the audit log that leaves the catalog as it is.
    pub(crate) fn note(&self, entry: AuditEntry) {
        self.store.note(entry);
    }

    /// An old state would let in what a durable change has forbidden, so a catalog that cannot be read closes admission.
    fn take(&self, loaded: Result<Catalog, StoreError>) {
        match loaded {
            Ok(catalog) => self.snapshot.store(Some(Arc::new(catalog))),
            Err(error) => {
                tracing::error!(%error, "the catalog cannot be read; pushes are refused until it can");
                self.failure.store(Some(Arc::new(error.to_string())));
                self.snapshot.store(None);
            }
        }
    }
}

fn apply(store: &CatalogStore, change: &Change) -> Result<bool, StoreError> {
    match change {
        Change::PutAccount(account) => store.put_account(account).map(|()| true),
        Change::DeleteAccount(id) => store.delete_account(*id),
        Change::PutDomain(domain) => store.put_domain(domain).map(|()| true),
        Change::DeleteDomain(name) => store.delete_domain(name),
        Change::PutApiKey(key) => store.put_api_key(key).map(|()| true),
        Change::DeleteApiKey(id) => store.delete_api_key(id),
        Change::Forbid(forbidden) => store.forbid(forbidden).map(|()| true),
        Change::Resume(key) => store.resume(key),
        Change::PutCallbackTemplate(template) => store.put_callback_template(template).map(|()| true),
        Change::DeleteCallbackTemplate(id) => store.delete_callback_template(*id),
        Change::PutCallbackRule(rule) => store.put_callback_rule(rule).map(|()| true),
        Change::DeleteCallbackRule { domain, app } => store.delete_callback_rule(domain, app),
    }
}

/// The act that cuts a running push after a change: its account was force-stopped, its domain or app disabled.
pub(crate) fn cut_by(catalog: &Catalog, push: &PushHandle, clock: &dyn Clock) -> Option<Act> {
    let cause = match (catalog.domain(&push.key.domain), catalog.accounts.get(&push.account)) {
        (_, Some(account)) if account.status == AccountStatus::ForceStopped => Cause::AccountForceStopped,
        (Some(domain), _) if !domain.enabled => Cause::DomainDisabled,
        (Some(domain), _) if domain.app(&push.key.app).is_some_and(|app| !app.enabled) => Cause::AppDisabled,
        _ => return forbidden(catalog, push, clock),
    };
    Some(Act { code: cause.code(), detail: Some(Detail::new(DetailKey::CutWhileLive)) })
}

fn forbidden(catalog: &Catalog, push: &PushHandle, clock: &dyn Clock) -> Option<Act> {
    catalog.forbidden_at(&push.key, clock.now()).map(forbid_act)
}

/// The act that cuts the running pushes of a stream that was forbidden.
pub(crate) fn forbid_act(forbidden: &Forbidden) -> Act {
    let detail = Detail::new(DetailKey::ForbiddenUntil)
        .with("since", forbidden.since.to_string())
        .with("until", forbidden.until.to_string())
        .with_some("who", Some(forbidden.by.clone()).filter(|who| !who.is_empty()))
        .with("reason", forbidden.reason.clone());
    Act { code: Cause::Forbidden.code(), detail: Some(detail) }
}
