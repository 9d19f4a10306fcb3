//! How a server is to be started.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::clock::{PATIENCE, until};
use super::ports;
use super::server::Server;

/// The domain of [`Setup::open`], which asks for no signature.
pub const DOMAIN: &str = "push.test";

/// The API key of [`Setup::open`].
pub const API_KEY: &str = "e2e:a-secret-for-the-tests";

const OPEN: &str = r#"
[records]
fold = "off"

[[account]]
id = 7

[[domain]]
name = "push.test"
account = 7
auth = false

[[api_key]]
id = "e2e"
secret = "a-secret-for-the-tests"
"#;

/// A server that has not been started yet: configuration, environment, folder, ports.
#[derive(Debug)]
pub struct Setup {
    pub folder: tempfile::TempDir,
    pub data: PathBuf,
    pub rtmp_port: u16,
    pub srt_port: u16,
    pub http_port: u16,
    pub rtmps_port: u16,
    pub https_port: u16,
    /// Where the server is reached.
    pub address: Ipv4Addr,
    config: Option<String>,
    env: Vec<(String, String)>,
    under: Vec<OsString>,
}

impl Setup {
    /// A server as a newcomer starts it, without a configuration file; only its ports and its folder are its own.
    pub fn first_start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (rtmp_port, http_port, srt_port) = (ports::free(), ports::free(), ports::free());
        let (rtmps_port, https_port) = (ports::free(), ports::free());
        let (address, config, env, under) = (Ipv4Addr::LOCALHOST, None, Vec::new(), Vec::new());
        Self {
            folder,
            data,
            rtmp_port,
            srt_port,
            http_port,
            rtmps_port,
            https_port,
            address,
            config,
            env,
            under,
        }
        .env("LASTFRAME_RTMPS_LISTEN", &format!("127.0.0.1:{rtmps_port}"))
        .env("LASTFRAME_HTTPS_LISTEN", &format!("127.0.0.1:{https_port}"))
        .env("LASTFRAME_RTMP_LISTEN", &format!("127.0.0.1:{rtmp_port}"))
        .env("LASTFRAME_HTTP_LISTEN", &format!("127.0.0.1:{http_port}"))
        .env("LASTFRAME_SRT_LISTEN", &format!("127.0.0.1:{srt_port}"))
        .env("LASTFRAME_WEBRTC_LISTEN", "127.0.0.1:0")
    }

    /// A server with a domain that anybody may push to, an API key, and no folding of records.
    pub fn open() -> Self {
        Self::first_start().config(OPEN)
    }

    /// Adds to the configuration file.
    pub fn config(mut self, text: &str) -> Self {
        self.config.get_or_insert_default().push_str(text);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves an environment variable unset.
    pub fn without(mut self, name: &str) -> Self {
        self.env.retain(|(known, _)| known != name);
        self
    }

    /// Keeps the data there.
    pub fn data(mut self, folder: &Path) -> Self {
        self.data = folder.to_owned();
        self
    }

    /// Starts the server by way of another program, which must become the server.
    pub fn under(mut self, command: &[&str]) -> Self {
        self.under = command.iter().map(OsString::from).collect();
        self
    }

    /// Starts the server on a machine of its own, where others reach it.
    #[cfg(all(feature = "cluster", feature = "postgres"))]
    pub fn on(mut self, machine: &super::site::Machine) -> Self {
        self.address = machine.address;
        self.under = machine.enter().map(OsString::from).to_vec();
        let (rtmp, http) = (self.rtmp_port, self.http_port);
        self.env("LASTFRAME_RTMP_LISTEN", &format!("0.0.0.0:{rtmp}"))
            .env("LASTFRAME_HTTP_LISTEN", &format!("0.0.0.0:{http}"))
            .env("LASTFRAME_HTTP_INSECURE", "true")
    }

    /// The program with this server's configuration, and these arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_under(&[], args)
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Starts the server and waits until it is ready.
    pub fn start(self) -> Server {
        let child = self.spawn();
        Server::ready(self, child)
    }

    /// Starts the server and waits for nothing.
    pub fn spawn(&self) -> Child {
        let log = |name: &str| {
            let path = self.folder.path().join(name);
            std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap()
        };
        let mut command = self.command_under(&self.under, &["serve"]);
        command.stdin(Stdio::null()).stdout(log("stdout")).stderr(log("stderr"));
        command.spawn().unwrap()
    }

    /// Starts a server that is expected to give up, and waits for that.
    ///
    /// # Panics
    /// When it goes on.
    pub fn give_up(&self) -> Output {
        let mut command = self.command(&["serve"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        until("the server to give up", PATIENCE, || child.try_wait().unwrap());
        child.wait_with_output().unwrap()
    }

    /// The configuration file's path.
    pub fn config_path(&self) -> PathBuf {
        self.folder.path().join("lastframe.toml")
    }

    fn command_under(&self, under: &[OsString], args: &[&str]) -> Command {
        // A program that was built elsewhere can be tested too.
        let program = std::env::var_os("E2E_PROGRAM").unwrap_or(env!("CARGO_BIN_EXE_lastframe").into());
        let mut words = under.iter().chain([&program]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .env_remove("LASTFRAME_LONG")
            .env_remove("LASTFRAME_SCREENS")
            .env("LC_ALL", "C.UTF-8");
        if let Some(text) = &self.config {
            std::fs::write(self.config_path(), text).unwrap();
            command.arg("--config").arg(self.config_path());
        }
        command.arg("--data").arg(&self.data).args(args).envs(self.env.iter().cloned());
        command
    }
}
