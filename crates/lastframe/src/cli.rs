//! Commands and options.

pub mod lab;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use model::{Code, PushId, Timestamp, UrlKind};

use crate::config::value::{parse_duration, parse_network};
use crate::logging::LogFormat;

/// A live-streaming ingest server that tells why every stream ended.
#[derive(Debug, Parser)]
#[command(name = "lastframe", version, about, disable_help_subcommand = true)]
pub struct Cli {
    /// Configuration file (TOML); without one, defaults and LASTFRAME_SECTION_KEY variables hold
    #[arg(long, global = true, value_name = "FILE", env = "LASTFRAME_CONFIG")]
    pub config: Option<PathBuf>,
    /// Data folder
    #[arg(long, global = true, value_name = "DIR", env = "LASTFRAME_DATA", default_value = "./data")]
    pub data: PathBuf,
    /// What to do; `serve` when left out
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(ServeArgs),
    /// Print a signed URL
    Url(UrlArgs),
    /// Query interruption records
    Records(RecordsArgs),
    /// Show one record with its evidence
    Show(ShowArgs),
    /// Write one record with its evidence as JSON, to be sent, judged again or replayed
    Export(ExportArgs),
    /// Judge stored evidence again by the rules of this version, and print what differs
    Judge(JudgeArgs),
    /// Print the table of causes
    Causes(CausesArgs),
    /// Validate the configuration
    Check,
    /// Take the node that runs on the data folder out of service: no new pushes, encoders that can are asked to connect
    /// elsewhere, and what is left after a while is ended (10/0)
    Drain(DrainArgs),
    /// Look at the nodes that this one shares its stream keys with
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Produce causes on purpose and compare the records with them
    #[command(subcommand)]
    Lab(lab::LabCommand),
}

/// Options of `serve`.
#[derive(Args, Debug, Default)]
pub struct ServeArgs {
    /// How log lines look; LASTFRAME_LOG chooses what is logged (default "info")
    #[arg(long, value_enum, env = "LASTFRAME_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// What can be asked of the cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Print the nodes as the one on the data folder sees them, and whether registry, catalog and database are well; exit
    /// code 1 where something is not
    Status(ClusterStatusArgs),
}

/// Options of `cluster status`.
#[derive(Args, Debug)]
pub struct ClusterStatusArgs {
    /// How it is printed; json is one object
    #[arg(long, value_enum, default_value = "table")]
    pub format: CauseFormat,
}

/// Options of `drain`.
#[derive(Args, Debug)]
pub struct DrainArgs {
    /// How long encoders have to move before what is left is ended
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = wait)]
    pub wait: Duration,
    /// Take pushes again
    #[arg(long, conflicts_with = "wait")]
    pub cancel: bool,
}

/// Options of `url`.
#[derive(Args, Debug)]
pub struct UrlArgs {
    /// Domain of the catalog
    #[arg(long)]
    pub domain: String,
    /// App: the path of the URL
    #[arg(long)]
    pub app: String,
    /// Stream name
    #[arg(long)]
    pub stream: String,
    /// How long the URL opens a push
    #[arg(long, default_value = "24h", value_parser = duration)]
    pub ttl: Duration,
    /// Kind of URL
    #[arg(long, default_value = "rtmp", value_parser = url_kind())]
    pub kind: UrlKind,
    /// Port in the URL; the port that this configuration listens on when left out
    #[arg(long)]
    pub port: Option<u16>,
}

/// Options of `records`.
#[derive(Args, Debug)]
pub struct RecordsArgs {
    /// Stream name, exact unless --fuzzy
    #[arg(long)]
    pub stream: Option<String>,
    /// Find names that contain the text of --stream
    #[arg(long, requires = "stream")]
    pub fuzzy: bool,
    /// Push domain
    #[arg(long)]
    pub domain: Option<String>,
    /// App
    #[arg(long)]
    pub app: Option<String>,
    /// Client address or network
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub ip: Option<ipnet::IpNet>,
    /// Cause, such as 18/503; may be given more than once
    #[arg(long, value_name = "CODE", value_parser = code)]
    pub code: Vec<Code>,
    /// Who ended it
    #[arg(long, value_parser = ["client", "network", "server", "policy", "operator"])]
    pub side: Option<String>,
    /// Ended since: a duration ago (24h) or an RFC 3339 time
    #[arg(long, value_name = "T", value_parser = when)]
    pub since: Option<When>,
    /// Ended before: a duration ago (1h) or an RFC 3339 time
    #[arg(long, value_name = "T", value_parser = when)]
    pub until: Option<When>,
    /// How the records are printed; json is one object a line
    #[arg(long, value_enum, default_value = "table")]
    pub format: RecordFormat,
    /// At most this many records
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Go on with new records as they are written
    #[arg(long, conflicts_with = "until")]
    pub follow: bool,
    /// Language of messages; from LANG when left out
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
}

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RecordFormat {
    Table,
    Json,
    Csv,
}

