//! Text on a terminal: clean, aligned, and with curves of block characters.

pub mod sparkline;
pub mod table;
pub mod text;
pub mod words;
