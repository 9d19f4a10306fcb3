//! Why a scenario could not be carried through. None of these is a verdict on the server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rtmp::Fault;

use crate::client::Told;

/// What kept a scenario from happening.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The server could not be connected to.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where it should have been.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The connection failed where the scenario still needed it.
    #[error("the connection was lost: {0}")]
    Lost(#[from] io::Error),
    /// The server closed where the scenario still needed it.
    #[error("the server closed before {awaited}")]
    Closed {
        /// What was waited for.
        awaited: &'static str,
    },
    /// Something did not come in time.
    #[error("waited {limit:?} in vain for {awaited}")]
    Late {
        /// What was waited for.
        awaited: String,
        /// For how long.
        limit: Duration,
    },
    /// A program that was killed was still there so long afterwards that this was no kill.
    #[error("{program} was killed, and went on to exist")]
    Lingered {
        /// The program.
        program: String,
    },
    /// TLS could not be set up or used.
    #[error("TLS: {0}")]
    Tls(String),
    /// The server said something that is not RTMP.
    #[error("the server broke the protocol: {0}")]
    Protocol(#[from] Fault),
    /// The server refused what the scenario needed.
    #[error("the server refused: {0}")]
    Refused(Told),
    /// The server let in what it should have refused.
    #[error("the push went live, though it should have been refused")]
    WentLive,
    /// A program could not be started or failed.
    #[error("{program}: {what}")]
    Program {
        /// The program, with its arguments.
        program: String,
        /// What it or the system said.
        what: String,
    },
    /// The API could not be asked, or its answer not read.
    #[error("the API at {url}: {what}")]
    Api {
        /// What was asked.
        url: String,
        /// What went wrong.
        what: String,
    },
    /// The target given cannot be used.
    #[error("the target {target}: {what}")]
    Target {
        /// As given.
        target: String,
        /// What it should look like.
        what: &'static str,
    },
    /// No scenario is called that, and no cause of the table either.
    #[error("there is no scenario and no cause `{0}`; `lab list` prints all")]
    UnknownScenario(String),
    /// The scenario cannot be run here; the reason is for the reader.
    #[error("{0}")]
    Skipped(String),
}
