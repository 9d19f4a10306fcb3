//! A WebRTC encoder of the lab's own: offers by WHIP, connects, sends pictures, and can leave out any of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use model::{Clock, SystemClock};
use reqwest::Client as Http;
use serde_json::Value;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use tokio::net::UdpSocket;

use crate::client::{PATIENCE, Told};
use crate::error::LabError;
use crate::site::Site;

/// 1920x1080 in the baseline profile (libx264), each set behind a start code.
const PARAMETER_SETS: &[u8] =
    b"\0\0\0\x01\x67\x42\xc0\x28\xda\x01\xe0\x08\x9f\x97\x01\x10\0\0\x03\0\x10\0\0\x03\x03\xc8\
    \xf1\x83\x2a\0\0\0\x01\x68\xce\x0f\xc8";
/// Pictures a second.
const RATE: u64 = 30;
/// A key frame comes this often, pictures.
const KEY_EVERY: u64 = 30;
/// Larger than any datagram of WebRTC.
const DATAGRAM: usize = 2048;

/// A client.
pub struct Whip {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    mid: Mid,
    resource: String,
    http: Http,
    frames: u64,
    connected: bool,
    closed: bool,
    /// DTLS is left out.
    mute_dtls: bool,
}

impl Whip {
    /// Offers a push and takes the answer; nothing is sent over UDP yet.
    ///
    /// # Errors
    /// [`LabError::Refused`] with status and problem where the server refuses.
    pub async fn offer(site: &Site, stream: &str) -> Result<Self, LabError> {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await?;
        let local = socket.local_addr()?;
        let mut rtc = RtcConfig::new().clear_codecs().enable_h264(true).build(SystemClock.instant());
        rtc.add_local_candidate(Candidate::host(local, "udp").map_err(failed)?);
        let mut change = rtc.sdp_api();
        let mid = change.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
        let (offer, pending) = change.apply().ok_or_else(|| failed("nothing to offer"))?;
        let http = Http::builder().no_proxy().timeout(PATIENCE).build().map_err(failed)?;
        let (location, answer) = post(&http, site, stream, &offer.to_sdp_string()).await?;
        accept(&mut rtc, pending, &answer)?;
        Ok(Self {
            rtc,
            socket,
            local,
            mid,
            resource: format!("{}{location}", site.api.base()),
            http,
            frames: 0,
            connected: false,
            closed: false,
            mute_dtls: false,
        })
    }

    /// Connects.
    pub async fn connect(&mut self) -> Result<(), LabError> {
        self.drive(PATIENCE, |whip| whip.connected).await?;
        match self.connected {
            true => Ok(()),
            false => Err(LabError::Late { awaited: "ICE and DTLS".to_owned(), limit: PATIENCE }),
        }
    }

    /// Checks the path, and keeps DTLS back.
    pub async fn check_only(&mut self, limit: Duration) -> Result<(), LabError> {
        self.mute_dtls = true;
        self.drive(limit, |_| false).await
    }

    /// Sends pictures for so long.
    pub async fn stream(&mut self, span: Duration) -> Result<(), LabError> {
        let pictures = u64::try_from(span.as_millis()).unwrap_or(0) * RATE / 1000;
        for _ in 0..pictures.max(1) {
            self.picture()?;
            self.drive(Duration::from_millis(1000 / RATE), |_| false).await?;
        }
        Ok(())
    }

    /// Keeps the session alive and sends nothing, until the server closes it.
    pub async fn wait_for_close(&mut self, limit: Duration) -> Result<(), LabError> {
        self.drive(limit, |whip| whip.closed).await?;
        if self.closed {
            Ok(())
        } else {
            Err(LabError::Late { awaited: "the server's goodbye".to_owned(), limit })
        }
    }

    /// DELETE of the session.
    pub async fn delete(&self) -> Result<(), LabError> {
        let answer = self.http.delete(&self.resource).send().await.map_err(failed)?;
        if answer.status().is_success() { Ok(()) } else { Err(failed(answer.status())) }
    }

    /// Closes DTLS, as a browser does that is closed.
    pub async fn close(&mut self) -> Result<(), LabError> {
        self.rtc.close().map_err(failed)?;
        self.drive(Duration::from_secs(1), |whip| whip.closed).await
    }