/// Options of `show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// The record's id
    #[arg(value_parser = push_id)]
    pub id: PushId,
    /// Language of messages; from LANG when left out
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
}

/// Options of `export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The record's id
    #[arg(value_parser = push_id)]
    pub id: PushId,
    /// Write to this file; to standard output when left out
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Options of `judge`.
#[derive(Args, Debug)]
pub struct JudgeArgs {
    /// Records that ended since: a duration ago (24h) or an RFC 3339 time; all when left out
    #[arg(long, value_name = "T", value_parser = when, conflicts_with = "id")]
    pub since: Option<When>,
    /// This record alone; may be given more than once
    #[arg(long, value_name = "ID", value_parser = push_id)]
    pub id: Vec<PushId>,
    /// Language of messages; from LANG when left out
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
}

/// Options of `causes`.
#[derive(Args, Debug)]
pub struct CausesArgs {
    /// Language; from LANG when left out
    #[arg(long, value_enum)]
    pub lang: Option<Language>,
    /// How the table is printed; json is one object a line
    #[arg(long, value_enum, default_value = "table")]
    pub format: CauseFormat,
}

/// How the table of causes is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CauseFormat {
    Table,
    Json,
}

/// The languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Ja,
    En,
    Zh,
}

impl Language {
    /// The chosen language, or else the one of `LC_ALL`, `LC_MESSAGES` or `LANG`, or else English.
    pub fn or_environment(chosen: Option<Self>) -> cause::Lang {
        match chosen {
            Some(Self::Ja) => cause::Lang::Ja,
            Some(Self::En) => cause::Lang::En,
            Some(Self::Zh) => cause::Lang::Zh,
            None => {
                let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
                let locale = set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG"));
                match locale.as_deref().and_then(|l| l.get(..2)) {
                    Some("ja") => cause::Lang::Ja,
                    Some("zh") => cause::Lang::Zh,
                    _ => cause::Lang::En,
                }
            }
        }
    }
}

/// A point in time as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This long ago.
    Ago(Duration),
    /// At this time.
    At(Timestamp),
}

impl When {
    /// The time, seen from `now`.
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(duration) => now.minus(duration),
            Self::At(time) => time,
        }
    }
}

fn url_kind() -> impl TypedValueParser<Value = UrlKind> {
    PossibleValuesParser::new(UrlKind::ALL.map(|(word, _)| word)).try_map(|text| text.parse::<UrlKind>())
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .filter(|d| !d.is_zero())
        .ok_or_else(|| "write a duration such as 24h, 30m or 7d".into())
}

/// The longest wait: who means "for ever" means a day.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);

fn wait(text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .filter(|d| *d <= LONGEST_WAIT)
        .ok_or_else(|| "write a duration of at most 24h, such as 60s, or 0s".into())
}

fn network(text: &str) -> Result<ipnet::IpNet, String> {
    parse_network(text).ok_or_else(|| "write an address or a network such as 203.0.113.0/24".into())
}

fn code(text: &str) -> Result<Code, String> {
    let code: Code = text.parse().map_err(|e: model::code::CodeError| e.to_string())?;
    match cause::Cause::from_code(code) {
        Some(_) => Ok(code),
        None => Err(format!("there is no cause {code}; `lastframe causes` prints all")),
    }
}

fn when(text: &str) -> Result<When, String> {
    parse_duration(text)
        .map(When::Ago)
        .or_else(|| Timestamp::parse(text).map(When::At))
        .ok_or_else(|| "write a duration (24h) or an RFC 3339 time (2026-01-31T20:00:00Z)".into())
}

fn push_id(text: &str) -> Result<PushId, String> {
    text.parse().map_err(|_| "write a record's id as `lastframe records` prints it".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_ago_or_absolute() {
        let now = Timestamp(1_000_000);
        assert_eq!(when("10s").unwrap().from(now), Timestamp(990_000));
        assert_eq!(when("1970-01-01T00:00:05Z").unwrap().from(now), Timestamp(5_000));
        assert!(when("yesterday").is_err());
    }

    #[test]
    fn a_code_must_stand_in_the_table() {
        assert!(code("18/503").is_ok());
        assert!(code("18/999").unwrap_err().contains("no cause 18/999"));
    }
}
