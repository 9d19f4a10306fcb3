//! The filters of records, read from a query string; console and API share them.

use std::fmt::Display;
use std::time::Duration;

use cause::{Cause, Side};
use ipnet::IpNet;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::{Code, Timestamp};
use store::{Cursor, Page, Reader, RecordQuery, StoreError};

use crate::actions::Scope;

/// Records on one page unless `limit` says otherwise.
pub const PAGE: usize = 50;
/// Records on one page at most.
pub const MAX_PAGE: usize = 500;
/// Longest value of a text filter, bytes; names have at most 255.
const MAX_TEXT: usize = 1024;

/// A parameter that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct FilterError {
    /// The parameter.
    pub field: String,
    /// What it should look like.
    pub what: String,
}

/// Which records are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Stream name.
    pub stream: Option<String>,
    /// `stream` may be a part of the name.
    pub fuzzy: bool,
    /// Push domain.
    pub domain: Option<String>,
    /// App.
    pub app: Option<String>,
    /// Client network.
    pub ip: Option<IpNet>,
    /// Causes; empty means all.
    pub codes: Vec<Code>,
    /// Who ended it.
    pub side: Option<Side>,
    /// Ended at or after.
    pub since: Option<Moment>,
    /// Ended before.
    pub until: Option<Moment>,
    /// Records on a page.
    pub limit: Option<usize>,
    /// Go on after this place.
    pub after: Option<Cursor>,
    /// Parameters that are no filters.
    pub unknown: Vec<String>,
}

/// A point in time: fixed, or a duration before now, which stays what it is in a link that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At this time.
    At(Timestamp),
    /// This long ago; the text is as given.
    Ago(Duration, String),
}

impl Moment {
    fn at(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => *time,
            Self::Ago(duration, _) => now.minus(*duration),
        }
    }

    /// Reads `24h`, RFC 3339, or what a browser's date field sends, which means UTC.
    pub fn read(text: &str) -> Option<Self> {
        if let Some(duration) = ago(text) {
            return Some(Self::Ago(duration, text.to_owned()));
        }
        // What a browser's date field sends; it has no zone, and means UTC here.
        let local = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
        Timestamp::parse(text)
            .or_else(|| local().map(|z| Timestamp(z.timestamp().as_millisecond())))
            .map(Self::At)
    }
}

impl Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::At(time) => write!(f, "{time}"),
            Self::Ago(_, text) => f.write_str(text),
        }
    }
}

fn ago(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(seconds)
        .filter(|s| *s <= 36_600 * 86_400)
        .map(Duration::from_secs)
}

impl Filter {
    /// Reads the pairs of a query string. Empty values do not count.
    pub fn read(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        for (name, value) in pairs {
            let value = value.trim();
            if !value.is_empty() {
                filter.take(&name, value)?;
            }
        }
        Ok(filter)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), FilterError> {
        let wrong = |what: &str| FilterError { field: name.to_owned(), what: what.to_owned() };
        if value.len() > MAX_TEXT {
            return Err(wrong("is too long"));
        }
        match name {
            "stream" => self.stream = Some(value.to_owned()),
            "fuzzy" => match value {
                "true" | "1" => self.fuzzy = true,
                "false" | "0" => self.fuzzy = false,
                _ => return Err(wrong("write true or false")),
            },
            "domain" => self.domain = Some(value.to_ascii_lowercase()),
            "app" => self.app = Some(value.to_owned()),
            "ip" => {
                let single = || value.parse::<std::net::IpAddr>().ok().map(IpNet::from);
                self.ip = Some(
                    value
                        .parse()
                        .ok()
                        .or_else(single)
                        .ok_or_else(|| wrong("write an address or a network such as 203.0.113.0/24"))?,
                );
            }
            "code" => {
                for text in value.split(',') {
                    let code: Code = text.parse().map_err(|_| wrong("write a code such as 18/503"))?;
                    if Cause::from_code(code).is_none() {
                        return Err(wrong("there is no such cause"));
                    }
                    self.codes.push(code);
                }
            }
            "side" => {
                self.side = Some(
                    value.parse().map_err(|_| wrong("write client, network, server, policy or operator"))?,
                );
            }
            "since" => self.since = Some(Moment::read(value).ok_or_else(|| wrong(TIME))?),
            "until" => self.until = Some(Moment::read(value).ok_or_else(|| wrong(TIME))?),
            "limit" => {
                let limit = value.parse().ok().filter(|n| (1..=MAX_PAGE).contains(n));
                self.limit = Some(limit.ok_or_else(|| wrong("write a number from 1 to 500"))?);
            }
            "after" => {
                self.after = Some(value.parse().map_err(|_| wrong("write what `next` said, unchanged"))?)
            }
            _ => self.unknown.push(name.to_owned()),
        }
        Ok(())
    }

    /// The question to the store, within what the asker may see.
    pub fn to_query(&self, scope: Scope, now: Timestamp) -> RecordQuery {
        RecordQuery {
            stream: self.stream.clone(),
            fuzzy: self.fuzzy,
            domain: self.domain.clone(),
            app: self.app.clone(),
            ip: self.ip,
            codes: self.codes.clone(),
            side: self.side.map(|s| s.as_str().to_owned()),
            account: scope.account(),
            since: self.since.as_ref().map(|m| m.at(now)),
            until: self.until.as_ref().map(|m| m.at(now)),
            limit: self.limit.unwrap_or(PAGE),
            after: self.after,
        }
    }

