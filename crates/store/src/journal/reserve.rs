//! Room kept back for a full disk: a file that is there only to be deleted, so that the pushes that are live then still
//! end on record.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, mem};

use crate::layout;
use crate::limits::RESERVE_RETRY;

pub(crate) struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: bool,
    next_try: Option<Instant>,
}

impl Reserve {
    /// The reserve of a data folder; held if an earlier run left it whole.
    pub fn new(dir: &Path, bytes: u64) -> Self {
        let path = layout::reserve_file(dir);
        let held = bytes == 0 || fs::metadata(&path).is_ok_and(|m| m.len() == bytes);
        Self { path, bytes, held, next_try: None }
    }

    /// Whether the room is there. While it is not, no push may go live.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Frees the room; false if there was none to free.
    pub fn free(&mut self) -> bool {
        if self.bytes == 0 || !mem::replace(&mut self.held, false) {
            return false;
        }
        match fs::remove_file(&self.path) {
            Ok(()) => {
                tracing::warn!(
                    bytes = self.bytes,
                    "the disk is full: the reserve was freed for pushes that are live"
                );
                true
            }
            Err(error) => {
                tracing::error!(%error, "the reserve could not be freed");
                false
            }
        }
    }

    /// Takes the room if it is not held and may be there again; tries every five seconds.
    pub fn restore(&mut self, now: Instant) {
        if self.held || self.next_try.is_some_and(|at| now < at) {
            return;
        }
        self.next_try = Some(now + RESERVE_RETRY);
        match fill(&self.path, self.bytes) {
            Ok(()) => self.held = true,
            Err(error) => {
                // A half-made one takes the last room away from the journal.
                let _ = fs::remove_file(&self.path);
                tracing::warn!(%error, bytes = self.bytes, "there is no room for the reserve: new pushes are refused");
            }
        }
    }
}

/// Written, not only sized: a sparse file keeps no room back.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = layout::private().open(path)?;
    file.set_len(0)?;
    let chunk = vec![0u8; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(chunk.len()).min(chunk.len());
        file.write_all(chunk.get(..size).unwrap_or_default())?;
        left -= size as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Clock, SystemClock};

    #[test]
    fn a_reserve_is_made_found_again_and_freed() {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemClock.instant();
        let mut reserve = Reserve::new(dir.path(), 3 << 19);
        assert!(!reserve.is_held());
        reserve.restore(now);
        assert!(reserve.is_held());
        let mut again = Reserve::new(dir.path(), 3 << 19);
        assert!(again.is_held());
        assert!(again.free() && !again.is_held() && !again.free());
        assert!(!layout::reserve_file(dir.path()).exists());
    }

    #[test]
    fn a_reserve_of_another_size_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemClock.instant();
        Reserve::new(dir.path(), 1000).restore(now);
        let mut larger = Reserve::new(dir.path(), 2000);
        assert!(!larger.is_held());
        larger.restore(now);
        assert_eq!(fs::metadata(layout::reserve_file(dir.path())).unwrap().len(), 2000);
    }

    #[test]
    fn no_reserve_is_always_held() {
        let dir = tempfile::tempdir().unwrap();
        let mut reserve = Reserve::new(dir.path(), 0);
        assert!(reserve.is_held() && !reserve.free() && reserve.is_held());
    }
}
