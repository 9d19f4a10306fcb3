//! Measures the store on this machine; prints one line for each figure.
//!
//! ```text
//! cargo run --release -p store --example store_bench -- journal [SECONDS]
//! cargo run --release -p store --example store_bench -- queries [RECORDS] [DAYS]
//! cargo run --release -p store --example store_bench -- fill FOLDER [RECORDS] [DAYS]
//! cargo run --release -p store --example store_bench -- lists FOLDER [TIMES] [PART OF A CASE'S NAME]
//! ```
//!
//! The data goes into a temporary folder below the current one (`TMPDIR` is often not a disk); `fill` leaves it in FOLDER,
//! for a server to be started on.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Clock, Code, PushId, Record, StreamKey, SystemClock, Timestamp};
use store::{DataLock, EndRow, Journal, OpenPush, OpenRow, RecordQuery, Store, StoreConfig, import};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "journal".to_owned());
    let folder = if what == "fill" || what == "lists" { args.next() } else { None };
    let mut number = |default| args.next().map_or(Ok(default), |text| text.parse::<u64>());
    match what.as_str() {
        "journal" => journal(number(10)?),
        "queries" => {
            let records = number(5_000_000)?;
            queries(records, number(1)?)
        }
        "fill" => {
            let folder = folder.ok_or("fill which folder?")?;
            std::fs::create_dir_all(&folder)?;
            let records = number(5_000_000)?;
            fill(&DataLock::take(Path::new(&folder))?, records, number(29)?).map(drop)
        }
        "lists" => {
            let times = number(2_000)?;
            let only = args.next().unwrap_or_default();
            lists(Path::new(&folder.ok_or("lists of which folder?")?), times, &only)
        }
        other => Err(format!("`{other}` is no bench: journal, queries, fill or lists").into()),
    }
}

fn now() -> Instant {
    SystemClock.instant()
}

fn config(dir: &Path) -> StoreConfig {
    StoreConfig {
        dir: dir.to_owned(),
        keep: Duration::from_secs(86_400 * 365),
        keep_evidence: Duration::from_secs(86_400 * 7),
        fold: None,
        ignore: Vec::new(),
        node_id: uuid::Uuid::nil(),
        node_label: "bench".to_owned(),
        reserve_bytes: StoreConfig::RESERVE_BYTES,
        outbox: store::OutboxConfig::default(),
        remote: None,
        keep_history: StoreConfig::KEEP_HISTORY,
    }
}

fn journal(seconds: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    for (evidence, what) in [(0, "without evidence"), (8 << 10, "with 8 KiB of evidence")] {
        let dir = tempfile::tempdir_in(".")?;
        let store = Store::open(DataLock::take(dir.path())?, config(dir.path()), Arc::new(SystemClock))?;
        let took = runtime.block_on(burst(&store.journal(), evidence))?;
        println!("burst of 10,000 ends {what}: on disk in {} ms", took.as_millis());
        store.shutdown()?;
    }
    for (rate, evidence, what) in [
        (5_000, 0, "without evidence"),
        (2_000, 8 << 10, "with 8 KiB of evidence"),
        (2_000, 16 << 10, "with 16 KiB of evidence"),
        (20_000, 0, "asked for, without evidence"),
        (20_000, 8 << 10, "asked for, with 8 KiB of evidence"),
    ] {
        let dir = tempfile::tempdir_in(".")?;
        let store = Store::open(DataLock::take(dir.path())?, config(dir.path()), Arc::new(SystemClock))?;
        let cpu = cpu_seconds();
        let sustained = runtime.block_on(sustain(&store.journal(), rate, seconds, evidence))?;
        let stats = store.journal().stats();
        let records: u64 = stats.records.values().sum();
        println!(
            "{rate} pushes/s {what}: {:.0} records/s over {seconds} s, drained after {} ms, open durable p50 {:.1} ms \
             p99 {:.1} ms, commit p50 {:.1} ms p99 {:.1} ms, {:.0} per commit, thinned {}, filed {}, {:.2} CPU s/s",
            records as f64 / sustained.ran.as_secs_f64(),
            sustained.drained.as_millis(),
            sustained.p50.as_secs_f64() * 1e3,
            sustained.p99.as_secs_f64() * 1e3,
            stats.commit_latency.p50.as_secs_f64() * 1e3,
            stats.commit_latency.p99.as_secs_f64() * 1e3,
            records as f64 * 2.0 / stats.commits.max(1) as f64,
            stats.evidence_thinned,
            stats.filed,
            (cpu_seconds() - cpu) / sustained.ran.as_secs_f64(),
        );
        store.shutdown()?;
    }
    Ok(())
}

