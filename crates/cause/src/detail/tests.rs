//! Every key in every language, and the stored forms.

use std::collections::BTreeSet;

use model::admission::NameFault;
use model::sign::{SecretFault, SignError};
use model::{Code, Refusal, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::table::Cause;

fn template(key: &DetailKey, lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => ja::template(key),
        Lang::En => en::template(key),
        Lang::Zh => zh::template(key),
    }
    .unwrap()
}

/// A parameter of a kind that fits its unit.
fn sample(unit: Unit) -> Value {
    match unit {
        Unit::Millis => json!(20_400),
        Unit::Bytes | Unit::Offset => json!(4_096),
        Unit::Position | Unit::Count => json!(7),
        Unit::Rate => json!(59.9),
        Unit::Marker => json!(13),
        Unit::Errno => json!(104),
        Unit::Event => json!(3),
        Unit::MessageType => json!(9),
        Unit::Time => json!("2026-11-22T20:03:11.250Z"),
        Unit::Word => json!("reset"),
        Unit::Text | Unit::Sentence => json!("sample"),
    }
}

fn full(key: &DetailKey) -> Detail {
    key.params()
        .iter()
        .fold(Detail::new(key.clone()), |detail, (name, unit)| detail.with(name, sample(*unit)))
}

fn every_key_and_language() -> impl Iterator<Item = (&'static DetailKey, Lang)> {
    DetailKey::ALL.iter().flat_map(|key| Lang::ALL.map(|lang| (key, lang)))
}

