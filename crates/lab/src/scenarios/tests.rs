use std::collections::HashSet;

use super::*;

#[test]
fn every_row_of_the_table_has_a_scenario_or_a_stated_reason() {
    let scenarios = all();
    for cause in Cause::ALL {
        let has_scenario = scenarios.iter().any(|scenario| scenario.cause == cause);
        let has_reason = missing::reason(cause).is_some();
        assert_ne!(has_scenario, has_reason, "{cause}: exactly one of a scenario and a reason");
    }
}

#[test]
fn names_are_unique_and_in_snake_case() {
    let scenarios = all();
    let names: HashSet<_> = scenarios.iter().map(|scenario| scenario.name).collect();
    assert_eq!(names.len(), scenarios.len());
    for scenario in scenarios {
        let (name, about) = (scenario.name, scenario.about);
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
        assert!(about.ends_with('.') && about.len() > 20, "{name}: {about}");
        assert!(name.parse::<Cause>().is_err(), "{name} reads as a code");
    }
}

#[test]
fn an_expected_detail_is_one_of_its_cause() {
    for scenario in all() {
        let Some(detail) = &scenario.detail else { continue };
        assert!(
            detail.causes().contains(&scenario.cause),
            "{}: {detail} under {}",
            scenario.name,
            scenario.cause
        );
    }
}

#[test]
fn codes_names_and_all_choose() {
    let choose = |words: &[&str]| choose(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    let names = |choice: &Choice| choice.scenarios.iter().map(|s| s.name).collect::<Vec<_>>();
    assert_eq!(names(&choose(&["18/503"]).unwrap()).first(), Some(&"wrong_key"));
    assert_eq!(names(&choose(&["delete_stream", "delete_stream"]).unwrap()), ["delete_stream"]);
    let everything = choose(&["all"]).unwrap();
    assert_eq!(everything.scenarios.len(), all().len());
    assert!(!everything.missing.is_empty());
    let missing = choose(&["0"]).unwrap();
    assert!(missing.scenarios.is_empty());
    assert_eq!(missing.missing.first().map(|(cause, _)| *cause), Some(Cause::Unknown));
    assert!(matches!(choose(&["18/999"]), Err(LabError::UnknownScenario(word)) if word == "18/999"));
    assert!(choose(&["delete-stream"]).is_err());
}
