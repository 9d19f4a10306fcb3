//! The command lines of encoders.

use std::path::Path;
use std::process::Command;

/// The program, started by way of the command `under`.
pub(super) fn under(under: &[&str], program: &Path) -> Command {
    match under.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// ffmpeg sends a test picture of 640x360 at 30 frames a second, filled up to the rate, and a tone.
pub(super) fn ffmpeg(by: &[&str], program: &Path, url: &str, kbps: u32) -> Command {
    ffmpeg_as(by, program, "flv", url, kbps)
}

/// The same as a transport stream over SRT.
pub(super) fn ffmpeg_srt(by: &[&str], program: &Path, url: &str, kbps: u32) -> Command {
    ffmpeg_as(by, program, "mpegts", url, kbps)
}

fn ffmpeg_as(by: &[&str], program: &Path, format: &str, url: &str, kbps: u32) -> Command {
    let rate = format!("{kbps}k");
    let mut command = under(by, program);
    command
        .args(["-hide_banner", "-nostats", "-nostdin"])
        .args(["-re", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30"])
        .args(["-re", "-f", "lavfi", "-i", "sine=sample_rate=44100"])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-tune",
            "zerolatency",
            "-g",
            "60",
            "-threads",
            "1",
        ])
        .args(["-b:v", &rate, "-minrate", &rate, "-maxrate", &rate, "-bufsize", &rate])
        .args(["-x264-params", "nal-hrd=cbr", "-pix_fmt", "yuv420p"])
        .args(["-c:a", "aac", "-ar", "44100", "-f", format, url]);
    command
}

/// `gst-launch-1.0 -e` sends a test picture of noise and a tone into this sink.
pub(super) fn gstreamer(by: &[&str], program: &Path, sink: &[&str], kbps: u32) -> Command {
    let rate = format!("bitrate={kbps}");
    let mut command = under(by, program);
    command
        .args(["-e", "flvmux", "name=mux", "streamable=true", "!"])
        .args(sink)
        .args(["videotestsrc", "is-live=true", "pattern=snow", "!"])
        .args(["video/x-raw,width=320,height=240,framerate=30/1", "!"])
        .args([
            "x264enc",
            "tune=zerolatency",
            "speed-preset=ultrafast",
            "key-int-max=60",
            "threads=1",
            &rate,
            "!",
        ])
        .args(["h264parse", "!", "mux.", "audiotestsrc", "is-live=true", "!", "audioconvert", "!"])
        .args(["voaacenc", "!", "mux."]);
    command
}

/// `gst-launch-1.0 -e` sends a test picture of noise over SRT.
pub(super) fn gstreamer_srt(by: &[&str], program: &Path, uri: &str, stream_id: &str, kbps: u32) -> Command {
    let rate = format!("bitrate={kbps}");
    let mut command = under(by, program);
    command
        .args(["-e", "videotestsrc", "is-live=true", "pattern=snow", "!"])
        .args(["video/x-raw,width=320,height=240,framerate=30/1", "!"])
        .args(["x264enc", "tune=zerolatency", "speed-preset=ultrafast", "key-int-max=60", "threads=1", &rate])
        .args(["!", "mpegtsmux", "!", "srtsink", uri, stream_id]);
    command
}

/// `srt-live-transmit` passes on what it reads.
pub(super) fn transmit(by: &[&str], program: &Path, url: &str) -> Command {
    let mut command = under(by, program);
    // It would call again and again; and its word for no passphrase is an empty one.
    command.args(["-a:no", "-chunk:1316", "file://con", &format!("{url}&passphrase=")]);
    command
}
