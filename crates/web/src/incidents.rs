//! Ends that have something in common: what an operator asks when several streams fall at once.
//!
//! Unexpected ends that follow each other closely are one incident once there are enough of them. Of what they share, the
//! value that most of them have, and that other pushes of the day have much less often, names the incident.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;
use model::{Code, Record, Timestamp};

/// Ends further apart than this are of different incidents, ms.
const APART_MS: i64 = 20_000;
/// Fewer ends than this are no incident.
const ENOUGH: usize = 5;
/// A value that fewer of the ends share than this names nothing, percent.
const MOST: usize = 70;
/// A value is told by how much oftener it is among the ends than elsewhere.
const OFTENER: f64 = 2.0;
/// Takeovers of one key by two addresses that make a duel.
const DUEL: usize = 2;

/// Several ends with something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The first of the ends.
    pub since: Timestamp,
    /// The last of them.
    pub until: Timestamp,
    /// How many there are.
    pub ends: usize,
    /// The streams that fell, each once.
    pub streams: usize,
    /// What they share, the most telling first; empty where nothing stands out.
    pub shared: Vec<Shared>,
    /// The causes with their counts, most first.
    pub causes: Vec<(Code, usize)>,
    /// Set for two sources that fought for one key.
    pub duel: Option<Duel>,
}

/// A value that most ends of an incident share.
#[derive(Clone, Debug, PartialEq)]
pub struct Shared {
    /// What kind of value.
    pub kind: Kind,
    /// The value.
    pub value: String,
    /// Ends of the incident that have it.
    pub count: usize,
    /// How much of everything else has it, percent; `None` where there is nothing to compare with.
    pub elsewhere: Option<usize>,
}

impl Shared {
    /// Whether this explains the incident as good as surely: all but one in twenty, and rare elsewhere.
    pub fn is_strong(&self, ends: usize) -> bool {
        self.count * 20 >= ends * 19 && self.elsewhere.is_some_and(|percent| percent <= 20)
    }
}

/// What ends can share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A /24 or a /48 of client addresses.
    Network,
    /// The node that took the pushes.
    Node,
    /// The encoder's name and version.
    Encoder,
    /// The push domain.
    Domain,
    /// The cause.
    Cause,
}

/// Two sources that fought for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duel {
    /// `domain/app/stream`.
    pub key: String,
    /// Both addresses.
    pub addresses: Vec<IpAddr>,
}

/// Finds the incidents in records of any order; the newest first.
pub fn find(records: &[Record]) -> Vec<Incident> {
    let mut ends: Vec<&Record> = records.iter().filter(|record| is_unexpected(record)).collect();
    ends.sort_by_key(|record| record.ended_at);
    let mut incidents = duels(records);
    let close = |a: &&Record, b: &&Record| b.ended_at.millis() - a.ended_at.millis() <= APART_MS;
    for cluster in ends.chunk_by(close).filter(|cluster| cluster.len() >= ENOUGH) {
        let inside: HashSet<_> = cluster.iter().map(|record| record.id).collect();
        let others: Vec<&Record> = records.iter().filter(|record| !inside.contains(&record.id)).collect();
        incidents.extend(incident(cluster, &others));
    }
    incidents.sort_by_key(|incident| std::cmp::Reverse(incident.until));
    incidents
}

/// What nobody meant: no goodbye, no order of an operator, no push that another replaced, no refusal of a single URL.
pub fn is_unexpected(record: &Record) -> bool {
    match (record.errcode, record.sub_errcode) {
        (1 | 2 | 21 | 35 | 37, _) => false,
        (18, sub) => sub < 200,
        _ => true,
    }
}

