//! One process at a time works on a data folder.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::layout;

/// The lock on a data folder (`flock` on its file `lock`), held until it is dropped or the process ends.
#[derive(Debug)]
pub struct DataLock {
    dir: PathBuf,
    _file: File,
}

impl DataLock {
    /// Takes the lock, and makes the folder (mode 0700) if it is missing.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder's process id when another process has it: nothing in the folder was
    /// touched then. [`StoreError::Io`] when the folder cannot be made or the file cannot be opened.
    pub fn take(dir: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let dir = dir.into();
        layout::make_dir(&dir)?;
        let path = layout::lock_file(&dir);
        let mut file = layout::private().read(true).open(&path).map_err(StoreError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { pid: holder(&path), path }),
            Err(TryLockError::Error(source)) => return Err(StoreError::Io { doing: "lock", path, source }),
        }
        // The id only helps a person to find the holder; on a full disk the lock holds without it.
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = written {
            tracing::warn!(%error, path = %path.display(), "the process id could not be written into the lock file");
        }
        Ok(Self { dir, _file: file })
    }

    /// The folder that is locked.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

fn holder(path: &Path) -> Option<u32> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataLock::take(dir.path()).unwrap();
        match DataLock::take(dir.path()) {
            Err(StoreError::Locked { pid, path }) => {
                assert_eq!(pid, Some(std::process::id()));
                assert_eq!(path, dir.path().join("lock"));
            }
            other => panic!("{other:?}"),
        }
        drop(first);
        DataLock::take(dir.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_it_makes_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("a/b");
        let _lock = DataLock::take(&data).unwrap();
        assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(data.join("lock")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
