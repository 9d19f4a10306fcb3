//! Real encoders as child processes.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::clock::PATIENCE;
use super::signal;

/// A running encoder. It ends with the value.
#[derive(Debug)]
pub struct Encoder {
    child: Child,
    log: tempfile::NamedTempFile,
}

impl Encoder {
    /// ffmpeg pushes a test picture of 640x360 at 30 frames a second, and a tone.
    pub fn ffmpeg(url: &str) -> Self {
        Self::start(&mut Self::ffmpeg_command("ffmpeg", &[], 30, &["-f", "flv", url]))
    }

    /// The same in a transport stream over SRT, with a key frame every so many frames.
    pub fn ffmpeg_over_srt(url: &str, key_every: u32) -> Self {
        Self::start(&mut Self::ffmpeg_command("ffmpeg", &[], key_every, &["-f", "mpegts", url]))
    }

    /// As [`Encoder::ffmpeg`], started by another program with these arguments before ffmpeg's.
    pub fn ffmpeg_under(program: &str, args: &[&str], url: &str) -> Self {
        Self::start(&mut Self::ffmpeg_command(program, args, 30, &["-f", "flv", url]))
    }

    fn ffmpeg_command(program: &str, args: &[&str], key_every: u32, output: &[&str]) -> Command {
        let picture = ["-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30"];
        let tone = ["-re", "-f", "lavfi", "-i", "sine=sample_rate=44100"];
        let key_every = key_every.to_string();
        let video = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-b:v", "500k"];
        let mut command = Command::new(program);
        command
            .args(args)
            .args(["-hide_banner", "-nostats", "-nostdin"])
            .args(picture)
            .args(tone)
            .args(video)
            .args(["-g", &key_every, "-pix_fmt", "yuv420p", "-c:a", "aac", "-ar", "44100"])
            .args(output);
        command
    }

    /// `gst-launch-1.0 -e` pushes a test picture and a tone into this sink.
    pub fn gstreamer(sink: &[&str]) -> Self {
        let mut command = Command::new("gst-launch-1.0");
        command
            .args(["-e", "flvmux", "name=mux", "streamable=true", "!"])
            .args(sink)
            .args([
                "videotestsrc",
                "is-live=true",
                "!",
                "video/x-raw,width=320,height=240,framerate=30/1",
                "!",
            ])
            .args(["x264enc", "tune=zerolatency", "speed-preset=ultrafast", "key-int-max=30", "!"])
            .args(["h264parse", "!", "mux.", "audiotestsrc", "is-live=true", "!", "audioconvert", "!"])
            .args(["voaacenc", "!", "mux."]);
        Self::start(&mut command)
    }

    /// Any command.
    pub fn start(command: &mut Command) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        command.stdin(Stdio::null()).stdout(log.reopen().unwrap()).stderr(log.reopen().unwrap());
        Self { child: command.spawn().unwrap(), log }
    }

    /// As Ctrl-C does.
    pub fn interrupt(&mut self) {
        signal::send(&self.child, "INT");
    }

    /// Stops it where it stands, as a machine that hangs.
    pub fn freeze(&self) {
        signal::send(&self.child, "STOP");
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        signal::kill(&mut self.child);
    }

    /// Whether it still runs.
    #[cfg(all(feature = "cluster", feature = "postgres"))]
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        signal::wait(&mut self.child, PATIENCE)
    }

    /// Everything that it has printed.
    pub fn printed(&self) -> String {
        let mut text = Vec::new();
        self.log.reopen().unwrap().read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        signal::kill(&mut self.child);
        if std::thread::panicking() {
            eprintln!("--- the encoder's own words ---\n{}", self.printed());
        }
    }
}

/// What ffprobe finds in a stream.
pub fn probe(url: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-rw_timeout", "20000000", "-show_streams", url])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
