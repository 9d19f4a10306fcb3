//! The node's id: configured, or made at first start and kept in the data folder.

use std::io;
use std::path::Path;

use model::Clock;
use uuid::Uuid;

use super::private_file;
use crate::failure::Failure;

const FILE: &str = "node-id";

/// The id that `folder` keeps; makes one if there is none.
pub fn of(folder: &Path, configured: Option<Uuid>, clock: &dyn Clock) -> Result<Uuid, Failure> {
    if let Some(id) = configured {
        return Ok(id);
    }
    let path = folder.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map_err(|_| {
            Failure::failed(format!(
                "{} holds no UUID; restore it from a backup, or remove it and the node gets a new id",
                path.display()
            ))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let id = Uuid::from_bytes(*clock.push_id().as_bytes());
            private_file::write(&path, &format!("{id}\n"))
                .map_err(|e| Failure::failed(format!("cannot write {}: {e}", path.display())))?;
            Ok(id)
        }
        Err(error) => Err(Failure::failed(format!("cannot read {}: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use model::SystemClock;

    use super::*;

    #[test]
    fn an_id_is_made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let id = of(dir.path(), None, &SystemClock).unwrap();
        assert_eq!(of(dir.path(), None, &SystemClock).unwrap(), id);
        let configured = Uuid::from_u128(7);
        assert_eq!(of(dir.path(), Some(configured), &SystemClock).unwrap(), configured);
    }

    #[test]
    fn a_broken_file_is_no_new_id() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), "?").unwrap();
        assert!(of(dir.path(), None, &SystemClock).unwrap_err().to_string().contains("holds no UUID"));
    }
}
