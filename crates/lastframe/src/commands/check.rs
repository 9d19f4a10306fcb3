//! `check`: validates the configuration.

use std::io::{self, Write};
use std::path::Path;

use crate::failure::Failure;

/// Reads the configuration; mistakes are the failure.
pub fn run(file: Option<&Path>) -> Result<(), Failure> {
    let loaded = super::configuration(file)?;
    let mut out = io::stdout().lock();
    for warning in loaded.warnings {
        writeln!(out, "note: {warning}")?;
    }
    match file {
        Some(path) => writeln!(out, "{}: no mistakes", path.display())?,
        None => writeln!(out, "no configuration file is given; the environment has no mistakes")?,
    }
    Ok(())
}
