//! The closing table on a terminal.

use super::shown;
use crate::outcome::{Judgement, Outcome};

/// One outcome on one line, as it comes.
pub fn line(outcome: &Outcome) -> String {
    let (expected, name) = (outcome.expected.to_string(), outcome.scenario);
    match &outcome.judgement {
        Judgement::Right => {
            let time = outcome.detect_ms.map(|ms| format!(", {}", shown(ms))).unwrap_or_default();
            format!("right    {expected:<7} {name}{time}")
        }
        Judgement::Wrong(why) => format!("WRONG    {expected:<7} {name}: {why}"),
        Judgement::Skipped(why) => format!("skipped  {expected:<7} {name}: {why}"),
    }
}

/// All outcomes with a heading, and the sum below.
pub fn table(outcomes: &[Outcome]) -> String {
    let heading = ["SCENARIO", "EXPECTED", "GOT", "DETAIL", "DETECTED IN", "RESULT"].map(str::to_owned);
    let mut rows = vec![heading];
    rows.extend(outcomes.iter().map(row));
    let mut widths = [0; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = usize::max(*width, cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    let count = |of: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| of(outcome)).count();
    let (wrong, skipped) = (count(Outcome::is_wrong), count(Outcome::is_skipped));
    let right = outcomes.len().saturating_sub(wrong).saturating_sub(skipped);
    text.push_str(&format!("\n{right} right, {wrong} wrong, {skipped} skipped\n"));
    text
}

fn row(outcome: &Outcome) -> [String; 6] {
    let none = || "-".to_owned();
    [
        outcome.scenario.to_owned(),
        outcome.expected.to_string(),
        outcome.got.map_or_else(none, |code| code.to_string()),
        outcome.detail.clone().unwrap_or_else(none),
        outcome.detect_ms.map_or_else(none, shown),
        match &outcome.judgement {
            Judgement::Right => "right".to_owned(),
            Judgement::Wrong(why) => format!("WRONG: {why}"),
            Judgement::Skipped(why) => format!("skipped: {why}"),
        },
    ]
}
