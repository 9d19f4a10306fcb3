//! Measures records in PostgreSQL; prints one line for each figure. `bench/postgres.sh` starts a PostgreSQL for it.
//!
//! ```text
//! cargo run --release -p store --features postgres --example postgres_bench -- ship URL [RATE] [SECONDS] [EVIDENCE]
//! cargo run --release -p store --features postgres --example postgres_bench -- backfill URL [RECORDS] [EVIDENCE]
//! cargo run --release -p store --features postgres --example postgres_bench -- fill URL [RECORDS] [DAYS]
//! cargo run --release -p store --features postgres --example postgres_bench -- queries URL [TIMES]
//! ```
//!
//! `ship` and `backfill` go the way of a node: journal or record files, shipper, database, with so many bytes of evidence
//! each, as compressible as that of real pushes. `fill` has the database make
//! records up by itself, which is faster, for `queries`. Data folders lie below the current folder for as long as it runs.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Clock, Code, PushId, Record, StreamKey, SystemClock, Timestamp};
use store::{DataLock, EndRow, OpenRow, RecordQuery, Remote, Store, StoreConfig, import};
use tokio_postgres::{Client, NoTls};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DAY: Duration = Duration::from_secs(86_400);
/// Evidence of a push of some minutes, bytes.
const EVIDENCE: u64 = 2 << 10;
/// Pushes that are live at once while records are made.
const AT_ONCE: u64 = 2_000;

/// A query by its number.
type Ask<'a> = Box<dyn Fn(u64) -> RecordQuery + 'a>;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (what, url) = (args.next().unwrap_or_default(), args.next().ok_or("which database? give its URL")?);
    let mut number = |default| args.next().map_or(Ok(default), |text| text.parse::<u64>());
    match what.as_str() {
        "ship" => {
            let rate = number(10_000)?;
            let seconds = number(20)?;
            ship(&url, rate, seconds, number(EVIDENCE)? as usize)
        }
        "backfill" => {
            let records = number(500_000)?;
            backfill(&url, records, number(0)? as usize)
        }
        "fill" => {
            let records = number(5_000_000)?;
            fill(&url, records, number(20)?)
        }
        "queries" => queries(&url, number(20)?),
        other => Err(format!("`{other}` is no bench: ship, backfill, fill or queries").into()),
    }
}

fn now() -> Instant {
    SystemClock.instant()
}

fn config(dir: &Path, url: Option<&str>) -> Result<StoreConfig> {
    Ok(StoreConfig {
        dir: dir.to_owned(),
        keep: DAY * 365,
        keep_evidence: DAY * 7,
        fold: None,
        ignore: Vec::new(),
        node_id: uuid::Uuid::from_u128(u128::from(std::process::id())),
        node_label: "bench".to_owned(),
        reserve_bytes: StoreConfig::RESERVE_BYTES,
        outbox: store::OutboxConfig::default(),
        remote: url.map(Remote::parse).transpose()?,
        keep_history: StoreConfig::KEEP_HISTORY,
    })
}

fn open(dir: &Path, url: &str) -> Result<Store> {
    open_with(dir, Some(url))
}

fn open_with(dir: &Path, url: Option<&str>) -> Result<Store> {
    Ok(Store::open(DataLock::take(dir)?, config(dir, url)?, Arc::new(SystemClock))?)
}

