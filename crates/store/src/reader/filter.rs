//! The conditions of a query, in a form that can be held against rows of either kind of database.

use ipnet::IpNet;
use model::{Code, Record};
use rusqlite::Row;

use super::query::RecordQuery;
use crate::columns::address;

/// A condition on the stream's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum StreamName {
    Is(String),
    /// Contains this, whatever the letter case; never empty.
    Contains(Part),
}

/// Part of a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Part {
    pub text: String,
    lower: String,
}

impl Part {
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), lower: text.to_lowercase() }
    }

    /// In lower case.
    #[cfg(feature = "postgres")]
    pub fn lower(&self) -> &str {
        &self.lower
    }

    pub fn is_in(&self, name: &str) -> bool {
        if name.is_ascii() && self.lower.is_ascii() {
            let part = self.lower.as_bytes();
            return name.as_bytes().windows(part.len()).any(|here| here.eq_ignore_ascii_case(part));
        }
        name.to_lowercase().contains(&self.lower)
    }
}

/// The conditions of a query. Names are compared by the databases in their own ways; everything else here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    pub stream: Option<StreamName>,
    pub domain: Option<String>,
    pub app: Option<String>,
    pub codes: Vec<Code>,
    pub side: Option<String>,
    pub account: Option<i64>,
    pub ip: Option<IpNet>,
    /// Only pushes that went live; heeded by counted lists alone.
    pub published: bool,
}

impl Filter {
    pub fn of(query: &RecordQuery) -> Self {
        let stream = query.stream.as_deref().map(|name| match query.fuzzy {
            true => StreamName::Contains(Part::new(name)),
            false => StreamName::Is(name.to_owned()),
        });
        let mut codes = query.codes.clone();
        codes.sort_unstable();
        codes.dedup();
        Self {
            // Every name contains nothing, and so does no name.
            stream: stream.filter(|name| !matches!(name, StreamName::Contains(part) if part.text.is_empty())),
            domain: query.domain.as_ref().map(|domain| domain.to_ascii_lowercase()),
            app: query.app.clone(),
            codes,
            side: query.side.clone(),
            account: query.account.map(u64::cast_signed),
            ip: query.ip.map(|network| network.trunc()),
            published: false,
        }
    }

    /// Whether a record satisfies the conditions; names are compared as the journal compares them.
    pub fn matches(&self, record: &Record) -> bool {
        let stream = match (&self.stream, &record.stream) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(StreamName::Is(wanted)), Some(name)) => name == wanted,
            (Some(StreamName::Contains(part)), Some(name)) => part.is_in(name),
        };
        stream
            && (self.domain.is_none() || self.domain == record.domain)
            && (self.app.is_none() || self.app == record.app)
            && (self.codes.is_empty() || self.codes.contains(&record.code()))
            && self.side.as_ref().is_none_or(|side| *side == record.side)
            && (self.account.is_none() || self.account == record.account.map(u64::cast_signed))
            && self.ip.as_ref().is_none_or(|network| network.contains(&record.client_ip.to_canonical()))
            && (!self.published || record.published_at.is_some())
    }

    /// How many conditions there are besides time.
    pub fn conditions(&self) -> usize {
        let Self { stream, domain, app, codes, side, account, ip, published } = self;
        let each = [
            stream.is_some(),
            domain.is_some(),
            app.is_some(),
            !codes.is_empty(),
            side.is_some(),
            account.is_some(),
            ip.is_some(),
            *published,
        ];
        each.into_iter().filter(|there| *there).count()
    }

    /// Whether code, side, account and address, in the columns from `first` on, satisfy the conditions.
    pub fn admits(&self, row: &Row<'_>, first: usize) -> rusqlite::Result<bool> {
        if !self.codes.is_empty() {
            let code = Code::new(row.get(first)?, row.get(first + 1)?);
            if !self.codes.contains(&code) {
                return Ok(false);
            }
        }
        if let Some(side) = &self.side
            && row.get_ref(first + 2)?.as_str().ok() != Some(side)
        {
            return Ok(false);
        }
        if let Some(account) = self.account
            && row.get::<_, Option<i64>>(first + 3)? != Some(account)
        {
            return Ok(false);
        }
        if let Some(network) = &self.ip {
            let ip = address(row.get_ref(first + 4)?);
            return Ok(ip.is_ok_and(|ip| network.contains(&ip)));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_in_any_letter_case_and_script() {
        for (part, name) in
            [("LIVE", "my-live-1"), ("ÉCO", "école"), ("配信", "朝の配信1"), ("a", "A"), ("ß", "Straße")]
        {
            assert!(Part::new(part).is_in(name), "{part} in {name}");
        }
        for (part, name) in [("live", "liv"), ("配信", "配"), ("abc", "")] {
            assert!(!Part::new(part).is_in(name), "{part} in {name}");
        }
    }
}
