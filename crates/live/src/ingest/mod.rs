//! The ways in, one file or folder a transport. A transport knows the push and its driver, never the store.
//!
//! What all of them share: [`way`] is what a transport's connection offers, [`admission`] takes a publish to a live push,
//! [`intake`] is what a live push does with media and time, [`conclude`] turns its end into a record.

mod admission;
mod conclude;
mod intake;
pub mod listener;
mod memory;
mod pass_on;
pub mod proxy_protocol;
mod rtmp;
mod rtmps;
pub(crate) mod srt;
mod way;
pub mod whip;
mod words;
