//! The ways in, one file or folder a transport. A transport knows the push and its driver, never the store.

pub mod listener;
pub mod proxy_protocol;
mod rtmp;
