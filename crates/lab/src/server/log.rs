//! What the server's own log says of its start.

use std::net::SocketAddr;

use serde_json::Value;

/// The addresses that it listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) rtmp: SocketAddr,
    /// None where TLS is off.
    pub(super) rtmps: Option<SocketAddr>,
    pub(super) srt: SocketAddr,
    pub(super) http: SocketAddr,
}

impl Ready {
    /// Out of the line that says so.
    pub(super) fn read(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let address = |name: &str| line.get(name)?.as_str()?.parse().ok();
        (line.get("message")?.as_str()? == "ready").then(|| {
            let (rtmp, rtmps) = (address("rtmp")?, address("rtmps"));
            Some(Self { rtmp, rtmps, srt: address("srt")?, http: address("http")? })
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_says_ready_tells_the_ports() {
        let line = r#"{"timestamp":"t","level":"INFO","message":"ready","rtmp":"127.0.0.1:1","srt":"127.0.0.1:3","http":"[::1]:2","data":"d"}"#;
        let ready = Ready::read(line).unwrap();
        assert_eq!((ready.rtmp.port(), ready.srt.port(), ready.http.port()), (1, 3, 2));
        assert_eq!(ready.rtmps, None);
        let secured = line.replace("127.0.0.1:1\"", "127.0.0.1:1\",\"rtmps\":\"127.0.0.1:4\"");
        assert_eq!(Ready::read(&secured).unwrap().rtmps.map(|at| at.port()), Some(4));
        for other in [r#"{"message":"stopping"}"#, r#"{"message":"ready"}"#, "ready", "[1]", ""] {
            assert_eq!(Ready::read(other), None, "{other}");
        }
    }
}
