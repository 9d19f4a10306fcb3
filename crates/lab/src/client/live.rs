//! Being live: frames one by one, or at a pace.

use std::io::ErrorKind;
use std::time::Duration;

use model::{Clock, SystemClock};
use rtmp::MediaKind;
use rtmp::client::Event;
use rtmp::message::control::Control;
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};

use super::{Client, Told, told};
use crate::error::LabError;
use crate::media;

/// Key frames are this far apart.
const KEY_EVERY: u32 = 30;
/// Bytes of an audio frame, one of which goes with each video frame.
const AUDIO_SIZE: usize = 64;

/// Bytes after which a deaf client wants an acknowledgement.
const ACKNOWLEDGED_EVERY: u32 = 50_000;

/// How fast a paced push sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Video frames a second, by wall time.
    pub fps: u32,
    /// kbit/s of video.
    pub kbps: u32,
    /// Media time that passes in a second of wall time; below 1 the push falls behind.
    pub speed: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { fps: 30, kbps: 400, speed: 1.0 }
    }
}

impl Pace {
    fn frame_size(self) -> usize {
        let bytes = u64::from(self.kbps).saturating_mul(125) / u64::from(self.fps.max(1));
        usize::try_from(bytes).unwrap_or(usize::MAX).clamp(1, 1 << 20)
    }

    fn step_ms(self) -> f64 {
        1000.0 / f64::from(self.fps.max(1))
    }
}

impl Client {
    /// A key frame of `size` bytes and a little audio, behind the sequence headers where they have not been sent.
    pub async fn send_frame(&mut self, size: usize) -> Result<(), LabError> {
        self.queue_frame(true, size);
        self.time = self.time.wrapping_add(33);
        self.flush().await
    }

    /// A video message as it stands.
    pub async fn send_video(&mut self, payload: &[u8]) -> Result<(), LabError> {
        self.session.send_media(self.stream_id, MediaKind::Video, self.time, payload);
        self.flush().await
    }

    /// Sends media at this pace, and answers the server meanwhile, until `lasting` has passed.
    ///
    /// # Errors
    /// [`LabError::Lost`] and [`LabError::Closed`] when the server ended the push before.
    pub async fn stream(&mut self, pace: Pace, lasting: Duration) -> Result<(), LabError> {
        let clock = SystemClock;
        let started = clock.instant();
        let first = self.time;
        let mut sent = 0_u32;
        loop {
            let passed = clock.instant().saturating_duration_since(started);
            if passed >= lasting {
                return Ok(());
            }
            let due = Duration::from_secs_f64(f64::from(sent) * pace.step_ms() / 1000.0);
            if passed < due {
                self.idle(due - passed).await?;
                continue;
            }
            // The cast saturates, and timestamps wrap on the wire.
            self.time = first.wrapping_add((f64::from(sent) * pace.step_ms() * pace.speed) as u32);
            self.queue_frame(sent.is_multiple_of(KEY_EVERY), pace.frame_size());
            self.flush().await?;
            sent = sent.saturating_add(1);
        }
    }

    /// From now on nothing is read, and there is something to read: the server is asked to acknowledge often.
    pub fn turn_deaf(&mut self) {
        self.session.control(&Control::WindowAckSize(ACKNOWLEDGED_EVERY));
        self.deaf = true;
    }

    /// As [`Client::stream`], until the server tells that it is over.
    ///
    /// # Errors
    /// [`LabError::Late`] when it does not, and those of [`Client::stream`] when it ends the push without a word.
    pub async fn stream_until_cut(&mut self, pace: Pace, limit: Duration) -> Result<Told, LabError> {
        const LOOK: Duration = Duration::from_millis(200);
        let streaming = async {
            loop {
                let streamed = self.stream(pace, LOOK).await;
                match self.cut.take() {
                    Some(told) => return Ok(told),
                    None => streamed?,
                }
            }
        };
        let late = || LabError::Late { awaited: "to be cut".to_owned(), limit };
        timeout(limit, streaming).await.unwrap_or_else(|_| Err(late()))
    }

    /// Sends nothing of its own, and answers the server, for this long.
    ///
    /// # Errors
    /// As [`Client::stream`].
    pub async fn idle(&mut self, lasting: Duration) -> Result<(), LabError> {
        if self.deaf {
            sleep(lasting).await;
            return Ok(());
        }
        let pause = sleep(lasting);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return Ok(()),
                read = self.socket.read_buf(self.session.read_buf()) => {
                    if read? == 0 {
                        return Err(LabError::Closed { awaited: "the end of the scenario" });
                    }
                }
            }
            while let Some(event) = self.session.poll()? {
                match event {
                    Event::Status(status) if status.level == "error" => self.cut = Some(told(&status)),
                    _ => {}
                }
            }
            self.flush().await?;
        }
    }

    /// Waits until the server has closed its side, or reset.
    pub async fn wait_for_close(&mut self, limit: Duration) -> Result<(), LabError> {
        let reading = async {
            loop {
                match self.socket.tcp_mut().read_buf(self.session.read_buf()).await {
                    Ok(0) => return Ok(()),
                    Ok(_) => self.session.read_buf().clear(),
                    Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let late = || LabError::Late { awaited: "the server to close".to_owned(), limit };
        timeout(limit, reading).await.unwrap_or_else(|_| Err(late()))
    }

    fn queue_frame(&mut self, key: bool, size: usize) {
        let (id, time) = (self.stream_id, self.time);
        if !std::mem::replace(&mut self.sent_headers, true) {
            self.session.send_media(id, MediaKind::Video, time, media::video_header());
            self.session.send_media(id, MediaKind::Audio, time, media::audio_header());
        }
        self.session.send_media(id, MediaKind::Video, time, &media::video(key, size));
        self.session.send_media(id, MediaKind::Audio, time, &media::audio(AUDIO_SIZE));
    }
}
