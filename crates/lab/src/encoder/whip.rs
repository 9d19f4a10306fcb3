//! Encoders that push over WebRTC: their command lines, and what they need around them.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::command;
use crate::error::LabError;

const PAGE: &str = include_str!("whip/page.html");
const AIORTC: &str = include_str!("whip/aiortc_push.py");

/// A folder for a page, a script, a browser's profile. It goes with the value.
#[derive(Debug)]
pub(super) struct Kit(TempDir);

impl Kit {
    pub(super) fn new() -> Result<Self, LabError> {
        let folder = tempfile::Builder::new().prefix("lastframe-whip-").tempdir()?;
        std::fs::write(folder.path().join("page.html"), PAGE)?;
        std::fs::write(folder.path().join("push.py"), AIORTC)?;
        Ok(Self(folder))
    }

    /// Has the browser's page delete its session.
    pub(super) fn stop_page(&self) -> Result<(), LabError> {
        Ok(std::fs::write(self.0.path().join("stop.js"), "stop()")?)
    }

    /// A browser without a window pushes its made-up camera and microphone. A page from a file may capture.
    pub(super) fn chromium(&self, by: &[&str], program: &Path, url: &str) -> Command {
        let mut command = command::under(by, program);
        command
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update"])
            .arg("--autoplay-policy=no-user-gesture-required")
            .args(["--enable-logging=stderr", "--log-level=1"])
            .arg(format!("--user-data-dir={}", self.0.path().join("profile").display()))
            .arg(format!("file://{}#{url}", self.0.path().join("page.html").display()));
        command
    }

    /// aiortc, by this Python.
    pub(super) fn aiortc(&self, by: &[&str], python: &Path, url: &str) -> Command {
        let mut command = command::under(by, python);
        command.arg(self.0.path().join("push.py")).arg(url);
        command
    }
}

/// ffmpeg's WHIP muxer takes H.264 without B-frames and Opus.
pub(super) fn ffmpeg(by: &[&str], program: &Path, url: &str, kbps: u32) -> Command {
    let rate = format!("{kbps}k");
    let mut command = command::under(by, program);
    command
        .args(["-hide_banner", "-nostats", "-nostdin"])
        .args(["-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30"])
        .args(["-re", "-f", "lavfi", "-i", "sine=sample_rate=48000"])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline"])
        .args(["-bf", "0", "-g", "60", "-threads", "1", "-pix_fmt", "yuv420p"])
        .args(["-b:v", &rate, "-maxrate", &rate, "-bufsize", &rate])
        .args(["-c:a", "libopus", "-ar", "48000", "-ac", "2", "-f", "whip", url]);
    command
}
