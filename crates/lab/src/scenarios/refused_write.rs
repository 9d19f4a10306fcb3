//! A write that fails although the client is there: the host itself refuses it.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cause::{Cause, DetailKey};
use tokio::time::sleep;

use super::server::live_on;
use crate::error::LabError;
use crate::process;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{Profile, Server, Setup};
use crate::site::Site;
use crate::trial::Trial;

/// The server sends on connections with this call alone; answers over HTTP go out with another.
const TRACED: &str = "trace=sendto";
const REFUSED: &str = "inject=sendto:error=EPIPE";
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "write_refused",
            Cause::SendFailed,
            DetailKey::SendFailed,
            "The server's own host refuses what it sends to a quiet client that is still there.",
            |t| Box::pin(write_refused(t)),
        )
        .needing(Needs::Root(&["strace"])),
    ]
}

async fn write_refused(trial: Trial) -> Result<Seen, LabError> {
    let server = Arc::new(Server::start(Setup::new(Profile::Plain)).await?);
    let site = Site::own(Arc::clone(&server))?;
    let client = live_on(site.rtmp, trial.stream()).await?;
    // The silence makes the server send its probe, and that is refused.
    let refusing = Refusing::attach(server.pid()).await?;
    Ok(Seen::push(&site, &client, trial.stream()).keep(client).keep(refusing))
}

/// A tracer that answers a process's writes in the kernel's place. It lets go when it is dropped.
#[derive(Debug)]
struct Refusing(Child);

impl Refusing {
    async fn attach(pid: u32) -> Result<Self, LabError> {
        let mut command = Command::new("strace");
        command.args(["-qq", "-f", "-e", TRACED, "-e", REFUSED, "-o", "/dev/null", "-p", &pid.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let failed = |what: String| LabError::Program { program: "strace".to_owned(), what };
        let mut tracer = Self(command.spawn().map_err(|error| failed(error.to_string()))?);
        let mut waited = Duration::ZERO;
        while !is_traced(pid)? {
            if let Some(status) = tracer.0.try_wait()? {
                return Err(failed(format!("ended before it had attached ({status})")));
            }
            if waited >= PATIENCE {
                return Err(LabError::Late { awaited: "strace to attach".to_owned(), limit: PATIENCE });
            }
            sleep(POLL).await;
            waited += POLL;
        }
        Ok(tracer)
    }
}

impl Drop for Refusing {
    fn drop(&mut self) {
        process::end(&mut self.0);
    }
}

/// Whether every thread of a process is traced.
fn is_traced(pid: u32) -> Result<bool, LabError> {
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = std::fs::read_to_string(thread?.path().join("status"))?;
        if status.lines().any(|line| line.strip_prefix("TracerPid:").is_some_and(|pid| pid.trim() == "0")) {
            return Ok(false);
        }
    }
    Ok(true)
}
