//! `lab`: the fault lab.

use std::io::{self, Write};

use cause::Cause;
use cause::export::Export;
use lab::child::{self, Plan};
use lab::report::{self, Matrix};
use lab::{Choice, LabError, Outcome, Target, load, missing, scenarios};

use model::{Clock, SystemClock};

use crate::cli::lab::{
    LabClientArgs, LabCommand, LabLoadArgs, LabReplayArgs, LabRunArgs, LoadFormat, LoadOver,
};
use crate::descriptors;
use crate::failure::Failure;
use crate::terminal::table::{Column, write};

const WIDTH: usize = 100;

/// Does what the command line says.
pub fn run(command: LabCommand) -> Result<(), Failure> {
    match command {
        LabCommand::List => list(),
        LabCommand::Run(args) => runtime()?.block_on(until_stopped(produce(args))),
        LabCommand::Replay(args) => runtime()?.block_on(until_stopped(replay(args))),
        LabCommand::Load(args) => runtime()?.block_on(until_stopped(load(args))),
        LabCommand::Sink { listen } => {
            descriptors::raise();
            load::control::sink(listen).map_err(Failure::failed)
        }
        LabCommand::Fanout { listen, every } => {
            descriptors::raise();
            load::control::fanout(listen, every).map_err(Failure::failed)
        }
        LabCommand::Client(args) => runtime()?.block_on(child::play(&plan(args))).map_err(Failure::failed),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let failed = |error| Failure::failed(format!("cannot start the runtime: {error}"));
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)
}

/// Leaves off at SIGINT or SIGTERM: servers, clients and networks go with what is dropped.
async fn until_stopped(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |error| Failure::failed(format!("cannot listen for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => Err(Failure::failed("stopped")),
        _ = terminate.recv() => Err(Failure::failed("stopped")),
    }
}

fn list() -> Result<(), Failure> {
    let columns = [
        Column { heading: "CODE", max: 6 },
        Column { heading: "SCENARIO", max: 32 },
        Column { heading: "NEEDS", max: 10 },
        Column { heading: "WHAT HAPPENS", max: WIDTH },
    ];
    let scenarios = scenarios::all();
    let mut rows = Vec::new();
    for cause in Cause::ALL {
        let code = cause.code().to_string();
        for scenario in scenarios.iter().filter(|scenario| scenario.cause == cause) {
            let (needs, about) = (scenario.needs.to_string(), scenario.about.to_owned());
            rows.push(vec![code.clone(), scenario.name.to_owned(), needs, about]);
        }
        if let Some(reason) = missing::reason(cause) {
            rows.push(vec![code, "-".to_owned(), "-".to_owned(), format!("none yet: {reason}")]);
        }
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out, &columns, &rows)?;
    Ok(out.flush()?)
}

async fn produce(args: LabRunArgs) -> Result<(), Failure> {
    let chosen = lab::choose(&args.what).map_err(usage)?;
    let target = target(&args.target, &args.api, &args.key, &args.sign_key).map_err(usage)?;
    let runs: u64 = chosen.scenarios.iter().map(|scenario| u64::from(scenario.repeats(args.repeat))).sum();
    let mut done = 0_u64;
    let plan = lab::Plan { target, repeat: args.repeat, background: args.background };
    let run = lab::run(&chosen.scenarios, plan, |outcome| {
        done = done.saturating_add(1);
        match args.json {
            // A reader that has gone away does not end the run: servers have to be taken down.
            true => drop(writeln!(io::stdout(), "{}", outcome.to_json())),
            false => drop(writeln!(io::stderr(), "{done:>4}/{runs}  {}", report::line(outcome))),
        }
    })
    .await
    .map_err(Failure::failed)?;
    let lab::Run { outcomes, background } = run;
    let missing = Outcome::of_missing(&chosen.missing);
    if args.json {
        for outcome in &missing {
            writeln!(io::stdout(), "{}", outcome.to_json())?;
        }
    } else {
        let all: Vec<Outcome> = outcomes.iter().chain(&missing).cloned().collect();
        io::stdout().write_all(report::table(&all).as_bytes())?;
        if args.repeat > 1 {
            io::stdout().write_all(Matrix::of(&outcomes).to_string().as_bytes())?;
        }
    }
    if let Some(file) = &args.docs {
        let page = report::page(&scenarios::all(), &outcomes, background);
        std::fs::write(file, page)
            .map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display())))?;
    }
    if let Some(background) = background {
        writeln!(io::stderr(), "{background}")?;
        if background.kept != background.pushes {
            return Err(Failure::failed("pushes in the background did not end as they should"));
        }
    }
    verdict(&chosen, &outcomes)
}

