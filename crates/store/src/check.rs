//! The store's own consistency check.

use std::path::Path;

use crate::error::StoreError;

/// Something that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the data folder.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Databases looked at.
    pub files: u64,
    /// Records looked at.
    pub records: u64,
    /// What is wrong; empty when all is well.
    pub problems: Vec<Problem>,
}

/// Checks.
///
/// # Errors
/// [`StoreError`].
pub fn check(_dir: impl AsRef<Path>) -> Result<Report, StoreError> {
    Ok(Report::default())
}
