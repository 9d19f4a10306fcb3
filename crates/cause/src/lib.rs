//! The mind of Lastframe: what each cause means, what a verdict rests on, and the verdict itself. Pure: no clock, no
//! I/O.
//!
//! | module | holds |
//! |---|---|
//! | [`table`] | the 70 rows: [`Cause`] and its code, [`Side`], message, meaning and advice in three languages |
//! | [`detail`] | the finer findings under a cause, as stable keys with parameters, worded per language |
//! | [`event`] | abnormalities while a push is live: types, counts, wording |
//! | [`evidence`] | what the verdict rests on, and its stored form |
//! | [`export`] | a record with its evidence as one file, and whether it would be judged alike today |
//! | [`health`] | how well a push did: a grade with its reasons |
//! | [`quirk`] | what clients are known to do |
//! | [`timeline`] | one sample a second, rolled up so that it stays small |
//! | [`black_box`] | the first and last commands and the last media headers of a push |
//! | [`mod@verdict`] | from evidence to cause, detail and findings |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod black_box;
pub mod detail;
pub mod event;
pub mod evidence;
pub mod export;
pub mod health;
pub mod quirk;
pub mod table;
pub mod timeline;
pub mod verdict;

pub use detail::{Detail, DetailKey};
pub use event::EventKind;
pub use evidence::Evidence;
pub use table::{Cause, Lang, Plain, Side};
pub use verdict::{Finding, Verdict, verdict};
