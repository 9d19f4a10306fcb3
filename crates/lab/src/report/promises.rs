//! How often an end was detected as soon as promised.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{shown, times};
use crate::outcome::Outcome;

/// A table of the scenarios with such a promise; nothing where none was run.
pub(super) fn write(text: &mut String, outcomes: &[Outcome]) {
    let mut promises: BTreeMap<(u64, &str), Vec<u64>> = BTreeMap::new();
    for outcome in outcomes {
        if let (Some(promised), Some(took)) = (outcome.promised_ms, outcome.detect_ms) {
            promises.entry((promised, outcome.scenario)).or_default().push(took);
        }
    }
    if promises.is_empty() {
        return;
    }
    text.push_str(
        "## How soon an end is detected\n\n\
         A reset or a killed program within 100 ms, a dead path within a second of the path limit, which is 5 s here. On a \
         machine that is busy with other things a run may be later and still count as right above.\n\n\
         | scenario | promised | runs | kept | in the middle | at most |\n|---|---|---|---|---|---|\n",
    );
    for ((promised, scenario), took) in promises {
        let kept = took.iter().filter(|ms| **ms <= promised).count();
        let runs = took.len();
        let (middle, most) = times(took).unwrap_or_default();
        let _ = writeln!(
            text,
            "| `{scenario}` | {} | {runs} | {kept} | {} | {} |",
            shown(promised),
            shown(middle),
            shown(most)
        );
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use cause::Cause;

    use super::*;
    use crate::outcome::Judgement;

    fn outcome(detect_ms: u64) -> Outcome {
        Outcome {
            scenario: "forged_reset",
            expected: Cause::Reset,
            expected_detail: None,
            got: Some(Cause::Reset.code()),
            detail: None,
            detect_ms: Some(detect_ms),
            promised_ms: Some(100),
            judgement: Judgement::Right,
        }
    }

    #[test]
    fn what_came_too_late_is_not_kept() {
        let mut text = String::new();
        write(&mut text, &[outcome(3), outcome(100), outcome(101)]);
        assert!(text.contains("| `forged_reset` | 100 ms | 3 | 2 | 100 ms | 101 ms |"), "{text}");
        let mut nothing = String::new();
        write(&mut nothing, &[]);
        assert!(nothing.is_empty());
    }
}
