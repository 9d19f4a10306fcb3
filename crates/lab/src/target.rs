//! A server that the lab did not start.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::error::LabError;

const PORT: u16 = 1935;
const HTTP_PORT: u16 = 80;

/// Where to push, and where to look for the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it takes pushes.
    pub address: SocketAddr,
    /// Host of the push URL.
    pub host: String,
    /// App of the push URL.
    pub app: String,
    /// Query of the push URL, without the question mark.
    pub query: String,
    /// Base URL of its API.
    pub api: String,
    /// API key, as `id:secret`.
    pub key: String,
    /// Key that push URLs are signed with, where they have to be.
    pub sign_key: Option<String>,
}

impl Target {
    /// The server behind `rtmp://host[:port]/app[?query]`, with its API at `api`.
    ///
    /// # Errors
    /// [`LabError::Target`] when the URL is no such URL, or its host has no address.
    pub fn new(url: &str, api: &str, key: &str, sign_key: Option<&str>) -> Result<Self, LabError> {
        let target = Self::over("rtmp", PORT, url)?;
        Ok(Self { api: api.to_owned(), key: key.to_owned(), sign_key: sign_key.map(str::to_owned), ..target })
    }

    /// The same for another scheme, without an API.
    pub(crate) fn over(scheme: &str, port: u16, url: &str) -> Result<Self, LabError> {
        let wrong = |what| LabError::Target { target: url.to_owned(), what };
        let rest = url
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_prefix("://"))
            .ok_or_else(|| wrong("write rtmp://host[:port]/app[?query]"))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, app) = rest.split_once('/').ok_or_else(|| wrong("it names no app"))?;
        let app = app.trim_end_matches('/');
        if app.is_empty() {
            return Err(wrong("it names no app"));
        }
        let address = address_of(authority, port).ok_or_else(|| wrong("its host has no address"))?;
        Ok(Self {
            address,
            host: authority.to_owned(),
            app: app.to_owned(),
            query: query.to_owned(),
            api: String::new(),
            key: String::new(),
            sign_key: None,
        })
    }
}

/// Where an HTTP server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its address.
    pub address: SocketAddr,
    /// Host and port as written.
    pub host: String,
}

impl Address {
    /// The server behind `http://host[:port]`.
    ///
    /// # Errors
    /// As [`Target::new`].
    pub fn of_http(url: &str) -> Result<Self, LabError> {
        let wrong = |what| LabError::Target { target: url.to_owned(), what };
        let rest = url.strip_prefix("http://").ok_or_else(|| wrong("write http://host[:port]"))?;
        let host = rest.trim_end_matches('/');
        if host.is_empty() || host.contains('/') {
            return Err(wrong("write http://host[:port]"));
        }
        let address = address_of(host, HTTP_PORT).ok_or_else(|| wrong("its host has no address"))?;
        Ok(Self { address, host: host.to_owned() })
    }
}

fn address_of(authority: &str, port: u16) -> Option<SocketAddr> {
    let found = if has_port(authority) {
        authority.to_socket_addrs()
    } else {
        (authority.to_owned(), port).to_socket_addrs()
    };
    found.ok()?.next()
}

fn has_port(authority: &str) -> bool {
    authority.rsplit_once(':').is_some_and(|(host, port)| !host.ends_with(':') && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_url_without_its_stream_is_a_target() {
        let target =
            Target::new("rtmp://127.0.0.1:1936/live/deep?domain=a.test", "http://h", "i:s", None).unwrap();
        assert_eq!((target.address.port(), target.app.as_str()), (1936, "live/deep"));
        assert_eq!((target.host.as_str(), target.query.as_str()), ("127.0.0.1:1936", "domain=a.test"));
        let target = Target::new("rtmp://127.0.0.1/live/", "http://h", "i:s", None).unwrap();
        assert_eq!((target.address.port(), target.app.as_str()), (1935, "live"));
    }

    #[test]
    fn what_is_no_push_url_is_refused() {
        for url in ["http://127.0.0.1/live", "rtmp://127.0.0.1", "rtmp://127.0.0.1/", "rtmp:///live"] {
            assert!(Target::new(url, "http://h", "i:s", None).is_err(), "{url}");
        }
    }
}
