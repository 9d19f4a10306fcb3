//! The programs that are compared, and how each is started.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

use crate::Outcome;
use crate::process::{self, Addresses, Program, SERVER_CORE};

/// A program under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Reads and forgets.
    Sink,
    /// Writes each frame on at once.
    FanoutFrame,
    /// Writes on what came in 100 ms.
    Fanout100ms,
    /// Lastframe as it comes, with one unsigned domain, logging to a file.
    Lastframe,
    /// Another build of Lastframe, as [`OTHER_BUILD`] names it.
    OtherBuild,
    /// nginx with its RTMP module, one process.
    Nginx,
}

/// How a program is run: pinned, or under a tool that slows it down.
pub type Wrap<'a> = &'a [&'a str];
/// On a core of its own.
pub const PINNED: Wrap<'static> = &["taskset", "-c", SERVER_CORE];

/// Where a build of Lastframe lies that takes its turns beside this one, as from before a change.
const OTHER_BUILD: &str = "LASTFRAME_OTHER_BUILD";
const NGINX_MODULE: &str = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

impl Subject {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::FanoutFrame => "fanout, each frame",
            Self::Fanout100ms => "fanout, each 100 ms",
            Self::Lastframe => "lastframe",
            Self::OtherBuild => "lastframe, other build",
            Self::Nginx => "nginx-rtmp",
        }
    }

    /// Whether it is installed.
    pub fn is_here(self) -> bool {
        match self {
            Self::Nginx => Path::new(NGINX_MODULE).exists(),
            Self::OtherBuild => env::var_os(OTHER_BUILD).is_some(),
            _ => true,
        }
    }

    pub fn start(self, wrap: Wrap<'_>) -> Outcome<Program> {
        let addresses = Addresses::free()?;
        let addr = addresses.rtmp;
        let folder = tempfile::tempdir_in(process::disk())?;
        let log = fs::File::create(folder.path().join("bench.log"))?;
        let (first, rest) = wrap.split_first().ok_or("nothing to run it with")?;
        let mut command = Command::new(first);
        command.args(rest).stdout(log.try_clone()?).stderr(log);
        let lastframe = env!("CARGO_BIN_EXE_lastframe");
        match self {
            Self::Sink => command.args([lastframe, "lab", "sink", &addr.to_string()]),
            Self::FanoutFrame => command.args([lastframe, "lab", "fanout", &addr.to_string()]),
            Self::Fanout100ms => {
                command.args([lastframe, "lab", "fanout", &addr.to_string(), "--every", "100ms"])
            }
            Self::Lastframe | Self::OtherBuild => {
                let config = folder.path().join("bench.toml");
                fs::write(&config, lastframe_toml(addresses))?;
                let other = env::var_os(OTHER_BUILD).filter(|_| self == Self::OtherBuild);
                command.arg(other.unwrap_or_else(|| lastframe.into())).arg("--config").arg(config);
                command.arg("--data").arg(folder.path().join("data")).arg("serve")
            }
            Self::Nginx => {
                let config = folder.path().join("nginx.conf");
                fs::write(&config, nginx_conf(addr, folder.path()))?;
                command.arg("nginx").arg("-c").arg(config).arg("-p").arg(folder.path())
            }
        };
        process::started(command, addresses, folder)
    }
}

fn lastframe_toml(at: Addresses) -> String {
    let Addresses { rtmp, rtmps, srt, http } = at;
    format!(
        "[rtmp]\nlisten = \"{rtmp}\"\n[rtmps]\nlisten = \"{rtmps}\"\n[srt]\nlisten = \"{srt}\"\n[http]\nlisten = \"{http}\"\n\
         [https]\nlisten = \"\"\n[webrtc]\nlisten = \"\"\n[[account]]\nid = 1000000001\n\
         [[domain]]\nname = \"localhost\"\naccount = 1000000001\nauth = false\n"
    )
}

/// As Debian ships it, but for one process, no access log (Lastframe's records are no match for it), and the chunk size
/// that both sides use here.
fn nginx_conf(addr: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "load_module {NGINX_MODULE};\nmaster_process off;\ndaemon off;\nerror_log {folder}/error.log;\n\
         pid {folder}/pid;\nworker_rlimit_nofile 20000;\nevents {{ worker_connections 16384; }}\n\
         rtmp {{ access_log off; server {{ listen {addr}; chunk_size 4096; application live {{ live on; }} }} }}\n"
    )
}
