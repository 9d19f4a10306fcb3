use cause::Cause;
use model::Code;

use super::*;
use crate::api::Api;
use crate::client::Told;
use crate::scenario::Running;
use crate::site::Site;
use crate::target::Target;
use crate::trial::Trial;

fn never(_: Trial) -> Running {
    Box::pin(async { Err(LabError::WentLive) })
}

fn scenario() -> Scenario {
    Scenario::new("wrong_key", Cause::SignatureWrong, DetailKey::SecretMismatch, "A test.", never)
}

fn seen() -> Seen {
    let target = Target::new("rtmp://127.0.0.1/live", "http://127.0.0.1:1", "id:secret", None).unwrap();
    assert!(Api::new(&target.api, &target.key).is_ok());
    Seen::stream(&Site::external(&target).unwrap(), "s")
}

fn found(code: (u16, u16), detail: Option<&str>) -> Found {
    let detail = detail.map(str::to_owned);
    Found { code: Code::new(code.0, code.1), detail, detect_ms: None, records: 1, failed: None }
}

#[test]
fn the_expected_cause_and_detail_are_right() {
    let right = found((18, 503), Some("secret_mismatch"));
    assert_eq!(compare(&scenario(), &seen(), Some(&right)), None);
}

#[test]
fn where_the_clients_system_decides_either_cause_is_right_and_no_third() {
    let killed = Scenario::new("killed", Cause::EndOfFile, None, "A test.", never).or(Cause::Reset);
    let compared = |code| {
        let found = found(code, None);
        compare(&killed.as_found(found.code), &seen(), Some(&found))
    };
    assert_eq!((compared((3, 0)), compared((4, 0))), (None, None));
    assert_eq!(compared((12, 0)).as_deref(), Some("12/0 in place of 3/0"));
}

#[test]
fn another_cause_or_detail_is_wrong() {
    let other = compare(&scenario(), &seen(), Some(&found((18, 502), Some("secret_mismatch"))));
    assert_eq!(other.as_deref(), Some("18/502 in place of 18/503"));
    let other = compare(&scenario(), &seen(), Some(&found((18, 503), Some("secret_length"))));
    assert_eq!(other.as_deref(), Some("detail secret_length in place of secret_mismatch"));
    assert!(compare(&scenario(), &seen(), Some(&found((18, 503), None))).is_some());
}

#[test]
fn a_scenario_without_a_certain_detail_takes_any() {
    let scenario = Scenario { detail: None, ..scenario() };
    for detail in [None, Some("secret_length")] {
        assert_eq!(compare(&scenario, &seen(), Some(&found((18, 503), detail))), None);
    }
}

#[test]
fn a_missing_and_a_second_record_are_wrong() {
    assert_eq!(compare(&scenario(), &seen(), None).as_deref(), Some("no record"));
    let two = Found { records: 2, ..found((18, 503), Some("secret_mismatch")) };
    assert_eq!(compare(&scenario(), &seen(), Some(&two)).as_deref(), Some("2 records"));
}

#[test]
fn a_client_that_is_told_another_cause_is_wrong() {
    let right = found((18, 503), Some("secret_mismatch"));
    let told = |text: &str| Told { code: "NetStream.Publish.Denied".to_owned(), text: text.to_owned() };
    assert_eq!(compare(&scenario(), &seen().told(told("[18/503] no")), Some(&right)), None);
    assert_eq!(compare(&scenario(), &seen().told(told("[18/503]")), Some(&right)), None);
    assert!(compare(&scenario(), &seen().told(told("[18/502] no")), Some(&right)).is_some());
    assert!(compare(&scenario(), &seen().told(told("")), Some(&right)).is_some());
}
