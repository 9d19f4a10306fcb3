//! A server under test: the program itself, started on free ports with a configuration of the scenario's own.

mod log;
mod profile;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::sleep;

use crate::api::Api;
use crate::client::PATIENCE;
use crate::error::LabError;
use crate::process::{self, Signal};

pub use profile::{DOMAIN, IMPORT_TOKEN, KEY, Profile, SIGNED_DOMAIN};

use log::Ready;

const POLL: Duration = Duration::from_millis(20);

/// How a server is to be started.
#[derive(Debug)]
pub struct Setup {
    /// The configuration.
    pub config: String,
    /// Where it takes pushes; port 0 means any free one.
    pub rtmp: SocketAddr,
    /// Its data folder, where it is not one of its own.
    pub data: Option<PathBuf>,
    /// Its HTTP port is at the address that takes pushes too, with the API, rather than on loopback.
    pub http_outside: bool,
    /// More of its environment.
    pub environment: Vec<(&'static str, OsString)>,
}

impl Setup {
    /// A server on loopback with this profile.
    pub fn new(profile: Profile) -> Self {
        Self {
            config: profile.config(),
            rtmp: SocketAddr::from(([127, 0, 0, 1], 0)),
            data: None,
            http_outside: false,
            environment: Vec::new(),
        }
    }
}

/// A running server. It ends with the value.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    folder: TempDir,
    child: Child,
    ready: Ready,
    starts: u32,
}

impl Server {
    /// Starts it and waits until it takes pushes.
    pub async fn start(setup: Setup) -> Result<Self, LabError> {
        let folder = tempfile::Builder::new().prefix("lastframe-lab-").tempdir()?;
        std::fs::write(folder.path().join("lastframe.toml"), &setup.config)?;
        let child = spawn(&setup, folder.path(), 0)?;
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut server = Self {
            setup,
            folder,
            child,
            ready: Ready { rtmp: nowhere, rtmps: None, srt: nowhere, http: nowhere },
            starts: 0,
        };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Where it takes pushes.
    pub fn rtmp(&self) -> SocketAddr {
        self.ready.rtmp
    }

    /// Where it takes pushes over TLS, if it does.
    pub fn rtmps(&self) -> Option<SocketAddr> {
        self.ready.rtmps
    }

    /// Where it takes pushes over SRT.
    pub fn srt(&self) -> SocketAddr {
        self.ready.srt
    }

    /// Where its API and its players are.
    pub fn http(&self) -> SocketAddr {
        self.ready.http
    }

    /// Its API, with a key that may do everything.
    pub fn api(&self) -> Result<Api, LabError> {
        Api::new(&format!("http://{}", self.ready.http), profile::API_KEY)
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its data folder.
    pub fn data(&self) -> PathBuf {
        data(&self.setup, self.folder.path())
    }

    /// Stops it in an orderly way, and waits for that.
    pub async fn terminate(&mut self) -> Result<(), LabError> {
        process::signal(self.child.id(), Signal::Terminate)?;
        process::wait(&mut self.child, "the server", PATIENCE).await
    }

    /// Ends it without warning.
    pub async fn kill(&mut self) -> Result<(), LabError> {
        self.child.kill()?;
        process::wait(&mut self.child, "the server", PATIENCE).await
    }

    /// Starts it again on the same data. Its ports are new.
    pub async fn start_again(&mut self) -> Result<(), LabError> {
        self.starts = self.starts.saturating_add(1);
        self.child = spawn(&self.setup, self.folder.path(), self.starts)?;
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> Result<(), LabError> {
        let file = log_file(self.folder.path(), self.starts);
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            let text = std::fs::read_to_string(&file)?;
            if let Some(ready) = text.lines().find_map(Ready::read) {
                self.ready = ready;
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let last = text.lines().last().unwrap_or_default();
                let what = format!("ended at its start ({status}): {last}");
                return Err(LabError::Program { program: "lastframe serve".to_owned(), what });
            }
            sleep(POLL).await;
            waited += POLL;
        }
        Err(LabError::Late { awaited: "the server to be ready".to_owned(), limit: PATIENCE })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

fn log_file(folder: &Path, starts: u32) -> PathBuf {
    folder.join(format!("log-{starts}"))
}

fn data(setup: &Setup, folder: &Path) -> PathBuf {
    setup.data.clone().unwrap_or_else(|| folder.join("data"))
}

fn spawn(setup: &Setup, folder: &Path, starts: u32) -> Result<Child, LabError> {
    let log = std::fs::File::create(log_file(folder, starts))?;
    let mut command = Command::new(process::own_program()?);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LASTFRAME_"))
    {
        command.env_remove(name);
    }
    let http = if setup.http_outside { setup.rtmp.ip() } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
    command
        .envs(setup.environment.iter().map(|(name, value)| (name, value)))
        .env("LASTFRAME_LOG", "info")
        .env("LASTFRAME_RTMP_LISTEN", setup.rtmp.to_string())
        .env("LASTFRAME_SRT_LISTEN", SocketAddr::new(setup.rtmp.ip(), 0).to_string())
        .env("LASTFRAME_HTTP_LISTEN", SocketAddr::new(http, 0).to_string())
        .env("LASTFRAME_HTTP_INSECURE", setup.http_outside.to_string())
        .env("LASTFRAME_WEBRTC_LISTEN", SocketAddr::new(setup.rtmp.ip(), 0).to_string())
        .env("LASTFRAME_RTMPS_LISTEN", SocketAddr::new(setup.rtmp.ip(), 0).to_string())
        .env("LASTFRAME_HTTPS_LISTEN", "")
        .arg("--config")
        .arg(folder.join("lastframe.toml"))
        .arg("--data")
        .arg(data(setup, folder))
        .args(["serve", "--log-format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    command
        .spawn()
        .map_err(|error| LabError::Program { program: "lastframe serve".to_owned(), what: error.to_string() })
}
