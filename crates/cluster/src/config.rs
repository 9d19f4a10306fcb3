//! Where the registry is, and the times that matter.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::ServerAddr;

/// Servers of one NATS cluster. May hold passwords: what is printed of it does not.
#[derive(Clone)]
pub struct Servers {
    /// Without what stands before the `@`, which the client does not use and writes into its log.
    pub(crate) addresses: Vec<ServerAddr>,
    pub(crate) login: Option<Login>,
    /// One of them is to be spoken to over TLS only; then all are, also those that they name to the client.
    pub(crate) tls: bool,
}

/// Who this node is to NATS, by its URL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// `user:password@`
    User(String, String),
    /// `token@`
    Token(String),
}

/// What is wrong with `[cluster] nats`. Never repeats the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No server is named.
    #[error("names no server; write nats://host:4222, and more of them after commas")]
    NoServer,
    /// One of them is no URL of NATS.
    #[error("server {0} is none of NATS: write nats://host:4222, or tls://host:4222")]
    NotNats(usize),
    /// Two of them are given different users.
    #[error(
        "server {0} has another user or password than the one before; all servers of one NATS have the same"
    )]
    OtherLogin(usize),
}

impl Servers {
    /// Reads `nats://host:4222,nats://host:4222`; `tls://` insists on TLS, and `user:password@` or `token@` may stand
    /// before the hosts, `%40` for an `@` in it: before one of them, or the same before all.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let names: Vec<_> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Err(ConfigError::NoServer);
        }
        let mut servers = Self { addresses: Vec::new(), login: None, tls: false };
        for (number, name) in (1..).zip(names) {
            let wrong = ConfigError::NotNats(number);
            let (scheme, rest) = name.split_once("://").ok_or(wrong)?;
            let (login, host) = match rest.rsplit_once('@') {
                Some((login, host)) => (Some(Login::read(login).ok_or(wrong)?), host),
                None => (None, rest),
            };
            if servers.login.is_some() && login.is_some() && servers.login != login {
                return Err(ConfigError::OtherLogin(number));
            }
            let known = ["nats", "tls"].contains(&scheme);
            let address = known.then(|| format!("{scheme}://{host}").parse::<ServerAddr>().ok()).flatten();
            let address = address.filter(|address| !address.host().is_empty()).ok_or(wrong)?;
            servers.addresses.push(address);
            servers.tls |= scheme == "tls";
            servers.login = servers.login.or(login);
        }
        Ok(servers)
    }
}

impl Login {
    fn read(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some((user, password)) => Some(Self::User(decoded(user)?, decoded(password)?)),
            None => decoded(text).map(Self::Token),
        }
    }
}

/// Text in which `%40` stands for an `@`; `None` for what is no such text.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

impl Servers {
    /// Host and port of each.
    pub fn places(&self) -> impl Iterator<Item = (&str, u16)> {
        self.addresses.iter().map(|server| (server.host(), server.port()))
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> =
            self.addresses.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
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
    /// Where other nodes fetch streams from this one: `host:port`, or `rtmps://host:port`.
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
    fn a_login_is_taken_out_of_the_urls() {
        let user = |name: &str, password: &str| Some(Login::User(name.into(), password.into()));
        for (text, login, tls) in [
            ("nats://n1", None, false),
            ("nats://ann:h%40sh@n1,nats://ann:h%40sh@n2:4333", user("ann", "h@sh"), false),
            ("nats://ann:h:s@n1,tls://n2", user("ann", "h:s"), true),
            ("tls://s3cret@[::1]:4222", Some(Login::Token("s3cret".into())), true),
        ] {
            let servers = Servers::parse(text).unwrap();
            assert!(servers.login == login && servers.tls == tls, "{text}");
            assert!(servers.addresses.iter().all(|address| !address.has_user_pass()), "{text}");
        }
        let two = Servers::parse("nats://ann:hush@n1,nats://bob:hush@n2");
        assert_eq!(two.unwrap_err(), ConfigError::OtherLogin(2));
        for text in ["nats://a%4@n1", "nats://@n1", "nats://:x@n1", "nats://a%zz:b@n1"] {
            assert_eq!(Servers::parse(text).unwrap_err(), ConfigError::NotNats(1), "{text}");
        }
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