/// User and system time of this process, from `/proc/self/stat` (100 ticks a second).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Time this thread has spent on a CPU: the fair figure where other programs run too.
fn thread_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or_default())
}

async fn open(journal: &Journal, n: u64) -> Result<(PushId, OpenPush)> {
    let id = SystemClock.push_id();
    let now = SystemClock.now();
    let record = example(id, n, now);
    let row = OpenRow {
        id,
        account: record.account.unwrap_or_default(),
        key: StreamKey {
            domain: record.domain.unwrap_or_default(),
            app: record.app.unwrap_or_default(),
            stream: record.stream.unwrap_or_default(),
        },
        protocol: record.protocol,
        client_ip: record.client_ip,
        client_port: record.client_port,
        connected_at: now,
        published_at: now,
        encoder: record.encoder,
        stream_param: record.stream_param,
        callback_param: None,
    };
    Ok((id, journal.open(row)?))
}

fn end(id: PushId, n: u64, evidence: usize) -> EndRow {
    EndRow {
        record: example(id, n, SystemClock.now()),
        evidence: vec![(n & 0xff) as u8; evidence],
        verdict_version: 1,
    }
}

async fn recorded(journal: &Journal, wanted: u64) {
    while journal.stats().records.values().sum::<u64>() < wanted {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn burst(journal: &Journal, evidence: usize) -> Result<Duration> {
    let mut pushes = Vec::new();
    for n in 0..10_000 {
        pushes.push(open(journal, n).await?);
    }
    for (_, push) in &mut pushes {
        push.durable(Duration::from_secs(30)).await?;
    }
    let ends: Vec<EndRow> = (0u64..).zip(&pushes).map(|(n, (id, _))| end(*id, n, evidence)).collect();
    let began = now();
    for ((_, push), end) in pushes.into_iter().zip(ends) {
        push.close(end);
    }
    recorded(journal, 10_000).await;
    Ok(now() - began)
}

struct Sustained {
    ran: Duration,
    drained: Duration,
    p50: Duration,
    p99: Duration,
}

/// Opens and ends pushes at a rate; each is closed once its open row is durable.
async fn sustain(journal: &Journal, rate: u64, seconds: u64, evidence: usize) -> Result<Sustained> {
    let began = now();
    let mut waiting = std::collections::VecDeque::new();
    let mut latencies = Vec::new();
    let mut n = 0;
    while now() - began < Duration::from_secs(seconds) {
        let due = (now() - began).as_micros() as u64 * rate / 1_000_000;
        while n < due && waiting.len() < 20_000 {
            waiting.push_back((now(), n, open(journal, n).await?));
            n += 1;
        }
        while let Some((asked, n, (id, mut push))) = waiting.pop_front() {
            match push.durable(Duration::ZERO).await {
                Ok(()) => {
                    latencies.push(now() - asked);
                    push.close(end(id, n, evidence));
                }
                Err(store::JournalError::Timeout) => {
                    waiting.push_front((asked, n, (id, push)));
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
    let ran = now() - began;
    for (_, n, (id, mut push)) in waiting {
        push.durable(Duration::from_secs(30)).await?;
        push.close(end(id, n, evidence));
    }
    recorded(journal, n).await;
    let drained = now() - began - ran;
    latencies.sort();
    let at = |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default();
    Ok(Sustained { ran, drained, p50: at(50), p99: at(99) })
}

/// A record as pushes leave them: 200,000 stream keys, some frequent, 500,000 addresses, causes as they occur.
fn example(id: PushId, n: u64, ended_at: Timestamp) -> Record {
    let random = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (n >> 7).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    let stream = if random & 3 == 0 { (random >> 8) % 100 } else { (random >> 8) % 200_000 };
    let (errcode, sub_errcode, side) = match (random >> 30) % 100 {
        0..40 => (1, 0, "client"),
        40..60 => (3, 0, "client"),
        60..75 => (4, 0, "client"),
        75..85 => (12, 0, "network"),
        85..92 => (18, 503, "policy"),
        92..95 => (20, 0, "policy"),
        95..98 => (2, 0, "client"),
        98 => (15, 0, "network"),
        _ if (random >> 40).is_multiple_of(1_000) => (23, 0, "client"),
        _ => (11, 0, "server"),
    };
    Record {
        id,
        sequence: id.sequence(),
        source: "lastframe".to_owned(),
        account: Some(1_000_000_001 + (random >> 20) % 50),
        domain: Some(format!("push{}.example.com", (random >> 20) % 50)),
        app: Some(["live", "event/2025", "backup"][(random >> 27) as usize % 3].to_owned()),
        stream: Some(format!(
            "stream-{stream:06x}-{}",
            ["main", "camera", "配信", "studio"][stream as usize % 4]
        )),
        protocol: "rtmp".to_owned(),
        client_ip: std::net::Ipv4Addr::from(0x0a00_0000 + ((random >> 16) % 500_000) as u32).into(),
        client_port: 40_000,
        node: "bench".to_owned(),
        connected_at: ended_at.minus(Duration::from_secs(600)),
        published_at: Some(ended_at.minus(Duration::from_secs(599))),
        ended_at,
        duration_ms: 599_000,
        errcode,
        sub_errcode,
        errmsg: String::new(),
        side: side.to_owned(),
        detail: Some(model::record::DetailRecord {
            key: "mid_message".to_owned(),
            params: [("have".to_owned(), 812.into()), ("want".to_owned(), 4_096.into())].into(),
            text: String::new(),
        }),
        attempts: 1,
        last_attempt_at: None,
        bytes_in: random >> 32,
        bytes_out: 3_421,
        video: Some(model::record::VideoRecord {
            codec: Some("H.264".to_owned()),
            width: Some(1920),
            height: Some(1080),
            fps: Some(30.0),
            kbps: Some(4_500),
        }),
        audio: Some(model::record::AudioRecord {
            codec: Some("AAC".to_owned()),
            sample_rate: Some(48_000),
            channels: Some(2),
            kbps: Some(128),
        }),
        encoder: Some("obs-output module (libobs version 31.0.2)".to_owned()),
        stream_param: Some("txSecret=***&txTime=6A5B4C3D".to_owned()),
    }
}

/// Imports records over whole days in the past, the last one yesterday, and gives the time at which the first ended and
/// the time between two, in microseconds.
fn fill(lock: &DataLock, records: u64, days: u64) -> Result<(Timestamp, u64)> {
    let today = SystemClock.now().millis().div_euclid(86_400_000) * 86_400_000;
    let first = Timestamp(today).minus(Duration::from_secs(days * 86_400));
    let step = days * 86_400_000 * 1_000 / records.max(1);
    let at = |n: u64| first.plus(Duration::from_micros(n * step));
    let began = now();
    let made = (0..records)
        .map(|n| example(PushId::from_parts(at(n).minus(Duration::from_secs(600)), n.into()), n, at(n)));
    let count = import(lock, made)?;
    let took = (now() - began).as_secs_f64();
    let bytes: u64 = std::fs::read_dir(lock.dir().join("records"))?
        .map(|f| f.and_then(|f| f.metadata()).map_or(0, |m| m.len()))
        .sum();
    println!(
        "{count} records over {days} day file(s): filed at {:.0}/s, {:.0} bytes each",
        count as f64 / took,
        bytes as f64 / count as f64
    );
    Ok((first, step))
}

/// Pages of counted lists in a folder that `fill` has made, each with other conditions or another time.
fn lists(folder: &Path, times: u64, only: &str) -> Result<()> {
    let store = Store::open(DataLock::take(folder)?, config(folder), Arc::new(SystemClock))?;
    let reader = store.reader();
    let today = SystemClock.now().millis().div_euclid(86_400_000) * 86_400_000;
    let (since, until) = (Timestamp(today).minus(Duration::from_secs(29 * 86_400)), Timestamp(today));
    let whole = |n: u64| RecordQuery {
        since: Some(since.plus(Duration::from_secs(n % 3_000))),
        until: Some(until.minus(Duration::from_secs(n / 3_000))),
        ..RecordQuery::default()
    };
    let hour = |n: u64| {
        let begin = since.plus(Duration::from_secs(n.wrapping_mul(0x9E37_79B9) % (28 * 86_400)));
        RecordQuery {
            since: Some(begin),
            until: Some(begin.plus(Duration::from_secs(3_600))),
            domain: Some(format!("push{}.example.com", n % 50)),
            ..RecordQuery::default()
        }
    };
    let stream = |n: u64| example(PushId::from_parts(since, 1), n * 7_919, since).stream;
    let case = |what: &str, published: bool, query: &dyn Fn(u64) -> RecordQuery| -> Result<()> {
        if !what.contains(only) {
            return Ok(());
        }
        let (mut cpu, mut found) = (thread_cpu(), 0);
        for n in 0..times + times / 4 {
            if n == times / 4 {
                (cpu, found) = (thread_cpu(), 0);
            }
            let skip = usize::try_from(n.wrapping_mul(0x9E37_79B9) % 1_000)? * 10;
            let filter = query(n);
            let skip = if filter.stream.is_some() || filter.domain.is_some() && filter.account.is_none() {
                0
            } else {
                skip
            };
            let list =
                store::ListQuery { filter, published, ascending: false, skip, take: 10, count_to: 10_000 };
            found += reader.list(&list)?.records.len();
        }
        let each = (thread_cpu() - cpu).as_secs_f64() * 1e6 / times as f64;
        println!("list, {what}: {each:.0} us of CPU, {:.1} records", found as f64 / times as f64);
        Ok(())
    };
    case("a stream", false, &|n| RecordQuery { stream: stream(n), ..whole(n) })?;
    case("a part of a stream", false, &|n| RecordQuery {
        stream: stream(n).and_then(|name| name.get(7..13).map(str::to_owned)),
        fuzzy: true,
        ..whole(n)
    })?;
    case("a domain, an hour", false, &hour)?;
    case("a domain, a day", false, &|n| {
        let hour = hour(n);
        RecordQuery { until: hour.since.map(|since| since.plus(Duration::from_secs(86_400))), ..hour }
    })?;
    case("a domain of an account, a day", false, &|n| {
        let hour = hour(n);
        let until = hour.since.map(|since| since.plus(Duration::from_secs(86_400)));
        RecordQuery { until, account: Some(1_000_000_001 + n % 50), ..hour }
    })?;
    case("an account", false, &|n| RecordQuery { account: Some(1_000_000_008), ..whole(n) })?;
    case("an account and an app", false, &|n| RecordQuery {
        account: Some(1_000_000_008),
        app: Some("live".to_owned()),
        ..whole(n)
    })?;
    case("pushes of a domain that went live", true, &|n| RecordQuery {
        domain: Some("push7.example.com".to_owned()),
        account: Some(1_000_000_008),
        ..whole(n)
    })?;
    case("everything", false, &whole)?;
    store.shutdown()?;
    Ok(())
}

fn queries(records: u64, days: u64) -> Result<()> {
    let dir = tempfile::tempdir_in(".")?;
    let lock = DataLock::take(dir.path())?;
    let (first, step) = fill(&lock, records, days)?;
    let at = |n: u64| first.plus(Duration::from_micros(n * step));
    let store = Store::open(lock, config(dir.path()), Arc::new(SystemClock))?;
    let reader = store.reader();

    let base = RecordQuery::default;
    let name = |n: u64| example(PushId::from_parts(at(n), 1), n, at(n)).stream;
    let common = name(records / 2);
    let half = at(records / 2);
    let cases: Vec<(&str, RecordQuery)> = vec![
        ("newest", base()),
        ("one stream", RecordQuery { stream: common.clone(), ..base() }),
        ("a stream that does not exist", RecordQuery { stream: Some("nobody".into()), ..base() }),
        ("a domain", RecordQuery { domain: Some("push7.example.com".into()), ..base() }),
        (
            "a domain and an app",
            RecordQuery { domain: Some("push7.example.com".into()), app: Some("backup".into()), ..base() },
        ),
        ("a common cause", RecordQuery { codes: vec![Code::new(1, 0)], ..base() }),
        ("a rare cause", RecordQuery { codes: vec![Code::new(23, 0)], ..base() }),
        ("a cause that does not occur", RecordQuery { codes: vec![Code::new(33, 0)], ..base() }),
        (
            "three causes",
            RecordQuery { codes: vec![Code::new(12, 0), Code::new(13, 0), Code::new(15, 0)], ..base() },
        ),
        (
            "a domain and a cause",
            RecordQuery { domain: Some("push7.example.com".into()), codes: vec![Code::new(15, 0)], ..base() },
        ),
        ("a side", RecordQuery { side: Some("network".into()), ..base() }),
        ("an address", RecordQuery { ip: "10.3.7.7/32".parse().ok(), ..base() }),
        ("a network /24", RecordQuery { ip: "10.3.7.0/24".parse().ok(), ..base() }),
        ("a network /12", RecordQuery { ip: "10.0.0.0/12".parse().ok(), ..base() }),
        ("an account", RecordQuery { account: Some(1_000_000_020), ..base() }),
        ("older than the middle", RecordQuery { until: Some(half), ..base() }),
        (
            "older than the middle, with a cause",
            RecordQuery { until: Some(half), codes: vec![Code::new(3, 0)], ..base() },
        ),
        ("a stream with a cause", RecordQuery { stream: common, codes: vec![Code::new(12, 0)], ..base() }),
        (
            "common conditions that never meet",
            RecordQuery { side: Some("network".into()), codes: vec![Code::new(1, 0)], ..base() },
        ),
        ("a page of 1000", RecordQuery { limit: 1_000, ..base() }),
        ("fuzzy, few names", RecordQuery { stream: Some("00A1F3".into()), fuzzy: true, ..base() }),
        ("fuzzy, half of all names", RecordQuery { stream: Some("main".into()), fuzzy: true, ..base() }),
        ("fuzzy, every name", RecordQuery { stream: Some("stream".into()), fuzzy: true, ..base() }),
        ("fuzzy, no name", RecordQuery { stream: Some("nowhere".into()), fuzzy: true, ..base() }),
        (
            "fuzzy, two characters, many names",
            RecordQuery { stream: Some("配信".into()), fuzzy: true, ..base() },
        ),
        (
            "fuzzy, two characters, no name",
            RecordQuery { stream: Some("ぬる".into()), fuzzy: true, ..base() },
        ),
        (
            "fuzzy, with a cause",
            RecordQuery {
                stream: Some("camera".into()),
                fuzzy: true,
                codes: vec![Code::new(15, 0)],
                ..base()
            },
        ),
        (
            "fuzzy, with a rare cause",
            RecordQuery {
                stream: Some("camera".into()),
                fuzzy: true,
                codes: vec![Code::new(23, 0)],
                ..base()
            },
        ),
    ];
    for (what, query) in cases {
        let first = now();
        let mut page = reader.query(&query)?;
        let first = now() - first;
        let mut again = Vec::new();
        let cpu = thread_cpu();
        for _ in 0..10 {
            let began = now();
            page = reader.query(&query)?;
            again.push(now() - began);
        }
        again.sort();
        println!(
            "query, {what}: {:.1} ms of CPU; first {:.1} ms, median {:.1} ms, worst {:.1} ms, {} records{}",
            (thread_cpu() - cpu).as_secs_f64() * 1e3 / again.len() as f64,
            first.as_secs_f64() * 1e3,
            again[again.len() / 2].as_secs_f64() * 1e3,
            again[again.len() - 1].as_secs_f64() * 1e3,
            page.records.len(),
            if page.next.is_some() && page.records.len() < query.limit { ", goes on" } else { "" },
        );
    }
    let middle = PushId::from_parts(at(records / 2).minus(Duration::from_secs(600)), (records / 2).into());
    let began = now();
    let found = reader.get(middle)?.is_some();
    println!("one record by its id: {:.1} ms, found {found}", (now() - began).as_secs_f64() * 1e3);
    store.shutdown()?;
    Ok(())
}
