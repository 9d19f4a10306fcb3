//! Real encoders as child processes: programs that the lab did not write.

mod command;
mod obs;
mod whip;

use std::fmt;
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::time::sleep;

use crate::error::LabError;
use crate::process::{self, Signal};
use crate::server::DOMAIN;
use crate::site::Site;

/// Where a newer ffmpeg than the system's is, if there is one.
const NEWER_FFMPEG: &str = "LAB_FFMPEG_NEW";
/// A Python that has aiortc, if there is one.
const AIORTC_PYTHON: &str = "LAB_AIORTC_PYTHON";
/// An encoder that has to load drivers and draw windows takes its time.
const STARTING: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);
/// Less than the silence after which the server asks for a sign of life.
const DIES_WITHIN: Duration = Duration::from_secs(2);
/// More than the handshake and the commands before media take.
const SET_UP_BYTES: u64 = 20_000;

/// An encoder that people use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The system's `ffmpeg`.
    Ffmpeg,
    /// A newer one: `LAB_FFMPEG_NEW`, or `ffmpeg-9` on the path.
    NewerFfmpeg,
    /// GStreamer's `rtmp2sink`.
    Rtmp2Sink,
    /// GStreamer's `rtmpsink`, which is librtmp.
    RtmpSink,
    /// OBS Studio under Xvfb.
    Obs,
    /// The system's `ffmpeg` over SRT.
    SrtFfmpeg,
    /// The newer one over SRT.
    SrtNewerFfmpeg,
    /// GStreamer's `srtsink`.
    SrtSink,
    /// `srt-live-transmit`, which passes on what an `ffmpeg` beside it makes.
    SrtTransmit,
    /// OBS Studio over SRT.
    SrtObs,
    /// The newer ffmpeg over WebRTC.
    WhipFfmpeg,
    /// Chromium over WebRTC.
    WhipChromium,
    /// aiortc, by `LAB_AIORTC_PYTHON`.
    WhipAiortc,
}

impl Kind {
    /// Its program.
    ///
    /// # Errors
    /// [`LabError::Skipped`] where it is not there.
    fn program(self) -> Result<PathBuf, LabError> {
        let on_path =
            |name: &str| process::find(name).ok_or_else(|| LabError::Skipped(format!("needs {name}")));
        let optional = |reason: &str| LabError::Skipped(format!("optional: {reason}"));
        match self {
            Self::Ffmpeg | Self::SrtFfmpeg => on_path("ffmpeg"),
            Self::NewerFfmpeg | Self::SrtNewerFfmpeg | Self::WhipFfmpeg => std::env::var_os(NEWER_FFMPEG)
                .map(PathBuf::from)
                .filter(|path| path.is_file())
                .or_else(|| process::find("ffmpeg-9"))
                .ok_or_else(|| optional("needs a newer ffmpeg; name it by LAB_FFMPEG_NEW")),
            Self::Rtmp2Sink | Self::RtmpSink | Self::SrtSink => on_path("gst-launch-1.0"),
            Self::SrtTransmit => on_path("srt-live-transmit"),
            Self::Obs | Self::SrtObs => process::find("obs")
                .filter(|_| process::is_installed("Xvfb"))
                .ok_or_else(|| optional("needs obs and Xvfb")),
            Self::WhipChromium => on_path("chromium"),
            Self::WhipAiortc => std::env::var_os(AIORTC_PYTHON)
                .map(PathBuf::from)
                .filter(|path| path.is_file())
                .ok_or_else(|| optional("needs a Python with aiortc; name it by LAB_AIORTC_PYTHON")),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ffmpeg => "ffmpeg",
            Self::NewerFfmpeg => "a newer ffmpeg",
            Self::Rtmp2Sink => "rtmp2sink",
            Self::RtmpSink => "rtmpsink",
            Self::Obs => "OBS",
            Self::SrtFfmpeg => "ffmpeg over SRT",
            Self::SrtNewerFfmpeg => "a newer ffmpeg over SRT",
            Self::SrtSink => "srtsink",
            Self::SrtTransmit => "srt-live-transmit",
            Self::SrtObs => "OBS over SRT",
            Self::WhipFfmpeg => "a newer ffmpeg over WebRTC",
            Self::WhipChromium => "Chromium over WebRTC",
            Self::WhipAiortc => "aiortc",
        })
    }
}

/// A running encoder. It ends with the value.
#[derive(Debug)]
pub struct Encoder {
    kind: Kind,
    child: Child,
    log: NamedTempFile,
    _desk: Option<obs::Desk>,
    kit: Option<whip::Kit>,
    /// What makes the stream that it passes on.
    source: Option<Child>,
}

impl Encoder {
    /// Starts one by way of the command `under`, which must become the encoder; it sends a test picture and a tone at
    /// `kbps`.
    ///
    /// # Errors
    /// [`LabError::Skipped`] where the program is missing.
    pub fn start(kind: Kind, under: &[&str], site: &Site, stream: &str, kbps: u32) -> Result<Self, LabError> {
        Self::start_for(kind, under, site, DOMAIN, stream, kbps)
    }

