//! CPU and memory of live pushes, against the control.

use std::thread::sleep;
use std::time::Duration;

use clap::Args;

use crate::Outcome;
use crate::figures::Figures;
use crate::process::{self, Program};
use crate::publishers::Sent;

#[derive(Args, Debug)]
pub struct Plan {
    /// How often both programs are measured
    #[arg(long, default_value_t = 7)]
    runs: u32,
    /// Pushes of 1 Mbit/s
    #[arg(long, default_value_t = 200)]
    publishers: u32,
    /// Seconds before the window
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// Seconds over which CPU time is taken
    #[arg(long, default_value_t = 10)]
    window: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self { runs: 7, publishers: 200, warm_up: 3, window: 10 }
    }
}

/// One program in one run.
struct Measured {
    /// Share of a core.
    cores: f64,
    bytes_per_push: f64,
    sent: Sent,
}

pub fn measure(plan: &Plan) -> Outcome<()> {
    let [mut control, mut lastframe, mut ratio, mut memory] = [const { Figures::new() }; 4];
    for run in 1..=plan.runs {
        // Whoever goes second finds a warmer machine, so the order changes.
        let (ours, theirs) = if run % 2 == 0 {
            let ours = one(plan, process::lastframe()?)?;
            (ours, one(plan, process::control()?)?)
        } else {
            let theirs = one(plan, process::control()?)?;
            (one(plan, process::lastframe()?)?, theirs)
        };
        let of_control = ours.cores / theirs.cores;
        println!(
            "{}",
            serde_json::json!({
                "run": run,
                "control_cores": theirs.cores,
                "lastframe_cores": ours.cores,
                "ratio": of_control,
                "bytes_per_push": ours.bytes_per_push,
                "mbit_per_push": megabits(plan, &ours.sent),
                "latest_ms": [theirs.sent.latest_ms, ours.sent.latest_ms],
            })
        );
        control.push(theirs.cores);
        lastframe.push(ours.cores);
        ratio.push(of_control);
        memory.push(ours.bytes_per_push / 1024.0);
    }
    println!(
        "\n{} pushes of 1 Mbit/s, {} s, {} runs: median (min to max)",
        plan.publishers, plan.window, plan.runs
    );
    println!("control, cores       {control:.3}");
    println!("lastframe, cores     {lastframe:.3}");
    println!("ratio                {ratio:.2}");
    println!("memory a push, KiB   {memory:.0}\n");
    Ok(())
}

fn one(plan: &Plan, program: Program) -> Outcome<Measured> {
    let seconds = plan.warm_up + plan.window + 2;
    let before = program.resident()?;
    let mut load = process::load(&[
        "publishers".to_owned(),
        program.addr.to_string(),
        format!("--publishers={}", plan.publishers),
        format!("--seconds={seconds}"),
    ])?;
    if load.line()? != "ready" {
        return Err("the publishers did not get live".into());
    }
    sleep(Duration::from_secs(plan.warm_up));
    let start = program.cpu()?;
    sleep(Duration::from_secs(plan.window));
    let used = program.cpu()?.saturating_sub(start);
    let after = program.resident()?;
    let sent = serde_json::from_str(&load.line()?)?;
    Ok(Measured {
        cores: used.as_secs_f64() / plan.window as f64,
        bytes_per_push: after.saturating_sub(before) as f64 / f64::from(plan.publishers),
        sent,
    })
}

fn megabits(plan: &Plan, sent: &Sent) -> f64 {
    let seconds = (plan.warm_up + plan.window + 2) as f64;
    sent.bytes as f64 * 8.0 / 1e6 / seconds / f64::from(plan.publishers)
}
