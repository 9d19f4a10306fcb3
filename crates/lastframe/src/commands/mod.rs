//! One file per command.

mod causes;
mod check;
mod cluster;
mod drain;
mod export;
mod judge;
mod lab;
mod records;
mod serve;
mod show;
mod url;

use std::path::Path;

use store::Reader;

use crate::cli::{Cli, ClusterCommand, Command};
use crate::config::{self, Loaded};
use crate::failure::Failure;

/// Does what the command line says.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let config = cli.config.as_deref();
    match cli.command.unwrap_or(Command::Serve(Default::default())) {
        Command::Serve(args) => serve::run(&args, configuration(config)?, &cli.data),
        Command::Url(args) => url::run(&args, &settings(config)?.config, &cli.data),
        Command::Records(args) => records::run(&args, &reader(config, &cli.data)?),
        Command::Show(args) => show::run(&args, &reader(config, &cli.data)?),
        Command::Export(args) => export::run(&args, &reader(config, &cli.data)?),
        Command::Judge(args) => judge::run(&args, &reader(config, &cli.data)?),
        Command::Causes(args) => causes::run(&args),
        Command::Check => check::run(config),
        Command::Cluster(ClusterCommand::Status(args)) => cluster::status(&args, &cli.data),
        Command::Drain(args) => drain::run(&args, &cli.data),
        Command::Lab(command) => lab::run(command),
    }
}

/// Reads the records of the data folder and, where the configuration names a database, those of all nodes.
fn reader(file: Option<&Path>, data: &Path) -> Result<Reader, Failure> {
    let config = settings(file)?.config;
    Ok(Reader::open_everywhere(data, config.store.remote.as_ref())?)
}

fn configuration(file: Option<&Path>) -> Result<Loaded, Failure> {
    Ok(config::load(file, environment())?)
}

/// The configuration for commands that look at none of the files it names.
fn settings(file: Option<&Path>) -> Result<Loaded, Failure> {
    Ok(config::load_alone(file, environment())?)
}

/// The environment, as far as it is text.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
