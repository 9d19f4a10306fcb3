//! `causes`: the table.

use std::io::{self, Write};

use cause::{Cause, Lang};
use web::api::v1::CauseRow;

use crate::cli::{CauseFormat, CausesArgs, Language};
use crate::failure::Failure;
use crate::terminal::table::{Column, write};
use crate::terminal::text::wrap;
use crate::terminal::words::word;

const WIDTH: usize = 100;

/// Prints every row.
pub fn run(args: &CausesArgs) -> Result<(), Failure> {
    let lang = Language::or_environment(args.lang);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        CauseFormat::Json => {
            for cause in Cause::ALL {
                let line = serde_json::to_string(&CauseRow::of(cause, lang)).map_err(Failure::failed)?;
                writeln!(out, "{line}")?;
            }
        }
        CauseFormat::Table => table(&mut out, lang)?,
    }
    Ok(out.flush()?)
}

fn table(out: &mut dyn Write, lang: Lang) -> io::Result<()> {
    let columns = [
        Column { heading: word(lang, "CODE"), max: 6 },
        Column { heading: word(lang, "SIDE"), max: 8 },
        Column { heading: word(lang, "MESSAGE"), max: WIDTH },
    ];
    let mut rows = Vec::new();
    let below = |text: String| vec![String::new(), String::new(), text];
    for cause in Cause::ALL {
        rows.push(vec![
            cause.code().to_string(),
            cause.side().as_str().to_owned(),
            cause.errmsg(lang).to_owned(),
        ]);
        for text in [cause.meaning(lang), cause.advice(lang)] {
            rows.extend(wrap(text, WIDTH - 2).into_iter().map(|line| below(format!("  {line}"))));
        }
    }
    write(out, &columns, &rows)
}
