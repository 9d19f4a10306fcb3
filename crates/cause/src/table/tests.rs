//! The table held against the public one, and the wording against the rules for it.

use std::collections::BTreeSet;

use super::*;

/// The public table: `errcode`, `sub_errcode`, and the Japanese message.
const PUBLIC_TABLE: &str = include_str!("../../errcodes.tsv");

fn public_rows() -> impl Iterator<Item = (Code, &'static str)> {
    PUBLIC_TABLE.lines().skip(1).map(|line| {
        let mut cells = line.split('\t');
        let mut number = || cells.next().unwrap().parse().unwrap();
        let code = Code::new(number(), number());
        let errmsg = cells.next().unwrap();
        assert_eq!(cells.next(), None, "{line}");
        (code, errmsg)
    })
}

fn every_text() -> impl Iterator<Item = (Cause, Lang, &'static str)> {
    Cause::ALL.into_iter().flat_map(|cause| {
        Lang::ALL.into_iter().flat_map(move |lang| {
            [cause.errmsg(lang), cause.meaning(lang), cause.advice(lang)].map(|text| (cause, lang, text))
        })
    })
}

#[test]
fn the_rows_are_those_of_the_public_table_in_its_order_with_its_messages_verbatim() {
    let ours: Vec<_> = Cause::ALL.into_iter().map(|cause| (cause.code(), cause.errmsg(Lang::Ja))).collect();
    assert_eq!(ours, public_rows().collect::<Vec<_>>());
    assert_eq!(ours.len(), 70);
}

#[test]
fn every_row_is_found_by_its_numbers_and_no_other_number_is_a_row() {
    for errcode in 0..=50 {
        for sub_errcode in 0..=700 {
            let code = Code::new(errcode, sub_errcode);
            let in_table = public_rows().any(|(row, _)| row == code);
            assert_eq!(Cause::from_code(code).map(Cause::code), in_table.then_some(code));
        }
    }
    assert_eq!(Cause::from_code(Code::new(u16::MAX, u16::MAX)), None);
}

#[test]
fn a_cause_reads_back_from_its_text_and_from_json() {
    for cause in Cause::ALL {
        assert_eq!(cause.to_string().parse(), Ok(cause));
        assert_eq!(Cause::try_from(cause.code()), Ok(cause));
        let json = serde_json::to_string(&cause).unwrap();
        assert_eq!(json, format!("\"{}\"", cause.code()));
        assert_eq!(serde_json::from_str::<Cause>(&json).unwrap(), cause);
    }
    assert_eq!("3".parse(), Ok(Cause::EndOfFile));
    for text in ["18", "18/999", "40/0", "", "reset"] {
        assert_eq!(text.parse::<Cause>(), Err(CauseError(text.to_owned())));
    }
}

/// The sides as the design states them, by ranges of codes: written down a second time on purpose.
#[test]
fn each_row_is_on_the_side_that_the_design_gives_it() {
    for cause in Cause::ALL {
        let Code { errcode, sub_errcode } = cause.code();
        let side = match (errcode, sub_errcode) {
            (0 | 5 | 9..=11 | 24 | 38, 0) | (18, 100..=104) => Side::Server,
            (1..=4 | 6 | 7 | 22 | 23 | 25..=36, 0) => Side::Client,
            (12..=17, 0) => Side::Network,
            (8 | 19 | 20 | 37 | 39, 0) | (18, 200..) | (21, 102 | 103) => Side::Policy,
            (21, 100 | 101) => Side::Operator,
            other => panic!("{other:?} is in no row of the design"),
        };
        assert_eq!(cause.side(), side, "{cause}");
    }
}

#[test]
fn rows_of_one_message_keep_it_in_every_language() {
    for (a, b) in Cause::ALL.into_iter().flat_map(|a| Cause::ALL.map(|b| (a, b))) {
        let same = a.errmsg(Lang::Ja) == b.errmsg(Lang::Ja);
        for lang in [Lang::En, Lang::Zh] {
            assert_eq!(a.errmsg(lang) == b.errmsg(lang), same, "{a} and {b} in {lang}");
        }
    }
}

#[test]
fn every_row_has_a_meaning_of_its_own_in_every_language() {
    for lang in Lang::ALL {
        let meanings: BTreeSet<_> = Cause::ALL.iter().map(|cause| cause.meaning(lang)).collect();
        assert_eq!(meanings.len(), Cause::ALL.len());
    }
}

#[test]
fn every_text_is_whole_and_tidy() {
    for (cause, lang, text) in every_text() {
        assert!(!text.is_empty(), "{cause} in {lang}");
        assert_eq!(text, text.trim(), "{cause} in {lang}");
        assert!(!text.contains("  ") && !text.contains(char::is_control), "{cause} in {lang}: {text}");
        assert!(text.chars().count() <= 230, "{cause} in {lang} is too long to be read at a glance: {text}");
    }
    for cause in Cause::ALL {
        for (lang, stop) in [(Lang::Ja, '。'), (Lang::En, '.'), (Lang::Zh, '。')] {
            assert!(cause.meaning(lang).ends_with(stop), "{cause} in {lang}");
            assert!(cause.advice(lang).ends_with(stop), "{cause} in {lang}");
            assert!(!cause.errmsg(lang).ends_with(stop), "{cause} in {lang}: a message is a title");
        }
    }
}

#[test]
fn each_language_is_written_in_its_own_script() {
    let kana = |c: char| matches!(c, '\u{3041}'..='\u{30ff}');
    let han = |c: char| matches!(c, '\u{4e00}'..='\u{9fff}');
    for (cause, lang, text) in every_text() {
        let fits = match lang {
            Lang::Ja => text.contains(kana) || text == "原因不明",
            Lang::En => text.is_ascii(),
            Lang::Zh => text.contains(han) && !text.contains(kana),
        };
        assert!(fits, "{cause} in {lang}: {text}");
    }
}

#[test]
fn japanese_sentences_are_polite() {
    for cause in Cause::ALL {
        for text in [cause.meaning(Lang::Ja), cause.advice(Lang::Ja)] {
            for sentence in text.split_terminator('。') {
                let polite = ["です", "ます", "ました", "ません", "でした", "ください"];
                assert!(polite.iter().any(|ending| sentence.ends_with(ending)), "{cause}: {sentence}");
            }
        }
    }
}

#[test]
fn english_does_without_please_and_oops() {
    for (cause, _, text) in every_text().filter(|(_, lang, _)| *lang == Lang::En) {
        let text = text.to_lowercase();
        assert!(!["please", "oops", "sorry", "!"].iter().any(|word| text.contains(word)), "{cause}: {text}");
    }
}

/// On Windows a crashed encoder resets, and so do devices on the way: whoever reads 4/0 must hear of both.
#[test]
fn the_advice_on_a_reset_names_windows_and_the_devices_on_the_way() {
    for (lang, words) in [
        (Lang::En, ["Windows", "firewalls"]),
        (Lang::Ja, ["Windows", "機器"]),
        (Lang::Zh, ["Windows", "设备"]),
    ] {
        for word in words {
            assert!(Cause::Reset.advice(lang).contains(word), "{lang}");
        }
    }
}
