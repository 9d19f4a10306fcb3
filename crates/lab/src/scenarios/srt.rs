//! Pushes over SRT: stopped, killed, frozen, cut off, refused, and left half-way through the handshake.

use std::net::{IpAddr, SocketAddr};
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
const TRANSMIT: Needs = Needs::Root(&["ip", "ffmpeg", "srt-live-transmit"]);
const NAMESPACE: Needs = Needs::Root(&["ip", "ffmpeg"]);
/// What is optional is looked for when the scenario is run.
const ROOT: Needs = Needs::Root(&["ip"]);
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

/// An encoder that took too long to die is given another turn.
const TURNS: u32 = 3;

/// What is done to an encoder in a network of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stopped,
    Killed,
    Frozen,
    Swallowed,
    /// Its URL has no signature where one is needed.
    Refused,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{ExpiryMissing, LeftInSrtHandshake, Reset, TransportGoodbye, TransportLost};
    use DetailKey as D;
    let mut all = vec![
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
    ];
    all.extend(of_other_encoders());
    all
}

/// Every fate of every encoder besides the system's ffmpeg, each in a network of its own.
fn of_other_encoders() -> Vec<Scenario> {
    let stopped = |name, needs, about, run| {
        let goodbye = DetailKey::SrtShutdown;
        Scenario::new(name, Cause::TransportGoodbye, goodbye, about, run).needing(needs).heavy()
    };
    let killed = |name, needs, about, run| {
        let closed = DetailKey::PeerPortClosed;
        Scenario::new(name, Cause::Reset, closed, about, run).needing(needs).heavy().within(SOON)
    };
    let lost = |name, needs, about, run| {
        let timeout = DetailKey::PeerTimeout;
        Scenario::new(name, Cause::TransportLost, timeout, about, run).needing(needs).heavy().within(LOST)
    };
    let refused = |name, needs, about, run| {
        Scenario::new(name, Cause::ExpiryMissing, None, about, run).needing(needs).heavy()
    };
    let gstreamer = Needs::Root(&["ip", "gst-launch-1.0"]);
    vec![
        lost("srtsink_frozen", gstreamer, "GStreamer's srtsink stands still.", |t| {
            Box::pin(fares(t, Kind::SrtSink, Fate::Frozen))
        }),
        lost("srtsink_black_hole", gstreamer, "The path of GStreamer's srtsink swallows everything.", |t| {
            Box::pin(fares(t, Kind::SrtSink, Fate::Swallowed))
        }),
        refused("srtsink_unsigned", gstreamer, "GStreamer's srtsink has a URL without a signature.", |t| {
            Box::pin(fares(t, Kind::SrtSink, Fate::Refused))
        }),
        stopped("srt_transmit_stopped", TRANSMIT, "srt-live-transmit is stopped by Ctrl-C.", |t| {
            Box::pin(fares(t, Kind::SrtTransmit, Fate::Stopped))
        }),
        killed("srt_transmit_killed", TRANSMIT, "srt-live-transmit is killed.", |t| {
            Box::pin(fares(t, Kind::SrtTransmit, Fate::Killed))
        }),
        lost("srt_transmit_frozen", TRANSMIT, "srt-live-transmit stands still.", |t| {
            Box::pin(fares(t, Kind::SrtTransmit, Fate::Frozen))
        }),
        lost(
            "srt_transmit_black_hole",
            TRANSMIT,
            "The path of srt-live-transmit swallows everything.",
            |t| Box::pin(fares(t, Kind::SrtTransmit, Fate::Swallowed)),
        ),
        refused("srt_transmit_unsigned", TRANSMIT, "srt-live-transmit has a URL without a signature.", |t| {
            Box::pin(fares(t, Kind::SrtTransmit, Fate::Refused))
        }),
        stopped("srt_newer_ffmpeg_stopped", ROOT, "A newer ffmpeg over SRT is stopped by Ctrl-C.", |t| {
            Box::pin(fares(t, Kind::SrtNewerFfmpeg, Fate::Stopped))
        }),
        killed("srt_newer_ffmpeg_killed", ROOT, "A newer ffmpeg over SRT is killed.", |t| {
            Box::pin(fares(t, Kind::SrtNewerFfmpeg, Fate::Killed))
        }),
        lost("srt_newer_ffmpeg_frozen", ROOT, "A newer ffmpeg over SRT stands still.", |t| {
            Box::pin(fares(t, Kind::SrtNewerFfmpeg, Fate::Frozen))
        }),
        lost(
            "srt_newer_ffmpeg_black_hole",
            ROOT,
            "The path of a newer ffmpeg over SRT swallows everything.",
            |t| Box::pin(fares(t, Kind::SrtNewerFfmpeg, Fate::Swallowed)),
        ),
        refused(
            "srt_newer_ffmpeg_unsigned",
            ROOT,
            "A newer ffmpeg over SRT has a URL without a signature.",
            |t| Box::pin(fares(t, Kind::SrtNewerFfmpeg, Fate::Refused)),
        ),
        stopped("srt_obs_stopped", ROOT, "OBS over SRT is stopped by its button.", |t| {
            Box::pin(fares(t, Kind::SrtObs, Fate::Stopped))
        }),
        killed("srt_obs_killed", ROOT, "OBS over SRT is killed.", |t| {
            Box::pin(fares(t, Kind::SrtObs, Fate::Killed))
        }),
        lost("srt_obs_frozen", ROOT, "OBS over SRT stands still.", |t| {
            Box::pin(fares(t, Kind::SrtObs, Fate::Frozen))
        }),
        lost("srt_obs_black_hole", ROOT, "The path of OBS over SRT swallows everything.", |t| {
            Box::pin(fares(t, Kind::SrtObs, Fate::Swallowed))
        }),
        refused("srt_obs_unsigned", ROOT, "OBS over SRT has a URL without a signature.", |t| {
            Box::pin(fares(t, Kind::SrtObs, Fate::Refused))
        }),
    ]
}

async fn fares(trial: Trial, kind: Kind, fate: Fate) -> Result<Seen, LabError> {
    let mut turn = 1;
    loop {
        match fared(&trial, kind, fate).await {
            Err(LabError::Lingered { .. }) if turn < TURNS => turn += 1,
            fared => return fared,
        }
    }
}

async fn fared(trial: &Trial, kind: Kind, fate: Fate) -> Result<Seen, LabError> {
    let between = Between::new()?;
    let site = server_at(between.host, Profile::Standard).await?;
    let (under, stream) = (between.under(), trial.stream());
    if fate == Fate::Refused {
        let encoder = Encoder::start_for(kind, &under, &site, SIGNED_DOMAIN, stream, USUAL)?;
        return Ok(Seen::stream(&site, stream).keep(encoder).keep(between));
    }
    let mut encoder = Encoder::start(kind, &under, &site, stream, USUAL)?;
    encoder.sends_media(&site, stream).await?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, stream).now();
    match fate {
        Fate::Stopped => encoder.stop(IpAddr::V4(between.client)).await?,
        Fate::Killed => encoder.kill().await?,
        Fate::Frozen => encoder.signal(Signal::Stop)?,
        Fate::Swallowed => between.black_hole(true),
        Fate::Refused => {}
    }
    Ok(seen.keep(encoder).keep(between))
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