    /// Whether anything is filtered.
    pub fn is_empty(&self) -> bool {
        *self
            == Self { limit: self.limit, after: self.after, unknown: self.unknown.clone(), ..Self::default() }
    }

    /// The filters as a query string, going on after `after`.
    pub fn to_query_string(&self, after: Option<&Cursor>) -> String {
        let mut text = QueryText::default();
        text.push("stream", self.stream.as_deref());
        text.push("fuzzy", self.fuzzy.then_some("true"));
        text.push("domain", self.domain.as_deref());
        text.push("app", self.app.as_deref());
        text.push("ip", self.ip.map(|n| n.to_string()).as_deref());
        let codes: Vec<String> = self.codes.iter().map(Code::to_string).collect();
        text.push("code", Some(codes.join(",").as_str()).filter(|c| !c.is_empty()));
        text.push("side", self.side.map(Side::as_str));
        text.push("since", self.since.as_ref().map(Moment::to_string).as_deref());
        text.push("until", self.until.as_ref().map(Moment::to_string).as_deref());
        text.push("limit", self.limit.map(|l| l.to_string()).as_deref());
        text.push("after", after.map(|c| c.to_string()).as_deref());
        text.0
    }
}

/// A link to the records that these filters leave.
pub fn link(filters: &[(&str, &str)]) -> String {
    let mut text = QueryText::default();
    for (name, value) in filters {
        text.push(name, Some(value));
    }
    format!("/records{}", text.0)
}

/// A query string with more pairs behind those that it has.
pub fn extended(query: &str, more: &[(&str, &str)]) -> String {
    let mut text = QueryText(query.to_owned());
    for (name, value) in more {
        text.push(name, Some(value));
    }
    text.0
}

/// A page as full as the records make it, though the store looks at a bounded number of rows at a time. Gives up after
/// a few times with what was found and where to go on, so that no request holds a thread for long.
pub fn full_page(reader: &Reader, mut query: RecordQuery) -> Result<Page, StoreError> {
    const ROUNDS: usize = 20;
    let mut full = Page::default();
    let wanted = query.limit;
    for _ in 0..ROUNDS {
        query.limit = wanted - full.records.len();
        let page = reader.query(&query)?;
        full.records.extend(page.records);
        full.next = page.next;
        full.here_only |= page.here_only;
        query.after = page.next;
        if full.next.is_none() || full.records.len() >= wanted {
            break;
        }
    }
    Ok(full)
}

const TIME: &str = "write a duration (24h) or a time (2026-01-31T20:00:00Z)";

/// A query string in the making.
#[derive(Default)]
struct QueryText(String);

impl QueryText {
    fn push(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        self.0.push_str(if self.0.is_empty() { "?" } else { "&" });
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    self.0.push(char::from(byte))
                }
                _ => self.0.push_str(&format!("%{byte:02X}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Filter, FilterError> {
        Filter::read(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn empty_fields_of_a_form_do_not_filter() {
        let filter = read(&[("stream", ""), ("domain", " "), ("code", "")]).unwrap();
        assert!(filter.is_empty());
    }

    #[test]
    fn a_filter_survives_its_own_link() {
        let filter = read(&[
            ("stream", "配信 1&x"),
            ("fuzzy", "true"),
            ("domain", "Push.Example.com"),
            ("ip", "192.0.2.7"),
            ("code", "18/503,3/0"),
            ("side", "policy"),
            ("since", "24h"),
            ("until", "2026-01-31T20:00:00Z"),
        ])
        .unwrap();
        let link = filter.to_query_string(None);
        assert!(
            link.starts_with("?stream=%E9%85%8D%E4%BF%A1%201%26x&fuzzy=true&domain=push.example.com"),
            "{link}"
        );
        let uri: axum::http::Uri = format!("/records{link}").parse().unwrap();
        let axum::extract::Query(pairs) =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).unwrap();
        assert_eq!(Filter::read(pairs).unwrap(), filter);
    }

    #[test]
    fn wrong_values_name_their_parameter() {
        for (name, value) in [
            ("ip", "nowhere"),
            ("code", "18/999"),
            ("code", "x"),
            ("side", "moon"),
            ("since", "yesterday"),
            ("until", "24"),
            ("limit", "0"),
            ("limit", "501"),
            ("fuzzy", "maybe"),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err().field, name);
        }
    }

    #[test]
    fn times_are_ago_absolute_or_a_browsers_date_in_utc() {
        let now = Timestamp(10_000_000);
        let since = |text: &str| read(&[("since", text)]).unwrap().to_query(Scope::All, now).since;
        assert_eq!(since("1h"), Some(Timestamp(6_400_000)));
        assert_eq!(since("1970-01-01T01:00"), Some(Timestamp(3_600_000)));
        assert_eq!(since("1970-01-01T02:00:00+01:00"), Some(Timestamp(3_600_000)));
    }
}
