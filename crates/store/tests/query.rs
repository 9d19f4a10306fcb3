//! Every query gives what holding its conditions against every record would give, page by page, wherever the records
//! stand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use common::*;
use ipnet::IpNet;
use model::{Clock, Code, PushId, Record, SystemClock, Timestamp};
use proptest::prelude::*;
use proptest::sample::select;
use store::{ListQuery, Reader, RecordQuery, Store, SummaryQuery};

const STREAMS: [&str; 8] = ["live-1", "live-2", "LIVE-3", "朝の配信", "配信", "x", "a\"b", "50%_off"];
const DOMAINS: [&str; 2] = ["push.example.com", "two.example.com"];
const APPS: [&str; 2] = ["live", "event/2025"];
const ADDRESSES: [&str; 5] = ["203.0.113.7", "203.0.113.8", "198.51.100.1", "2001:db8::7", "2001:db8:1::7"];
const CODES: [(u16, u16, &str); 5] =
    [(1, 0, "client"), (3, 0, "client"), (12, 0, "network"), (18, 503, "policy"), (11, 0, "server")];

fn record_strategy(now: Timestamp) -> impl Strategy<Value = Record> {
    let names =
        (proptest::option::weighted(0.9, select(&STREAMS[..])), select(&DOMAINS[..]), select(&APPS[..]));
    // Few different times, so that many records end in the same millisecond.
    let time = (0u64..3, 0u64..4)
        .prop_map(move |(day, ms)| now.minus(DAY * day as u32).minus(Duration::from_millis(ms)));
    (names, select(&ADDRESSES[..]), select(&CODES[..]), 0u64..3, time).prop_map(
        |((stream, domain, app), ip, (errcode, sub, side), account, ended_at)| {
            let mut record = record(SystemClock.push_id(), "", Code::new(errcode, sub), ended_at);
            record.stream = stream.map(str::to_owned);
            record.domain = Some(domain.to_owned());
            record.app = Some(app.to_owned());
            record.client_ip = ip.parse().unwrap();
            record.side = side.to_owned();
            record.account = (account > 0).then_some(account);
            if errcode == 18 || errcode == 3 && account == 1 {
                record.published_at = None;
            }
            record
        },
    )
}

fn query_strategy(now: Timestamp) -> impl Strategy<Value = RecordQuery> {
    let stream = prop_oneof![
        2 => Just(None),
        2 => select(&STREAMS[..]).prop_map(|s| Some((s.to_owned(), false))),
        3 => select(&["live", "LIVE-", "配信", "配", "x", "\"", "%", "_of", "nowhere", ""][..])
            .prop_map(|s| Some((s.to_owned(), true))),
    ];
    let networks =
        ["203.0.113.7/32", "203.0.113.0/24", "0.0.0.0/0", "2001:db8::/32", "2001:db8::7/128", "10.0.0.0/8"];
    let ip =
        proptest::option::weighted(0.3, select(networks.to_vec()).prop_map(|n| n.parse::<IpNet>().unwrap()));
    let codes = proptest::collection::vec(select(&CODES[..]).prop_map(|(e, s, _)| Code::new(e, s)), 0..3);
    let some = |p| proptest::option::weighted(p, 0u64..3);
    (stream, some(0.3), some(0.3), ip, codes, some(0.3), some(0.3), some(0.3), some(0.3), 1usize..20)
        .prop_map(move |(stream, domain, app, ip, codes, side, account, since, until, limit)| RecordQuery {
            fuzzy: stream.as_ref().is_some_and(|s| s.1),
            stream: stream.map(|s| s.0),
            domain: domain.map(|n| DOMAINS.get(n as usize).copied().unwrap_or("none.example.com").to_owned()),
            app: app.map(|n| APPS.get(n as usize).copied().unwrap_or("none").to_owned()),
            ip,
            codes,
            side: side.map(|n| CODES[n as usize + 1].2.to_owned()),
            account,
            since: since.map(|days| now.minus(DAY * days as u32).minus(Duration::from_millis(2))),
            until: until.map(|days| now.minus(DAY * days as u32).minus(Duration::from_millis(1))),
            limit,
            after: None,
        })
}