#[test]
fn keys_are_unique_snake_case_and_read_back() {
    let keys: BTreeSet<_> = DetailKey::ALL.iter().map(DetailKey::as_str).collect();
    assert_eq!(keys.len(), DetailKey::ALL.len());
    for key in DetailKey::ALL {
        assert!(key.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{key}");
        assert_eq!(&DetailKey::from(key.as_str()), key);
        assert_eq!(serde_json::to_value(key).unwrap(), key.as_str());
    }
}

#[test]
fn a_detail_with_all_its_parameters_shows_every_one_of_them() {
    for (key, lang) in every_key_and_language() {
        let text = full(key).text(lang);
        assert!(!text.contains(['{', '}', '[', ']']), "{key} in {lang}: {text}");
        for (name, unit) in key.params() {
            let shown = unit.show(&sample(*unit), lang).unwrap();
            assert!(text.contains(&shown), "{key} in {lang} does not show {name}: {text}");
        }
    }
}

#[test]
fn a_detail_without_its_parameters_is_still_a_sentence() {
    for (key, lang) in every_key_and_language() {
        let text = Detail::new(key.clone()).text(lang);
        let stop = if lang == Lang::En { '.' } else { '。' };
        assert!(text.ends_with(stop) && text.chars().count() > 3, "{key} in {lang}: {text}");
        assert!(!text.contains(['{', '}', '[', ']']), "{key} in {lang}: {text}");
        assert!(!text.starts_with([' ', '、', '，', ',']) && !text.contains("  "), "{key} in {lang}: {text}");
    }
}

/// With the test above: whatever is missing, what remains has no hole.
#[test]
fn templates_are_well_formed_and_name_no_parameter_that_the_key_does_not_have() {
    for (key, lang) in every_key_and_language() {
        let (mut in_brackets, mut in_braces, mut name) = (false, false, String::new());
        for c in template(key, lang).chars() {
            match (c, in_brackets, in_braces) {
                ('[', false, false) => in_brackets = true,
                (']', true, false) => in_brackets = false,
                ('{', true, false) => in_braces = true,
                ('}', true, true) => {
                    assert!(key.params().iter().any(|(known, _)| *known == name), "{key} in {lang}: {name}");
                    name.clear();
                    in_braces = false;
                }
                ('[' | ']' | '{' | '}', ..) => panic!("{key} in {lang}: {c} out of place"),
                (c, _, true) => name.push(c),
                _ => {}
            }
        }
        assert!(!in_brackets && !in_braces, "{key} in {lang}");
    }
}

#[test]
fn any_single_missing_parameter_leaves_a_tidy_sentence() {
    for (key, lang) in every_key_and_language() {
        for (missing, _) in key.params() {
            let mut detail = full(key);
            detail.params.remove(*missing);
            let text = detail.text(lang);
            assert!(!text.contains(['{', '}', '[', ']']) && !text.contains("  "), "{key} in {lang}: {text}");
            assert!(!text.starts_with([' ', '、', '，', ',']), "{key} in {lang}: {text}");
        }
    }
}

#[test]
fn every_key_belongs_to_causes() {
    for key in DetailKey::ALL {
        assert!(!key.causes().is_empty(), "{key}");
        let distinct: BTreeSet<_> = key.causes().iter().collect();
        assert_eq!(distinct.len(), key.causes().len(), "{key}");
    }
    assert_eq!(DetailKey::NatLost.causes(), [Cause::PathLost]);
}

#[test]
fn the_words_lead_with_the_finding_and_follow_with_the_facts() {
    let lost = Detail::new(DetailKey::PathLost).with("silence_ms", 20_000).with("unacked_ms", 17_000);
    assert_eq!(
        Lang::ALL.map(|lang| lost.text(lang)),
        [
            "20秒のあいだ何も届かず、こちらが送ったデータにも17秒のあいだ受信確認が返りませんでした。",
            "Nothing arrived for 20 s, and what we sent was not acknowledged for 17 s.",
            "在 20 秒内没有收到任何数据，我们发出的数据也在 17 秒内没有得到确认。",
        ]
    );
    let marker = Detail::new(DetailKey::AmfMarker)
        .with("marker", 13)
        .with("offset", 3_412)
        .with("path", "connect.commandObject.tcUrl");
    assert_eq!(
        marker.text(Lang::En),
        "An AMF value began with a marker that is illegal there: 0x0d at byte 3,412 of the connection, in \
         connect.commandObject.tcUrl."
    );
}

#[test]
fn a_key_of_a_newer_version_is_kept_and_shown_as_it_is() {
    let json = json!({ "key": "moon_phase", "params": { "phase": "full", "day": 14 } });
    let detail: Detail = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(detail.key, DetailKey::Other("moon_phase".to_owned()));
    assert_eq!(detail.text(Lang::Ja), "moon_phase day=14 phase=full");
    assert_eq!(serde_json::to_value(&detail).unwrap(), json);
    assert!(detail.key.params().is_empty() && detail.key.causes().is_empty());
}

#[test]
fn the_record_carries_the_words_and_the_store_does_not() {
    let detail = Detail::new(DetailKey::NatLost).with("silence_ms", 3_000);
    let shown = detail.to_record(Lang::En);
    assert_eq!((shown.key.as_str(), &shown.params), ("nat_lost", &detail.params));
    assert_eq!(shown.text, detail.text(Lang::En));
    assert_eq!(Detail::from(&shown), detail);
    let stored = DetailRecord::from(detail.clone());
    assert_eq!(stored.text, "");
    assert_eq!(Detail::from(stored), detail);
}

#[test]
fn a_long_parameter_is_cut_at_a_character() {
    let detail = Detail::new(DetailKey::Rule).with("found", "映".repeat(1_000)).with("rule", "short");
    let Some(Value::String(found)) = detail.params.get("found") else { panic!("{detail:?}") };
    assert!(found.len() <= MAX_PARAM_BYTES && found.ends_with("映…"));
    assert_eq!(detail.params.get("rule"), Some(&json!("short")));
}

#[test]
fn an_unknown_value_adds_no_parameter() {
    let detail = Detail::from(DetailKey::NatLost).with_some("silence_ms", None::<u64>);
    assert!(detail.params.is_empty());
    assert_eq!(detail.with_some("silence_ms", Some(5)).params.get("silence_ms"), Some(&json!(5)));
}

fn every_refusal() -> Vec<Refusal> {
    let ip = "203.0.113.9".parse().unwrap();
    let text = || "text".to_owned();
    let mut all = vec![
        Refusal::AccountUnknown { account: account(), domain: text() },
        Refusal::AccountStopped { account: account() },
        Refusal::AccountOverdue { account: account() },
        Refusal::AccountForceStopped { account: account() },
        Refusal::IpNotAllowed { ip },
        Refusal::DomainUnknown { domain: text(), is_play_domain: false },
        Refusal::DomainUnknown { domain: text(), is_play_domain: true },
        Refusal::DomainInvalid { domain: Some(text()) },
        Refusal::DomainInvalid { domain: None },
        Refusal::DomainDisabled { domain: text() },
        Refusal::AppDisabled { domain: text(), app: text() },
        Refusal::Forbidden { since: Timestamp(0), until: Timestamp(1), reason: text(), by: text() },
        Refusal::NoChannel { stream: text() },
        Refusal::ChannelStopped { stream: text() },
        Refusal::IpBlocked { ip, network: "203.0.113.0/24".parse().unwrap() },
        Refusal::IpNotListed { ip, networks: 3 },
        Refusal::Signature(SignError::TimeMissing { found: None }),
        Refusal::Signature(SignError::TimeMissing { found: Some(text()) }),
        Refusal::Signature(SignError::Expired { at: Timestamp(0) }),
        Refusal::Signature(SignError::SecretMissing),
    ];
    let faults = [
        NameFault::Empty,
        NameFault::TooLong { bytes: 300 },
        NameFault::Character { found: '#', position: 4 },
        NameFault::DotSegment,
    ];
    for fault in faults {
        all.push(Refusal::StreamNameIllegal { fault });
        all.push(Refusal::AppNameIllegal { fault });
    }
    let secrets = [
        SecretFault::NoKey,
        SecretFault::Length(31),
        SecretFault::UpperCase,
        SecretFault::PathSigned,
        SecretFault::TimeCase,
        SecretFault::Mismatch,
    ];
    all.extend(secrets.map(|fault| Refusal::Signature(SignError::SecretWrong(fault))));
    all
}

fn account() -> model::catalog::AccountId {
    serde_json::from_value(json!(1_000_000_001)).unwrap()
}

#[test]
fn every_refusal_of_admission_has_a_known_key_under_its_cause_and_known_parameters() {
    let mut codes = BTreeSet::new();
    for refusal in every_refusal() {
        let detail = Detail::from(&refusal);
        let cause = Cause::from_code(refusal.code()).unwrap();
        codes.insert(cause);
        assert!(detail.key.causes().contains(&cause), "{refusal:?} gives {} under {cause}", detail.key);
        for name in detail.params.keys() {
            assert!(detail.key.params().iter().any(|(known, _)| known == name), "{refusal:?}: {name}");
        }
    }
    let refusals = Cause::ALL
        .into_iter()
        .filter(|cause| cause.code() >= Code::new(18, 200) && cause.code() < Code::new(18, 600));
    assert_eq!(codes, refusals.collect());
}

#[test]
fn an_illegal_character_is_named_with_its_place() {
    let fault = NameFault::Character { found: '#', position: 4 };
    let detail = Detail::from(&Refusal::StreamNameIllegal { fault });
    assert_eq!(
        detail.text(Lang::En),
        "The stream name is not allowed: a character is not allowed, \u{201c}#\u{201d} at character 5."
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::collection::vec(any::<u32>(), 0..3).prop_map(Value::from),
    ]
}

fn any_detail() -> impl Strategy<Value = Detail> {
    let known = prop::sample::select(DetailKey::ALL).prop_flat_map(|key| {
        let values = prop::collection::vec(prop::option::of(any_value()), key.params().len());
        (Just(key), values).prop_map(|(key, values)| {
            key.params()
                .iter()
                .zip(values)
                .fold(Detail::new(key.clone()), |detail, ((name, _), value)| detail.with_some(name, value))
        })
    });
    let unknown = (any::<String>(), any::<String>(), any_value())
        .prop_map(|(key, name, value)| Detail::new(key.into()).with(&name, value));
    prop_oneof![4 => known, 1 => unknown]
}

proptest! {
    #[test]
    fn a_detail_survives_both_stored_forms(detail in any_detail()) {
        let packed = postcard::to_stdvec(&detail).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<Detail>(&packed).unwrap(), &detail);
        let json = serde_json::to_string(&detail).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Detail>(&json).unwrap(), &detail);
    }

    #[test]
    fn any_detail_is_worded_on_one_line_of_bounded_length(detail in any_detail()) {
        for lang in Lang::ALL {
            let text = detail.text(lang);
            prop_assert!(!text.contains(char::is_control), "{:?}", text);
            prop_assert!(text.chars().count() <= 600 + 9 * MAX_PARAM_BYTES);
        }
    }

    #[test]
    fn any_bytes_are_a_detail_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(detail) = postcard::from_bytes::<Detail>(&bytes) {
            let _ = detail.text(Lang::En);
        }
    }
}
