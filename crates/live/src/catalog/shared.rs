//! A catalog that all nodes share: changes go to the place that all of them look at before they count here, and changes of
//! others come from there.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use model::Catalog;
use tokio::task::spawn_blocking;

use super::{CatalogError, CatalogRoom, Change, apply, forbid_act};
use crate::Live;

/// Where all nodes look for the catalog.
pub trait SharedCatalog: fmt::Debug + Send + Sync {
    /// Makes a change known to all nodes, if what it changes is still as this node knows it. Only when this has
    /// succeeded the change counts here.
    fn publish<'a>(
        &'a self,
        change: &'a Change,
    ) -> Pin<Box<dyn Future<Output = Result<(), NotShared>> + Send + 'a>>;

    /// The newest change of all nodes that counts here; `None` before this node has heard what the others have.
    fn revision(&self) -> Option<u64>;
}

/// Why a change did not become known to all nodes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotShared {
    /// Another node has changed the same just before.
    #[error("another node has changed the same just before")]
    Conflict,
    /// The place could not be reached, or did not take it.
    #[error("{0}")]
    Away(String),
}

impl CatalogRoom {
    /// Takes over a change that counts for all nodes already, unless `is_new` says that it is here by now. The answer is
    /// whether it did.
    pub(super) async fn adopt(
        &self,
        change: Change,
        is_new: impl FnOnce() -> bool,
    ) -> Result<bool, CatalogError> {
        let _one_at_a_time = self.changing.lock().await;
        if !is_new() {
            return Ok(false);
        }
        let store = self.store.clone();
        let work = spawn_blocking(move || {
            apply(&store, &change)?;
            Ok::<_, store::StoreError>(store.load())
        });
        self.take(work.await.map_err(|_| CatalogError::Stopping)??);
        Ok(true)
    }
}

impl Live {
    /// From now on changes of the catalog count only once all nodes can see them. False where that was said before.
    pub fn share_catalog(&self, shared: Arc<dyn SharedCatalog>) -> bool {
        self.shared.catalog.shared.set(shared).is_ok()
    }

    /// Which state of the catalog that the nodes share counts here: those with the same number have the same catalog.
    /// `None` where they share none, or this node has not heard yet what the others have.
    pub fn catalog_revision(&self) -> Option<u64> {
        self.shared.catalog.shared.get().and_then(|shared| shared.revision())
    }

    /// Takes over a change that another node has made, unless `is_new` says that it is here by now; no other change comes
    /// between that question and the change. Running pushes are cut as by a change of this node's own.
    ///
    /// # Errors
    /// [`CatalogError`]; nothing has changed then.
    pub async fn adopt(&self, change: Change, is_new: impl FnOnce() -> bool) -> Result<bool, CatalogError> {
        let forbidden = match &change {
            Change::Forbid(forbidden) if forbidden.until > self.shared.clock.now() => Some(forbidden.clone()),
            _ => None,
        };
        if !self.shared.catalog.adopt(change, is_new).await? {
            return Ok(false);
        }
        if let Some(forbidden) = forbidden {
            self.shared.hub.order(&forbidden.key, &forbid_act(&forbidden));
        }
        self.cut_disabled();
        Ok(true)
    }
}

/// All of a catalog as changes that make it.
pub fn all_of(catalog: &Catalog) -> impl Iterator<Item = Change> {
    let Catalog { version: _, accounts, domains, api_keys, forbidden, callback_templates, callback_rules } =
        catalog;
    let accounts = accounts.values().cloned().map(Change::PutAccount);
    let domains = domains.values().cloned().map(|domain| Change::PutDomain(Box::new(domain)));
    let keys = api_keys.values().cloned().map(Change::PutApiKey);
    let forbidden = forbidden.values().cloned().map(Change::Forbid);
    let templates = callback_templates.values().cloned();
    let templates = templates.map(|template| Change::PutCallbackTemplate(Box::new(template)));
    let rules = callback_rules.values().cloned().map(Change::PutCallbackRule);
    accounts.chain(domains).chain(keys).chain(forbidden).chain(templates).chain(rules)
}
