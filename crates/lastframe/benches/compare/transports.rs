//! What a push costs over each transport, and what it costs `srt-live-transmit` to receive as many over SRT.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use crate::Outcome;
use crate::figures::Figures;
use crate::process::{self, Output, Program, SERVER_CORE};
use crate::subject::{PINNED, Subject};

const TOOL: &str = "srt-live-transmit";
/// How long records may take to be written.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Args, Debug)]
pub struct Plan {
    /// How often all are measured
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Seconds before the window
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// Seconds over which CPU time is taken
    #[arg(long, default_value_t = 10)]
    window: u64,
    /// Pushes
    #[arg(long, default_value_t = 100)]
    publishers: u32,
    /// kbit/s of a push
    #[arg(long, default_value_t = 1_000)]
    kbps: u32,
    /// Leave `srt-live-transmit` out
    #[arg(long)]
    without_tool: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self { runs: 5, warm_up: 3, window: 10, publishers: 100, kbps: 1_000, without_tool: false }
    }
}

/// Who receives, and over what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Rtmp,
    Rtmps,
    Srt,
    /// `srt-live-transmit`, a process for each push, as it takes one; what it receives it throws away.
    Tool,
}

#[derive(Debug, Deserialize)]
struct Report {
    publishers: u32,
    sent_bytes: u64,
    seconds: f64,
    refusals: u64,
    lost: u64,
    held_back: u64,
    late_ms: f64,
}

#[derive(Default)]
struct Row {
    cores: Figures,
    ratio: Figures,
    late: Figures,
}

/// What is measured: one server, or a process for each push.
enum Receiver {
    Server(Program),
    Tools { children: Vec<Child>, first: SocketAddr },
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Rtmp => "RTMP",
            Self::Rtmps => "RTMPS",
            Self::Srt => "SRT",
            Self::Tool => TOOL,
        }
    }

    /// The clean end that each push's record has.
    fn clean_end(self) -> &'static str {
        if self == Self::Srt { "35/0" } else { "1/0" }
    }
}

pub fn measure(plan: &Plan) -> Outcome<()> {
    let mut ways = vec![Way::Rtmp, Way::Rtmps, Way::Srt, Way::Tool];
    let tool_is_here =
        Command::new(TOOL).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    ways.retain(|way| *way != Way::Tool || (tool_is_here && !plan.without_tool));
    let mut rows: BTreeMap<Way, Row> = BTreeMap::new();
    for run in 0..plan.runs {
        let mut turn = BTreeMap::new();
        for index in 0..ways.len() {
            let Some(&way) = ways.get((index + run) % ways.len()) else { continue };
            turn.insert(way, one(plan, way)?);
        }
        let control = turn.get(&Way::Rtmp).ok_or("no control")?.0;
        for (way, (cores, report)) in turn {
            let mbit_s = report.sent_bytes as f64 * 8e-6 / report.seconds;
            println!(
                "{}",
                serde_json::json!({
                    "run": run + 1, "over": way.name(), "cores": cores, "ratio": cores / control, "mbit_s": mbit_s,
                    "late_ms": report.late_ms,
                })
            );
            let row = rows.entry(way).or_default();
            row.cores.push(cores);
            row.ratio.push(cores / control);
            row.late.push(report.late_ms);
        }
    }
    println!("\n{} pushes of {} kbit/s, {} s, nobody plays", plan.publishers, plan.kbps, plan.window);
    let (runs, load) = (plan.runs, process::load_average());
    println!("median (min to max) of {runs} turns; load on the machine now: {load}\n");
    println!("| over | cores | of RTMP | the load was late by at most, ms |");
    println!("|---|---|---|---|");
    for (way, Row { cores, ratio, late }) in rows {
        println!("| {} | {cores:.3} | {ratio:.2} | {late:.1} |", way.name());
    }
    println!();
    Ok(())
}

fn one(plan: &Plan, way: Way) -> Outcome<(f64, Report)> {
    let receiver = Receiver::start(plan, way)?;
    let mut load = receiver.load(plan, way)?;
    load.until_measuring()?;
    sleep(Duration::from_secs(plan.warm_up));
    let (start, before) = (receiver.cpu()?, receiver.written()?);
    sleep(Duration::from_secs(plan.window));
    let used = receiver.cpu()?.saturating_sub(start);
    let written = receiver.written()?.saturating_sub(before);
    let report: Report = serde_json::from_str(&load.report()?)?;
    if report.publishers != plan.publishers || report.refusals + report.lost + report.held_back > 0 {
        return Err(format!("{} did not carry the load: {report:?}", way.name()).into());
    }
    let expected = report.sent_bytes as f64 / report.seconds * plan.window as f64;
    receiver.received(plan, way, written as f64, expected)?;
    Ok((used.as_secs_f64() / plan.window as f64, report))
}

