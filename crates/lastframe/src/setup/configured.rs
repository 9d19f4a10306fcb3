//! Entries of the configuration, put into the stored catalog at each start.

use store::{CatalogStore, StoreError};

use crate::config::Config;
use crate::failure::Failure;

/// Puts `[[account]]`, `[[domain]]` and `[[api_key]]` into the catalog. Where the disk is full, the stored entries stay
/// as they are and the server starts all the same.
pub fn upsert(config: &Config, catalog: &CatalogStore) -> Result<(), Failure> {
    match put_all(config, catalog) {
        Err(error @ StoreError::Unwritable) => {
            tracing::warn!(%error, "accounts, domains and keys of the configuration were not taken over");
            Ok(())
        }
        other => Ok(other?),
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
