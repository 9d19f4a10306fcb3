//! Filters that a user of the console gave a name.

use super::CatalogStore;
use crate::error::StoreError;
use crate::schema::JOURNAL;

/// A named filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    /// Whose it is.
    pub user: String,
    /// The page it is of: `records`, `events`.
    pub page: String,
    /// Its name; one of a user and page.
    pub name: String,
    /// The query of the page's URL.
    pub query: String,
}

impl CatalogStore {
    /// Keeps a view, or replaces the one of that user, page and name.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn put_view(&self, view: &SavedView) -> Result<(), StoreError> {
        let params = [&view.user, &view.page, &view.name, &view.query];
        let params = params.map(|text| text.clone().into()).to_vec();
        let sql = "insert or replace into saved_view (user, page, name, query) values (?1, ?2, ?3, ?4)";
        self.change(sql, params, false).map(drop)
    }

    /// Lets go of a view; false if there was none.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_view(&self, user: &str, page: &str, name: &str) -> Result<bool, StoreError> {
        let params = [user, page, name].map(|text| text.to_owned().into()).to_vec();
        let sql = "delete from saved_view where user = ?1 and page = ?2 and name = ?3";
        self.change(sql, params, false).map(|n| n > 0)
    }

    /// The views of a user on a page, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn views(&self, user: &str, page: &str) -> Result<Vec<SavedView>, StoreError> {
        let path = self.path();
        let db = JOURNAL.open_read_only(&path)?;
        let read = || -> rusqlite::Result<Vec<SavedView>> {
            db.prepare(
                "select user, page, name, query from saved_view where user = ?1 and page = ?2 order by name",
            )?
            .query_map([user, page], |row| {
                Ok(SavedView { user: row.get(0)?, page: row.get(1)?, name: row.get(2)?, query: row.get(3)? })
            })?
            .collect()
        };
        read().map_err(StoreError::db(&path))
    }
}