fn incident(ends: &[&Record], others: &[&Record]) -> Option<Incident> {
    let (first, last) = (ends.first()?, ends.last()?);
    let mut streams: Vec<_> = ends.iter().map(|r| (&r.domain, &r.app, &r.stream)).collect();
    streams.sort();
    streams.dedup();
    // One stream that flaps is a matter of that stream.
    if streams.len() < 2 {
        return None;
    }
    let mut shared: Vec<Shared> = [Kind::Network, Kind::Node, Kind::Encoder, Kind::Domain, Kind::Cause]
        .into_iter()
        .filter_map(|kind| most_common(kind, ends, others))
        .collect();
    shared.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a.kind.cmp(&b.kind)));
    let mut causes: BTreeMap<Code, usize> = BTreeMap::new();
    for record in ends {
        *causes.entry(record.code()).or_default() += 1;
    }
    let mut causes: Vec<(Code, usize)> = causes.into_iter().collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Some(Incident {
        since: first.ended_at,
        until: last.ended_at,
        ends: ends.len(),
        streams: streams.len(),
        shared,
        causes,
        duel: None,
    })
}

/// How much a value stands out: its share of the ends less its share elsewhere.
fn weight(shared: &Shared) -> f64 {
    shared.count as f64 * (1.0 - shared.elsewhere.unwrap_or(50) as f64 / 100.0)
}

fn most_common(kind: Kind, ends: &[&Record], others: &[&Record]) -> Option<Shared> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for record in ends {
        if let Some(value) = value(kind, record) {
            *counts.entry(value).or_default() += 1;
        }
    }
    let (value_of_most, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    if count * 100 < ends.len() * MOST {
        return None;
    }
    let known: Vec<String> = others.iter().filter_map(|record| value(kind, record)).collect();
    let same = known.iter().filter(|value| **value == value_of_most).count();
    let elsewhere = (known.len() >= ENOUGH).then(|| same * 100 / known.len().max(1));
    let oftener = match elsewhere {
        Some(percent) => count as f64 * 100.0 / ends.len() as f64 >= OFTENER * percent as f64,
        // With nothing to compare, what every end shares is worth saying; a node alone has only itself.
        None => kind != Kind::Node,
    };
    oftener.then_some(Shared { kind, value: value_of_most, count, elsewhere })
}

fn value(kind: Kind, record: &Record) -> Option<String> {
    match kind {
        Kind::Network => {
            let prefix = if record.client_ip.is_ipv4() { 24 } else { 48 };
            IpNet::new(record.client_ip, prefix).ok().map(|network| network.trunc().to_string())
        }
        Kind::Node => Some(record.node.clone()),
        Kind::Encoder => record.encoder.clone(),
        Kind::Domain => record.domain.clone(),
        Kind::Cause => Some(record.code().to_string()),
    }
}

fn duels(records: &[Record]) -> Vec<Incident> {
    let mut by_key: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for record in records {
        let fights = matches!((record.errcode, record.sub_errcode), (21, 102) | (18, 601));
        if let (true, Some(domain), Some(app), Some(stream)) =
            (fights, &record.domain, &record.app, &record.stream)
        {
            by_key.entry(format!("{domain}/{app}/{stream}")).or_default().push(record);
        }
    }
    by_key.into_iter().filter_map(|(key, fights)| duel(key, fights)).collect()
}