    fn picture(&mut self) -> Result<(), LabError> {
        let key = self.frames.is_multiple_of(KEY_EVERY);
        let mut data = if key { PARAMETER_SETS.to_vec() } else { Vec::new() };
        data.extend_from_slice(&[0, 0, 0, 1, if key { 0x65 } else { 0x41 }]);
        data.resize(data.len() + 2_000, 0x88);
        let time = MediaTime::from_90khz(self.frames * 90_000 / RATE);
        self.frames += 1;
        let Some(writer) = self.rtc.writer(self.mid) else { return Err(failed("no media")) };
        let pt = writer.payload_params().find(|params| params.spec().codec == Codec::H264).map(|p| p.pt());
        let pt = pt.ok_or_else(|| failed("H.264 was not agreed on"))?;
        writer.write(pt, SystemClock.instant(), time, data).map_err(failed)
    }

    /// Sends and receives until `done`, the end of the session, or the limit.
    async fn drive(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> Result<(), LabError> {
        let until = SystemClock.instant() + limit;
        let mut datagram = [0; DATAGRAM];
        loop {
            let due = self.pump().await?;
            let now = SystemClock.instant();
            if done(self) || self.closed || now >= until {
                return Ok(());
            }
            let wait = due.min(until).saturating_duration_since(now);
            match tokio::time::timeout(wait, self.socket.recv_from(&mut datagram)).await {
                Ok(Ok((size, source))) => self.receive(datagram.get(..size).unwrap_or_default(), source),
                // A report that the server's port is closed says nothing that silence would not.
                Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
                Err(_) => {
                    let now = SystemClock.instant();
                    self.rtc.handle_input(Input::Timeout(now)).map_err(failed)?;
                }
            }
        }
    }

    async fn pump(&mut self) -> Result<Instant, LabError> {
        loop {
            match self.rtc.poll_output().map_err(failed)? {
                Output::Timeout(at) => {
                    self.closed |= !self.rtc.is_alive();
                    return Ok(at);
                }
                Output::Transmit(transmit) => {
                    let is_dtls = transmit.contents.first().is_some_and(|first| (20..=63).contains(first));
                    if !(self.mute_dtls && is_dtls) {
                        let _ = self.socket.send_to(&transmit.contents, transmit.destination).await;
                    }
                }
                Output::Event(Event::Connected) => self.connected = true,
                Output::Event(Event::Closed) => self.closed = true,
                Output::Event(_) => {}
            }
        }
    }

    fn receive(&mut self, datagram: &[u8], source: SocketAddr) {
        if let Ok(receive) = Receive::new(Protocol::Udp, source, self.local, datagram) {
            let input = Input::Receive(SystemClock.instant(), receive);
            // What cannot be taken is lost, as on a path.
            let _ = self.rtc.handle_input(input);
        }
    }
}

/// Sends a body to where pushes are offered; what the server answers is its resource and its answer.
///
/// # Errors
/// [`LabError::Refused`] with status and problem where the server refuses.
pub async fn post(http: &Http, site: &Site, stream: &str, body: &str) -> Result<(String, String), LabError> {
    let name = site.publish_name(stream);
    let between = if name.contains('?') { '&' } else { '?' };
    let url = format!("{}/whip/{}/{name}{between}domain={}", site.api.base(), site.app, site.host);
    let request = http.post(&url).header("Content-Type", "application/sdp").body(body.to_owned());
    let answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    let location = answer.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let text = answer.text().await.map_err(failed)?;
    match location.filter(|_| status.as_u16() == 201) {
        Some(location) => Ok((location, text)),
        None => {
            let problem: Value = serde_json::from_str(&text).unwrap_or_default();
            let detail = problem.get("detail").and_then(Value::as_str).unwrap_or(&text).to_owned();
            Err(LabError::Refused(Told { code: status.as_u16().to_string(), text: detail }))
        }
    }
}

fn accept(rtc: &mut Rtc, pending: SdpPendingOffer, answer: &str) -> Result<(), LabError> {
    let answer = SdpAnswer::from_sdp_string(answer).map_err(failed)?;
    rtc.sdp_api().accept_answer(pending, answer).map_err(failed)
}

fn failed(what: impl std::fmt::Display) -> LabError {
    LabError::Program { program: "the lab's WebRTC client".to_owned(), what: what.to_string() }
}
