//! Account, domain, console user and API key of a fresh catalog.

use std::path::Path;

use model::catalog::{Account, AccountStatus, ApiKey, Domain, Role};
use store::CatalogStore;

use super::secrets::Secrets;
use crate::failure::Failure;

/// The account that owns the first domain.
pub const FIRST_ACCOUNT: u64 = 1_000_000_001;

/// Set once everything below is stored.
const DONE: &str = "first_start";

/// Prepares a fresh data folder; gives the secrets at the first start, `None` at every later one.
pub fn prepare(folder: &Path, catalog: &CatalogStore) -> Result<Option<Secrets>, Failure> {
    if catalog.setting(DONE)?.is_some() {
        return Ok(None);
    }
    let secrets = Secrets::read_or_make(folder)?;
    let hash = web::password::hash(&secrets.console.password).map_err(Failure::failed)?;
    catalog.put_account(&Account { id: FIRST_ACCOUNT, status: AccountStatus::Active, max_pushes: 0 })?;
    catalog.put_domain(&Domain::new(&secrets.domain.name, FIRST_ACCOUNT, &secrets.domain.key))?;
    catalog.put_api_key(&ApiKey {
        id: secrets.api_key.id.clone(),
        secret: secrets.api_key.secret.clone(),
        account: 0,
        role: Role::Admin,
    })?;
    catalog.put_user(&secrets.console.user, &hash, Role::Admin)?;
    catalog.put_setting(DONE, "1")?;
    Ok(Some(secrets))
}
