//! Changes of the catalog: the one way in which console and APIs make them. A change is decided on the newest state, and
//! nothing comes between deciding and making it, so that of two who change the same thing neither undoes the other.

use live::{CatalogError, Change, OrderedBy};
use model::Catalog;

use crate::state::WebState;

/// Decides a change on the newest catalog and makes it. `decide` gives the change and what its caller wants to know
/// beside it, or refuses; whether anything changed comes with that.
///
/// # Errors
/// What `decide` refuses, or what the store says; nothing has changed then.
pub async fn edit<T, E: From<CatalogError>>(
    state: &WebState,
    by: &OrderedBy,
    decide: impl FnOnce(&Catalog) -> Result<(Change, T), E>,
) -> Result<(T, bool), E> {
    let mut beside = None;
    let decide = |catalog: &Catalog| {
        let (change, wanted) = decide(catalog)?;
        beside = Some(wanted);
        Ok::<_, E>(change)
    };
    let changed = state.live().change_with(decide, by).await??;
    tracing::info!(who = by.who, via = by.via, changed, "catalog changed");
    // Where the change was made, it was decided.
    beside.map(|wanted| (wanted, changed)).ok_or_else(|| CatalogError::Unreadable.into())
}