fn connected(store: &Store) -> Result<()> {
    let began = now();
    while !store.journal().shipping().is_some_and(|shipping| shipping.connected) {
        if began.elapsed() > Duration::from_secs(60) {
            let why = store.journal().shipping().and_then(|shipping| shipping.last_error);
            return Err(format!("the database does not answer: {why:?}").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Pushes that begin and end at a rate, each with evidence, as a node records and ships them.
fn ship(url: &str, rate: u64, seconds: u64, evidence: usize) -> Result<()> {
    let dir = tempfile::tempdir_in(".")?;
    let store = open(dir.path(), url)?;
    connected(&store)?;
    let journal = store.journal();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let began = now();
    let mut longest = Duration::ZERO;
    let total = runtime.block_on(async {
        let mut n = 0;
        while began.elapsed() < Duration::from_secs(seconds) {
            let due = began.elapsed().as_micros() as u64 * rate / 1_000_000;
            let mut opened = Vec::new();
            for n in n..due {
                let (id, at) = (SystemClock.push_id(), SystemClock.now());
                opened.push((n, id, journal.open(row(&example(id, n, at)))?));
            }
            n = due.max(n);
            for (n, id, mut push) in opened {
                push.durable(Duration::from_secs(30)).await?;
                let record = example(id, n, SystemClock.now());
                push.close(EndRow { record, evidence: noise(n, evidence), verdict_version: 1 });
            }
            longest = longest.max(journal.shipping().map_or(Duration::ZERO, |shipping| shipping.lag));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Result::Ok(n)
    })?;
    let pushed = began.elapsed();
    while journal.shipping().is_none_or(|shipping| shipping.shipped < total) {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!(
        "ship: {evidence} bytes of evidence each: {:.0} pushes/s recorded for {seconds} s, {:.0} records/s in the database, which had all {} ms later; \
         the oldest waited {} s at most",
        total as f64 / pushed.as_secs_f64(),
        total as f64 / began.elapsed().as_secs_f64(),
        (began.elapsed() - pushed).as_millis(),
        longest.as_secs(),
    );
    store.shutdown()?;
    Ok(())
}

/// Records that were there before shipping began: without evidence, those of two days; with it, those of pushes that have
/// just been recorded.
fn backfill(url: &str, records: u64, evidence: usize) -> Result<()> {
    let dir = tempfile::tempdir_in(".")?;
    match evidence {
        0 => import_some(dir.path(), records)?,
        _ => record_some(dir.path(), records, evidence)?,
    }
    let began = now();
    let store = open(dir.path(), url)?;
    connected(&store)?;
    let journal = store.journal();
    while journal.shipping().is_none_or(|shipping| shipping.shipped < records) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "backfill: {records} records with {evidence} bytes of evidence each at {:.0}/s, {:.1} MB/s of evidence",
        records as f64 / took,
        (records * evidence as u64) as f64 / took / 1e6
    );
    store.shutdown()?;
    Ok(())
}

fn import_some(dir: &Path, records: u64) -> Result<()> {
    let today = SystemClock.now().millis().div_euclid(86_400_000) * 86_400_000;
    let first = Timestamp(today).minus(DAY * 2);
    let step = 2 * 86_400_000 / records.max(1);
    let at = |n: u64| first.plus(Duration::from_millis(n * step));
    let made = (0..records)
        .map(|n| example(PushId::from_parts(at(n).minus(Duration::from_secs(600)), n.into()), n, at(n)));
    import(&DataLock::take(dir)?, made)?;
    Ok(())
}

fn record_some(dir: &Path, records: u64, evidence: usize) -> Result<()> {
    let store = open_with(dir, None)?;
    let journal = store.journal();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        for first in (0..records).step_by(usize::try_from(AT_ONCE)?) {
            let mut opened = Vec::new();
            for n in first..records.min(first + AT_ONCE) {
                let id = SystemClock.push_id();
                opened.push((n, id, journal.open(row(&example(id, n, SystemClock.now())))?));
            }
            for (n, id, mut push) in opened {
                push.durable(Duration::from_secs(30)).await?;
                let record = example(id, n, SystemClock.now());
                push.close(EndRow { record, evidence: noise(n, evidence), verdict_version: 1 });
            }
        }
        Result::Ok(())
    })?;
    store.shutdown()?;
    Ok(())
}

/// Bytes of which LZ4 takes away a quarter, as of real evidence.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1 << 63;
    let mut next = |at: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // The last 10 of 32 bytes are always the same.
        match at % 4 {
            2 => state & 0xffff_ffff_ffff,
            3 => 0,
            _ => state,
        }
    };
    (0..length.div_ceil(8)).flat_map(|at| next(at).to_le_bytes()).take(length).collect()
}

/// A database with as many records over so many days before today: 200,000 streams of 50 domains, some frequent, 500,000
/// addresses, causes as they occur. Without evidence, which stands in tables of its own.
fn fill(url: &str, records: u64, days: u64) -> Result<()> {
    let dir = tempfile::tempdir_in(".")?;
    let store = open(dir.path(), url)?;
    connected(&store)?;
    store.shutdown()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = now();
    let bytes = runtime.block_on(async {
        let client = connect(url).await?;
        client.batch_execute(NAMES).await?;
        let each = records / days.max(1);
        let today = SystemClock.now().millis().div_euclid(86_400_000) * 86_400_000;
        for day in (1..=days).rev() {
            let start = Timestamp(today).minus(DAY * u32::try_from(day)?);
            let end = start.plus(DAY);
            let name = start.to_string().chars().filter(char::is_ascii_digit).take(8).collect::<String>();
            let bound = |at: Timestamp| uuid::Uuid::from_u128((at.millis() as u128) << 80);
            // Indexes come with the attaching, which is faster than with each row.
            let sql = format!(
                "begin; drop table if exists record_{name}; create table record_{name} (like record including defaults); \
                 insert into record_{name} {}; \
                 alter table record attach partition record_{name} for values from ('{}') to ('{}'); commit",
                made_up(start.millis(), each, day * each),
                bound(start),
                bound(end)
            );
            client.batch_execute(&sql).await?;
            // As the database does by itself, in time.
            client.batch_execute(&format!("vacuum analyze record_{name}")).await?;
        }
        let size = "select sum(pg_total_relation_size(inhrelid))::bigint from pg_inherits \
                    where inhparent = 'record'::regclass";
        Result::Ok(client.query_one(size, &[]).await?.try_get::<_, i64>(0)?)
    })?;
    println!(
        "fill: {records} records over {days} days in {:.0} s, {:.0} bytes each with their indexes",
        began.elapsed().as_secs_f64(),
        bytes as f64 / records.max(1) as f64
    );
    Ok(())
}

const NAMES: &str = "
    insert into domain (text, used_on) select 'push' || n || '.example.com', 20000 from generate_series(0, 49) n
      on conflict do nothing;
    insert into app (text, used_on) values ('live', 20000), ('event/2025', 20000), ('backup', 20000)
      on conflict do nothing;
    insert into stream (text, used_on, folded)
      select name, 20000, name from (select 'stream-' || lpad(to_hex(n), 6, '0') || '-'
        || (array['main', 'camera', '配信', 'studio'])[n % 4 + 1] as name from generate_series(0, 199999) n) s
      on conflict do nothing;
    analyze domain, app, stream";

/// Rows of one day; `r` is spread over 2^31 and `n` counts.
fn made_up(start: i64, count: u64, from: u64) -> String {
    format!(
        "(id, rank, ended_at, tie, sequence, source, account, domain_id, app_id, stream_id, protocol, client_ip, \
          client_port, node, connected_at, published_at, duration_ms, errcode, sub_errcode, side, detail, attempts, \
          bytes_in, bytes_out, video, audio, encoder, stream_param, verdict_version) \
         select (lpad(to_hex(began), 12, '0') || '7000' || '8' || lpad(to_hex(n), 15, '0'))::uuid, 2, began + 600000, \
           (n * 2654435761) & 68719476735, n, 'lastframe', 1000000001 + (r >> 3) % 50, d.id, a.id, s.id, 'rtmp', \
           '10.0.0.0'::inet + (r >> 2) % 500000, 40000, 'node-' || n % 16, began, began + 1000, 599000, \
           code.e, code.s, code.side, '{{\"key\":\"mid_message\",\"params\":{{\"have\":812,\"want\":4096}}}}', 1, r, 3421, \
           '{{\"codec\":\"H.264\",\"width\":1920,\"height\":1080,\"fps\":30.0,\"kbps\":4500}}', \
           '{{\"codec\":\"AAC\",\"sample_rate\":48000,\"channels\":2,\"kbps\":128}}', \
           'obs-output module (libobs version 31.0.2)', 'txSecret=***&txTime=6A5B4C3D', 1 \
         from (select n, {start} + (n - {from}) * 86400000 / {count} as began, \
                 abs(hashint8(n)::bigint) as r, abs(hashint8(-n)::bigint) as c from generate_series({from}::bigint, {from} + {count} - 1) n) m \
         join (select id, row_number() over (order by text) - 1 as k from domain) d on d.k = (m.r >> 3) % 50 \
         join (select id, row_number() over (order by text) - 1 as k from app) a on a.k = (m.r >> 5) % 3 \
         join (select id, row_number() over (order by id) - 1 as k from stream) s \
           on s.k = case when m.r % 4 = 0 then (m.r >> 4) % 100 else (m.r >> 4) % 200000 end \
         join (values (0, 40, 1, 0, 'client'), (40, 60, 3, 0, 'client'), (60, 75, 4, 0, 'client'), \
             (75, 85, 12, 0, 'network'), (85, 92, 18, 503, 'policy'), (92, 95, 20, 0, 'policy'), (95, 98, 2, 0, 'client'), \
             (98, 99, 15, 0, 'network'), (99, 100, 11, 0, 'server')) code (lo, hi, e, s, side) \
           on m.c % 100 >= code.lo and m.c % 100 < code.hi"
    )
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        let _ = connection.await;
    });
    client
        .batch_execute(
            "set search_path = lastframe, public; set work_mem = '256MB'; set maintenance_work_mem = '512MB'",
        )
        .await?;
    Ok(client)
}

