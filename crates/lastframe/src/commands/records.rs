//! `records`: queries interruption records.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use cause::Lang;
use jiff::tz::TimeZone;
use model::{Clock, PushId, Record, SystemClock, Timestamp};
use store::{Reader, RecordQuery};

use crate::cli::{Language, RecordFormat, RecordsArgs};
use crate::failure::Failure;
use crate::terminal::csv;
use crate::terminal::table::{Column, widths, write_row};
use crate::terminal::text::{clean, duration, local_time};

/// How often `--follow` looks.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// `--follow` looks back this far, since records are not written in the order of their ends.
const LOOK_BACK: Duration = Duration::from_secs(15);

/// Prints the records that are asked for.
pub fn run(args: &RecordsArgs, data: &Path) -> Result<(), Failure> {
    let reader = Reader::open_dir(data)?;
    let now = SystemClock.now();
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut records = take(&reader, query(args, now), limit)?;
    let mut printer = Printer::new(args);
    if args.follow {
        // The newest comes last, as in a log that grows.
        records.reverse();
    }
    printer.print(&records)?;
    if !args.follow {
        if records.is_empty() && args.format == RecordFormat::Table {
            eprintln!("no records match");
        }
        return Ok(());
    }
    follow(args, &reader, &mut printer, &records)
}

fn query(args: &RecordsArgs, now: Timestamp) -> RecordQuery {
    RecordQuery {
        stream: args.stream.clone(),
        fuzzy: args.fuzzy,
        domain: args.domain.as_ref().map(|d| d.to_ascii_lowercase()),
        app: args.app.clone(),
        ip: args.ip,
        codes: args.code.clone(),
        side: args.side.clone(),
        since: args.since.map(|t| t.from(now)),
        until: args.until.map(|t| t.from(now)),
        ..RecordQuery::default()
    }
}

/// Up to `limit` records, newest first, over as many pages as it takes.
fn take(reader: &Reader, mut query: RecordQuery, limit: usize) -> Result<Vec<Record>, Failure> {
    let mut records = Vec::new();
    loop {
        query.limit = (limit - records.len()).min(500);
        let page = reader.query(&query)?;
        records.extend(page.records);
        match page.next {
            Some(next) if records.len() < limit => query.after = Some(next),
            _ => return Ok(records),
        }
    }
}

fn follow(
    args: &RecordsArgs,
    reader: &Reader,
    printer: &mut Printer,
    printed: &[Record],
) -> Result<(), Failure> {
    let started = SystemClock.now();
    let mut seen: HashSet<PushId> = printed.iter().map(|r| r.id).collect();
    loop {
        std::thread::sleep(LOOK_EVERY);
        let since = SystemClock.now().minus(LOOK_BACK).max(started.minus(Duration::from_secs(1)));
        let query = RecordQuery { since: Some(since), ..query(args, started) };
        let mut fresh = take(reader, query, usize::MAX)?;
        // What lies before the window cannot come again.
        let window: HashSet<PushId> = fresh.iter().map(|r| r.id).collect();
        fresh.retain(|r| !seen.contains(&r.id));
        seen.retain(|id| window.contains(id));
        seen.extend(window);
        fresh.reverse();
        printer.print(&fresh)?;
    }
}

struct Printer {
    format: RecordFormat,
    lang: Lang,
    zone: TimeZone,
    widths: Option<Vec<usize>>,
    headed: bool,
}

const COLUMNS: [Column; 8] = [
    Column { heading: "ENDED", max: 19 },
    Column { heading: "CODE", max: 6 },
    Column { heading: "SIDE", max: 8 },
    Column { heading: "STREAM", max: 44 },
    Column { heading: "CLIENT", max: 39 },
    Column { heading: "DURATION", max: 12 },
    Column { heading: "ID", max: 36 },
    Column { heading: "CAUSE", max: 200 },
];

const CSV_COLUMNS: [&str; 18] = [
    "id",
    "sequence",
    "account",
    "domain",
    "app",
    "stream",
    "protocol",
    "client_ip",
    "client_port",
    "node",
    "connected_at",
    "published_at",
    "ended_at",
    "duration_ms",
    "code",
    "side",
    "errmsg",
    "attempts",
];

impl Printer {
    fn new(args: &RecordsArgs) -> Self {
        Self {
            format: args.format,
            lang: Language::or_environment(args.lang),
            zone: TimeZone::system(),
            widths: None,
            headed: false,
        }
    }

    fn print(&mut self, records: &[Record]) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let records: Vec<Record> =
            records.iter().map(|r| web::present::in_language(r.clone(), self.lang)).collect();
        match self.format {
            RecordFormat::Json => {
                for record in &records {
                    let line = serde_json::to_string(record).map_err(Failure::failed)?;
                    writeln!(out, "{line}")?;
                }
            }
            RecordFormat::Csv => {
                if !std::mem::replace(&mut self.headed, true) {
                    csv::write_row(&mut out, CSV_COLUMNS.into_iter())?;
                }
                for record in &records {
                    csv::write_row(&mut out, csv_cells(record).iter().map(String::as_str))?;
                }
            }
            RecordFormat::Table => self.table(&mut out, &records)?,
        }
        Ok(out.flush()?)
    }

    fn table(&mut self, out: &mut dyn Write, records: &[Record]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<String>> = records.iter().map(|r| self.cells(r)).collect();
        let widths = self.widths.get_or_insert_with(|| widths(&COLUMNS, &rows)).clone();
        if !std::mem::replace(&mut self.headed, true) {
            let headings: Vec<String> = COLUMNS.iter().map(|c| c.heading.to_owned()).collect();
            write_row(out, &widths, &headings)?;
        }
        rows.iter().try_for_each(|row| write_row(out, &widths, row))
    }

    fn cells(&self, record: &Record) -> Vec<String> {
        let mut cause = record.errmsg.clone();
        if let Some(detail) = record.detail.as_ref().filter(|d| !d.text.is_empty()) {
            cause = format!("{cause} ({})", detail.text);
        }
        if record.attempts > 1 {
            cause = format!("{cause} ×{}", record.attempts);
        }
        vec![
            local_time(record.ended_at, &self.zone),
            record.code().to_string(),
            record.side.clone(),
            clean(&stream_key(record)),
            record.client_ip.to_string(),
            record.published_at.map_or_else(|| "-".to_owned(), |_| duration(record.duration_ms)),
            record.id.to_string(),
            clean(&cause),
        ]
    }
}

/// `domain/app/stream`, as far as it is known.
fn stream_key(record: &Record) -> String {
    let parts = [&record.domain, &record.app, &record.stream];
    match parts.iter().all(|p| p.is_none()) {
        true => "-".to_owned(),
        false => parts.map(|p| p.as_deref().unwrap_or("?")).join("/"),
    }
}

fn csv_cells(record: &Record) -> [String; 18] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        record.id.to_string(),
        record.sequence.to_string(),
        record.account.map(|a| a.to_string()).unwrap_or_default(),
        text(&record.domain),
        text(&record.app),
        text(&record.stream),
        record.protocol.clone(),
        record.client_ip.to_string(),
        record.client_port.to_string(),
        record.node.clone(),
        record.connected_at.to_string(),
        record.published_at.map(|t| t.to_string()).unwrap_or_default(),
        record.ended_at.to_string(),
        record.duration_ms.to_string(),
        record.code().to_string(),
        record.side.clone(),
        record.errmsg.clone(),
        record.attempts.to_string(),
    ]
}
