//! The program: configuration, command line, wiring, signals.
//!
//! | module | holds |
//! |---|---|
//! | [`cli`] | commands and options |
//! | [`config`] | defaults, file, environment; mistakes with their place |
//! | [`commands`] | one file per command |
//! | [`control`] | what a command can ask of the node that runs on its data folder |
//! | [`setup`] | the data folder and what the first start puts into it |
//! | [`terminal`] | tables, curves and clean text on a terminal |
//! | [`descriptors`] | how many files and sockets may be open |
//! | [`failure`] | how a command fails: sentence and exit code |
//! | [`logging`] | structured logs |

#[cfg(feature = "acme")]
mod acme;
mod cli;
mod commands;
mod config;
mod control;
mod descriptors;
mod failure;
mod logging;
mod setup;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
