//! The page on the causes: the table of the mind, and what the lab measured of it.

use std::fmt::Write;

use cause::{Cause, DetailKey, Lang};

use super::{Matrix, promises, shown};
use crate::background::BackgroundOutcome;
use crate::missing;
use crate::outcome::{Judgement, Outcome};
use crate::scenario::Scenario;

/// The page in Markdown, from the scenarios and how they came out.
pub fn page(scenarios: &[Scenario], outcomes: &[Outcome], background: Option<BackgroundOutcome>) -> String {
    let matrix = Matrix::of(outcomes);
    let mut text = String::from(
        "# Why pushes end\n\n\
         One section per row of the table: what it means, what triggers it in the fault lab, the details that a record \
         may carry under it, and what to do. This page is generated: `lastframe lab run all --repeat N --docs FILE`.\n\n",
    );
    summary(&mut text, &matrix, outcomes);
    if let Some(background) = background {
        let _ = writeln!(text, "Meanwhile {background}.\n");
    }
    promises::write(&mut text, outcomes);
    for cause in Cause::ALL {
        section(&mut text, cause, scenarios, &matrix);
    }
    text
}

fn summary(text: &mut String, matrix: &Matrix, outcomes: &[Outcome]) {
    let (runs, right) = matrix.rows().fold((0, 0), |(runs, right), row| (runs + row.runs, right + row.right));
    let _ = writeln!(
        text,
        "## Expected against recorded\n\n\
         {right} of {runs} runs were recorded with the cause that had been made to happen. Times are from the fault to \
         the end of the push, in the middle and at most.\n\n\
         | cause | runs | right | recorded otherwise | time to detect |\n|---|---|---|---|---|"
    );
    for row in matrix.rows() {
        let others: Vec<String> = row
            .others
            .iter()
            .map(|(code, count)| {
                format!("{} × {count}", code.map_or("no record".to_owned(), |code| code.to_string()))
            })
            .collect();
        let time = time(matrix, row.cause).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {time} |",
            row.cause,
            row.runs,
            row.right,
            others.join(", ")
        );
    }
    text.push('\n');
    let mut skipped: Vec<String> = outcomes
        .iter()
        .filter(|outcome| missing::reason(outcome.expected).is_none())
        .filter_map(|outcome| match &outcome.judgement {
            Judgement::Skipped(why) => {
                Some(format!("- `{}` ({}): {why}", outcome.scenario, outcome.expected))
            }
            _ => None,
        })
        .collect();
    skipped.dedup();
    if !skipped.is_empty() {
        let _ = writeln!(text, "Not run:\n\n{}\n", skipped.join("\n"));
    }
}

fn section(text: &mut String, cause: Cause, scenarios: &[Scenario], matrix: &Matrix) {
    let _ = writeln!(
        text,
        "## {cause} {}\n\nSide: {}. {}\n\nWhat to do: {}\n",
        cause.errmsg(Lang::En),
        cause.side().as_str(),
        cause.meaning(Lang::En),
        cause.advice(Lang::En)
    );
    for scenario in scenarios.iter().filter(|scenario| scenario.cause == cause) {
        let detail =
            scenario.detail.as_ref().map(|detail| format!(" Detail: `{detail}`.")).unwrap_or_default();
        let _ = writeln!(text, "- `{}`: {}{detail}", scenario.name, scenario.about);
    }
    if let Some(reason) = missing::reason(cause) {
        let _ = writeln!(text, "No scenario: {reason}.");
    }
    text.push('\n');
    let own = DetailKey::ALL
        .iter()
        .filter(|key| key.causes().len() < Cause::ALL.len() && key.causes().contains(&cause));
    let known: Vec<String> = own.map(|key| format!("`{key}`")).collect();
    if !known.is_empty() {
        let _ = writeln!(text, "Details: {}.\n", known.join(", "));
    }
    if let Some(time) = time(matrix, cause) {
        let _ = writeln!(text, "Time to detect: {time}.\n");
    }
}

fn time(matrix: &Matrix, cause: Cause) -> Option<String> {
    matrix.times(cause).map(|(middle, longest)| format!("{}, at most {}", shown(middle), shown(longest)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios;

    #[test]
    fn every_row_has_its_section_with_a_trigger_or_a_reason() {
        let page = page(&scenarios::all(), &[], None);
        for cause in Cause::ALL {
            let section = page.split("\n## ").find(|section| section.starts_with(&format!("{cause} ")));
            let section = section.unwrap_or_else(|| panic!("{cause} has no section"));
            assert!(section.contains("\n- `") || section.contains("No scenario: "), "{section}");
            assert!(section.contains(cause.advice(Lang::En)));
        }
    }
}
