//! The load of `ingest`: many encoders in one process, each message sent when its time has come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use model::{Clock, SystemClock};
use rtmp::MediaKind;
use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::encoder::{Encoder, Media};

/// 30 frames a second, and AAC frames of 1024 samples at 44.1 kHz.
const VIDEO_STEP: Duration = Duration::from_nanos(33_333_333);
const AUDIO_STEP: Duration = Duration::from_nanos(23_219_955);

#[derive(Args, Debug)]
pub struct Load {
    pub server: SocketAddr,
    #[arg(long)]
    pub publishers: u32,
    #[arg(long)]
    pub seconds: u64,
}

/// What was sent, as one line of JSON at the end.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sent {
    pub messages: u64,
    pub bytes: u64,
    /// How late the latest message left, ms: the load itself must not be what is slow.
    pub latest_ms: u64,
}

/// A message that is due.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Duration,
    encoder: usize,
    video: bool,
    /// The message's number on its track.
    number: u32,
}

/// Publishes, says `ready` on a line, sends for the time given, and says what was sent.
pub fn run(load: &Load) -> Outcome<()> {
    let mut encoders = Vec::new();
    for number in 0..load.publishers {
        let mut encoder = Encoder::publish(load.server, &format!("bench-{number}"))?;
        encoder.send_headers()?;
        encoders.push(encoder);
    }
    println!("ready");
    std::io::stdout().flush()?;
    let sent = send(&mut encoders, Duration::from_secs(load.seconds))?;
    println!("{}", serde_json::to_string(&sent)?);
    Ok(())
}

fn send(encoders: &mut [Encoder], length: Duration) -> Outcome<Sent> {
    let media = Media::new();
    let count = u32::try_from(encoders.len())?.max(1);
    // Encoders start spread over one frame, so that no two of them keep step.
    let mut due: BinaryHeap<Reverse<Due>> = (0..encoders.len())
        .flat_map(|encoder| {
            let start = VIDEO_STEP * u32::try_from(encoder).unwrap_or(0) / count;
            [true, false].map(|video| Reverse(Due { at: start, encoder, video, number: 0 }))
        })
        .collect();
    let clock = SystemClock;
    let start = clock.instant();
    let mut sent = Sent { messages: 0, bytes: 0, latest_ms: 0 };
    while let Some(Reverse(next)) = due.pop() {
        if next.at >= length {
            break;
        }
        let now = clock.instant().saturating_duration_since(start);
        match next.at.checked_sub(now) {
            Some(wait) => std::thread::sleep(wait),
            None => {
                let late = u64::try_from((now - next.at).as_millis())?;
                sent.latest_ms = sent.latest_ms.max(late);
            }
        }
        let (kind, body, step) = if next.video {
            (MediaKind::Video, media.video(next.number), VIDEO_STEP)
        } else {
            (MediaKind::Audio, media.audio(), AUDIO_STEP)
        };
        let timestamp = u32::try_from((step * next.number).as_millis())?;
        if let Some(encoder) = encoders.get_mut(next.encoder) {
            sent.bytes += encoder.send(kind, timestamp, body)? as u64;
            sent.messages += 1;
        }
        due.push(Reverse(Due { at: next.at + step, number: next.number + 1, ..next }));
    }
    Ok(sent)
}
