//! The keys that sign a domain's URLs. Each kind has a second key that is equally good, so that a key is changed without
//! an outage: a fresh one takes the first place, the old one the second, and goes once nobody signs with it any more.

use live::OrderedBy;
use model::catalog::Domain;
use serde::Deserialize;

use super::domains::change_domain;
use super::{Clash, ManageError, secret};
use crate::actions::Scope;
use crate::state::WebState;

/// Bytes of a fresh key.
const KEY: usize = 16;

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichKey {
    /// The push key; when a fresh one is made, the old one becomes the backup key, which stays good.
    Push,
    /// The backup of the push key.
    Backup,
    /// The play key; when a fresh one is made, the old one becomes the play backup key, which stays good.
    Play,
    /// The backup of the play key.
    PlayBackup,
}

/// Makes a fresh key and gives it, for the only time.
///
/// # Errors
/// [`ManageError`].
pub async fn rotate(
    state: &WebState,
    scope: Scope,
    domain: &str,
    which: WhichKey,
    by: &OrderedBy,
) -> Result<String, ManageError> {
    let key = secret(KEY)?;
    change_domain(state, scope, domain, by, |domain| {
        match which {
            WhichKey::Push => keep_old(&mut domain.key, &mut domain.backup_key, &key),
            WhichKey::Play => keep_old(&mut domain.play_key, &mut domain.play_backup_key, &key),
            WhichKey::Backup => domain.backup_key.clone_from(&key),
            WhichKey::PlayBackup => domain.play_backup_key.clone_from(&key),
        }
        Ok(())
    })
    .await?;
    Ok(key)
}

/// Takes a backup key away: what it signed is refused from now on.
///
/// # Errors
/// [`ManageError`].
pub async fn remove_backup(
    state: &WebState,
    scope: Scope,
    domain: &str,
    which: WhichKey,
    by: &OrderedBy,
) -> Result<(), ManageError> {
    change_domain(state, scope, domain, by, |domain| {
        match which {
            WhichKey::Push | WhichKey::Backup => {
                if domain.auth && domain.key.is_empty() {
                    return Err(Clash::OnlyKey.into());
                }
                domain.backup_key.clear();
            }
            WhichKey::Play | WhichKey::PlayBackup => {
                if domain.play_auth && domain.play_key.is_empty() {
                    return Err(Clash::OnlyKey.into());
                }
                domain.play_backup_key.clear();
            }
        }
        Ok(())
    })
    .await
    .map(drop)
}

/// Puts a fresh key in the first place. A key that was none does not push a good backup out.
fn keep_old(first: &mut String, second: &mut String, fresh: &str) {
    let old = std::mem::replace(first, fresh.to_owned());
    if !old.is_empty() {
        *second = old;
    }
}

/// The key that push URLs are signed with: the first, or else the second; `None` where they are not signed.
pub fn signs_pushes(domain: &Domain) -> Option<&str> {
    let key = if domain.key.is_empty() { &domain.backup_key } else { &domain.key };
    Some(key.as_str()).filter(|key| domain.auth && !key.is_empty())
}

/// The key that play URLs are signed with, likewise.
pub fn signs_plays(domain: &Domain) -> Option<&str> {
    let key = if domain.play_key.is_empty() { &domain.play_backup_key } else { &domain.play_key };
    Some(key.as_str()).filter(|key| domain.play_auth && !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_key_keeps_the_old_one_good_and_none_pushes_nothing_out() {
        let (mut first, mut second) = ("old".to_owned(), String::new());
        keep_old(&mut first, &mut second, "new");
        assert_eq!((first.as_str(), second.as_str()), ("new", "old"));
        let (mut first, mut second) = (String::new(), "good".to_owned());
        keep_old(&mut first, &mut second, "new");
        assert_eq!((first.as_str(), second.as_str()), ("new", "good"));
    }

    #[test]
    fn urls_are_signed_with_the_first_key_that_is_there() {
        let mut domain = Domain::new("d.example", 1, "first");
        domain.backup_key = "second".into();
        assert_eq!(signs_pushes(&domain), Some("first"));
        domain.key.clear();
        assert_eq!(signs_pushes(&domain), Some("second"));
        domain.auth = false;
        assert_eq!((signs_pushes(&domain), signs_plays(&domain)), (None, None));
    }
}
