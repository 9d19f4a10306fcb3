//! Many records at once into the database: several batches on their way, each over a connection of its own.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::put::{Known, Parcel, Rank};
use crate::columns::Stored;
use crate::evidence;
use crate::layout::Day;
use crate::remote::{Database, RemoteFault};

/// Records in one batch.
const BATCH: usize = 2_000;
/// Batches on their way at once.
const LANES: usize = 4;
/// Fewer than these are not worth another lane.
const LEAST: usize = 250;
/// Records on their way at once.
pub(super) const MOST: usize = BATCH * LANES;

/// The ways into the database.
#[derive(Clone, Copy)]
pub(super) struct Lanes<'a> {
    pub database: &'a Database,
    pub known: &'a Arc<Known>,
    /// The data folder, in which the evidence is.
    pub dir: &'a Path,
}

/// What became of records, by their marks.
pub(super) struct Outcome<M> {
    pub done: Vec<M>,
    /// The database does not take these.
    pub stuck: Vec<M>,
}

impl<M> Default for Outcome<M> {
    fn default() -> Self {
        Self { done: Vec::new(), stuck: Vec::new() }
    }
}

impl<M> Outcome<M> {
    fn add(&mut self, other: Self) {
        self.done.extend(other.done);
        self.stuck.extend(other.stuck);
    }
}

impl Lanes<'_> {
    /// Puts at most [`MOST`] records into the database. Whatever went before a failure is shipped again, and meets itself.
    pub fn put<M: Send>(self, rows: Vec<(M, Stored)>) -> Result<Outcome<M>, RemoteFault> {
        let each = rows.len().div_ceil(LANES).clamp(LEAST, BATCH);
        let mut rest = rows.into_iter();
        let batches: Vec<Vec<_>> = (0..LANES).map(|_| rest.by_ref().take(each).collect()).collect();
        let outcomes: Vec<_> = thread::scope(|threads| {
            let started: Vec<_> = batches
                .into_iter()
                .filter(|batch| !batch.is_empty())
                .map(|batch| threads.spawn(move || self.batch(batch)))
                .collect();
            let failed = |_| Err(RemoteFault::Failed("a batch could not be shipped".to_owned()));
            started.into_iter().map(|lane| lane.join().unwrap_or_else(failed)).collect()
        });
        outcomes.into_iter().try_fold(Outcome::default(), |mut all, outcome| {
            all.add(outcome?);
            Ok(all)
        })
    }

    fn batch<M>(self, batch: Vec<(M, Stored)>) -> Result<Outcome<M>, RemoteFault> {
        let (marks, parcels) =
            batch.into_iter().map(|(mark, stored)| (mark, self.parcel(stored))).unzip::<_, _, _, Vec<_>>();
        self.some(marks, parcels.into())
    }

    /// Where the database does not take a batch, finds out which rows it means: the others go.
    fn some<M>(self, mut marks: Vec<M>, parcels: Arc<[Parcel]>) -> Result<Outcome<M>, RemoteFault> {
        let put = || self.database.put(Arc::clone(&parcels), Rank::OwnJournal, self.known);
        let outcome = match put() {
            // A partition may have been dropped a moment ago; the next try makes it anew.
            Err(RemoteFault::Data(_)) => put(),
            other => other,
        };
        match outcome {
            Ok(()) => Ok(Outcome { done: marks, stuck: Vec::new() }),
            Err(RemoteFault::Data(what)) if marks.len() <= 1 => {
                for parcel in &*parcels {
                    tracing::error!(id = %parcel.record.id, what, "the database does not take a record");
                }
                Ok(Outcome { done: Vec::new(), stuck: marks })
            }
            Err(RemoteFault::Data(_)) => {
                let half = marks.len() / 2;
                let rest = marks.split_off(half);
                let (first, second) = parcels.split_at(half);
                let mut outcome = self.some(marks, first.into())?;
                outcome.add(self.some(rest, second.into())?);
                Ok(outcome)
            }
            Err(fault) => Err(fault),
        }
    }

    fn parcel(self, stored: Stored) -> Parcel {
        let Stored { record, verdict_version, evidence } = stored;
        let day = Day::of(record.ended_at);
        let evidence = evidence.and_then(|place| match evidence::read(self.dir, day, place, record.id) {
            Ok(evidence) => evidence,
            Err(error) => {
                tracing::warn!(id = %record.id, %error, "a record is shipped without its evidence");
                None
            }
        });
        Parcel { record, verdict_version, evidence }
    }
}
