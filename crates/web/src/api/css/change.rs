//! Changes of the catalog, decided on its newest state.

use live::Change;
use model::Catalog;

use super::call::Call;
use super::error::CssError;
use crate::edit::edit;

/// Decides a change on the newest state and makes it, so that nothing can come in between.
///
/// # Errors
/// What `decide` refuses; what the store says.
pub async fn change(
    call: &Call,
    decide: impl FnOnce(&Catalog) -> Result<Change, CssError> + Send + 'static,
) -> Result<bool, CssError> {
    let decide = |catalog: &Catalog| decide(catalog).map(|change| (change, ()));
    let ((), changed) = edit(&call.state, &call.by(), decide).await?;
    Ok(changed)
}
