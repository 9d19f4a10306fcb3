//! Publish attempts: connect, publish, say goodbye, close.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use clap::Args;
use model::{Clock, SystemClock};
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::encoder::Encoder;
use crate::figures::Figures;
use crate::process;
use crate::subject::{PINNED, Subject};

#[derive(Args, Debug)]
pub struct Plan {
    /// Encoders that try at the same time
    #[arg(long, default_value_t = 64)]
    callers: u32,
    /// How long they try
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How often this is measured, each time with a new server
    #[arg(long, default_value_t = 3)]
    runs: u32,
}

impl Default for Plan {
    fn default() -> Self {
        Self { callers: 64, seconds: 10, runs: 3 }
    }
}

#[derive(Args, Debug)]
pub struct AlonePlan {
    /// Attempts, one after another
    #[arg(long, default_value_t = 200)]
    attempts: u32,
}

impl Default for AlonePlan {
    fn default() -> Self {
        Self { attempts: 200 }
    }
}

#[derive(Args, Debug)]
pub struct Load {
    server: SocketAddr,
    #[arg(long)]
    callers: u32,
    #[arg(long)]
    seconds: u64,
}

/// What the callers did, as one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    attempts: u64,
    seconds: f64,
}

pub fn measure(plan: &Plan) -> Outcome<()> {
    let [mut rate, mut cost] = [const { Figures::new() }; 2];
    for run in 1..=plan.runs {
        let server = Subject::Lastframe.start(PINNED)?;
        let start = server.cpu()?;
        let mut load = process::load(&[
            "callers".to_owned(),
            server.addr.to_string(),
            format!("--callers={}", plan.callers),
            format!("--seconds={}", plan.seconds),
        ])?;
        let done: Done = serde_json::from_str(&load.line()?)?;
        // What the writer still has to do belongs to the attempts.
        sleep(Duration::from_secs(1));
        let used = server.cpu()?.saturating_sub(start);
        let records = server.ends("1/0")?;
        if u64::try_from(records)? != done.attempts {
            return Err(format!("{} attempts, {records} records", done.attempts).into());
        }
        let microseconds = used.as_secs_f64() * 1e6 / done.attempts as f64;
        let per_second = done.attempts as f64 / done.seconds;
        println!(
            "{}",
            serde_json::json!({
                "run": run, "attempts": done.attempts, "records": records,
                "per_second": per_second, "microseconds_of_cpu": microseconds,
            })
        );
        rate.push(per_second);
        cost.push(microseconds);
    }
    println!("\nconnect, publish, close with a record; {} at a time: median (min to max)", plan.callers);
    println!("attempts a second    {rate:.0}");
    println!("CPU an attempt, µs   {cost:.0}\n");
    Ok(())
}

pub fn measure_alone(plan: &AlonePlan) -> Outcome<()> {
    let server = Subject::Lastframe.start(PINNED)?;
    let clock = SystemClock;
    let [mut publish, mut commit] = [const { Figures::new() }; 2];
    let mut file = tempfile::tempfile_in(process::disk())?;
    for attempt in 0..plan.attempts {
        let start = clock.instant();
        let encoder = Encoder::publish(server.addr, &format!("alone-{attempt}"))?;
        publish.push(milliseconds(start, &clock));
        encoder.stop()?;
        // The journal shall be idle when the next one comes.
        sleep(Duration::from_millis(20));
        commit.push(append_and_sync(&mut file, &clock)?);
    }
    println!("\none publish attempt alone, {} times: median (min to max)", plan.attempts);
    println!("connect() to Publish.Start, ms       {publish:.2}, 99 %: {:.2}", publish.quantile(0.99));
    println!("appending 4 KiB with fdatasync, ms   {commit:.2}, 99 %: {:.2}\n", commit.quantile(0.99));
    Ok(())
}

fn append_and_sync(file: &mut File, clock: &SystemClock) -> Outcome<f64> {
    let start = clock.instant();
    file.write_all(&[0x5a; 4096])?;
    file.sync_data()?;
    Ok(milliseconds(start, clock))
}

fn milliseconds(since: Instant, clock: &SystemClock) -> f64 {
    clock.instant().saturating_duration_since(since).as_secs_f64() * 1e3
}

/// The callers: each publishes and stops without a pause, until the time is over.
pub fn run(load: &Load) -> Outcome<()> {
    let clock = SystemClock;
    let start = clock.instant();
    let limit = Duration::from_secs(load.seconds);
    let attempts = Arc::new(AtomicU64::new(0));
    let server = load.server;
    let callers: Vec<_> = (0..load.callers)
        .map(|caller| {
            let attempts = attempts.clone();
            thread::spawn(move || -> Result<(), String> {
                while clock.instant().saturating_duration_since(start) < limit {
                    let name = format!("caller-{caller}");
                    let encoder = Encoder::publish(server, &name).map_err(|e| e.to_string())?;
                    encoder.stop().map_err(|e| e.to_string())?;
                    attempts.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        })
        .collect();
    for caller in callers {
        caller.join().map_err(|_| "a caller panicked")??;
    }
    let seconds = clock.instant().saturating_duration_since(start).as_secs_f64();
    let done = Done { attempts: attempts.load(Ordering::Relaxed), seconds };
    println!("{}", serde_json::to_string(&done)?);
    Ok(())
}
