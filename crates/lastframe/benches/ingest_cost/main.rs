//! What ingest costs, measured from outside the program.
//!
//! `cargo bench -p lastframe --bench ingest_cost` runs all three parts; `-- ingest`, `-- attempts` or `-- alone` runs one.
//!
//! | part | what is measured |
//! |---|---|
//! | `ingest` | CPU and memory of 200 live pushes of 1 Mbit/s, against a control program that reads and discards the same bytes |
//! | `attempts` | CPU for connect, publish, close with its record, and how many a second |
//! | `alone` | from `connect()` to `Publish.Start` with nothing else going on, beside the disk's own commit |
//!
//! The measured program is pinned to core 0 and its load to core 1. In `ingest` the two programs take turns, and only
//! the ratio within a run counts: a busy machine slows both.

mod attempts;
mod control;
mod encoder;
mod figures;
mod ingest;
mod process;
mod publishers;
mod sys;

use std::error::Error;
use std::net::SocketAddr;
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
    /// CPU and memory of live pushes against the control
    Ingest(ingest::Plan),
    /// CPU per publish attempt, and attempts a second
    Attempts(attempts::Plan),
    /// One publish attempt alone
    Alone(attempts::AlonePlan),
    /// The control program
    #[command(hide = true)]
    Control { listen: SocketAddr },
    /// The encoders of `ingest`
    #[command(hide = true)]
    Publishers(publishers::Load),
    /// The encoders of `attempts`
    #[command(hide = true)]
    Callers(attempts::Load),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match options.part {
        None if options.bench => everything(),
        None => {
            println!("this is measured with `cargo bench -p lastframe --bench ingest_cost`");
            Ok(())
        }
        Some(Part::Ingest(plan)) => ingest::measure(&plan),
        Some(Part::Attempts(plan)) => attempts::measure(&plan),
        Some(Part::Alone(plan)) => attempts::measure_alone(&plan),
        Some(Part::Control { listen }) => control::run(listen),
        Some(Part::Publishers(load)) => publishers::run(&load),
        Some(Part::Callers(load)) => attempts::run(&load),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ingest_cost: {error}");
            ExitCode::FAILURE
        }
    }
}

fn everything() -> Outcome<()> {
    ingest::measure(&ingest::Plan::default())?;
    attempts::measure(&attempts::Plan::default())?;
    attempts::measure_alone(&attempts::AlonePlan::default())
}
