//! The program itself, run as a user runs it.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program with nothing but `PATH` in its environment.
pub fn lastframe(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lastframe"));
    command.env_clear().envs(std::env::vars().filter(|(name, _)| name == "PATH")).arg("--data").arg(data);
    command
}

/// Runs a command to its end.
pub fn run(data: &Path, args: &[&str]) -> Output {
    lastframe(data).args(args).output().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    pub greeting: String,
    pub rtmp: SocketAddr,
    pub http: SocketAddr,
    pub data: PathBuf,
}

impl Server {
    /// Starts one on free ports and waits until it says where it listens.
    #[expect(clippy::disallowed_methods, reason = "a test waits for a real process in real time")]
    pub fn start(data: &Path) -> Self {
        let log = data.with_extension("log");
        let mut child = lastframe(data)
            .args(["serve", "--log-format", "json"])
            .env("LASTFRAME_RTMP_LISTEN", "127.0.0.1:0")
            .env("LASTFRAME_SRT_LISTEN", "127.0.0.1:0")
            .env("LASTFRAME_HTTP_LISTEN", "127.0.0.1:0")
            .env("LASTFRAME_RTMPS_LISTEN", "127.0.0.1:0")
            .env("LASTFRAME_HTTPS_LISTEN", "127.0.0.1:0")
            .env("LASTFRAME_STORE_RESERVE", "64KiB")
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first =
            lines.next().unwrap_or_else(|| panic!("{}", std::fs::read_to_string(&log).unwrap())).unwrap();
        // The first start goes on for some lines; a later one says all in one.
        let rest =
            lines.take_while(|l| !l.as_ref().is_ok_and(|l| l.starts_with("Secrets"))).map(Result::unwrap);
        let greeting = match first.ends_with("ready.") {
            true => [first].into_iter().chain(rest).collect::<Vec<_>>().join("\n"),
            false => first,
        };
        let until = Instant::now() + Duration::from_secs(20);
        let ready = loop {
            let text = std::fs::read_to_string(&log).unwrap();
            if let Some(line) = text.lines().find(|l| l.contains("\"ready\"")) {
                break serde_json::from_str::<serde_json::Value>(line).unwrap();
            }
            assert!(Instant::now() < until, "{text}");
            std::thread::sleep(Duration::from_millis(20));
        };
        let address = |name: &str| ready[name].as_str().unwrap().parse().unwrap();
        Self { child, greeting, rtmp: address("rtmp"), http: address("http"), data: data.to_owned() }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.with_extension("log")).unwrap()
    }

    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for the end; gives the exit code.
    pub fn exit_code(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks until `ready` holds; fails after 10 s.
#[expect(clippy::disallowed_methods, reason = "a test waits for a real process in real time")]
pub fn wait_for<T>(mut ready: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(Instant::now() < until, "waited for 10 s");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// The body of `GET path`.
pub fn get(at: SocketAddr, path: &str) -> String {
    use std::io::Write;
    let mut stream = std::net::TcpStream::connect(at).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