fn matches(record: &Record, query: &RecordQuery) -> bool {
    let stream = match (&query.stream, &record.stream) {
        (None, _) => true,
        (Some(part), _) if query.fuzzy && part.is_empty() => true,
        (Some(_), None) => false,
        (Some(part), Some(name)) if query.fuzzy => name.to_lowercase().contains(&part.to_lowercase()),
        (Some(wanted), Some(name)) => wanted == name,
    };
    let ip = |network: &IpNet| network.contains(&IpAddr::to_canonical(&record.client_ip));
    stream
        && (query.domain.is_none() || query.domain == record.domain)
        && (query.app.is_none() || query.app == record.app)
        && (query.account.is_none() || query.account == record.account)
        && query.side.as_ref().is_none_or(|side| *side == record.side)
        && query.ip.as_ref().is_none_or(ip)
        && (query.codes.is_empty() || query.codes.contains(&record.code()))
        && query.since.is_none_or(|since| record.ended_at >= since)
        && query.until.is_none_or(|until| record.ended_at < until)
}

/// A list in both orders, whole and without what never went live, page by page, holds what its conditions say.
fn check_lists(reader: &Reader, every: &[&Record], filter: &RecordQuery) -> Result<(), TestCaseError> {
    for (ascending, published) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut query =
            ListQuery { filter: filter.clone(), published, ascending, skip: 0, take: 7, count_to: 100 };
        let mut wanted: Vec<&Record> = every.iter().copied().filter(|r| matches(r, filter)).collect();
        wanted.retain(|record| !published || record.published_at.is_some());
        wanted.sort_by_key(|record| record.ended_at);
        if !ascending {
            wanted.reverse();
        }
        let mut found = Vec::new();
        loop {
            let page = reader.list(&query).unwrap();
            prop_assert_eq!(page.total, wanted.len().min(query.count_to), "{:?}", query);
            prop_assert_eq!(page.records.len(), query.take.min(page.total.saturating_sub(query.skip)));
            if page.records.is_empty() {
                break;
            }
            found.extend(page.records);
            query.skip += query.take;
        }
        // Those of one millisecond stand in any order, and so may be others where the list is cut.
        let times: Vec<Timestamp> = found.iter().map(|record| record.ended_at).collect();
        let wanted_times: Vec<Timestamp> = wanted.iter().take(100).map(|record| record.ended_at).collect();
        prop_assert_eq!(times, wanted_times);
        let mut ids: Vec<PushId> = found.iter().map(|record| record.id).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), found.len(), "none twice");
        prop_assert!(found.iter().all(|record| wanted.contains(&record)));
    }
    Ok(())
}

/// What a summary has to say: counts by hour and cause, and how often each named stream ended without being refused.
fn counted(every: &[&Record], since: Timestamp) -> (BTreeMap<(Timestamp, Code), u64>, Vec<u64>) {
    let (mut counts, mut streams) = (BTreeMap::new(), BTreeMap::new());
    for record in every.iter().filter(|record| record.ended_at >= since) {
        let hour = Timestamp(record.ended_at.millis().div_euclid(3_600_000) * 3_600_000);
        *counts.entry((hour, record.code())).or_default() += 1;
        if record.stream.is_some() && record.errcode != 18 {
            *streams.entry((&record.domain, &record.app, &record.stream)).or_default() += 1;
        }
    }
    (counts, streams.into_values().collect())
}

