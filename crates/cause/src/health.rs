//! The health of a push: a grade with its reasons, from what was seen of it. For live pushes the console grades the last
//! seconds; for pushes that have ended [`report`] grades all of it, which is what a test push is for.
//!
//! | check | not well | badly |
//! |---|---|---|
//! | bitrate | below half of what the encoder promised | |
//! | steadiness | five seconds below half of the usual bitrate | below a fifth |
//! | frame rate | below 80 % of what is expected, or below 15 a second where nothing is | below 50 % |
//! | key frames | more than 4 s apart, or one more than twice as far as the mean | more than 10 s apart |
//! | sound and picture | more than 500 ms apart, or drifting by 200 ms | 2 s, or drifting by 1 s |
//! | lag | 500 ms behind real time | 2 s |
//! | codecs | one that many players do not play, or sound or picture missing | |
//! | timestamps | any that jumped or went back | more than one in five seconds |
//! | gaps | any time without sound or picture | more than one in ten seconds |
//! | broken media | | any |
//! | path | more than 0.5 % of packets lost or out of order | 5 %, or any gone for good above 0.1 % |

mod checks;
#[cfg(test)]
mod tests;

use model::Record;
use model::record::DetailRecord;
use serde::{Deserialize, Serialize};

use crate::detail::{Detail, DetailKey};
use crate::evidence::{Evidence, Stage};
use crate::table::Lang;

/// Nothing is graded of a push that was live for less, ms.
pub const SETTLING_MS: u64 = 5_000;
/// A push that fell behind real time by this much does not do well, or badly, ms.
const LAG_FAIR_MS: i32 = 500;
const LAG_POOR_MS: i32 = 2_000;
/// Below these shares of what is expected a push does not do well, or badly.
const SHARE_FAIR: f64 = 0.8;
const SHARE_POOR: f64 = 0.5;
/// Frames a second below which a picture stutters, where nothing is expected.
const FPS_FAIR: f64 = 15.0;

/// How well a push does; the worst of its checks counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Not to be told: it was live too short, or nothing came.
    Unknown,
    /// Well.
    Good,
    /// Not well.
    Fair,
    /// Badly.
    Poor,
}

impl Grade {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
        }
    }
}

/// The health of a push that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The worst of the checks.
    pub grade: Grade,
    /// Every check that could be made, each with what was measured.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// How well it is.
    pub grade: Grade,
    /// What was measured.
    pub detail: Detail,
}

/// A report as JSON, in the reader's language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportRecord {
    /// The worst of the checks.
    pub grade: Grade,
    /// All checks.
    pub checks: Vec<CheckRecord>,
}

/// A check as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// How well it is.
    pub grade: Grade,
    /// What was measured.
    #[serde(flatten)]
    pub detail: DetailRecord,
}

impl Report {
    /// The form for people and programs.
    pub fn to_record(&self, lang: Lang) -> ReportRecord {
        let check = |check: &Check| CheckRecord { grade: check.grade, detail: check.detail.to_record(lang) };
        ReportRecord { grade: self.grade, checks: self.checks.iter().map(check).collect() }
    }
}

/// The health of a push; `None` for one that never was live.
pub fn report(evidence: &Evidence, record: &Record) -> Option<Report> {
    if evidence.stage < Stage::Live {
        return None;
    }
    let media_ms = evidence.media.live_ms.saturating_sub(evidence.media.last_ms_ago.unwrap_or(0));
    if media_ms < SETTLING_MS {
        let short =
            Detail::new(DetailKey::HealthTooShort).with("live_ms", media_ms).with("needed_ms", SETTLING_MS);
        let checks = vec![Check { grade: Grade::Unknown, detail: short }];
        return Some(Report { grade: Grade::Unknown, checks });
    }
    let checks = checks::all(evidence, record, media_ms);
    let grade = checks.iter().map(|check| check.grade).max().unwrap_or(Grade::Unknown);
    Some(Report { grade, checks })
}

/// The grade of a lag behind real time, ms.
pub fn lag(lag_ms: i32) -> Grade {
    match lag_ms {
        LAG_POOR_MS.. => Grade::Poor,
        LAG_FAIR_MS.. => Grade::Fair,
        _ => Grade::Good,
    }
}

/// The grade of a frame rate against what is expected, where anything is.
pub fn frame_rate(actual: f64, expected: Option<f64>) -> Grade {
    match expected {
        Some(expected) if actual < expected * SHARE_POOR => Grade::Poor,
        Some(expected) if actual < expected * SHARE_FAIR => Grade::Fair,
        None if actual < FPS_FAIR => Grade::Fair,
        _ => Grade::Good,
    }
}

/// The grade of a bitrate against what is expected. Pictures that hardly move need few bits, so a low one alone is never
/// poor.
pub fn bitrate(actual: f64, expected: f64) -> Grade {
    if actual < expected * SHARE_POOR { Grade::Fair } else { Grade::Good }
}
