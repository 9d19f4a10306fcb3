//! Certificates that change on disk are taken over while the server runs.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{CertificateFiles, Certificates};

/// How often the files are looked at. Whoever renews a certificate waits longer than this.
const EVERY: Duration = Duration::from_secs(2);

/// What of a file changes when it is written or replaced: when, which one, and how long.
type Mark = Option<(i64, i64, u64, u64)>;

/// Looks at the files until the task is aborted. A change is taken over once the files have stayed as they are from one
/// look to the next, since a certificate and its key are written one after the other. Files that cannot be used leave the
/// old certificates in place, and are told once.
pub async fn watch(certificates: Arc<Certificates>) {
    if certificates.files().is_empty() {
        return;
    }
    let mut in_use = marks(certificates.files());
    let mut seen = in_use.clone();
    let mut every = tokio::time::interval(EVERY);
    every.tick().await;
    loop {
        every.tick().await;
        let now = marks(certificates.files());
        let is_settled = now == seen;
        seen = now;
        if !is_settled || seen == in_use {
            continue;
        }
        in_use.clone_from(&seen);
        match certificates.reload() {
            Ok(()) => {
                tracing::info!(fingerprint = certificates.fingerprint(), "certificates were read again")
            }
            Err(error) => tracing::error!(%error, "changed certificates cannot be used; the old ones stay"),
        }
    }
}

fn marks(files: &[CertificateFiles]) -> Vec<Mark> {
    files.iter().flat_map(|files| [mark(&files.cert), mark(&files.key)]).collect()
}

fn mark(path: &Path) -> Mark {
    let file = std::fs::metadata(path).ok()?;
    Some((file.mtime(), file.mtime_nsec(), file.ino(), file.len()))
}