impl Receiver {
    fn start(plan: &Plan, way: Way) -> Outcome<Self> {
        if way != Way::Tool {
            return Ok(Self::Server(Subject::Lastframe.start(PINNED)?));
        }
        let first = free_ports(plan.publishers)?;
        let mut receivers = Self::Tools { children: Vec::new(), first };
        for number in 0..plan.publishers {
            let Self::Tools { children, .. } = &mut receivers else { continue };
            let from = format!("srt://127.0.0.1:{}?mode=listener", port(first, number));
            let mut command = Command::new("taskset");
            command.args(["-c", SERVER_CORE, TOOL, "-q", &from, "file://con"]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            children.push(command.spawn()?);
        }
        sleep(Duration::from_secs(2));
        Ok(receivers)
    }

    fn load(&self, plan: &Plan, way: Way) -> Outcome<Output> {
        let target = match (self, way) {
            (Self::Server(program), Way::Rtmps) => format!("rtmps://{}/live", program.rtmps),
            (Self::Server(program), Way::Srt) => format!("srt://{}/live", program.srt),
            (Self::Server(program), _) => format!("rtmp://{}/live", program.addr),
            (Self::Tools { first, .. }, _) => format!("srt://{first}/live"),
        };
        let mut arguments =
            vec!["--publishers".to_owned(), plan.publishers.to_string(), "--target".to_owned(), target];
        arguments.extend(["--kbps".to_owned(), plan.kbps.to_string()]);
        let seconds = plan.warm_up + plan.window + 1;
        arguments.extend([
            "--seconds".to_owned(),
            seconds.to_string(),
            "--ramp".to_owned(),
            "100".to_owned(),
        ]);
        if way == Way::Tool {
            arguments.extend(["--port-step".to_owned(), "1".to_owned()]);
        }
        process::lab_load(&arguments)
    }

    fn cpu(&self) -> Outcome<Duration> {
        match self {
            Self::Server(program) => program.cpu(),
            Self::Tools { children, .. } => {
                children.iter().try_fold(Duration::ZERO, |sum, child| Ok(sum + process::cpu_of(child.id())?))
            }
        }
    }

    /// Bytes that tools have passed on.
    fn written(&self) -> Outcome<u64> {
        let Self::Tools { children, .. } = self else { return Ok(0) };
        children.iter().try_fold(0, |sum, child| {
            let io = fs::read_to_string(format!("/proc/{}/io", child.id()))?;
            let line =
                io.lines().find_map(|line| line.strip_prefix("wchar: ")).ok_or("an io without wchar")?;
            Ok(sum + line.trim().parse::<u64>()?)
        })
    }

    /// Whether all that was sent has arrived: by its records, or by what was passed on.
    fn received(&self, plan: &Plan, way: Way, written: f64, expected: f64) -> Outcome<()> {
        let Self::Server(program) = self else {
            return match written >= expected * 0.95 {
                true => Ok(()),
                false => Err(format!("{TOOL} has passed on {written} bytes of {expected}").into()),
            };
        };
        let (wanted, mut waited) = (plan.publishers as usize, Duration::ZERO);
        loop {
            let ends = program.ends(way.clean_end())?;
            match ends == wanted {
                true => return Ok(()),
                false if waited >= PATIENCE => {
                    return Err(format!("{ends} of {wanted} pushes over {} ended well", way.name()).into());
                }
                false => sleep(Duration::from_millis(500)),
            }
            waited += Duration::from_millis(500);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let Self::Tools { children, .. } = self else { return };
        for child in children {
            // It has ended by itself, or does so now.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn port(first: SocketAddr, number: u32) -> u16 {
    first.port().saturating_add(u16::try_from(number).unwrap_or(u16::MAX))
}

/// The first of as many UDP ports in a row that nobody has.
fn free_ports(count: u32) -> Outcome<SocketAddr> {
    let count = u16::try_from(count)?;
    for first in (20_000_u16..30_000).step_by(usize::from(count.max(1))) {
        let all_free =
            (first..first.saturating_add(count)).all(|port| UdpSocket::bind(("127.0.0.1", port)).is_ok());
        if all_free {
            return Ok(SocketAddr::from(([127, 0, 0, 1], first)));
        }
    }
    Err("there are not enough free ports in a row".into())
}
