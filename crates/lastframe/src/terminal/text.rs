//! Text as a terminal shows it.

use jiff::tz::TimeZone;
use model::Timestamp;

/// `text` without control characters: a stream name must not move the reader's cursor or recolour the screen.
pub fn clean(text: &str) -> String {
    let harmless =
        |c: char| !c.is_control() && !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if harmless(c) { c } else { '\u{FFFD}' }).collect()
}

/// Columns that `text` takes: two for the wide characters of East Asia.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36F}' | '\u{200B}'..='\u{200D}' | '\u{FE00}'..='\u{FE0F}' => 0,
        '\u{1100}'..='\u{115F}'
        | '\u{2E80}'..='\u{303E}'
        | '\u{3041}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF60}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1F300}'..='\u{1FAFF}'
        | '\u{20000}'..='\u{3FFFD}' => 2,
        _ => 1,
    }
}

/// `text` filled with blanks to `columns`, or cut with an ellipsis.
pub fn fit(text: &str, columns: usize) -> String {
    let taken = width(text);
    if taken <= columns {
        return format!("{text}{}", " ".repeat(columns - taken));
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        if used + char_width(c) + 1 > columns {
            break;
        }
        used += char_width(c);
        cut.push(c);
    }
    cut.push('…');
    format!("{cut}{}", " ".repeat(columns.saturating_sub(used + 1)))
}

/// A duration as people say it: `0.8 s`, `42 s`, `3 min 20 s`, `1 h 12 min`, `2 d 3 h`.
pub fn duration(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..10 => format!("{seconds}.{} s", millis % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A number of bytes as people say it.
pub fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", count as f64 / *size as f64),
        None => format!("{count} B"),
    }
}

/// A time in the reader's zone, to the second.
pub fn local_time(time: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_millisecond(time.millis()) {
        Ok(t) => t.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => time.to_string(),
    }
}

/// `text` in lines of at most `columns`, broken at blanks where there are some.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        if width(&line) + width(word.trim_end()) > columns && !line.is_empty() {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        for c in word.chars() {
            // Japanese and Chinese have no blanks to break at.
            if width(&line) + char_width(c) > columns && c != ' ' {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
            }
            line.push(c);
        }
    }
    if !line.trim_end().is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\n"), "a\u{FFFD}[31mb\u{FFFD}");
        assert_eq!(clean("a\u{202e}b"), "a\u{FFFD}b");
        assert_eq!(clean("配信"), "配信");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("配信a"), 5);
        assert_eq!(fit("配信a", 7), "配信a  ");
        assert_eq!(fit("配信abc", 5), "配信…");
        assert_eq!(width(&fit("配信配信", 6)), 6);
    }

    #[test]
    fn durations_read_as_people_say_them() {
        for (ms, said) in [
            (0, "0.0 s"),
            (812, "0.8 s"),
            (42_000, "42 s"),
            (200_000, "3 min 20 s"),
            (4_320_000, "1 h 12 min"),
            (183_600_000, "2 d 3 h"),
        ] {
            assert_eq!(duration(ms), said);
        }
    }

    #[test]
    fn long_text_is_wrapped_with_and_without_blanks() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("配信が終わりました", 8), ["配信が終", "わりまし", "た"]);
        assert_eq!(wrap("", 8), Vec::<String>::new());
    }
}
