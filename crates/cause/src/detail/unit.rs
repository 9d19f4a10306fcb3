//! What a detail's parameter stands for, and how its value is shown to people.

use serde_json::Value;

use super::words;
use crate::event::EventKind;
use crate::table::Lang;

/// What a parameter stands for. Stored values are plain JSON: numbers, or strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A length of time: an integer, milliseconds.
    Millis,
    /// A size: an integer, bytes.
    Bytes,
    /// A place in the connection: an integer, bytes received before it.
    Offset,
    /// A place in a text: an integer, characters before it. Shown counted from 1.
    Position,
    /// A plain count: an integer.
    Count,
    /// A number a second, such as frames a second.
    Rate,
    /// A byte that marks a type, such as AMF's: an integer.
    Marker,
    /// An operating-system error number of Linux: an integer.
    Errno,
    /// An RTMP message type: an integer; 0 where not even the header was whole.
    MessageType,
    /// A moment: a string, RFC 3339.
    Time,
    /// One of a few stable words, worded in the reader's language.
    Word,
    /// A type of event: its number.
    Event,
    /// Text or a number that is shown as it is, without control characters.
    Text,
    /// Text in words of its own, such as an error's. It stands within a sentence of ours, so its last stop is left out.
    Sentence,
}

impl Unit {
    /// The value for people; `None` for a value that says nothing (null, empty text, a list, an object).
    pub(crate) fn show(self, value: &Value, lang: Lang) -> Option<String> {
        match value {
            Value::Number(number) => Some(match self {
                Self::Rate => rate(number.as_f64()?),
                Self::Text | Self::Sentence | Self::Word | Self::Time => number.to_string(),
                _ => self.show_integer(integer(number)?, lang),
            }),
            Value::String(text) if clean(text).trim().is_empty() => None,
            Value::String(text) => Some(match self {
                Self::Sentence => clean(text).trim_end_matches(['.', '。', ' ']).to_owned(),
                Self::Time => moment(&clean(text)),
                Self::Word => words::word(text, lang).map_or_else(|| clean(text), str::to_owned),
                _ => clean(text),
            }),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn show_integer(self, number: i128, lang: Lang) -> String {
        match self {
            Self::Millis => duration(number, lang),
            Self::Bytes => bytes(number, lang),
            Self::Position => grouped(number.saturating_add(1)),
            Self::Event => event(number, lang),
            Self::Marker => format!("0x{number:02x}"),
            Self::Errno => words::errno(number)
                .map_or_else(|| format!("errno {number}"), |name| format!("{name} ({number})")),
            Self::MessageType => {
                words::message_type(number, lang).map_or_else(|| number.to_string(), str::to_owned)
            }
            _ => grouped(number),
        }
    }
}

fn integer(number: &serde_json::Number) -> Option<i128> {
    // A cast from a float saturates.
    number.as_i128().or_else(|| number.as_f64().map(|float| float.round() as i128))
}

/// What a type of event is called; its number for one of a newer version.
fn event(number: i128, lang: Lang) -> String {
    let kind = u8::try_from(number).ok().and_then(EventKind::from_number);
    kind.map_or_else(|| number.to_string(), |kind| kind.name(lang).to_owned())
}

/// A number with a comma between groups of three digits, as all three languages write it.
fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    if number < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn rate(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

fn bytes(number: i128, lang: Lang) -> String {
    let unit = match lang {
        Lang::Ja => "バイト",
        Lang::En if number == 1 => " byte",
        Lang::En => " bytes",
        Lang::Zh => " 字节",
    };
    format!("{}{unit}", grouped(number))
}

/// A length of time as people say it: `850 ms`, `20.4 s`, `2 min 5 s`, `1 h 12 min`. Limits of up to two minutes
/// stay in seconds, as they are configured.
fn duration(millis: i128, lang: Lang) -> String {
    let [ms, s, min, h] = match lang {
        Lang::Ja => ["ミリ秒", "秒", "分", "時間"],
        Lang::En => [" ms", " s", " min", " h"],
        Lang::Zh => [" 毫秒", " 秒", " 分", " 小时"],
    };
    let gap = if lang == Lang::Ja { "" } else { " " };
    let sign = if millis < 0 { "-" } else { "" };
    let size = millis.unsigned_abs();
    let (seconds, tenths) = (size / 1000, size % 1000 / 100);
    let text = match size {
        0..1_000 => format!("{size}{ms}"),
        1_000..120_000 if tenths == 0 => format!("{seconds}{s}"),
        1_000..120_000 => format!("{seconds}.{tenths}{s}"),
        120_000..3_600_000 => two(seconds / 60, min, seconds % 60, s, gap),
        _ => two(seconds / 3600, h, seconds / 60 % 60, min, gap),
    };
    format!("{sign}{text}")
}

fn two(large: u128, large_unit: &str, small: u128, small_unit: &str, gap: &str) -> String {
    match small {
        0 => format!("{large}{large_unit}"),
        _ => format!("{large}{large_unit}{gap}{small}{small_unit}"),
    }
}

/// An RFC 3339 moment in UTC as a date and a time of day; anything else stays as it is.
fn moment(text: &str) -> String {
    let Some((date, time)) = text.strip_suffix('Z').and_then(|utc| utc.split_once('T')) else {
        return text.to_owned();
    };
    let seconds = time.split_once('.').map_or(time, |(seconds, _)| seconds);
    format!("{date} {seconds} UTC")
}

/// The text on one line, without characters that could hide or reorder what stands around it.
pub(crate) fn clean(text: &str) -> String {
    let harmless = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().filter(harmless).take(super::MAX_PARAM_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(unit: Unit, value: Value) -> [String; 3] {
        [Lang::En, Lang::Ja, Lang::Zh].map(|lang| unit.show(&value, lang).unwrap())
    }

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(shown(Unit::Millis, json!(850)), ["850 ms", "850ミリ秒", "850 毫秒"]);
        assert_eq!(shown(Unit::Millis, json!(20_449)), ["20.4 s", "20.4秒", "20.4 秒"]);
        assert_eq!(shown(Unit::Millis, json!(70_000)), ["70 s", "70秒", "70 秒"]);
        assert_eq!(shown(Unit::Millis, json!(125_900)), ["2 min 5 s", "2分5秒", "2 分 5 秒"]);
        assert_eq!(shown(Unit::Millis, json!(4_320_000)), ["1 h 12 min", "1時間12分", "1 小时 12 分"]);
        assert_eq!(shown(Unit::Millis, json!(7_200_000)), ["2 h", "2時間", "2 小时"]);
        assert_eq!(shown(Unit::Millis, json!(-1_500)), ["-1.5 s", "-1.5秒", "-1.5 秒"]);
    }

    #[test]
    fn sizes_are_exact_and_grouped() {
        assert_eq!(
            shown(Unit::Bytes, json!(1_048_577)),
            ["1,048,577 bytes", "1,048,577バイト", "1,048,577 字节"]
        );
        assert_eq!(shown(Unit::Bytes, json!(1))[0], "1 byte");
        assert_eq!(shown(Unit::Offset, json!(999))[0], "999");
        assert_eq!(shown(Unit::Count, json!(-1_000))[0], "-1,000");
        assert_eq!(shown(Unit::Count, json!(u64::MAX))[0], "18,446,744,073,709,551,615");
    }

    #[test]
    fn numbers_that_stand_for_names_are_named() {
        assert_eq!(shown(Unit::Errno, json!(104))[0], "ECONNRESET (104)");
        assert_eq!(shown(Unit::Errno, json!(4_000))[0], "errno 4000");
        assert_eq!(shown(Unit::MessageType, json!(9)), ["video", "映像", "视频"]);
        assert_eq!(shown(Unit::MessageType, json!(77))[0], "77");
        assert_eq!(shown(Unit::Marker, json!(13))[0], "0x0d");
        assert_eq!(shown(Unit::Word, json!("muxer"))[0], "muxer");
        assert_eq!(shown(Unit::Word, json!("a word of a newer version"))[0], "a word of a newer version");
    }

    #[test]
    fn a_position_is_counted_from_one() {
        assert_eq!(shown(Unit::Position, json!(0))[0], "1");
    }

    #[test]
    fn rates_have_a_tenth_only_if_it_says_something() {
        assert_eq!(shown(Unit::Rate, json!(60))[0], "60");
        assert_eq!(shown(Unit::Rate, json!(59.94))[0], "59.9");
    }

    #[test]
    fn a_moment_shows_its_zone() {
        assert_eq!(shown(Unit::Time, json!("2026-11-22T20:03:11.250Z"))[0], "2026-11-22 20:03:11 UTC");
        assert_eq!(shown(Unit::Time, json!("2026-11-22T20:03:11+09:00"))[0], "2026-11-22T20:03:11+09:00");
    }

    #[test]
    fn text_from_a_client_cannot_hide_or_reorder_what_stands_around_it() {
        assert_eq!(shown(Unit::Text, json!("a\n\u{202e}b\u{7}\u{200b}c"))[0], "abc");
        assert_eq!(shown(Unit::Text, json!(1_000_000_001))[0], "1000000001");
    }

    #[test]
    fn a_sentence_within_ours_loses_its_stop() {
        assert_eq!(shown(Unit::Sentence, json!("No route to host."))[0], "No route to host");
    }

    #[test]
    fn a_value_that_says_nothing_is_no_text() {
        for value in [Value::Null, json!(""), json!(" \n"), json!([1]), json!({ "a": 1 })] {
            assert_eq!(Unit::Text.show(&value, Lang::En), None);
        }
    }
}
