//! The official clients of CSS, installed from their registries into a folder that outlives the run.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::rights;

/// Where the scenarios' scripts are.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/sdk");

/// Programs of the official clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The Python SDK of the product `live`.
    Python,
    /// The command line `tccli`.
    CommandLine,
    /// The full SDK for Node.
    Node,
    /// No client of CSS: a tester that makes requests up from a description of an API.
    Tester,
}

impl Client {
    /// The folder of the client's installation, made if it is not there; `None` where the machine cannot have it.
    ///
    /// # Panics
    /// When it cannot be installed.
    pub fn installed(self) -> Option<PathBuf> {
        let (needs, name, list): (&[&str], _, _) = match self {
            Self::Python => (&["python3"], "python", "requirements.txt"),
            Self::CommandLine => (&["python3", "cc"], "tccli", "requirements-tccli.txt"),
            Self::Node => (&["node", "npm"], "node", "package.json"),
            Self::Tester => (&["python3"], "tester", "requirements-tester.txt"),
        };
        if !rights::has(needs) {
            return None;
        }
        let list = Path::new(SCRIPTS).join(list);
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("css-clients");
        std::fs::create_dir_all(&root).unwrap();
        // One scenario installs, others that need the same wait for it.
        let lock = File::create(root.join(format!("{name}.lock"))).unwrap();
        lock.lock().unwrap();
        let folder = root.join(name);
        let (done, wanted) = (folder.join("installed"), std::fs::read(&list).unwrap());
        if std::fs::read(&done).is_ok_and(|done| done == wanted) {
            return Some(folder);
        }
        let _ = std::fs::remove_dir_all(&folder);
        match self {
            Self::Python | Self::CommandLine | Self::Tester => {
                run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
                let pip = [
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--no-deps",
                    "--no-compile",
                    "--only-binary",
                    ":all:",
                ];
                let mut install = Command::new(folder.join("bin/python"));
                install.args(pip);
                if self == Self::CommandLine {
                    install.args(["--no-binary", "crcmod"]);
                }
                run(install.arg("--requirement").arg(&list));
            }
            Self::Node => {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::copy(&list, folder.join("package.json")).unwrap();
                let install = ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"];
                run(Command::new("npm").args(install).current_dir(&folder));
            }
        }
        std::fs::write(done, wanted).unwrap();
        Some(folder)
    }
}

/// The path of a script.
pub fn script(name: &str) -> PathBuf {
    Path::new(SCRIPTS).join(name)
}

/// Runs a command to its end; what it printed.
///
/// # Panics
/// When it fails, with what it said.
pub fn run(command: &mut Command) -> String {
    let ended = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed =
        format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{command:?}: {printed}");
    printed
}
