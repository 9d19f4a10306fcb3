//! Entries of the configuration, put into the stored catalog at each start.

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
