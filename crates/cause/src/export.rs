//! A record with its evidence as one JSON object: to be sent to somebody, judged again, or replayed.

use model::Record;
use serde::{Deserialize, Serialize};

use crate::detail::Detail;
use crate::event::EventCount;
use crate::evidence::Evidence;
use crate::table::{Cause, Lang};
use crate::verdict::{VERDICT_VERSION, Verdict, verdict};

/// What [`Export::format`] says.
pub const EXPORT_FORMAT: &str = "lastframe-record";
/// The version written today. Fields may join without a new one.
pub const EXPORT_VERSION: u16 = 1;

/// One record, exported. Secrets were masked before they were stored, so there are none in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// [`EXPORT_FORMAT`].
    pub format: String,
    /// [`EXPORT_VERSION`].
    pub version: u16,
    /// The rules of the program that wrote the file.
    pub verdict_version: u16,
    /// The record, in English.
    pub record: Record,
    /// What the verdict rests on; none once its time is over.
    pub evidence: Option<Evidence>,
}

/// Why a file is no export that this version can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Not JSON, or not of this shape.
    #[error("it is no exported record: {0}")]
    Broken(String),
    /// Another format.
    #[error("it is of the format `{0}`, not `{EXPORT_FORMAT}`")]
    OtherFormat(String),
    /// Written by a newer program.
    #[error("it is of version {0}, but this program reads versions 1 to {EXPORT_VERSION}")]
    TooNew(u16),
}

impl Export {
    /// The export of a record.
    pub fn new(record: Record, evidence: Option<Evidence>) -> Self {
        let (format, version) = (EXPORT_FORMAT.to_owned(), EXPORT_VERSION);
        Self { format, version, verdict_version: VERDICT_VERSION, record: in_english(record), evidence }
    }

    /// Reads an export.
    ///
    /// # Errors
    /// When the text is none, or of a newer version.
    pub fn read(text: &str) -> Result<Self, ExportError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u16,
        }
        let broken = |error: serde_json::Error| ExportError::Broken(error.to_string());
        let head: Head = serde_json::from_str(text).map_err(broken)?;
        if head.format != EXPORT_FORMAT {
            return Err(ExportError::OtherFormat(head.format.chars().take(40).collect()));
        }
        if head.version > EXPORT_VERSION {
            return Err(ExportError::TooNew(head.version));
        }
        serde_json::from_str(text).map_err(broken)
    }
}

/// What today's verdict makes of a record's evidence, where it is not what the record says.
pub fn judged_anew(record: &Record, evidence: &Evidence) -> Option<Verdict> {
    let now = verdict(evidence);
    let detail = record.detail.as_ref().map(Detail::from);
    (now.cause.code() != record.code() || now.detail != detail).then_some(now)
}

/// How often an event of that type happened.
pub fn count_of(evidence: &Evidence, kind: crate::EventKind) -> u32 {
    let of_kind = |event: &&EventCount| event.event() == Some(kind);
    evidence.events.iter().find(of_kind).map_or(0, |event| event.count)
}

fn in_english(mut record: Record) -> Record {
    let cause = Cause::from_code(record.code());
    record.errmsg = cause.map_or_else(String::new, |cause| cause.errmsg(Lang::En).to_owned());
    record.detail = record.detail.take().map(|detail| Detail::from(&detail).to_record(Lang::En));
    record
}
