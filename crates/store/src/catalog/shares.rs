//! Links by which somebody without an account reads one record.

use model::{PushId, Timestamp};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row};

use super::CatalogStore;
use crate::columns::{conversion, push_id};
use crate::error::StoreError;
use crate::schema::JOURNAL;

/// A link to one record. Its token is known to those who have the link alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// The record's push.
    pub push: PushId,
    /// The user who made it.
    pub who: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// It opens nothing from then on.
    pub expires_at: Timestamp,
}

impl CatalogStore {
    /// Keeps a link.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn put_share(&self, share: &Share) -> Result<(), StoreError> {
        let params = vec![
            Value::Blob(share.digest.to_vec()),
            Value::Blob(share.push.as_bytes().to_vec()),
            share.who.clone().into(),
            share.created_at.millis().into(),
            share.expires_at.millis().into(),
        ];
        let sql = "insert or replace into share (digest, push, who, created_at, expires_at) \
                   values (?1, ?2, ?3, ?4, ?5)";
        self.change(sql, params, false).map(drop)
    }

    /// Lets go of a link of that push; false if there was none.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_share(&self, push: PushId, digest: [u8; 32]) -> Result<bool, StoreError> {
        let params = vec![Value::Blob(digest.to_vec()), Value::Blob(push.as_bytes().to_vec())];
        self.change("delete from share where digest = ?1 and push = ?2", params, false).map(|n| n > 0)
    }

    /// Lets go of all links that have expired.
    ///
    /// # Errors
    /// As [`CatalogStore::put_account`].
    pub fn delete_expired_shares(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.change("delete from share where expires_at <= ?1", vec![now.millis().into()], false)
    }

    /// The link with this digest, if it has not expired.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn share(&self, digest: [u8; 32], now: Timestamp) -> Result<Option<Share>, StoreError> {
        let path = self.path();
        let db = JOURNAL.open_read_only(&path)?;
        let sql = "select digest, push, who, created_at, expires_at from share where digest = ?1 and expires_at > ?2";
        db.query_row(sql, (digest.as_slice(), now.millis()), row).optional().map_err(StoreError::db(&path))
    }

    /// The links to a record that have not expired, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn shares(&self, push: PushId, now: Timestamp) -> Result<Vec<Share>, StoreError> {
        let path = self.path();
        let db = JOURNAL.open_read_only(&path)?;
        let read = || -> rusqlite::Result<Vec<Share>> {
            db.prepare(
                "select digest, push, who, created_at, expires_at from share where push = ?1 and expires_at > ?2 \
                 order by created_at",
            )?
            .query_map((push.as_bytes().as_slice(), now.millis()), row)?
            .collect()
        };
        read().map_err(StoreError::db(&path))
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<Share> {
    Ok(Share {
        digest: row.get(0)?,
        push: push_id(row.get_ref(1)?).map_err(|e| conversion(1, e))?,
        who: row.get(2)?,
        created_at: Timestamp(row.get(3)?),
        expires_at: Timestamp(row.get(4)?),
    })
}
