//! `judge`: runs today's verdict over stored evidence, and prints what differs from the records. Nothing is changed.

use std::io::{self, Write};

use cause::export::judged_anew;
use cause::{Detail, Evidence, Lang};
use model::{Clock, PushId, Record, SystemClock};
use store::{Reader, RecordQuery};

use crate::cli::{JudgeArgs, Language};
use crate::failure::Failure;
use crate::terminal::text::clean;

/// Records read at once.
const PAGE: usize = 500;

/// What came of it.
#[derive(Debug, Default)]
struct Tally {
    judged: u64,
    without_evidence: u64,
    unreadable: u64,
    different: u64,
}

/// Judges the records that are asked for.
pub fn run(args: &JudgeArgs, reader: &Reader) -> Result<(), Failure> {
    let lang = Language::or_environment(args.lang);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut tally = Tally::default();
    if args.id.is_empty() {
        let since = args.since.map(|t| t.from(SystemClock.now()));
        let mut query = RecordQuery { since, limit: PAGE, ..RecordQuery::default() };
        loop {
            let page = reader.query(&query)?;
            for record in &page.records {
                judge(reader, record.id, lang, &mut tally, &mut out)?;
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
    }
    for id in &args.id {
        if !judge(reader, *id, lang, &mut tally, &mut out)? {
            return Err(Failure::failed(format!("there is no record {id}")));
        }
    }
    let Tally { judged, without_evidence, unreadable, different } = tally;
    writeln!(
        out,
        "{judged} judged, {different} different; {without_evidence} without evidence, {unreadable} unreadable"
    )?;
    out.flush()?;
    match different + unreadable {
        0 => Ok(()),
        wrong => {
            Err(Failure::failed(format!("{wrong} records are not what this version says of their evidence")))
        }
    }
}

/// False when there is no such record.
fn judge(
    reader: &Reader,
    id: PushId,
    lang: Lang,
    tally: &mut Tally,
    out: &mut dyn Write,
) -> Result<bool, Failure> {
    let Some((record, evidence)) = reader.get(id)? else { return Ok(false) };
    let evidence = match evidence.map(|bytes| Evidence::decode(&bytes)) {
        None => {
            tally.without_evidence += 1;
            return Ok(true);
        }
        Some(Err(error)) => {
            tally.unreadable += 1;
            writeln!(out, "{id}  {}  the evidence cannot be read: {error}", record.code())?;
            return Ok(true);
        }
        Some(Ok(evidence)) => evidence,
    };
    tally.judged += 1;
    if let Some(now) = judged_anew(&record, &evidence) {
        tally.different += 1;
        writeln!(out, "{id}  {} -> {}", record.code(), now.cause.code())?;
        writeln!(out, "  was: {}", said(&record, lang))?;
        writeln!(out, "  now: {}", now.detail.map_or_else(|| "no detail".into(), |d| clean(&d.text(lang))))?;
    }
    Ok(true)
}

fn said(record: &Record, lang: Lang) -> String {
    record.detail.as_ref().map_or_else(|| "no detail".to_owned(), |d| clean(&Detail::from(d).text(lang)))
}
