//! Times as CSS writes them: UTC with `T` and `Z`, or Beijing time with neither.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use model::Timestamp;

/// Beijing's offset; it has had no other since 1991.
const BEIJING: Offset = jiff::tz::offset(8);

/// `2018-12-29T19:00:00Z`.
pub fn utc(time: Timestamp) -> String {
    written(time, Offset::UTC, "%Y-%m-%dT%H:%M:%SZ")
}

/// `2018-12-30 03:00:00`, Beijing time.
pub fn beijing(time: Timestamp) -> String {
    written(time, BEIJING, "%Y-%m-%d %H:%M:%S")
}

/// `2018-12-30 03:00:00.007`, Beijing time.
pub fn beijing_ms(time: Timestamp) -> String {
    written(time, BEIJING, "%Y-%m-%d %H:%M:%S.%3f")
}

/// `2018-12-29`, the UTC date of Unix seconds; `None` beyond the calendar.
pub fn utc_date(secs: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(secs).ok()?;
    Some(time.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string())
}

/// Reads UTC time.
pub fn read_utc(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text)
}

/// Reads UTC time, or Beijing time where there is neither `T` nor `Z`.
pub fn read_either(text: &str) -> Option<Timestamp> {
    read_utc(text).or_else(|| {
        let local = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
        let utc = Offset::UTC.to_timestamp(local).ok()?;
        Some(Timestamp(utc.as_millisecond()).minus(Duration::from_secs(8 * 3_600)))
    })
}

fn written(time: Timestamp, offset: Offset, format: &str) -> String {
    match jiff::Timestamp::from_millisecond(time.millis()) {
        Ok(time) => time.to_zoned(TimeZone::fixed(offset)).strftime(format).to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Timestamp = Timestamp(1_546_110_000_007);

    #[test]
    fn times_are_written_in_both_zones() {
        assert_eq!(utc(TIME), "2018-12-29T19:00:00Z");
        assert_eq!(beijing(TIME), "2018-12-30 03:00:00");
        assert_eq!(beijing_ms(TIME), "2018-12-30 03:00:00.007");
        assert_eq!(utc_date(TIME.secs()).as_deref(), Some("2018-12-29"));
        assert_eq!(utc_date(i64::MAX), None);
    }

    #[test]
    fn times_read_back_from_both_forms() {
        let whole = Timestamp(TIME.millis() - 7);
        assert_eq!(read_either("2018-12-29T19:00:00Z"), Some(whole));
        assert_eq!(read_either("2018-12-30 03:00:00"), Some(whole));
        assert_eq!(read_utc("2018-12-30 03:00:00"), None);
        for text in ["", "now", "2018-12-30", "2018-13-30 03:00:00", "2018-12-30 03:00:00 "] {
            assert_eq!(read_either(text), None, "{text}");
        }
    }
}
