//! Pushes over SRT: stopped, killed, frozen, cut off, refused, and left half-way through the handshake.

use std::net::SocketAddr;
use std::time::Duration;

use cause::{Cause, DetailKey};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

use super::network::server_at;
use crate::encoder::{Encoder, Kind};
use crate::error::LabError;
use crate::network::Between;
use crate::process::Signal;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{Profile, SIGNED_DOMAIN};
use crate::trial::Trial;

const FFMPEG: Needs = Needs::With(&["ffmpeg"]);
const GSTREAMER: Needs = Needs::With(&["gst-launch-1.0"]);
const NAMESPACE: Needs = Needs::Root(&["ip", "ffmpeg"]);
/// A push streams this long before something happens to it.
const WELL: Duration = Duration::from_secs(2);
/// The network reports a closed port once something is sent there, which is after half a second at most.
const SOON: Duration = Duration::from_secs(1);
/// The silence after which a caller is lost, and a second.
const LOST: Duration = Duration::from_secs(6);
/// How long a handshake is tried.
const ANSWER: Duration = Duration::from_secs(20);
/// kbit/s.
const USUAL: u32 = 500;

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{ExpiryMissing, LeftInSrtHandshake, Reset, TransportGoodbye, TransportLost};
    use DetailKey as D;
    vec![
        Scenario::new(
            "srt_stopped",
            TransportGoodbye,
            D::SrtShutdown,
            "ffmpeg over SRT is stopped by Ctrl-C.",
            |t| Box::pin(meets(t, Kind::SrtFfmpeg, Signal::Interrupt)),
        )
        .needing(FFMPEG)
        .heavy(),
        Scenario::new("srt_killed", Reset, D::PeerPortClosed, "ffmpeg over SRT is killed.", |t| {
            Box::pin(meets(t, Kind::SrtFfmpeg, Signal::Kill))
        })
        .needing(FFMPEG)
        .heavy()
        .within(SOON),
        Scenario::new("srt_frozen", TransportLost, D::PeerTimeout, "ffmpeg over SRT stands still.", |t| {
            Box::pin(meets(t, Kind::SrtFfmpeg, Signal::Stop))
        })
        .needing(FFMPEG)
        .heavy()
        .within(LOST),
        Scenario::new(
            "srt_black_hole",
            TransportLost,
            D::PeerTimeout,
            "The path of a push over SRT swallows everything in both directions, and nobody is told.",
            |t| Box::pin(swallowed(t)),
        )
        .needing(NAMESPACE)
        .heavy()
        .within(LOST),
        Scenario::new(
            "srtsink_stopped",
            TransportGoodbye,
            D::SrtShutdown,
            "GStreamer's srtsink is stopped by Ctrl-C.",
            |t| Box::pin(meets(t, Kind::SrtSink, Signal::Interrupt)),
        )
        .needing(GSTREAMER)
        .heavy(),
        Scenario::new("srtsink_killed", Reset, D::PeerPortClosed, "GStreamer's srtsink is killed.", |t| {
            Box::pin(meets(t, Kind::SrtSink, Signal::Kill))
        })
        .needing(GSTREAMER)
        .heavy()
        .within(SOON),
        Scenario::new(
            "srt_unsigned",
            ExpiryMissing,
            None,
            "ffmpeg over SRT has a URL without a signature.",
            |t| Box::pin(refused(t)),
        )
        .needing(FFMPEG)
        .heavy(),
        Scenario::new(
            "srt_half_handshake",
            LeftInSrtHandshake,
            D::SetupClosed,
            "A caller begins the SRT handshake and never goes on.",
            |t| Box::pin(half_way(t)),
        )
        .needing(Needs::Own),
    ]
}

async fn meets(trial: Trial, kind: Kind, fate: Signal) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let mut encoder = Encoder::start(kind, &[], &site, trial.stream(), USUAL)?;
    encoder.sends_media(&site, trial.stream()).await?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    encoder.signal(fate)?;
    Ok(seen.keep(encoder))
}

async fn swallowed(trial: Trial) -> Result<Seen, LabError> {
    let between = Between::new()?;
    let site = server_at(between.host, Profile::Plain).await?;
    let mut encoder = Encoder::start(Kind::SrtFfmpeg, &between.under(), &site, trial.stream(), USUAL)?;
    encoder.sends_media(&site, trial.stream()).await?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    between.black_hole(true);
    Ok(seen.keep(encoder).keep(between))
}

async fn refused(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let encoder = Encoder::start_for(Kind::SrtFfmpeg, &[], &site, SIGNED_DOMAIN, trial.stream(), USUAL)?;
    Ok(Seen::stream(&site, trial.stream()).keep(encoder))
}

async fn half_way(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let local = SocketAddr::new(site.srt.ip(), 0);
    let socket = UdpSocket::bind(local).await?;
    socket.connect(site.srt).await?;
    let hello = induction();
    let answered = async {
        let mut answer = [0; 1_500];
        loop {
            socket.send(&hello).await?;
            if let Ok(got) = timeout(Duration::from_millis(500), socket.recv(&mut answer)).await {
                return got;
            }
        }
    };
    let late = |_| LabError::Late { awaited: "an answer to a handshake".to_owned(), limit: ANSWER };
    timeout(ANSWER, answered).await.map_err(late)??;
    let mut seen = Seen::any(&site);
    seen.port = Some(socket.local_addr()?.port());
    Ok(seen.keep(socket))
}

/// The first packet of a caller (SRT draft, 4.3.1.1): a handshake of version 4.
fn induction() -> Vec<u8> {
    let words = [0x8000_0000_u32, 0, 1, 0, 4, 2, 1_000, 1_500, 8_192, 1, 77, 0];
    words.iter().flat_map(|word| word.to_be_bytes()).chain([0; 16]).collect()
}
