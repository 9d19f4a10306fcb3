//! The filters of records and events as the fields of a form.

use crate::query::{Filter, Moment};

/// The filters as their fields show them.
pub struct FilterForm {
    /// Stream name, or a part of it.
    pub stream: String,
    /// Whether a part is enough.
    pub fuzzy: bool,
    /// Push domain.
    pub domain: String,
    /// Path.
    pub app: String,
    /// Address or network of the client.
    pub ip: String,
    /// The chosen range: `1h`, `24h`, `7d`; empty for all; `custom` where two times are given.
    pub range: &'static str,
    /// From, in UTC as a date field has it; empty unless two times are given.
    pub since: String,
    /// To, likewise.
    pub until: String,
}

/// The form's own fields as filters: `match=fuzzy`, and `range`, which stands for `since` unless two times are given.
pub fn from_form(pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    let range = pairs.iter().find(|(name, _)| name == "range").map(|(_, value)| value.clone());
    let custom = matches!(range.as_deref(), None | Some("custom"));
    let mut filters = Vec::new();
    for (name, value) in pairs {
        match name.as_str() {
            "match" => filters.push(("fuzzy".to_owned(), (value == "fuzzy").to_string())),
            "range" if !custom => filters.push(("since".to_owned(), value)),
            "range" => {}
            "since" | "until" if !custom => {}
            _ => filters.push((name, value)),
        }
    }
    filters
}

impl FilterForm {
    /// The form for these filters.
    pub fn of(filter: &Filter) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        // The form of a browser's date field, in UTC; the script shows it in the reader's zone.
        let field = |moment: &Option<Moment>| match moment {
            Some(Moment::At(time)) => time.to_string().get(..19).unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let range = match (&filter.since, &filter.until) {
            (None, None) => "",
            (Some(Moment::Ago(_, text)), None) => match text.as_str() {
                "1h" => "1h",
                "24h" => "24h",
                "7d" => "7d",
                _ => "custom",
            },
            _ => "custom",
        };
        Self {
            stream: text(&filter.stream),
            fuzzy: filter.fuzzy,
            domain: text(&filter.domain),
            app: text(&filter.app),
            ip: filter.ip.map(address).unwrap_or_default(),
            range,
            since: field(&filter.since),
            until: field(&filter.until),
        }
    }
}

/// A network of one address is shown as that address.
fn address(net: ipnet::IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_chosen_range_wins_over_times_left_in_the_form() {
        let read = from_form(pairs(&[("range", "24h"), ("since", "2026-01-01T00:00"), ("match", "fuzzy")]));
        assert_eq!(read, pairs(&[("since", "24h"), ("fuzzy", "true")]));
        let read = from_form(pairs(&[("range", "custom"), ("since", "2026-01-01T00:00")]));
        assert_eq!(read, pairs(&[("since", "2026-01-01T00:00")]));
    }

    #[test]
    fn the_form_shows_what_the_link_says() {
        let filter = Filter::read(pairs(&[("since", "7d"), ("ip", "192.0.2.1")])).unwrap();
        let form = FilterForm::of(&filter);
        assert_eq!((form.range, form.ip.as_str()), ("7d", "192.0.2.1"));
        let filter = Filter::read(pairs(&[("since", "2026-01-31T20:00:00Z")])).unwrap();
        let form = FilterForm::of(&filter);
        assert_eq!((form.range, form.since.as_str()), ("custom", "2026-01-31T20:00:00"));
    }
}
