//! Programs under test: started on a core of their own, and what the kernel says they used.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
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
    /// Where Lastframe takes pushes over TLS and over SRT.
    pub rtmps: SocketAddr,
    pub srt: SocketAddr,
    http: SocketAddr,
    /// Configuration, log and data, gone with it.
    folder: tempfile::TempDir,
}

/// Lines of a load's output.
pub struct Output {
    child: Child,
    lines: BufReader<ChildStdout>,
    told: Option<BufReader<ChildStderr>>,
}

/// A part of this program as load.
pub fn load(arguments: &[String]) -> Outcome<Output> {
    let mut command = pinned(LOAD_CORE, &std::env::current_exe()?);
    command.args(arguments);
    Output::of(command)
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

/// Where a program listens, as far as it does.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub rtmp: SocketAddr,
    pub rtmps: SocketAddr,
    pub srt: SocketAddr,
    pub http: SocketAddr,
}

impl Addresses {
    pub fn free() -> Outcome<Self> {
        Ok(Self { rtmp: free_port()?, rtmps: free_port()?, srt: free_port()?, http: free_port()? })
    }
}

/// `lab load` on the core of the load.
pub fn lab_load(arguments: &[String]) -> Outcome<Output> {
    let mut command = pinned(LOAD_CORE, Path::new(env!("CARGO_BIN_EXE_lastframe")));
    command.args(["lab", "load"]).args(arguments).stderr(Stdio::piped());
    Output::of(command)
}

/// User and system time that a process has used so far, by all its threads.
pub fn cpu_of(pid: u32) -> Outcome<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The program's name stands in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')').ok_or("a stat without a name")?;
    let ticks = |index| -> Outcome<u32> {
        Ok(fields.split_whitespace().nth(index).ok_or("a stat that is cut short")?.parse()?)
    };
    Ok(TICK * (ticks(11)? + ticks(12)?))
}

/// Waits until a program listens.
pub fn started(mut command: Command, addresses: Addresses, folder: tempfile::TempDir) -> Outcome<Program> {
    let Addresses { rtmp: addr, rtmps, srt, http } = addresses;
    let child = command.stdin(Stdio::null()).spawn().map_err(|e| format!("cannot run {command:?}: {e}"))?;
    let mut program = Program { child, addr, rtmps, srt, http, folder };
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

/// Load average over one minute.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

pub fn free_port() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Program {
    /// User and system time used so far.
    pub fn cpu(&self) -> Outcome<Duration> {
        cpu_of(self.child.id())
    }

    /// Memory that is resident, bytes.
    pub fn resident(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).ok_or("a status without VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }

    /// Bytes of media that the server says it holds for viewers; 0 for one that does not say.
    pub fn media_held(&self) -> Outcome<u64> {
        let Ok(mut stream) = TcpStream::connect(self.http) else { return Ok(0) };
        stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let held = answer.lines().find_map(|line| line.strip_prefix("lastframe_media_held_bytes "));
        Ok(held.ok_or("metrics without the media held")?.parse()?)
    }

    /// How many records of this code the server has.
    pub fn ends(&self, code: &str) -> Outcome<usize> {
        let output = Command::new(env!("CARGO_BIN_EXE_lastframe"))
            .arg("--data")
            .arg(self.folder.path().join("data"))
            .args(["records", "--code", code, "--format", "json", "--limit", "10000000"])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(output.stdout.iter().filter(|byte| **byte == b'\n').count())
    }

    /// A load of 1 Mbit/s a push on this program: `lab load` on the other core.
    pub fn load(&self, publishers: u32, players: u32, flv: bool, seconds: u64) -> Outcome<Output> {
        let mut arguments = vec!["--kbps".to_owned(), "1000".to_owned()];
        arguments.extend(["--publishers".to_owned(), publishers.to_string()]);
        arguments.extend(["--players".to_owned(), players.to_string()]);
        arguments.extend(["--seconds".to_owned(), seconds.to_string()]);
        arguments.extend(["--target".to_owned(), format!("rtmp://{}/live", self.addr)]);
        if flv {
            arguments.extend(["--format", "flv", "--play"].map(str::to_owned));
            arguments.push(format!("http://{}", self.http));
        }
        lab_load(&arguments)
    }

    /// Ends a program that runs under callgrind, and reads how many instructions it took.
    pub fn collected(mut self) -> Outcome<u64> {
        Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        let log = self.log();
        let mut counts = log.lines().filter_map(|line| line.split_once("Collected : "));
        let (_, count) = counts.next_back().ok_or_else(|| format!("callgrind has not counted: {log}"))?;
        Ok(count.trim().parse()?)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("bench.log")).unwrap_or_default()
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
    fn of(mut command: Command) -> Outcome<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("the load has no output")?;
        let told = child.stderr.take().map(BufReader::new);
        Ok(Self { child, lines: BufReader::new(stdout), told })
    }

    /// Waits until everybody is connected.
    pub fn until_measuring(&mut self) -> Outcome<()> {
        let told = self.told.as_mut().ok_or("the load says nothing")?;
        let mut line = String::new();
        while told.read_line(&mut line)? > 0 {
            if line.contains("measuring") {
                return Ok(());
            }
        }
        Err(format!("the load gave up: {line}").into())
    }

    /// What came of it, as JSON.
    pub fn report(&mut self) -> Outcome<String> {
        self.line()
    }

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
