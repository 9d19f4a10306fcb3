//! Values as pages show them.

use cause::{Cause, Lang, Side};
use jiff::tz::TimeZone;
use model::{Code, Timestamp};

use super::words::Words;

/// A cause as a chip: the side's mark and colour, the code, a short text.
pub struct Chip {
    /// `client`, `network`, ...: the colour's name in the style sheet.
    pub side: &'static str,
    /// The side's mark, so that colour never stands alone.
    pub mark: &'static str,
    /// The side's name in the reader's language.
    pub side_name: String,
    /// `18/503`.
    pub code: String,
    /// Where its row stands on the page of causes.
    pub anchor: String,
    /// The table's message.
    pub text: String,
}

impl Chip {
    /// The chip of a code; codes that are not in the table are shown as they are.
    pub fn of(code: Code, lang: Lang) -> Self {
        let cause = Cause::from_code(code).unwrap_or(Cause::Unknown);
        let side = cause.side();
        Self {
            side: side.as_str(),
            mark: mark(side),
            side_name: side.label(lang).to_owned(),
            code: code.to_string(),
            anchor: format!("c{}-{}", code.errcode, code.sub_errcode),
            text: cause.errmsg(lang).to_owned(),
        }
    }
}

/// The mark of a side.
pub fn mark(side: Side) -> &'static str {
    match side {
        Side::Client => "●",
        Side::Network => "≈",
        Side::Server => "▲",
        Side::Policy => "■",
        Side::Operator => "◆",
    }
}

/// A time: for machines, and in words in UTC, which the script turns into the reader's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    /// RFC 3339.
    pub iso: String,
    /// `2026-11-22 20:03:11`.
    pub text: String,
}

impl When {
    /// Both forms of a time.
    pub fn of(time: Timestamp) -> Self {
        let text = match jiff::Timestamp::from_millisecond(time.millis()) {
            Ok(t) => t.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            Err(_) => time.to_string(),
        };
        Self { iso: time.to_string(), text }
    }
}

/// A duration as people say it.
pub fn duration(words: &Words, millis: u64) -> String {
    let seconds = millis / 1_000;
    let number = |n: u64| n.to_string();
    match seconds {
        0..10 => words.with("duration-seconds", &[("s", format!("{}.{}", seconds, millis % 1_000 / 100))]),
        10..60 => words.with("duration-seconds", &[("s", number(seconds))]),
        60..3_600 => {
            words.with("duration-minutes", &[("m", number(seconds / 60)), ("s", number(seconds % 60))])
        }
        3_600..86_400 => words
            .with("duration-hours", &[("h", number(seconds / 3_600)), ("m", number(seconds % 3_600 / 60))]),
        _ => words.with(
            "duration-days",
            &[("d", number(seconds / 86_400)), ("h", number(seconds % 86_400 / 3_600))],
        ),
    }
}

/// A whole number in groups of three digits, as all three languages write it.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn durations_are_said_in_each_language() {
        assert_eq!(duration(Words::of(Lang::En), 812), "0.8 s");
        assert_eq!(duration(Words::of(Lang::En), 4_320_000), "1 h 12 min");
        assert_eq!(duration(Words::of(Lang::Ja), 200_000), "3 分 20 秒");
    }

    #[test]
    fn a_chip_has_mark_and_name_of_its_side() {
        let chip = Chip::of(Code::new(12, 0), Lang::En);
        assert_eq!((chip.side, chip.mark, chip.code.as_str()), ("network", "≈", "12/0"));
    }
}
