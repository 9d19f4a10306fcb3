//! `check`: validates the configuration.

use std::io::{self, Write};
use std::path::Path;

use live::tls::Standing;
use model::{Clock, SystemClock};

use crate::failure::Failure;

/// Reads the configuration; mistakes are the failure.
pub fn run(file: Option<&Path>) -> Result<(), Failure> {
    let loaded = super::configuration(file)?;
    // `serve` only warns of these: a variable of this form may be somebody else's. Who asks for a check wants to know.
    if !loaded.warnings.is_empty() {
        return Err(Failure::Usage(loaded.warnings.join("\n")));
    }
    let mut out = io::stdout().lock();
    let now = SystemClock.now();
    let [rtmps, https] = loaded.config.certificates();
    for files in rtmps.iter().chain(https.iter().filter(|files| !rtmps.contains(files))) {
        let Some(validity) = files.validity() else { continue };
        let verb = match validity.standing(now) {
            Standing::Good => continue,
            Standing::EndsSoon => "ends",
            Standing::Over => "ended",
        };
        writeln!(out, "{}: the certificate {verb} on {}; renew it", files.cert.display(), validity.until)?;
    }
    if let Some(note) = crate::config::advertise::note(&loaded.config) {
        writeln!(out, "{note}")?;
    }
    match file {
        Some(path) => writeln!(out, "{}: no mistakes", path.display())?,
        None => writeln!(out, "no configuration file is given; the environment has no mistakes")?,
    }
    Ok(())
}
