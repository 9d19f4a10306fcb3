//! What happened around a record: the pushes of the same stream before and after it, and others from the same address or
//! network at that minute.

use std::net::IpAddr;

use ipnet::IpNet;
use model::{Record, Timestamp};
use store::{Reader, RecordQuery, StoreError};

use crate::actions::Scope;
use crate::console::frame::Frame;
use crate::console::show::{Chip, When, duration};

/// How far the search for the same stream looks, either way, ms.
const SAME_STREAM: i64 = 24 * 3_600_000;
/// Pushes of the same stream that are shown, each way.
const EACH_WAY: usize = 3;
/// What ended this long before or after counts as the same minute, ms.
const SAME_MINUTE: i64 = 60_000;
/// Others that are shown.
const OTHERS: usize = 10;

/// What the page shows of other records.
#[derive(Default)]
pub(super) struct Found {
    /// Of the same stream, newest first, this one among them.
    pub same_stream: Vec<Record>,
    /// From the same network at that minute.
    pub same_network: Vec<Record>,
    /// The network that was searched.
    pub network: Option<IpNet>,
}

/// One line of a list.
pub(super) struct Line {
    pub link: String,
    pub stream: String,
    pub end: When,
    pub duration: String,
    pub client: String,
    pub chip: Chip,
    /// It is the record that the page shows.
    pub is_this: bool,
    /// What viewers saw between the push before and this one; empty for nothing.
    pub gap: String,
}

/// Searches; blocks on the disk.
pub(super) fn find(reader: &Reader, record: &Record, scope: Scope) -> Result<Found, StoreError> {
    let around = |span: i64| {
        (Timestamp(record.ended_at.millis() - span), Timestamp(record.ended_at.millis() + span + 1))
    };
    let mut found = Found::default();
    if let (Some(domain), Some(app), Some(stream)) = (&record.domain, &record.app, &record.stream) {
        let (since, until) = around(SAME_STREAM);
        let same = RecordQuery {
            account: scope.account(),
            domain: Some(domain.clone()),
            app: Some(app.clone()),
            stream: Some(stream.clone()),
            ..RecordQuery::default()
        };
        let before = RecordQuery {
            since: Some(since),
            until: Some(Timestamp(record.ended_at.millis() + 1)),
            limit: EACH_WAY + 1,
            ..same.clone()
        };
        let after = RecordQuery { since: Some(record.ended_at), until: Some(until), limit: 100, ..same };
        let mut later = reader.query(&after)?.records;
        later.retain(|r| r.id != record.id);
        let skip = later.len().saturating_sub(EACH_WAY);
        found.same_stream = later.split_off(skip);
        found.same_stream.push(record.clone());
        let earlier = reader.query(&before)?.records;
        found.same_stream.extend(earlier.into_iter().filter(|r| r.id != record.id).take(EACH_WAY));
        found.same_stream.dedup_by_key(|r| r.id);
    }
    let network = network_of(record.client_ip);
    let (since, until) = around(SAME_MINUTE);
    let near = RecordQuery {
        account: scope.account(),
        ip: Some(network),
        since: Some(since),
        until: Some(until),
        limit: OTHERS + 1,
        ..RecordQuery::default()
    };
    found.same_network = reader.query(&near)?.records;
    found.same_network.retain(|r| r.id != record.id);
    found.same_network.truncate(OTHERS);
    found.network = Some(network);
    Ok(found)
}

/// What shares an uplink with the address, as a rule: a /24, or a /56 of IPv6.
fn network_of(ip: IpAddr) -> IpNet {
    let prefix = if ip.is_ipv4() { 24 } else { 56 };
    IpNet::new(ip, prefix).map_or_else(|_| IpNet::from(ip), |net| net.trunc())
}

/// The lists as the page shows them; `this` is the record of the page.
pub(super) fn lines(records: &[Record], this: &Record, f: &Frame) -> Vec<Line> {
    let live = |r: &Record| r.published_at.is_some();
    let line = |(index, record): (usize, &Record)| {
        // Newest first: the push before this one follows it in the list.
        let before = records
            .get(index + 1..)
            .unwrap_or_default()
            .iter()
            .find(|r| live(r) && r.stream == record.stream);
        let gap = match (record.published_at, before) {
            (Some(start), Some(before)) if start > before.ended_at => {
                let millis = start.millis() - before.ended_at.millis();
                f.tn("neighbour-gap", duration(f.words(), u64::try_from(millis).unwrap_or(0)))
            }
            (Some(_), Some(before)) if before.stream == this.stream => f.t("neighbour-no-gap"),
            _ => String::new(),
        };
        Line {
            link: format!("/records/{}", record.id),
            stream: record.stream.clone().unwrap_or_else(|| f.t("no-stream")),
            end: When::of(record.ended_at),
            duration: if live(record) { duration(f.words(), record.duration_ms) } else { String::new() },
            client: record.client_ip.to_string(),
            chip: Chip::of(record.code(), f.lang),
            is_this: record.id == this.id,
            gap,
        }
    };
    records.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_is_a_24_or_a_56() {
        assert_eq!(network_of("203.0.113.77".parse().unwrap()).to_string(), "203.0.113.0/24");
        assert_eq!(network_of("2001:db8:1:2ff::9".parse().unwrap()).to_string(), "2001:db8:1:200::/56");
    }
}
