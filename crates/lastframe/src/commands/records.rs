//! `records`: queries interruption records.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::sync::Once;
use std::time::Duration;

use cause::{Cause, Lang};
use jiff::tz::TimeZone;
use model::{Clock, PushId, Record, SystemClock, Timestamp};
use store::{Reader, RecordQuery};
use web::csv;

use crate::cli::{Language, RecordFormat, RecordsArgs};
use crate::failure::Failure;
use crate::terminal::table::{Column, widths, write_row};
use crate::terminal::text::{clean, duration, local_time};
use crate::terminal::words::word;

/// How often `--follow` looks.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// `--follow` looks back this far, since records are not written in the order of their ends.
const LOOK_BACK: Duration = Duration::from_secs(15);
/// Ends that a node that died left open are written at its next start, long after they happened: every so many looks
/// `--follow` looks back further, at the newest [`FAR_RECORDS`].
const FAR_EVERY: u32 = 20;
const FAR_BACK: Duration = Duration::from_secs(24 * 3_600);
const FAR_RECORDS: usize = 1_000;

/// Prints the records that are asked for.
pub fn run(args: &RecordsArgs, reader: &Reader) -> Result<(), Failure> {
    let now = SystemClock.now();
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut printer = Printer::new(args);
    if args.follow {
        let mut follower = Follower::new(args, reader)?;
        let mut records = take(reader, query(args, now), limit)?;
        follower.printed(&records);
        // The newest comes last, as in a log that grows.
        records.reverse();
        printer.print(&records)?;
        return follower.run(&mut printer);
    }
    let records = take(reader, query(args, now), limit)?;
    printer.print(&records)?;
    if records.is_empty() && args.format == RecordFormat::Table {
        eprintln!("no records match");
    }
    Ok(())
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
    static SAID: Once = Once::new();
    let mut records = Vec::new();
    loop {
        query.limit = (limit - records.len()).min(500);
        let page = reader.query(&query)?;
        if page.here_only {
            SAID.call_once(|| {
                eprintln!("the database of all nodes does not answer: these are this node's records alone");
            });
        }
        records.extend(page.records);
        match page.next {
            Some(next) if records.len() < limit => query.after = Some(next),
            _ => return Ok(records),
        }
    }
}

/// What `--follow` has seen, so that each record is printed once.
struct Follower<'a> {
    args: &'a RecordsArgs,
    reader: &'a Reader,
    /// Ids with the ends of their pushes.
    seen: HashMap<PushId, Timestamp>,
}

impl<'a> Follower<'a> {
    /// Knows what is written already. Made before the first records are printed: what comes in between is new.
    fn new(args: &'a RecordsArgs, reader: &'a Reader) -> Result<Self, Failure> {
        let mut follower = Self { args, reader, seen: HashMap::new() };
        follower.fresh(LOOK_BACK, usize::MAX)?;
        follower.fresh(FAR_BACK, FAR_RECORDS)?;
        Ok(follower)
    }

    fn printed(&mut self, records: &[Record]) {
        self.seen.extend(records.iter().map(|r| (r.id, r.ended_at)));
    }

    /// Records that ended within `back` and were not seen before, oldest first.
    fn fresh(&mut self, back: Duration, limit: usize) -> Result<Vec<Record>, Failure> {
        let now = SystemClock.now();
        let window = RecordQuery { since: Some(now.minus(back)), ..query(self.args, now) };
        let mut records = take(self.reader, window, limit)?;
        if limit != usize::MAX {
            // What has left this window is older than all of it, and does not come back.
            let window: HashSet<PushId> = records.iter().map(|r| r.id).collect();
            let recent = now.minus(LOOK_BACK.saturating_mul(2));
            self.seen.retain(|id, ended_at| window.contains(id) || *ended_at >= recent);
        }
        records.retain(|r| self.seen.insert(r.id, r.ended_at).is_none());
        records.reverse();
        Ok(records)
    }

    fn run(mut self, printer: &mut Printer) -> Result<(), Failure> {
        for look in 1u32.. {
            std::thread::sleep(LOOK_EVERY);
            printer.print(&self.fresh(LOOK_BACK, usize::MAX)?)?;
            if look.is_multiple_of(FAR_EVERY) {
                printer.print(&self.fresh(FAR_BACK, FAR_RECORDS)?)?;
            }
        }
        Ok(())
    }
}

struct Printer {
    format: RecordFormat,
    lang: Lang,
    zone: TimeZone,
    widths: Option<Vec<usize>>,
    headed: bool,
}

/// The columns by their English headings.
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
                    csv::write_heading(&mut out)?;
                }
                for record in &records {
                    csv::write_record(&mut out, record)?;
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
        let columns =
            COLUMNS.map(|column| Column { heading: word(self.lang, column.heading), max: column.max });
        let widths = self.widths.get_or_insert_with(|| widths(&columns, &rows)).clone();
        if !std::mem::replace(&mut self.headed, true) {
            let headings: Vec<String> = columns.iter().map(|c| c.heading.to_owned()).collect();
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
            side(record, self.lang),
            clean(&stream_key(record)),
            record.client_ip.to_string(),
            record.published_at.map_or_else(|| "-".to_owned(), |_| duration(record.duration_ms)),
            record.id.to_string(),
            clean(&cause),
        ]
    }
}

/// Who ended it: as the filter `--side` has it, or the reader's word for it.
fn side(record: &Record, lang: Lang) -> String {
    match (lang, Cause::from_code(record.code())) {
        (Lang::Ja | Lang::Zh, Some(cause)) => cause.side().label(lang).to_owned(),
        _ => record.side.clone(),
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
