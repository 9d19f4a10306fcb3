//! Programs under test: started on a core of their own, and what the kernel says they used.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::Outcome;

/// `/proc/PID/stat` counts in hundredths of a second on every architecture (USER_HZ).
const TICK: Duration = Duration::from_millis(10);
const START_LIMIT: Duration = Duration::from_secs(20);
/// Where the measured program runs, and where its load.
pub const SERVER_CORE: &str = "0";
pub const LOAD_CORE: &str = "1";

/// A running program; it is killed when this goes.
pub struct Program {
    child: Child,
    pub addr: SocketAddr,
    /// The data folder of a server, gone with it.
    data: Option<tempfile::TempDir>,
}

/// Lines of a load's output.
pub struct Output {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// Lastframe as it comes, with one unsigned domain, logging to a file.
pub fn lastframe() -> Outcome<Program> {
    let (addr, http) = (free_port()?, free_port()?);
    let data = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let config = data.path().join("bench.toml");
    fs::write(
        &config,
        format!(
            "[rtmp]\nlisten = \"{addr}\"\n[http]\nlisten = \"{http}\"\n[[account]]\nid = 1000000001\n\
             [[domain]]\nname = \"localhost\"\naccount = 1000000001\nauth = false\n"
        ),
    )?;
    let log = fs::File::create(data.path().join("bench.log"))?;
    let mut command = pinned(SERVER_CORE, Path::new(env!("CARGO_BIN_EXE_lastframe")));
    command.arg("--config").arg(&config).arg("--data").arg(data.path().join("data")).arg("serve");
    command.stdout(log.try_clone()?).stderr(log);
    started(command, addr, Some(data))
}

/// The control program.
pub fn control() -> Outcome<Program> {
    let addr = free_port()?;
    let mut command = pinned(SERVER_CORE, &std::env::current_exe()?);
    command.arg("control").arg(addr.to_string());
    started(command, addr, None)
}

/// A part of this program as load.
pub fn load(arguments: &[String]) -> Outcome<Output> {
    let mut command = pinned(LOAD_CORE, &std::env::current_exe()?);
    let mut child = command.args(arguments).stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or("the load has no output")?;
    Ok(Output { child, lines: BufReader::new(stdout) })
}

/// A folder on the disk that servers under test write to.
pub fn disk() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

fn pinned(core: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core).arg(program);
    command
}

fn started(mut command: Command, addr: SocketAddr, data: Option<tempfile::TempDir>) -> Outcome<Program> {
    let child =
        command.stdin(Stdio::null()).spawn().map_err(|e| format!("cannot run taskset (util-linux): {e}"))?;
    let mut program = Program { child, addr, data };
    let mut waited = Duration::ZERO;
    while TcpStream::connect(addr).is_err() {
        if let Some(status) = program.child.try_wait()? {
            return Err(format!("the program ended at its start: {status}; {}", program.log()).into());
        }
        if waited >= START_LIMIT {
            return Err(format!("nothing listens on {addr} after {START_LIMIT:?}; {}", program.log()).into());
        }
        waited += Duration::from_millis(50);
        std::thread::sleep(Duration::from_millis(50));
    }
    // What a start does afterwards is no part of the measurement.
    std::thread::sleep(Duration::from_secs(1));
    // Whoever answered on the port may have been somebody else.
    if let Some(status) = program.child.try_wait()? {
        return Err(format!("the program ended at its start: {status}; {}", program.log()).into());
    }
    Ok(program)
}

fn free_port() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Program {
    /// User and system time used so far, by all its threads.
    pub fn cpu(&self) -> Outcome<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The program's name stands in parentheses and may hold anything.
        let (_, fields) = stat.rsplit_once(')').ok_or("a stat without a name")?;
        let ticks = |index| -> Outcome<u32> {
            Ok(fields.split_whitespace().nth(index).ok_or("a stat that is cut short")?.parse()?)
        };
        Ok(TICK * (ticks(11)? + ticks(12)?))
    }

    /// Memory that is resident, bytes.
    pub fn resident(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).ok_or("a status without VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }

    /// How many records of clean ends (1/0) the server has.
    pub fn clean_ends(&self) -> Outcome<usize> {
        let data = self.data.as_ref().ok_or("the control keeps no records")?;
        let output = Command::new(env!("CARGO_BIN_EXE_lastframe"))
            .arg("--data")
            .arg(data.path().join("data"))
            .args(["records", "--code", "1/0", "--format", "json", "--limit", "10000000"])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(output.stdout.iter().filter(|byte| **byte == b'\n').count())
    }

    fn log(&self) -> String {
        let path = self.data.as_ref().map(|data| data.path().join("bench.log"));
        path.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended by itself, or does so now; there is nothing else to be done about either.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Output {
    /// The next line.
    pub fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            return Err("the load ended too early".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
