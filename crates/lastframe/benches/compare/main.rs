//! What the server costs, beside nginx with its RTMP module and beside programs that do the least there is to do.
//! `bench/compare/run.sh` installs what is needed and runs everything; `cargo bench -p lastframe --bench compare -- PART`
//! runs one part.
//!
//! | part | what is measured |
//! |---|---|
//! | `ingest` | CPU and memory of 200 live pushes of 1 Mbit/s nobody plays, against `lab sink` |
//! | `rtmp` | CPU of one push and 300 players over RTMP, against `lab fanout` with one write a frame, or one every 100 ms |
//! | `flv` | the same over HTTP-FLV |
//! | `transports` | CPU of live pushes over RTMP, RTMPS and SRT, and of `srt-live-transmit` that receives as many |
//! | `attempts` | CPU for connect, publish, close with its record, and how many a second |
//! | `alone` | from `connect()` to `Publish.Start` with nothing else going on, beside the disk's own commit |
//! | `instructions` | instructions of the program itself a message, by callgrind: what a busy machine cannot change |
//!
//! The measured program is pinned to core 0 and its load to core 1. Programs take turns, and only ratios within a turn
//! count: a busy machine slows all.

mod attempts;
mod encoder;
mod figures;
mod instructions;
mod live;
mod process;
mod subject;
mod transports;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Anything that keeps a measurement from being made; a bench has nobody to handle it.
type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// Given by `cargo bench`; without it only the help is of use
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// CPU and memory of live pushes that nobody plays
    Ingest(live::Plan),
    /// CPU of one push and many players over RTMP
    Rtmp(live::Plan),
    /// The same over HTTP-FLV
    Flv(live::Plan),
    /// CPU of live pushes over each transport
    Transports(transports::Plan),
    /// CPU per publish attempt, and attempts a second
    Attempts(attempts::Plan),
    /// One publish attempt alone
    Alone(attempts::AlonePlan),
    /// Instructions a message
    Instructions(instructions::Plan),
    /// The encoders of `attempts`
    #[command(hide = true)]
    Callers(attempts::Load),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match options.part {
        None if options.bench => everything(),
        None => {
            println!("this is measured with `cargo bench -p lastframe --bench compare`");
            Ok(())
        }
        Some(Part::Ingest(plan)) => live::measure(live::Case::Ingest, &plan),
        Some(Part::Rtmp(plan)) => live::measure(live::Case::Rtmp, &plan),
        Some(Part::Flv(plan)) => live::measure(live::Case::Flv, &plan),
        Some(Part::Transports(plan)) => transports::measure(&plan),
        Some(Part::Attempts(plan)) => attempts::measure(&plan),
        Some(Part::Alone(plan)) => attempts::measure_alone(&plan),
        Some(Part::Instructions(plan)) => instructions::measure(&plan),
        Some(Part::Callers(load)) => attempts::run(&load),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn everything() -> Outcome<()> {
    for case in [live::Case::Ingest, live::Case::Rtmp, live::Case::Flv] {
        live::measure(case, &live::Plan::default())?;
    }
    transports::measure(&transports::Plan::default())?;
    attempts::measure(&attempts::Plan::default())?;
    attempts::measure_alone(&attempts::AlonePlan::default())?;
    instructions::measure(&instructions::Plan::default())
}
