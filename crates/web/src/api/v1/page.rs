//! Pages of lists whose rows are numbered, newest first: `limit` and `after` in, `next` out.

use crate::problem::{Kind, Problem};
use crate::query::{MAX_PAGE, PAGE};

/// Which page.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Rows on it.
    pub limit: usize,
    /// Only rows with smaller numbers.
    pub below: Option<u64>,
}

impl Page {
    /// Reads the two parameters.
    ///
    /// # Errors
    /// A bad request that names the one that is wrong.
    pub fn of(limit: Option<usize>, after: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            let problem = Problem::new(Kind::BadRequest, format!("write a number from 1 to {MAX_PAGE}"));
            return Err(problem.with_field("limit"));
        }
        let wrong =
            |_| Problem::new(Kind::BadRequest, "write what `next` said, unchanged").with_field("after");
        Ok(Self { limit, below: after.map(|text| text.parse().map_err(wrong)).transpose()? })
    }

    /// Where the list goes on after these rows; `None` at its end.
    pub fn next<T>(self, rows: &[T], number: impl Fn(&T) -> u64) -> Option<String> {
        rows.last().filter(|_| rows.len() >= self.limit).map(|row| number(row).to_string())
    }
}
