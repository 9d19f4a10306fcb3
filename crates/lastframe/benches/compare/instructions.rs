//! Instructions of the programs themselves, by callgrind. The kernel's are not among them.
//!
//! Each program is run twice under the same load for two lengths of time; the difference of both counts, over the
//! difference of messages, is what a message costs, and what starting and connecting costs drops out.

use clap::Args;
use serde::Deserialize;

use crate::Outcome;
use crate::process::Program;
use crate::subject::Subject;

const CALLGRIND: &[&str] = &["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];

#[derive(Args, Debug)]
pub struct Plan {
    /// Pushes of 1 Mbit/s
    #[arg(long, default_value_t = 20)]
    publishers: u32,
    /// Players of one push
    #[arg(long, default_value_t = 20)]
    players: u32,
    /// Seconds of the shorter run; the longer one takes three times as long
    #[arg(long, default_value_t = 6)]
    seconds: u64,
    /// Leave nginx out
    #[arg(long)]
    without_nginx: bool,
    /// Leave players out
    #[arg(long)]
    ingest_only: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { publishers: 20, players: 20, seconds: 6, without_nginx: false, ingest_only: false }
    }
}

/// The part of a load's report that is looked at.
#[derive(Debug, Deserialize)]
struct Report {
    sent_messages: u64,
    delivered_frames: u64,
}

pub fn measure(plan: &Plan) -> Outcome<()> {
    println!("\ninstructions of the program itself, by callgrind\n");
    println!("| program | case | a message |\n|---|---|---|");
    let ingest = ("ingest, a message", plan.publishers, 0, false);
    let rtmp = ("RTMP, a message and player", 1, plan.players, false);
    let flv = ("HTTP-FLV, a message and player", 1, plan.players, true);
    let all = [
        (Subject::Sink, ingest),
        (Subject::Lastframe, ingest),
        (Subject::Nginx, ingest),
        (Subject::FanoutFrame, rtmp),
        (Subject::Fanout100ms, rtmp),
        (Subject::Lastframe, rtmp),
        (Subject::Lastframe, flv),
        (Subject::Nginx, rtmp),
    ];
    for (subject, (case, publishers, players, over_http)) in all {
        let left_out = (plan.without_nginx && subject == Subject::Nginx) || (plan.ingest_only && players > 0);
        if left_out || !subject.is_here() {
            continue;
        }
        let run = |seconds| one(subject, publishers, players, over_http, seconds);
        let (short, long) = (run(plan.seconds)?, run(plan.seconds * 3)?);
        let more = long.0.saturating_sub(short.0) as f64 / long.1.saturating_sub(short.1).max(1) as f64;
        println!("| {} | {case} | {more:.0} |", subject.name());
    }
    println!();
    Ok(())
}

/// Instructions, and messages that were taken in or handed out.
fn one(subject: Subject, publishers: u32, players: u32, flv: bool, seconds: u64) -> Outcome<(u64, u64)> {
    let program: Program = subject.start(CALLGRIND)?;
    let mut load = program.load(publishers, players, flv, seconds)?;
    load.until_measuring()?;
    let report: Report = serde_json::from_str(&load.report()?)?;
    let messages = if players > 0 { report.delivered_frames } else { report.sent_messages };
    Ok((program.collected()?, messages))
}
