//! Entries of the configuration, put into the stored catalog at each start.

use live::{Change, Live, OrderedBy};
use store::{CatalogStore, StoreError};

use crate::config::Config;

/// Puts `[[account]]`, `[[domain]]` and `[[api_key]]` into the catalog. Where the disk is full, or the stored catalog
/// cannot be read, the server starts all the same: a push is then refused on record (18/103, 18/100), not by a closed port.
pub fn upsert(config: &Config, catalog: &CatalogStore) {
    if let Err(error) = put_all(config, catalog) {
        tracing::error!(%error, "accounts, domains and keys of the configuration were not taken over");
    }
}

fn put_all(config: &Config, catalog: &CatalogStore) -> Result<(), StoreError> {
    let stored = catalog.load()?;
    // What stands there already is not written again: the catalog's version tells of changes.
    for account in &config.accounts {
        if stored.accounts.get(&account.id) != Some(account) {
            catalog.put_account(account)?;
        }
    }
    for domain in &config.domains {
        if stored.domains.get(&domain.name) != Some(domain) {
            catalog.put_domain(domain)?;
        }
    }
    for key in &config.api_keys {
        if stored.api_keys.get(&key.id) != Some(key) {
            catalog.put_api_key(key)?;
        }
    }
    Ok(())
}

/// Puts the same into a catalog that all nodes share, once this node has heard what stands there: the configuration of the
/// node that started last stands.
pub async fn share(config: Config, live: Live) {
    let by = OrderedBy { who: "configuration".to_owned(), via: "configuration", from: None };
    let accounts = config.accounts.into_iter().map(Change::PutAccount);
    let domains = config.domains.into_iter().map(|domain| Change::PutDomain(Box::new(domain)));
    let keys = config.api_keys.into_iter().map(Change::PutApiKey);
    for change in accounts.chain(domains).chain(keys) {
        let stored = live.catalog();
        let stands = match &change {
            Change::PutAccount(account) => stored.accounts.get(&account.id) == Some(account),
            Change::PutDomain(domain) => stored.domains.get(&domain.name) == Some(&**domain),
            Change::PutApiKey(key) => stored.api_keys.get(&key.id) == Some(key),
            _ => true,
        };
        if stands {
            continue;
        }
        if let Err(error) = live.change(change, &by).await {
            tracing::error!(%error, "an entry of the configuration did not become known to all nodes");
        }
    }
}
