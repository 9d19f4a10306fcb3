//! How well the push did: a grade, and what was measured.

use cause::Evidence;
use cause::health::{Grade, report};
use model::Record;

use crate::console::frame::Frame;

/// A grade with its checks.
pub(super) struct Health {
    pub grade: Shown,
    pub checks: Vec<Check>,
}

/// One thing that was measured.
pub(super) struct Check {
    pub grade: Shown,
    pub text: String,
}

/// A grade as the page shows it.
pub(super) struct Shown {
    /// The style's name.
    pub level: &'static str,
    pub mark: &'static str,
    pub text: String,
}

/// The health of a push; `None` for one that never was live.
pub(super) fn of(evidence: &Evidence, record: &Record, f: &Frame) -> Option<Health> {
    let report = report(evidence, record)?;
    let check = |check: &cause::health::Check| Check {
        grade: Shown::of(check.grade, f),
        text: check.detail.text(f.lang),
    };
    Some(Health { grade: Shown::of(report.grade, f), checks: report.checks.iter().map(check).collect() })
}

impl Shown {
    fn of(grade: Grade, f: &Frame) -> Self {
        let (level, mark, key) = match grade {
            Grade::Good => ("good", "●", "grade-good"),
            Grade::Fair => ("fair", "◐", "grade-fair"),
            Grade::Poor => ("poor", "▼", "grade-poor"),
            Grade::Unknown => ("unknown", "○", "grade-unknown"),
        };
        Self { level, mark, text: f.t(key) }
    }
}
