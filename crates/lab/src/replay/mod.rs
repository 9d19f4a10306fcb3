//! Replay: drives the sequence of commands, message sizes and gaps of an exported record against a server, and compares
//! the verdicts.
//!
//! What media was is not kept, so messages of the same kind and size stand for it. Before the black box's window the
//! timeline's rates fill in, or that time is skipped. An end that the server gave is waited for; whether it comes depends
//! on the server's catalog and limits.

mod drive;
mod plan;

use cause::export::Export;
use model::{Clock, Code, SystemClock};

use crate::error::LabError;
use crate::scenario::Seen;
use crate::site::Site;
use crate::truth;

pub use plan::{Ending, Message, Plan, Unplayable};

/// How a replay came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The cause of the record that was replayed.
    pub was: Code,
    /// Its detail.
    pub was_detail: Option<String>,
    /// The cause on record now; none where there is no record.
    pub got: Option<Code>,
    /// Its detail.
    pub got_detail: Option<String>,
}

impl Replayed {
    /// Whether both have the same cause.
    pub fn is_same(&self) -> bool {
        self.got == Some(self.was)
    }
}

/// Replays a record on `site` under this stream name, and waits for its record.
///
/// # Errors
/// When the record cannot be replayed, or the server cannot be reached.
pub async fn replay(export: &Export, site: &Site, stream: &str, tail: bool) -> Result<Replayed, LabError> {
    let started = SystemClock.now();
    let seen = play(export, site, stream, tail).await?;
    let found = truth::find(&seen, started).await?;
    Ok(Replayed {
        was: export.record.code(),
        was_detail: export.record.detail.as_ref().map(|detail| detail.key.clone()),
        got: found.as_ref().map(|found| found.code),
        got_detail: found.and_then(|found| found.detail),
    })
}

/// The same without the comparison.
pub async fn play(export: &Export, site: &Site, stream: &str, tail: bool) -> Result<Seen, LabError> {
    let plan = Plan::of(export, tail).map_err(|why| LabError::Skipped(why.to_string()))?;
    drive::drive(&plan, site, stream).await
}
