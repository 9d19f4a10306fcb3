//! The data folder, and what the first start puts into it.
//!
//! | module | holds |
//! |---|---|
//! | [`node_id`] | the node's id, made once |
//! | [`secrets`] | what is generated at first start: `secrets.toml` |
//! | [`first_start`] | account, domain, console user and API key of a fresh catalog |
//! | [`certificate`] | a self-signed certificate where none is configured |
//! | [`configured`] | entries of the configuration, put into the stored catalog |
//! | [`private_file`] | files that only their owner reads |

pub mod certificate;
pub mod configured;
pub mod first_start;
pub mod node_id;
pub mod private_file;
pub mod secrets;