fn put(store: &Store, records: &[Record]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        for record in records {
            store.journal().refuse(end(record.clone())).await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_query_gives_what_its_conditions_say(
        (now, filed, fresh, queries) in Just(SystemClock.now()).prop_flat_map(|now| (
            Just(now),
            proptest::collection::vec(record_strategy(now), 0..120),
            proptest::collection::vec(record_strategy(now), 0..40),
            proptest::collection::vec(query_strategy(now), 60),
        ))
    ) {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        put(&store, &filed);
        wait_until("the first part is filed", || store.journal().stats().filed == filed.len() as u64);
        let reader = store.reader();
        // Asked before and after more has come, a list may not rest on what it was.
        for query in queries.iter().take(20) {
            check_lists(&reader, &filed.iter().collect::<Vec<_>>(), query)?;
        }
        put(&store, &fresh);
        wait_until("the second part is committed", || store.journal().stats().waiting_refusals == 0);
        let every: Vec<&Record> = filed.iter().chain(&fresh).collect();
        for query in &queries {
            let found = pages(&reader, query.clone());
            prop_assert!(found.windows(2).all(|w| w[0].ended_at >= w[1].ended_at), "newest first");
            let mut found: Vec<PushId> = found.iter().map(|r| r.id).collect();
            found.sort();
            let mut wanted: Vec<PushId> = every.iter().filter(|r| matches(r, query)).map(|r| r.id).collect();
            wanted.sort();
            prop_assert_eq!(found, wanted, "{:?}", query);
        }
        let all = (filed.len() + fresh.len()) as u64;
        for query in queries.iter().take(20) {
            check_lists(&reader, &every, query)?;
        }
        wait_until("all is filed", || store.journal().stats().filed == all);
        for query in queries.iter().take(20) {
            check_lists(&reader, &every, query)?;
        }
        for record in &every {
            prop_assert_eq!(&reader.get(record.id).unwrap().unwrap().0, *record);
        }
        prop_assert_eq!(reader.count_since(Timestamp(0)).unwrap(), every.len() as u64);
        for since in [Timestamp(0), now.minus(DAY), now.minus(Duration::from_millis(1))] {
            for account in [None, Some(1)] {
                let query = SummaryQuery { since, bucket: Duration::from_secs(3_600), account };
                let summary = reader.summary(query).unwrap();
                let of = every.iter().copied().filter(|r| account.is_none() || r.account == account);
                let (counts, mut ends) = counted(&of.collect::<Vec<_>>(), since);
                prop_assert_eq!(summary.counts, counts);
                ends.sort_by(|a, b| b.cmp(a));
                ends.truncate(20);
                prop_assert_eq!(summary.streams.iter().map(|s| s.ends).collect::<Vec<_>>(), ends);
            }
        }
        store.shutdown().unwrap();
        prop_assert_eq!(store::check(dir.path()).unwrap().problems, vec![]);
    }
}

#[test]
fn a_cursor_stays_good_while_records_are_added_and_filed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let now = SystemClock.now();
    let old: Vec<Record> = (0..300)
        .map(|n| {
            record(SystemClock.push_id(), "s", Code::new(1, 0), now.minus(Duration::from_millis(n / 10)))
        })
        .collect();
    put(&store, &old);
    wait_until("they are committed", || store.journal().stats().waiting_refusals == 0);
    let mut query = RecordQuery { limit: 7, ..Default::default() };
    let mut seen = Vec::new();
    for page_number in 0u64.. {
        let page = store.reader().query(&query).unwrap();
        seen.extend(page.records.iter().map(|r| r.id));
        let newer = record(SystemClock.push_id(), "s", Code::new(1, 0), now.plus(Duration::from_secs(1)));
        put(&store, &[newer]);
        if page_number == 5 {
            wait_until("they are filed", || store.journal().stats().filed >= 300);
        }
        match page.next {
            // Through its text, as a URL carries it.
            Some(next) => query.after = Some(next.to_string().parse().unwrap()),
            None => break,
        }
    }
    let mut wanted: Vec<PushId> = old.iter().map(|r| r.id).collect();
    let count = seen.len();
    seen.sort();
    seen.dedup();
    wanted.sort();
    assert_eq!((count, seen), (300, wanted));
}
