//! Aligned tables.

use std::io::{self, Write};

use super::text::{fit, width};

/// A column: its heading, and the columns of the terminal that it takes at most.
pub struct Column {
    pub heading: &'static str,
    pub max: usize,
}

/// Writes `rows` under `columns`. The last column is not cut.
pub fn write(out: &mut dyn Write, columns: &[Column], rows: &[Vec<String>]) -> io::Result<()> {
    let widths = widths(columns, rows);
    let headings: Vec<String> = columns.iter().map(|c| c.heading.to_owned()).collect();
    write_row(out, &widths, &headings)?;
    rows.iter().try_for_each(|row| write_row(out, &widths, row))
}

/// The width of each column that `rows` need.
pub fn widths(columns: &[Column], rows: &[Vec<String>]) -> Vec<usize> {
    let cell = |index: usize| rows.iter().filter_map(move |r| r.get(index)).map(|c| width(c));
    columns
        .iter()
        .enumerate()
        .map(|(index, column)| cell(index).max().unwrap_or(0).min(column.max).max(width(column.heading)))
        .collect()
}

/// Writes one row.
pub fn write_row(out: &mut dyn Write, widths: &[usize], row: &[String]) -> io::Result<()> {
    let last = row.len().saturating_sub(1);
    for (index, (cell, columns)) in row.iter().zip(widths).enumerate() {
        match index == last {
            true => write!(out, "{cell}")?,
            false => write!(out, "{}  ", fit(cell, *columns))?,
        }
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_up_to_their_limit() {
        let columns = [Column { heading: "A", max: 4 }, Column { heading: "B", max: 10 }];
        let rows = vec![vec!["配信".into(), "x".into()], vec!["abcdef".into(), "y".into()]];
        let mut out = Vec::new();
        write(&mut out, &columns, &rows).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "A     B\n配信  x\nabc…  y\n");
    }
}
