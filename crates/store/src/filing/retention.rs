//! Days that are older than what is kept go as whole files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::{Clock, Timestamp};

use crate::config::StoreConfig;
use crate::error::StoreError;
use crate::layout::{self, Day};

const EVERY: Duration = Duration::from_secs(60);
/// A wall clock that moves by more than this against the monotonic one has jumped.
const JUMP: Duration = Duration::from_secs(3_600);
/// How long nothing is deleted after a jump, so that somebody can notice.
const HOLD: Duration = Duration::from_secs(6 * 3_600);

/// When to delete. A clock that jumps into the future must not take all records with it.
pub(crate) struct Retention {
    next: Instant,
    seen: (Instant, Timestamp),
    hold_until: Option<Instant>,
}

impl Retention {
    pub fn new(_config: &StoreConfig, clock: &dyn Clock) -> Self {
        let now = clock.instant();
        Self { next: now, seen: (now, clock.now()), hold_until: None }
    }

    /// Once a minute, deletes what is too old. `lets_go` is asked about each day, and told by it that the day's files
    /// go; those that it wants to keep stay.
    pub fn run(&mut self, config: &StoreConfig, clock: &dyn Clock, mut lets_go: impl FnMut(Day) -> bool) {
        let (now, wall) = (clock.instant(), clock.now());
        if now < self.next {
            return;
        }
        self.next = now + EVERY;
        if !self.trusts(now, wall) {
            return;
        }
        let evidence = config.keep_evidence.min(config.keep);
        let mut files = |dir: &Path, day: Day, files: fn(&Path, Day) -> Vec<PathBuf>| match lets_go(day) {
            true => files(dir, day),
            false => Vec::new(),
        };
        let outcome = drop_old(&config.dir, wall.minus(config.keep), layout::record_days, |dir, day| {
            files(dir, day, |dir, day| with_companions(layout::records_file(dir, day)))
        })
        .and_then(|()| {
            drop_old(&config.dir, wall.minus(evidence), layout::evidence_days, |dir, day| {
                files(dir, day, |dir, day| vec![layout::evidence_file(dir, day)])
            })
        });
        if let Err(error) = outcome {
            tracing::warn!(%error, "old records could not be deleted");
        }
    }

    fn trusts(&mut self, now: Instant, wall: Timestamp) -> bool {
        let (seen_now, seen_wall) = std::mem::replace(&mut self.seen, (now, wall));
        let expected = seen_wall.plus(now.saturating_duration_since(seen_now));
        let off = Duration::from_millis(wall.since(expected).max(expected.since(wall)));
        if off > JUMP {
            tracing::warn!(
                seconds = off.as_secs(),
                "the clock has jumped: old records are not deleted for some hours"
            );
            self.hold_until = Some(now + HOLD);
        }
        self.hold_until.is_none_or(|until| now >= until)
    }
}

fn drop_old(
    dir: &Path,
    before: Timestamp,
    days: impl Fn(&Path) -> Result<Vec<Day>, StoreError>,
    mut files: impl FnMut(&Path, Day) -> Vec<PathBuf>,
) -> Result<(), StoreError> {
    for day in days(dir)?.into_iter().filter(|day| day.end() <= before) {
        for path in files(dir, day) {
            match fs::remove_file(&path) {
                Ok(()) => tracing::info!(path = %path.display(), "deleted: older than what is kept"),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::Io { doing: "delete", path, source }),
            }
        }
    }
    Ok(())
}

/// A database with its WAL and shared memory; the database last, so that what a crash leaves is deleted the next time and
/// no stray WAL meets a later file of the same name.
fn with_companions(path: PathBuf) -> Vec<PathBuf> {
    let companion = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    vec![companion("-wal"), companion("-shm"), path]
}