fn duel(key: String, mut fights: Vec<&Record>) -> Option<Incident> {
    fights.sort_by_key(|record| record.ended_at);
    let mut addresses: Vec<IpAddr> = fights.iter().map(|record| record.client_ip).collect();
    addresses.sort();
    addresses.dedup();
    if addresses.len() < 2 || fights.len() < DUEL {
        return None;
    }
    let mut causes: BTreeMap<Code, usize> = BTreeMap::new();
    for record in &fights {
        *causes.entry(record.code()).or_default() += 1;
    }
    Some(Incident {
        since: fights.first()?.ended_at,
        until: fights.last()?.ended_at,
        ends: fights.len(),
        streams: 1,
        shared: Vec::new(),
        causes: causes.into_iter().collect(),
        duel: Some(Duel { key, addresses }),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    const AT: i64 = 1_795_383_346_000;

    pub(crate) fn record(stream: &str, ip: &str, code: (u16, u16), at: i64) -> Record {
        let id = SystemClock.push_id();
        Record {
            id,
            sequence: id.sequence(),
            source: "lastframe".into(),
            account: Some(1),
            domain: Some("push.example.com".into()),
            app: Some("live".into()),
            stream: Some(stream.into()),
            protocol: "rtmp".into(),
            client_ip: ip.parse().unwrap(),
            client_port: 1,
            node: "node-1".into(),
            connected_at: Timestamp(at - 60_000),
            published_at: Some(Timestamp(at - 59_000)),
            ended_at: Timestamp(at),
            duration_ms: 59_000,
            errcode: code.0,
            sub_errcode: code.1,
            errmsg: String::new(),
            side: "network".into(),
            detail: None,
            attempts: 1,
            last_attempt_at: None,
            bytes_in: 0,
            bytes_out: 0,
            video: None,
            audio: None,
            encoder: Some("obs 30".into()),
            stream_param: None,
        }
    }

    /// Pushes that ended as they should all over the day, from everywhere.
    fn ordinary(count: usize) -> Vec<Record> {
        (0..count)
            .map(|n| {
                record(&format!("o{n}"), &format!("198.51.{n}.7"), (1, 0), AT - 3_600_000 - n as i64 * 60_000)
            })
            .collect()
    }

    #[test]
    fn ends_of_one_network_within_seconds_are_one_incident_and_it_is_named() {
        let mut records = ordinary(20);
        for n in 0..14 {
            records.push(record(&format!("s{n}"), &format!("203.0.113.{n}"), (12, 0), AT + n * 900));
        }
        records.push(record("elsewhere", "192.0.2.1", (3, 0), AT + 3_000));
        let incidents = find(&records);
        assert_eq!(incidents.len(), 1);
        let incident = &incidents[0];
        assert_eq!((incident.ends, incident.streams), (15, 15));
        let network = incident.shared.iter().find(|shared| shared.kind == Kind::Network).unwrap();
        assert_eq!((network.value.as_str(), network.count), ("203.0.113.0/24", 14));
        assert!(
            incident.shared.iter().all(|shared| shared.kind != Kind::Encoder),
            "everybody has that encoder"
        );
        assert_eq!(incident.causes[0], (Code::new(12, 0), 14));
    }

    #[test]
    fn few_ends_far_ones_and_those_that_were_meant_are_no_incident() {
        let mut records = ordinary(20);
        records.extend((0..4).map(|n| record(&format!("s{n}"), "203.0.113.1", (12, 0), AT + n)));
        records.extend(
            (0..9).map(|n| record(&format!("t{n}"), "203.0.113.1", (12, 0), AT + 60_000 + n * 60_000)),
        );
        records.extend((0..9).map(|n| record(&format!("u{n}"), "203.0.113.1", (1, 0), AT + n)));
        assert_eq!(find(&records), []);
    }

    #[test]
    fn one_stream_that_flaps_is_no_incident() {
        let records: Vec<_> = (0..9).map(|n| record("same", "203.0.113.1", (3, 0), AT + n * 1_000)).collect();
        assert_eq!(find(&records), []);
    }

    #[test]
    fn two_sources_that_fight_for_a_key_are_one_incident_with_both_addresses() {
        let records = [
            record("key", "203.0.113.1", (21, 102), AT),
            record("key", "203.0.113.2", (21, 102), AT + 5_000),
            record("key", "203.0.113.2", (18, 601), AT + 9_000),
        ];
        let incidents = find(&records);
        assert_eq!(incidents.len(), 1);
        let duel = incidents[0].duel.as_ref().unwrap();
        assert_eq!(
            (duel.key.as_str(), duel.addresses.len(), incidents[0].ends),
            ("push.example.com/live/key", 2, 3)
        );
    }
}
