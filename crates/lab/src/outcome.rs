//! How one run of a scenario came out.

use cause::{Cause, DetailKey};
use model::Code;
use serde_json::{Value, json};

use crate::scenario::Scenario;

/// Whether the record said what had been done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It did.
    Right,
    /// It did not, or there was none, or two, or the scenario could not be carried through; in words.
    Wrong(String),
    /// The scenario was not run; the reason.
    Skipped(String),
}

/// How one run came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The scenario.
    pub scenario: &'static str,
    /// The cause that the record must have.
    pub expected: Cause,
    /// The detail that it must have, where that is certain.
    pub expected_detail: Option<DetailKey>,
    /// The cause on record.
    pub got: Option<Code>,
    /// The detail on record.
    pub detail: Option<String>,
    /// From the fault to the end of the push, ms.
    pub detect_ms: Option<u64>,
    /// How soon it had to be detected, ms, where that is a promise.
    pub promised_ms: Option<u64>,
    /// Whether that is right.
    pub judgement: Judgement,
}

impl Outcome {
    /// Of a run that has nothing on record.
    pub fn without_record(scenario: &Scenario, judgement: Judgement) -> Self {
        Self {
            scenario: scenario.name,
            expected: scenario.cause,
            expected_detail: scenario.detail.clone(),
            got: None,
            detail: None,
            detect_ms: None,
            promised_ms: scenario.within.map(|within| u64::try_from(within.as_millis()).unwrap_or(u64::MAX)),
            judgement,
        }
    }

    /// Of the rows of the table that no scenario can produce yet.
    pub fn of_missing(missing: &[(Cause, &'static str)]) -> Vec<Self> {
        let skipped = |(cause, reason): &(Cause, &'static str)| Self {
            scenario: "none",
            expected: *cause,
            expected_detail: None,
            got: None,
            detail: None,
            detect_ms: None,
            promised_ms: None,
            judgement: Judgement::Skipped((*reason).to_owned()),
        };
        missing.iter().map(skipped).collect()
    }

    /// Whether the run counts against the server or the lab.
    pub fn is_wrong(&self) -> bool {
        matches!(self.judgement, Judgement::Wrong(_))
    }

    /// Whether it was not run.
    pub fn is_skipped(&self) -> bool {
        matches!(self.judgement, Judgement::Skipped(_))
    }

    /// As one object: `scenario`, `expected` (`"18/503"`), `got`, `detail`, `detect_ms`, `promised_ms`, `skipped`, `wrong`.
    pub fn to_json(&self) -> Value {
        let (wrong, skipped) = match &self.judgement {
            Judgement::Right => (None, None),
            Judgement::Wrong(why) => (Some(why), None),
            Judgement::Skipped(why) => (None, Some(why)),
        };
        json!({
            "scenario": self.scenario,
            "expected": self.expected.to_string(),
            "expected_detail": self.expected_detail.as_ref().map(DetailKey::as_str),
            "got": self.got.map(|code| code.to_string()),
            "detail": self.detail,
            "detect_ms": self.detect_ms,
            "promised_ms": self.promised_ms,
            "skipped": skipped,
            "wrong": wrong,
        })
    }
}
