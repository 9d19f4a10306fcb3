//! The confusion matrix: which causes were recorded for which.

use std::collections::BTreeMap;
use std::fmt;

use cause::Cause;
use model::Code;

use super::times;
use crate::outcome::Outcome;

/// Expected against recorded, over all runs that left a record or should have.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    cells: BTreeMap<Cause, BTreeMap<Option<Code>, u32>>,
    detect_ms: BTreeMap<Cause, Vec<u64>>,
}

impl Matrix {
    /// Counts these outcomes. What was skipped does not count.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut matrix = Self::default();
        for outcome in outcomes.iter().filter(|outcome| !outcome.is_skipped()) {
            *matrix.cells.entry(outcome.expected).or_default().entry(outcome.got).or_default() += 1;
            if outcome.got == Some(outcome.expected.code()) {
                matrix.detect_ms.entry(outcome.expected).or_default().extend(outcome.detect_ms);
            }
        }
        matrix
    }

    /// For each expected cause: how many runs, how many of them recorded as expected, and what the others got.
    pub fn rows(&self) -> impl Iterator<Item = MatrixRow> + '_ {
        self.cells.iter().map(|(cause, got)| {
            let right = got.get(&Some(cause.code())).copied().unwrap_or_default();
            let others = got.iter().filter(|(code, _)| **code != Some(cause.code()));
            MatrixRow {
                cause: *cause,
                runs: got.values().sum(),
                right,
                others: others.map(|(code, count)| (*code, *count)).collect(),
            }
        })
    }

    /// The middle and the longest time to detect a cause, ms.
    pub fn times(&self, cause: Cause) -> Option<(u64, u64)> {
        times(self.detect_ms.get(&cause)?.clone())
    }
}

impl fmt::Display for Matrix {
    /// One line per expected cause.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nEXPECTED  RUNS  RIGHT  RECORDED OTHERWISE")?;
        for MatrixRow { cause, runs, right, others } in self.rows() {
            let other = |(code, count): &(Option<Code>, u32)| match code {
                Some(code) => format!("{code} x {count}"),
                None => format!("no record x {count}"),
            };
            let others: Vec<String> = others.iter().map(other).collect();
            let line = format!("{:<8}  {runs:>4}  {right:>5}  {}", cause.to_string(), others.join(", "));
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// One row of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixRow {
    /// What was done.
    pub cause: Cause,
    /// How often.
    pub runs: u32,
    /// How often the record said so.
    pub right: u32,
    /// What else it said, and how often; `None` where there was no record.
    pub others: Vec<(Option<Code>, u32)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Judgement;

    fn outcome(expected: Cause, got: Option<Cause>, detect_ms: Option<u64>) -> Outcome {
        Outcome {
            scenario: "x",
            expected,
            expected_detail: None,
            got: got.map(Cause::code),
            detail: Some("d".to_owned()),
            detect_ms,
            promised_ms: None,
            judgement: Judgement::Right,
        }
    }

    #[test]
    fn the_matrix_counts_what_was_recorded_for_what() {
        let skipped =
            Outcome { judgement: Judgement::Skipped("no".into()), ..outcome(Cause::Reset, None, None) };
        let outcomes = [
            outcome(Cause::Reset, Some(Cause::Reset), Some(4)),
            outcome(Cause::Reset, Some(Cause::EndOfFile), Some(9_000)),
            outcome(Cause::Reset, None, None),
            outcome(Cause::Reset, Some(Cause::Reset), Some(8)),
            skipped,
        ];
        let matrix = Matrix::of(&outcomes);
        let others = vec![(None, 1), (Some(Cause::EndOfFile.code()), 1)];
        let row = MatrixRow { cause: Cause::Reset, runs: 4, right: 2, others };
        assert_eq!(matrix.rows().collect::<Vec<_>>(), [row]);
        assert_eq!(matrix.times(Cause::Reset), Some((8, 8)), "a wrong record has no time to detect");
    }
}
