//! Options of `lab`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use lab::child::Step;

/// The commands of `lab`.
#[derive(Debug, Subcommand)]
pub enum LabCommand {
    /// List the scenarios, and the causes that no scenario can produce yet
    List,
    /// Produce causes on purpose and compare the records with them
    Run(LabRunArgs),
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
    /// Run each scenario this many times
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// Print one JSON object a run
    #[arg(long)]
    pub json: bool,
    /// Write the page on the causes, with what was measured, to this file
    #[arg(long, value_name = "FILE")]
    pub docs: Option<PathBuf>,
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
