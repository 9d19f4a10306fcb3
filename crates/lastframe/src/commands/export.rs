//! `export`: one record with its evidence as JSON.

use std::io::{self, Write};

use cause::Evidence;
use cause::export::Export;
use store::Reader;

use crate::cli::ExportArgs;
use crate::failure::Failure;

/// Writes the record.
pub fn run(args: &ExportArgs, reader: &Reader) -> Result<(), Failure> {
    let Some((record, evidence)) = reader.get(args.id)? else {
        return Err(Failure::failed(format!(
            "there is no record {}; `lastframe records` prints those that are kept",
            args.id
        )));
    };
    let evidence = evidence.map(|bytes| Evidence::decode(&bytes)).transpose();
    let evidence =
        evidence.map_err(|error| Failure::failed(format!("the evidence cannot be read: {error}")))?;
    let text = serde_json::to_string_pretty(&Export::new(record, evidence))
        .map_err(|error| Failure::failed(format!("the record cannot be written as JSON: {error}")))?;
    match &args.out {
        Some(file) => std::fs::write(file, text + "\n")
            .map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display()))),
        None => Ok(writeln!(io::stdout(), "{text}")?),
    }
}
