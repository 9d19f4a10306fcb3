//! Records as comma-separated values (RFC 4180), for spreadsheets; the command line and the console write the same.

use std::io::{self, Write};

use model::Record;

const COLUMNS: [&str; 23] = [
    "id",
    "sequence",
    "source",
    "account",
    "domain",
    "app",
    "stream",
    "protocol",
    "client_ip",
    "client_port",
    "node",
    "connected_at",
    "published_at",
    "ended_at",
    "duration_ms",
    "code",
    "side",
    "errmsg",
    "attempts",
    "detail",
    "bytes_in",
    "encoder",
    "stream_param",
];

/// Writes the names of the columns.
///
/// # Errors
/// What writing says.
pub fn write_heading(out: &mut dyn Write) -> io::Result<()> {
    write_row(out, COLUMNS.into_iter())
}

/// Writes one record, which [`crate::present::in_language`] has put into the reader's language.
///
/// # Errors
/// What writing says.
pub fn write_record(out: &mut dyn Write, record: &Record) -> io::Result<()> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let cells: [String; COLUMNS.len()] = [
        record.id.to_string(),
        record.sequence.to_string(),
        record.source.clone(),
        record.account.map(|a| a.to_string()).unwrap_or_default(),
        text(&record.domain),
        text(&record.app),
        text(&record.stream),
        record.protocol.clone(),
        record.client_ip.to_string(),
        record.client_port.to_string(),
        record.node.clone(),
        record.connected_at.to_string(),
        record.published_at.map(|t| t.to_string()).unwrap_or_default(),
        record.ended_at.to_string(),
        record.duration_ms.to_string(),
        record.code().to_string(),
        record.side.clone(),
        record.errmsg.clone(),
        record.attempts.to_string(),
        record.detail.as_ref().map(|d| d.text.clone()).unwrap_or_default(),
        record.bytes_in.to_string(),
        text(&record.encoder),
        text(&record.stream_param),
    ];
    write_row(out, cells.iter().map(String::as_str))
}

fn write_row<'a>(out: &mut dyn Write, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
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
