//! Processes that the lab starts: the program itself in other roles, and the system's network tools.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use tokio::time::sleep;

use crate::error::LabError;

const POLL: Duration = Duration::from_millis(10);

/// A signal to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
    /// SIGSTOP.
    Stop,
    /// SIGCONT.
    Continue,
    /// SIGINT, as Ctrl-C.
    Interrupt,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Terminate => "-TERM",
            Self::Kill => "-KILL",
            Self::Stop => "-STOP",
            Self::Continue => "-CONT",
            Self::Interrupt => "-INT",
        }
    }
}

/// The running program's own file.
pub fn own_program() -> Result<PathBuf, LabError> {
    Ok(std::env::current_exe()?)
}

/// Sends a signal.
pub fn signal(pid: u32, signal: Signal) -> Result<(), LabError> {
    run("kill", [signal.name(), &pid.to_string()])
}

/// Sends a signal to a process and all others of the group that it leads.
pub fn signal_group(leader: u32, signal: Signal) -> Result<(), LabError> {
    run("kill", [signal.name(), "--", &format!("-{leader}")])
}

/// Runs a program to its end.
///
/// # Errors
/// [`LabError::Program`] when it cannot be started or fails, with the last line it printed.
pub fn run<S: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = S>) -> Result<(), LabError> {
    let mut command = Command::new(program);
    command.args(args);
    let shown = || format!("{command:?}").replace('"', "");
    let failed = |what: String| LabError::Program { program: shown(), what };
    let shown_failure = |error: std::io::Error| failed(error.to_string());
    let output =
        Command::new(command.get_program()).args(command.get_args()).output().map_err(shown_failure)?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(format!("{} {}", output.status, text.lines().last().unwrap_or_default())))
}

/// Waits for a process to end.
pub async fn wait(child: &mut Child, what: &str, limit: Duration) -> Result<(), LabError> {
    let mut waited = Duration::ZERO;
    while child.try_wait()?.is_none() {
        if waited >= limit {
            return Err(LabError::Late { awaited: format!("{what} to end"), limit });
        }
        sleep(POLL).await;
        waited += POLL;
    }
    Ok(())
}

/// Ends a process whatever it does, and takes its status so that nothing is left of it.
pub fn end(child: &mut Child) {
    // A process that is gone already is as good as one that is killed now.
    let _ = child.kill();
    let _ = child.wait();
}

/// Whether the process is root.
pub fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

/// Whether a program is installed.
pub fn is_installed(program: &str) -> bool {
    find(program).is_some()
}

/// Where a program is.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]);
    folders.map(|folder| Path::new(folder).join(program)).find(|file| file.is_file())
}
