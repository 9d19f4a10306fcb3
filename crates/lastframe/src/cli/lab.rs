//! Options of `lab`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use lab::child::Step;
use lab::load::control::Every;

/// The commands of `lab`.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// List the scenarios, and the causes that no scenario can produce yet
    List,
    /// Produce causes on purpose and compare the records with them
    Run(LabRunArgs),
    /// Drive an exported record against a server again, and compare the verdicts
    Replay(LabReplayArgs),
    /// Push and play much at once, and print what became of it as one JSON object
    Load(LabLoadArgs),
    /// Be a server that reads pushes and forgets them: the control that ingest is compared with
    #[command(hide = true)]
    Sink {
        /// Where pushes come in
        listen: SocketAddr,
    },
    /// Be a server that writes pushes on and does nothing else: the control that playback is compared with
    #[command(hide = true)]
    Fanout {
        /// Where pushes and players come in
        listen: SocketAddr,
        /// One write a player for each frame, or for all that came in this time (100ms)
        #[arg(long, value_name = "frame|DURATION", default_value = "frame", value_parser = every)]
        every: Every,
    },
    /// Be a client that a scenario can kill, freeze, or put behind another network
    #[command(hide = true)]
    Client(LabClientArgs),
}

/// Options of `lab run`.
#[derive(Args, Debug)]
pub struct LabRunArgs {
    /// Causes (18/503), names of scenarios, or `all`
    #[arg(required = true, value_name = "CODE")]
    pub what: Vec<String>,
    /// Run against this server, rtmp://host[:port]/app[?query], with what a client can do
    #[arg(long, value_name = "URL", requires = "api", requires = "key")]
    pub target: Option<String>,
    /// Base URL of the target's API
    #[arg(long, value_name = "URL", requires = "target")]
    pub api: Option<String>,
    /// API key of the target
    #[arg(long, value_name = "ID:SECRET", requires = "target", env = "LAB_API_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Key that signs push URLs of the target, where they must be signed
    #[arg(long, value_name = "KEY", requires = "target", env = "LAB_SIGN_KEY", hide_env_values = true)]
    pub sign_key: Option<String>,
    /// Run each scenario this many times, those with real encoders ten times at most
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// Other pushes that go on meanwhile
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "target", value_parser = clap::value_parser!(u32).range(..=1000))]
    pub background: u32,
    /// Print one JSON object a run
    #[arg(long)]
    pub json: bool,
    /// Write the page on the causes, with what was measured, to this file
    #[arg(long, value_name = "FILE")]
    pub docs: Option<PathBuf>,
}

/// Options of `lab replay`.
#[derive(Args, Debug)]
pub struct LabReplayArgs {
    /// What `lastframe export` wrote
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Against this server, rtmp://host[:port]/app[?query], in place of one that is started for it
    #[arg(long, value_name = "URL", requires = "api", requires = "key")]
    pub target: Option<String>,
    /// Base URL of the target's API
    #[arg(long, value_name = "URL", requires = "target")]
    pub api: Option<String>,
    /// API key of the target
    #[arg(long, value_name = "ID:SECRET", requires = "target", env = "LAB_API_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Key that signs push URLs of the target, where they must be signed
    #[arg(long, value_name = "KEY", requires = "target", env = "LAB_SIGN_KEY", hide_env_values = true)]
    pub sign_key: Option<String>,
    /// Only what the black box holds, without the time before it
    #[arg(long)]
    pub tail: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Options of `lab load`.
#[derive(Args, Debug)]
pub struct LabLoadArgs {
    /// Encoders, each with a stream of its own
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub publishers: u32,
    /// Players, spread evenly over the streams
    #[arg(long, value_name = "M", default_value_t = 0)]
    pub players: u32,
    /// kbit/s of a stream, audio included
    #[arg(long, value_name = "K", default_value_t = 1_000)]
    pub kbps: u32,
    /// kbit/s of the streams that are played, where they differ: the first --streams of the publishers
    #[arg(long, value_name = "K")]
    pub played_kbps: Option<u32>,
    /// Pictures a second
    #[arg(long, default_value_t = 30)]
    pub fps: u32,
    /// How long it is measured, once everybody is connected
    #[arg(long, value_name = "S", default_value_t = 10)]
    pub seconds: u64,
    /// Streams that are played; those of the publishers when left out
    #[arg(long)]
    pub streams: Option<u32>,
    /// What publishers push over; a target's URL says it by itself
    #[arg(long, value_enum, default_value = "rtmp", conflicts_with = "target")]
    pub over: LoadOver,
    /// What players ask for
    #[arg(long, value_enum, default_value = "rtmp")]
    pub format: LoadFormat,
    /// Connections stay this long on average, leave, and come back
    #[arg(long, value_name = "DURATION", value_parser = super::duration)]
    pub churn: Option<std::time::Duration>,
    /// Connections opened a second
    #[arg(long, default_value_t = 500)]
    pub ramp: u32,
    /// Push to this server, rtmp://host[:port]/app[?query] or rtmps:// or srt://, in place of one that is started for it
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Play from there: http://host[:port] for flv, rtmp://host[:port]/app for RTMP from another server
    #[arg(long, value_name = "URL", requires = "target")]
    pub play: Option<String>,
    /// Key that signs push URLs of the target, where they must be signed
    #[arg(long, value_name = "KEY", requires = "target", env = "LAB_SIGN_KEY", hide_env_values = true)]
    pub sign_key: Option<String>,
    /// Process of the target on this machine, whose CPU and memory go into the report
    #[arg(long, value_name = "PID", requires = "target")]
    pub pid: Option<u32>,
    /// Each publisher pushes to a port of its own, this far from the one before, from the target's on
    #[arg(long, value_name = "N", requires = "target", default_value_t = 0, hide = true)]
    pub port_step: u16,
    /// What names of streams begin with
    #[arg(long, value_name = "NAME", default_value = "load")]
    pub prefix: String,
}

/// What publishers of `lab load` push over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LoadOver {
    Rtmp,
    Rtmps,
    Srt,
}

/// What players of `lab load` ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LoadFormat {
    Rtmp,
    Flv,
}

/// Options of `lab client`.
#[derive(Args, Debug)]
pub struct LabClientArgs {
    /// Server
    #[arg(long)]
    pub server: SocketAddr,
    /// tcUrl
    #[arg(long)]
    pub tc_url: String,
    /// App
    #[arg(long)]
    pub app: String,
    /// Name in publish
    #[arg(long)]
    pub name: String,
    /// kbit/s of video
    #[arg(long, default_value_t = 400)]
    pub kbps: u32,
    /// stream=SECONDS, idle=SECONDS, delete, reset, close
    pub steps: Vec<Step>,
}

fn every(text: &str) -> Result<Every, String> {
    if text == "frame" { Ok(Every::Frame) } else { super::duration(text).map(Every::Time) }
}