/// Pages of 50 records, as the console and the APIs ask for them, on a node that has none of its own.
fn queries(url: &str, times: u64) -> Result<()> {
    let dir = tempfile::tempdir_in(".")?;
    let store = open(dir.path(), url)?;
    connected(&store)?;
    let reader = store.reader();
    let base = RecordQuery::default;
    let today = Timestamp(SystemClock.now().millis().div_euclid(86_400_000) * 86_400_000);
    let stream = |n: u64| {
        format!("stream-{:06x}-{}", n % 200_000, ["main", "camera", "配信", "studio"][n as usize % 4])
    };
    let domain = |n: u64| Some(format!("push{}.example.com", n % 50));
    let fuzzy = |text: String| RecordQuery { stream: Some(text), fuzzy: true, ..base() };
    let cases: Vec<(&str, Ask)> = vec![
        ("newest", Box::new(|_| base())),
        (
            "newest before some time",
            Box::new(|n| RecordQuery {
                until: Some(today.minus(Duration::from_secs(n * 7_919 % (86_400 * 15)))),
                ..base()
            }),
        ),
        ("one stream", Box::new(|n| RecordQuery { stream: Some(stream(n * 7_919)), ..base() })),
        ("a frequent stream", Box::new(|n| RecordQuery { stream: Some(stream(n)), ..base() })),
        ("a domain", Box::new(|n| RecordQuery { domain: domain(n), ..base() })),
        (
            "a domain and an app",
            Box::new(|n| RecordQuery { domain: domain(n), app: Some("backup".into()), ..base() }),
        ),
        ("a cause", Box::new(|_| RecordQuery { codes: vec![Code::new(12, 0)], ..base() })),
        (
            "a domain and a cause",
            Box::new(|n| RecordQuery { domain: domain(n), codes: vec![Code::new(3, 0)], ..base() }),
        ),
        (
            "a cause that does not occur",
            Box::new(|_| RecordQuery { codes: vec![Code::new(33, 0)], ..base() }),
        ),
        ("an account", Box::new(|n| RecordQuery { account: Some(1_000_000_001 + n % 50), ..base() })),
        (
            "an address",
            Box::new(|n| RecordQuery { ip: format!("10.{}.7.7/32", n % 7).parse().ok(), ..base() }),
        ),
        (
            "a network /24",
            Box::new(|n| RecordQuery { ip: format!("10.{}.7.0/24", n % 7).parse().ok(), ..base() }),
        ),
        ("fuzzy, one name matches", Box::new(|n| fuzzy(stream(n * 7_919)[7..].to_owned()))),
        ("fuzzy, hundreds of names match", Box::new(|n| fuzzy(format!("-{:04x}", n * 17 % 781)))),
        ("fuzzy, a quarter of all names match", Box::new(|_| fuzzy("配信".to_owned()))),
        ("fuzzy, every name matches", Box::new(|_| fuzzy("stream".to_owned()))),
        ("fuzzy, no name matches", Box::new(|_| fuzzy("nobody".to_owned()))),
        (
            "fuzzy and a cause",
            Box::new(|n| RecordQuery {
                codes: vec![Code::new(12, 0)],
                ..fuzzy(format!("{:04x}-", n * 31 % 4_096))
            }),
        ),
        (
            "conditions that never meet",
            Box::new(|_| RecordQuery {
                side: Some("network".into()),
                codes: vec![Code::new(1, 0)],
                ..base()
            }),
        ),
    ];
    println!("page of 50: what | first | median | worst of {times} (ms) | records");
    for (what, query) in cases {
        let mut took = Vec::new();
        let mut found = 0;
        for n in 0..=times {
            let began = now();
            let page = reader.query(&query(n))?;
            took.push(began.elapsed());
            if page.here_only {
                return Err(format!("{what}: the database did not answer in time").into());
            }
            found = page.records.len();
        }
        let first = took.remove(0);
        took.sort();
        let ms = |d: Option<&Duration>| d.map_or(0.0, |d| d.as_secs_f64() * 1e3);
        println!(
            "{what} | {:.1} | {:.1} | {:.1} | {found}",
            ms(Some(&first)),
            ms(took.get(took.len() / 2)),
            ms(took.last())
        );
    }
    store.shutdown()?;
    Ok(())
}

