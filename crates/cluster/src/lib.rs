//! Many nodes: who is there, who carries which stream key, and commands from one node to another, over NATS JetStream.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | `[cluster]`: where NATS is, and the times that matter |
//! | [`connection`] | the connection and the buckets on it |
//! | [`tls`] | TLS to NATS |
//! | [`trouble`] | why NATS cannot be reached, for the log |
//! | [`names`] | how stream keys, buckets and subjects are called there |
//! | [`liveness`] | which nodes are alive; pure |
//! | [`heartbeat`] | this node's heartbeat, and those of the others |
//! | [`lease`] | who may have a stream key, and what each change of a lease means; pure |
//! | [`ownership`] | leases of this node's pushes, kept in step with NATS |
//! | [`estate`] | pushes as other nodes know them; the ends of a dead node's |
//! | [`catalog`] | the catalog of all nodes |
//! | [`secret`] | by what nodes know each other when they fetch streams |
//! | [`commands`] | asking other nodes, and answering them |
//! | [`cluster`] | [`Cluster`]: all of it together |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod catalog;
mod cluster;
mod commands;
mod config;
mod connection;
mod estate;
mod heartbeat;
mod lease;
mod liveness;
mod names;
mod ownership;
mod secret;
mod tls;
mod trouble;

pub use cluster::{Cluster, Running};
pub use config::{ClusterConfig, ConfigError, Servers};
pub use connection::ConnectError;
