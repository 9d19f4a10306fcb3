//! Where the registry is, and the times that matter.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::ServerAddr;

/// Servers of one NATS cluster. May hold passwords: what is printed of it does not.
#[derive(Clone)]
pub struct Servers(pub(crate) Vec<ServerAddr>);

/// What is wrong with `[cluster] nats`. Never repeats the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No server is named.
    #[error("names no server; write nats://host:4222, and more of them after commas")]
    NoServer,
    /// One of them is no URL of NATS.
    #[error("server {0} is none of NATS: write nats://host:4222, or tls://host:4222")]
    NotNats(usize),
}

impl Servers {
    /// Reads `nats://host:4222,nats://host:4222`; `tls://` insists on TLS, and `user:password@` may stand before a host.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let names: Vec<_> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Err(ConfigError::NoServer);
        }
        let read = |(at, name): (usize, &&str)| {
            let known = ["nats://", "tls://"].iter().any(|scheme| name.starts_with(scheme));
            let addr = known.then(|| name.parse::<ServerAddr>().ok()).flatten();
            addr.filter(|addr| !addr.host().is_empty()).ok_or(ConfigError::NotNats(at + 1))
        };
        names.iter().enumerate().map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> =
            self.0.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
        f.write_str(&named.join(", "))
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Servers({self})")
    }
}

/// `[cluster]`.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Where NATS is.
    pub servers: Servers,
    /// What the names of buckets and subjects begin with, so that several clusters can share one NATS.
    pub name: String,
    /// A file of NATS credentials (JWT and seed).
    pub credentials: Option<PathBuf>,
    /// Certificate authorities beside the system's, PEM.
    pub ca: Option<PathBuf>,
    /// A client certificate and its key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Without a heartbeat for this long a node counts as dead, and its stream keys may be taken.
    pub lease: Duration,
    /// Cut off from NATS for this long, a node ends its pushes: 38/0.
    pub grace: Duration,
    /// How many servers of NATS keep each bucket.
    pub replicas: usize,
    /// This node's id.
    pub node: String,
    /// This node's name in records.
    pub label: String,
    /// The program's version.
    pub version: String,
    /// Where other nodes reach this one's RTMP port, `host:port`.
    pub rtmp: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_and_shown_without_their_secrets() {
        let servers = Servers::parse("nats://ann:hush@n1.example.com, tls://n2.example.com:4333").unwrap();
        assert_eq!(servers.to_string(), "n1.example.com:4222, n2.example.com:4333");
        assert!(!format!("{servers:?}").contains("hush"));
    }

    #[test]
    fn what_names_no_server_of_nats_is_refused_by_its_place() {
        assert_eq!(Servers::parse(" , ").unwrap_err(), ConfigError::NoServer);
        for text in ["http://n1", "n1:4222", "nats://"] {
            assert_eq!(Servers::parse(text).unwrap_err(), ConfigError::NotNats(1), "{text}");
        }
        assert_eq!(Servers::parse("nats://n1,postgres://n2").unwrap_err(), ConfigError::NotNats(2));
    }
}