fn row(record: &Record) -> OpenRow {
    OpenRow {
        id: record.id,
        account: record.account.unwrap_or_default(),
        key: StreamKey {
            domain: record.domain.clone().unwrap_or_default(),
            app: record.app.clone().unwrap_or_default(),
            stream: record.stream.clone().unwrap_or_default(),
        },
        protocol: record.protocol.clone(),
        client_ip: record.client_ip,
        client_port: record.client_port,
        connected_at: record.connected_at,
        published_at: record.ended_at,
        encoder: record.encoder.clone(),
        stream_param: record.stream_param.clone(),
        callback_param: None,
    }
}

fn example(id: PushId, n: u64, ended_at: Timestamp) -> Record {
    let random = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
    let (errcode, sub_errcode, side) = match random % 100 {
        0..45 => (1, 0, "client"),
        45..80 => (3, 0, "client"),
        80..92 => (12, 0, "network"),
        _ => (18, 503, "policy"),
    };
    Record {
        id,
        sequence: id.sequence(),
        source: "lastframe".to_owned(),
        account: Some(1_000_000_001 + random % 50),
        domain: Some(format!("push{}.example.com", random % 50)),
        app: Some(["live", "event/2025", "backup"][random as usize % 3].to_owned()),
        stream: Some(format!("stream-{:06x}", random % 200_000)),
        protocol: "rtmp".to_owned(),
        client_ip: std::net::Ipv4Addr::from(0x0a00_0000 + (random % 500_000) as u32).into(),
        client_port: 40_000,
        node: "bench".to_owned(),
        connected_at: ended_at.minus(Duration::from_secs(1)),
        published_at: Some(ended_at),
        ended_at,
        duration_ms: 599_000,
        errcode,
        sub_errcode,
        errmsg: String::new(),
        side: side.to_owned(),
        detail: None,
        attempts: 1,
        last_attempt_at: None,
        bytes_in: random,
        bytes_out: 3_421,
        video: Some(model::record::VideoRecord {
            codec: Some("H.264".to_owned()),
            width: Some(1920),
            height: Some(1080),
            fps: Some(30.0),
            kbps: Some(4_500),
        }),
        audio: None,
        encoder: Some("obs-output module (libobs version 31.0.2)".to_owned()),
        stream_param: Some("txSecret=***&txTime=6A5B4C3D".to_owned()),
    }
}