fn verdict(chosen: &Choice, outcomes: &[Outcome]) -> Result<(), Failure> {
    match outcomes.iter().filter(|outcome| outcome.is_wrong()).count() {
        0 => Ok(()),
        wrong => Err(Failure::failed(format!(
            "{wrong} of {} runs of {} scenarios came out wrong",
            outcomes.len(),
            chosen.scenarios.len()
        ))),
    }
}

async fn replay(args: LabReplayArgs) -> Result<(), Failure> {
    let named = |error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", args.file.display()));
    let text = std::fs::read_to_string(&args.file).map_err(|error| named(&error))?;
    let export = Export::read(&text).map_err(|error| named(&error))?;
    let target = target(&args.target, &args.api, &args.key, &args.sign_key).map_err(usage)?;
    let site = lab::site::Site::new(target.as_ref()).await.map_err(Failure::failed)?;
    let stream = format!("replay-{}", SystemClock.push_id());
    let replayed = lab::replay::replay(&export, &site, &stream, args.tail).await.map_err(Failure::failed)?;
    let lab::replay::Replayed { was, was_detail, got, got_detail } = &replayed;
    let (got, same) = (got.map(|code| code.to_string()), replayed.is_same());
    if args.json {
        let line = serde_json::json!({
            "stream": stream, "was": was.to_string(), "was_detail": was_detail,
            "got": got, "got_detail": got_detail, "same": same,
        });
        writeln!(io::stdout(), "{line}")?;
    } else {
        let shown = |code: &str, detail: &Option<String>| match detail {
            Some(detail) => format!("{code} ({detail})"),
            None => code.to_owned(),
        };
        let got = got.as_deref().map_or_else(|| "no record".to_owned(), |code| shown(code, got_detail));
        writeln!(io::stdout(), "the record says {}, the replay {got}", shown(&was.to_string(), was_detail))?;
    }
    if same { Ok(()) } else { Err(Failure::failed("the replay was judged otherwise")) }
}

async fn load(args: LabLoadArgs) -> Result<(), Failure> {
    let format = match args.format {
        LoadFormat::Rtmp => load::Format::Rtmp,
        LoadFormat::Flv => load::Format::Flv,
    };
    let sign_key = args.sign_key.as_deref();
    let place = args
        .target
        .as_deref()
        .map(|target| load::Place::new(target, args.play.as_deref(), format, sign_key, &args.prefix))
        .transpose()
        .map_err(usage)?
        .map(|place| place.with_port_step(args.port_step));
    let over = match args.over {
        LoadOver::Rtmp => load::Transport::Rtmp,
        LoadOver::Rtmps => load::Transport::Rtmps,
        LoadOver::Srt => load::Transport::Srt,
    };
    let plan = load::Plan {
        publishers: args.publishers,
        players: args.players,
        kbps: args.kbps,
        played_kbps: args.played_kbps,
        fps: args.fps,
        seconds: args.seconds,
        streams: args.streams,
        over,
        format,
        churn: args.churn,
        ramp: args.ramp,
    };
    plan.check(descriptors::raise()).map_err(|error| Failure::Usage(error.to_string()))?;
    let seconds = plan.seconds;
    let measuring = move || drop(writeln!(io::stderr(), "everybody is connected; measuring for {seconds} s"));
    let report = load::run(plan, place, args.pid, measuring).await.map_err(Failure::failed)?;
    writeln!(io::stdout(), "{}", report.to_json())?;
    if report.publishers == 0 && report.players == 0 {
        return Err(Failure::failed("nobody was connected at the end"));
    }
    Ok(())
}

fn target(
    url: &Option<String>,
    api: &Option<String>,
    key: &Option<String>,
    sign_key: &Option<String>,
) -> Result<Option<Target>, LabError> {
    match (url, api, key) {
        (Some(url), Some(api), Some(key)) => Target::new(url, api, key, sign_key.as_deref()).map(Some),
        _ => Ok(None),
    }
}

fn usage(error: LabError) -> Failure {
    Failure::Usage(error.to_string())
}

fn plan(args: LabClientArgs) -> Plan {
    let LabClientArgs { server, tc_url, app, name, kbps, steps } = args;
    Plan { server, tc_url, app, name, kbps, steps }
}
