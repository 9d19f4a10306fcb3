//! What came out, for people: a table, and the page on the causes.

mod matrix;
mod page;
mod promises;
mod table;

pub use matrix::Matrix;
pub use page::page;
pub use table::{line, table};

/// The middle of the times to detect, ms, and the longest.
fn times(mut ms: Vec<u64>) -> Option<(u64, u64)> {
    ms.sort_unstable();
    Some((*ms.get(ms.len() / 2)?, *ms.last()?))
}

/// A time as people write it.
fn shown(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        _ => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_by_their_middle_and_longest() {
        assert_eq!(times(vec![3, 1, 900]), Some((3, 900)));
        assert_eq!(times(Vec::new()), None);
        assert_eq!(
            (shown(0), shown(999), shown(5_061)),
            ("0 ms".to_owned(), "999 ms".to_owned(), "5.0 s".to_owned())
        );
    }
}