    /// The same for another domain of the server.
    ///
    /// # Errors
    /// As there.
    pub fn start_for(
        kind: Kind,
        under: &[&str],
        site: &Site,
        domain: &str,
        stream: &str,
        kbps: u32,
    ) -> Result<Self, LabError> {
        let program = kind.program()?;
        let (server, key) =
            (format!("{}://{}/{}", site.scheme(), site.rtmp, site.app), format!("{stream}?domain={domain}"));
        let url = format!("{server}/{key}");
        let whip = || format!("{}/whip/{}/{key}", site.api.base(), site.app);
        let srt = format!("srt://{}?streamid={}", site.srt, srt_stream_id(site, domain, stream));
        let (mut desk, mut kit, mut source) = (None, None, None);
        let mut command = match kind {
            Kind::Ffmpeg | Kind::NewerFfmpeg => command::ffmpeg(under, &program, &url, kbps),
            Kind::Rtmp2Sink => {
                command::gstreamer(under, &program, &["rtmp2sink", &format!("location={url}")], kbps)
            }
            // librtmp takes further words behind the URL.
            Kind::RtmpSink => {
                command::gstreamer(under, &program, &["rtmpsink", &format!("location={url} live=1")], kbps)
            }
            Kind::SrtFfmpeg | Kind::SrtNewerFfmpeg => command::ffmpeg_srt(under, &program, &srt, kbps),
            Kind::SrtSink => {
                let id = format!("streamid={}", srt_stream_id(site, domain, stream));
                command::gstreamer_srt(under, &program, &format!("uri=srt://{}", site.srt), &id, kbps)
            }
            Kind::SrtTransmit => {
                let ffmpeg = Kind::SrtFfmpeg.program()?;
                let mut made = command::ffmpeg_srt(&[], &ffmpeg, "pipe:1", kbps);
                made.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
                source = Some(made.spawn()?);
                command::transmit(under, &program, &srt)
            }
            Kind::Obs => {
                let made = desk.insert(obs::Desk::new(&server, &key, kbps)?);
                made.command(under, &program)
            }
            Kind::SrtObs => {
                let made = desk.insert(obs::Desk::new(&srt, "", kbps)?);
                made.command(under, &program)
            }
            Kind::WhipFfmpeg => whip::ffmpeg(under, &program, &whip(), kbps),
            Kind::WhipChromium => kit.insert(whip::Kit::new()?).chromium(under, &program, &whip()),
            Kind::WhipAiortc => kit.insert(whip::Kit::new()?).aiortc(under, &program, &whip()),
        };
        let log = NamedTempFile::new()?;
        let input = source.as_mut().and_then(|made: &mut Child| made.stdout.take());
        let input = input.map_or_else(Stdio::null, Stdio::from);
        command.stdin(input).stdout(log.reopen()?).stderr(log.reopen()?);
        // A browser is many processes, which share a fate.
        let child = command
            .process_group(0)
            .spawn()
            .map_err(|error| LabError::Program { program: kind.to_string(), what: error.to_string() })?;
        Ok(Self { kind, child, log, _desk: desk, kit, source })
    }

    /// Waits until the server has taken in media of it.
    pub async fn sends_media(&mut self, site: &Site, stream: &str) -> Result<(), LabError> {
        let mut waited = Duration::ZERO;
        while waited < STARTING {
            if site.api.live_bytes(stream).await?.is_some_and(|bytes| bytes > SET_UP_BYTES) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                let what = format!("ended at its start ({status}): {}", self.last_words());
                return Err(LabError::Program { program: self.kind.to_string(), what });
            }
            sleep(POLL).await;
            waited += POLL;
        }
        let awaited = format!("media of {}: {}", self.kind, self.last_words());
        Err(LabError::Late { awaited, limit: STARTING })
    }

    /// Stops it as its user does: by Ctrl-C, or OBS by its button, which is pressed at the encoder's own address.
    pub async fn stop(&self, address: IpAddr) -> Result<(), LabError> {
        match self.kind {
            Kind::Obs | Kind::SrtObs => obs::remote::stop_stream(address).await,
            _ => self.signal(Signal::Interrupt),
        }
    }

    /// Kills it, and waits until it is gone.
    ///
    /// # Errors
    /// [`LabError::Lingered`] when that took so long that the server saw more than a kill: a busy system takes a large
    /// program apart slowly, and meanwhile its connection is as silent as that of a frozen one.
    pub async fn kill(&mut self) -> Result<(), LabError> {
        self.signal(Signal::Kill)?;
        let mut waited = Duration::ZERO;
        while self.child.try_wait()?.is_none() {
            if waited >= DIES_WITHIN {
                return Err(LabError::Lingered { program: self.kind.to_string() });
            }
            sleep(POLL).await;
            waited += POLL;
        }
        Ok(())
    }

    /// Sends it a signal. All processes of a browser are killed or frozen, and it is its page that is asked to go.
    pub fn signal(&self, signal: Signal) -> Result<(), LabError> {
        match signal {
            Signal::Interrupt if self.kind == Kind::WhipChromium => {
                self.kit.as_ref().map_or(Ok(()), whip::Kit::stop_page)
            }
            Signal::Interrupt | Signal::Terminate => process::signal(self.child.id(), signal),
            Signal::Kill | Signal::Stop | Signal::Continue => process::signal_group(self.child.id(), signal),
        }
    }

    fn last_words(&self) -> String {
        let text = std::fs::read(self.log.path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    }
}

fn srt_stream_id(site: &Site, domain: &str, stream: &str) -> String {
    format!("#!::h={domain},r={}/{stream},m=publish", site.app)
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let _ = process::signal_group(self.child.id(), Signal::Kill);
        process::end(&mut self.child);
        if let Some(source) = &mut self.source {
            process::end(source);
        }
    }
}
