//! Signals to processes that a scenario has started.

use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use super::clock::until;

/// Sends `signal`, such as `INT`.
///
/// # Panics
/// When the process is gone.
pub fn send(child: &Child, signal: &str) {
    send_to(child.id(), signal);
}

/// The same by process id.
///
/// # Panics
/// As [`send`].
pub fn send_to(process: u32, signal: &str) {
    let status = Command::new("kill").arg(format!("-{signal}")).arg(process.to_string()).status();
    assert!(status.unwrap().success(), "kill -{signal}");
}

/// Waits for the process to end.
///
/// # Panics
/// When it does not within `limit`.
pub fn wait(child: &mut Child, limit: Duration) -> ExitStatus {
    until("a process to end", limit, || child.try_wait().unwrap())
}

/// Ends the process, whatever it does.
pub fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
