//! CPU and memory of live pushes, with and without players.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use crate::Outcome;
use crate::figures::Figures;
use crate::process::{self, Program};
use crate::subject::{PINNED, Subject};

/// For so long the media held is looked at, after CPU time was taken.
const LOOKS: Duration = Duration::from_secs(3);

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Ingest,
    Rtmp,
    Flv,
}

#[derive(Args, Debug)]
pub struct Plan {
    /// How often all programs are measured
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Seconds before the window
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// Seconds over which CPU time is taken
    #[arg(long, default_value_t = 10)]
    window: u64,
    /// Pushes where nobody plays
    #[arg(long, default_value_t = 200)]
    publishers: u32,
    /// Players of the one push where somebody plays
    #[arg(long, default_value_t = 300)]
    players: u32,
    /// Leave nginx out
    #[arg(long)]
    without_nginx: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { runs: 7, warm_up: 3, window: 10, publishers: 200, players: 300, without_nginx: false }
    }
}

/// The part of a load's report that is looked at.
#[derive(Debug, Deserialize)]
struct Report {
    seconds: f64,
    publishers: u32,
    players: u32,
    sent_messages: u64,
    delivered_frames: u64,
    delivered_bytes: u64,
    skipped: u64,
    misdelivered: u64,
    lost: u64,
    refusals: u64,
    late_ms: f64,
    delay_ms: Delays,
}

#[derive(Debug, Deserialize)]
struct Delays {
    p50: Option<f64>,
    p99: Option<f64>,
}

/// One program in one turn.
struct Measured {
    /// Share of a core.
    cores: f64,
    /// Bytes of memory a connection, and how many of them are media for viewers.
    grown: f64,
    held: f64,
    report: Report,
}

/// Figures of one program over all turns.
#[derive(Default)]
struct Row {
    cores: Figures,
    ratio: Figures,
    /// Of the control that merges, where it takes part.
    of_merged: Figures,
    memory: Figures,
    beyond_media: Figures,
    p50: Figures,
    p99: Figures,
}

impl Case {
    /// Who takes part; the first one is what the others are compared with.
    fn subjects(self, plan: &Plan) -> Vec<Subject> {
        let mut all = match self {
            Self::Ingest => vec![Subject::Sink, Subject::Lastframe, Subject::OtherBuild, Subject::Nginx],
            Self::Rtmp => vec![
                Subject::FanoutFrame,
                Subject::Fanout100ms,
                Subject::Lastframe,
                Subject::OtherBuild,
                Subject::Nginx,
            ],
            Self::Flv => vec![Subject::FanoutFrame, Subject::Lastframe, Subject::OtherBuild],
        };
        all.retain(|subject| subject.is_here() && !(plan.without_nginx && *subject == Subject::Nginx));
        all
    }

    fn connections(self, plan: &Plan) -> (u32, u32) {
        if self == Self::Ingest { (plan.publishers, 0) } else { (1, plan.players) }
    }
}

pub fn measure(case: Case, plan: &Plan) -> Outcome<()> {
    let subjects = case.subjects(plan);
    let mut rows: BTreeMap<Subject, Row> = BTreeMap::new();
    for run in 0..plan.runs {
        let mut turn = BTreeMap::new();
        // Whoever goes later finds a warmer machine, so the order changes.
        for index in 0..subjects.len() {
            let Some(&subject) = subjects.get((index + run) % subjects.len()) else { continue };
            turn.insert(subject, one(case, plan, subject)?);
        }
        let control = subjects.first().and_then(|first| turn.get(first)).ok_or("no control")?.cores;
        let merged = turn.get(&Subject::Fanout100ms).map(|measured| measured.cores);
        for (subject, measured) in turn {
            let ratio = measured.cores / control;
            let report = &measured.report;
            println!(
                "{}",
                serde_json::json!({
                    "run": run + 1, "program": subject.name(), "cores": measured.cores, "ratio": ratio,
                    "bytes_grown_per_connection": measured.grown, "of_which_media": measured.held, "frames": report.delivered_frames,
                    "mbit_s": report.delivered_bytes as f64 * 8e-6 / report.seconds,
                    "delay_p99_ms": report.delay_ms.p99, "late_ms": report.late_ms,
                })
            );
            let row = rows.entry(subject).or_default();
            row.cores.push(measured.cores);
            row.ratio.push(ratio);
            merged.into_iter().for_each(|merged| row.of_merged.push(measured.cores / merged));
            row.memory.push(measured.grown / 1024.0);
            row.beyond_media.push((measured.grown - measured.held).max(0.0) / 1024.0);
            report.delay_ms.p50.into_iter().for_each(|ms| row.p50.push(ms));
            report.delay_ms.p99.into_iter().for_each(|ms| row.p99.push(ms));
        }
    }
    let (publishers, players) = case.connections(plan);
    println!("\n{case:?}: {publishers} pushes of 1 Mbit/s, {players} players, {} s", plan.window);
    println!(
        "median (min to max) of {} turns; load on the machine now: {}\n",
        plan.runs,
        process::load_average()
    );
    println!(
        "Memory is KiB a connection, all of it and without the media held for viewers; delays are ms.\n"
    );
    println!(
        "| program | cores | of the control | of the merging one | memory | less media | delay p50 | p99 |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (subject, row) in rows {
        let Row { cores, ratio, of_merged, memory, beyond_media, p50, p99 } = row;
        let name = subject.name();
        println!(
            "| {name} | {cores:.3} | {ratio:.2} | {of_merged:.2} | {memory:.0} | {beyond_media:.0} | {p50:.1} | {p99:.1} |"
        );
    }
    println!();
    Ok(())
}

/// The most media that was held within the time of one group of pictures: memory once taken from the system stays, while what
/// is held falls with each key frame.
fn most_held(program: &Program) -> Outcome<u64> {
    let mut most = 0;
    for _ in 0..20 {
        most = most.max(program.media_held()?);
        sleep(LOOKS / 20);
    }
    Ok(most)
}

fn one(case: Case, plan: &Plan, subject: Subject) -> Outcome<Measured> {
    let program = subject.start(PINNED)?;
    let (publishers, players) = case.connections(plan);
    // The control of FLV is the one of RTMP: what it writes hardly differs.
    let flv = case == Case::Flv && matches!(subject, Subject::Lastframe | Subject::OtherBuild);
    let before = program.resident()?;
    let mut load =
        program.load(publishers, players, flv, plan.warm_up + plan.window + LOOKS.as_secs() + 1)?;
    load.until_measuring()?;
    sleep(Duration::from_secs(plan.warm_up));
    let start = program.cpu()?;
    sleep(Duration::from_secs(plan.window));
    let used = program.cpu()?.saturating_sub(start);
    let held = most_held(&program)?;
    let after = program.resident()?;
    let report: Report = serde_json::from_str(&load.report()?)?;
    let expected = report.sent_messages * u64::from(players);
    if (report.publishers, report.players) != (publishers, players)
        || report.refusals + report.lost + report.skipped + report.misdelivered > 0
        || report.delivered_frames * 100 < expected * 95
    {
        return Err(format!("{} did not carry the load: {report:?}", subject.name()).into());
    }
    Ok(Measured {
        cores: used.as_secs_f64() / plan.window as f64,
        grown: after.saturating_sub(before) as f64 / f64::from(publishers + players),
        held: held as f64 / f64::from(publishers + players),
        report,
    })
}
