//! Comma-separated values (RFC 4180).

use std::io::{self, Write};

/// Writes one row.
pub fn write_row<'a>(out: &mut dyn Write, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            write!(out, ",")?;
        }
        write!(out, "{}", quoted(cell))?;
    }
    write!(out, "\r\n")
}

fn quoted(cell: &str) -> std::borrow::Cow<'_, str> {
    // A cell that begins like a formula is run by spreadsheets; an apostrophe before it keeps it text.
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !cell.contains(['"', ',', '\n', '\r']) {
        return cell.into();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\"")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_commas_quotes_and_formulas_are_quoted() {
        let mut out = Vec::new();
        write_row(&mut out, ["a", "b,c", "say \"x\"", "=1+1"].into_iter()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a,\"b,c\",\"say \"\"x\"\"\",\"'=1+1\"\r\n");
    }
}
