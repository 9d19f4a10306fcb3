//! One file per command.

mod causes;
mod check;
mod export;
mod judge;
mod lab;
mod records;
mod serve;
mod show;
mod url;

use std::path::Path;

use crate::cli::{Cli, Command};
use crate::config::{self, Loaded};
use crate::failure::Failure;

/// Does what the command line says.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let config = cli.config.as_deref();
    match cli.command.unwrap_or(Command::Serve(Default::default())) {
        Command::Serve(args) => serve::run(&args, configuration(config)?, &cli.data),
        Command::Url(args) => url::run(&args, &configuration(config)?.config, &cli.data),
        Command::Records(args) => records::run(&args, &cli.data),
        Command::Show(args) => show::run(&args, &cli.data),
        Command::Export(args) => export::run(&args, &cli.data),
        Command::Judge(args) => judge::run(&args, &cli.data),
        Command::Causes(args) => causes::run(&args),
        Command::Check => check::run(config),
        Command::Lab(command) => lab::run(command),
    }
}

fn configuration(file: Option<&Path>) -> Result<Loaded, Failure> {
    Ok(config::load(file, environment())?)
}

/// The environment, as far as it is text.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
