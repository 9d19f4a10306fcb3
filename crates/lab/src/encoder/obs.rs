//! What OBS Studio needs around it: a screen, a home with its settings, and nobody to ask questions.

pub(super) mod remote;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::command;
use crate::error::LabError;
use crate::process;

const GLOBAL: &str = include_str!("obs/global.ini");
const PROFILE: &str = include_str!("obs/basic.ini");
const SCENES: &str = include_str!("obs/scenes.json");

/// A screen and a home. They go with the value.
#[derive(Debug)]
pub(super) struct Desk {
    home: TempDir,
    screen: Child,
    display: String,
}

impl Desk {
    /// For a push to this server under this key.
    pub(super) fn new(server: &str, key: &str, kbps: u32) -> Result<Self, LabError> {
        let home = tempfile::Builder::new().prefix("lastframe-lab-obs-").tempdir()?;
        let settings = home.path().join(".config/obs-studio");
        let (profile, scenes) = (settings.join("basic/profiles/lab"), settings.join("basic/scenes"));
        for folder in [&profile, &scenes] {
            std::fs::create_dir_all(folder)?;
        }
        let service = serde_json::json!({
            "type": "rtmp_custom",
            "settings": { "server": server, "key": key, "use_auth": false, "bwtest": false },
        });
        std::fs::write(settings.join("global.ini"), GLOBAL)?;
        std::fs::write(profile.join("basic.ini"), PROFILE.replace("KBPS", &kbps.to_string()))?;
        std::fs::write(profile.join("service.json"), service.to_string())?;
        std::fs::write(scenes.join("lab.json"), SCENES)?;
        let (screen, display) = screen()?;
        Ok(Self { home, screen, display })
    }

    /// The command that starts OBS here, and streaming with it.
    pub(super) fn command(&self, under: &[&str], program: &Path) -> Command {
        let mut command = command::under(under, program);
        let home = self.home.path();
        command
            .args(["--startstreaming", "--minimize-to-tray", "--disable-updater", "--multi"])
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_RUNTIME_DIR", home)
            .env("DISPLAY", &self.display)
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env_remove("DBUS_SESSION_BUS_ADDRESS");
        command
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        process::end(&mut self.screen);
    }
}

/// A screen in memory, and its name.
fn screen() -> Result<(Child, String), LabError> {
    let failed = |what: String| LabError::Program { program: "Xvfb".to_owned(), what };
    let mut screen = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut number = String::new();
    let read = match screen.stdout.take() {
        Some(out) => BufReader::new(out).read_line(&mut number).map_err(LabError::from),
        None => Err(failed("has no output".to_owned())),
    };
    match read {
        Ok(_) if !number.trim().is_empty() => Ok((screen, format!(":{}", number.trim()))),
        other => {
            process::end(&mut screen);
            Err(other.err().unwrap_or_else(|| failed("named no display".to_owned())))
        }
    }
}
