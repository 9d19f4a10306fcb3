//! Real encoders, stopped and killed on an open path, and stopped on a congested one.

use std::net::IpAddr;
use std::time::Duration;

use cause::{Cause, DetailKey};
use tokio::time::sleep;

use super::network::server_at;
use crate::encoder::{Encoder, Kind};
use crate::error::LabError;
use crate::network::Between;
use crate::process::Signal;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::Profile;
use crate::site::Site;
use crate::trial::Trial;

const NAMESPACE: Needs = Needs::Root(&["ip", "sysctl"]);
/// A push streams this long before something happens to it.
const WELL: Duration = Duration::from_secs(3);
/// On a congested path there has to be a while before, and a while in it.
const BROAD_FOR: Duration = Duration::from_secs(7);
const THIN_FOR: Duration = Duration::from_secs(9);
/// kbit/s.
const USUAL: u32 = 500;
const BROAD: u32 = 1_500;
const THIN: u32 = 500;
const QUEUE: Duration = Duration::from_millis(800);
/// Bytes that a system keeps of what its encoder has sent: what waits longer on a thin path is no more telling.
const SEND_BUFFER: &str = "net.ipv4.tcp_wmem=4096 16384 262144";

/// Until there is another Wi-Fi.
const OFFLINE: Duration = Duration::from_secs(2);
/// An encoder whose connection takes nothing any more tries for so long, OBS for 15 s.
const GIVES_UP: Duration = Duration::from_secs(15);

/// Long enough to be asked by a ping, shorter than the idle limit.
const ASKED: Duration = Duration::from_millis(5_000);

/// An encoder that took too long to die is given another turn.
const TURNS: u32 = 3;

/// What is done to an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Killed,
    Stopped,
    StoppedInCongestion,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{DeleteStream, EndOfFile, MediaStopped, TakenOverEmpty};
    let scenario = |name, cause: Cause, detail: Option<DetailKey>, about, run| {
        Scenario::new(name, cause, detail, about, run).needing(NAMESPACE).heavy()
    };
    vec![
        scenario("ffmpeg_killed", EndOfFile, None, "ffmpeg is killed while it streams.", |t| {
            Box::pin(meets(t, Kind::Ffmpeg, Fate::Killed))
        }),
        scenario("ffmpeg_stopped", DeleteStream, None, "ffmpeg is stopped by Ctrl-C.", |t| {
            Box::pin(meets(t, Kind::Ffmpeg, Fate::Stopped))
        }),
        scenario(
            "ffmpeg_stopped_in_congestion",
            DeleteStream,
            None,
            "ffmpeg is stopped by Ctrl-C behind an uplink that has become thinner than its push.",
            |t| Box::pin(meets(t, Kind::Ffmpeg, Fate::StoppedInCongestion)),
        ),
        scenario("newer_ffmpeg_killed", EndOfFile, None, "A newer ffmpeg is killed while it streams.", |t| {
            Box::pin(meets(t, Kind::NewerFfmpeg, Fate::Killed))
        }),
        scenario("newer_ffmpeg_stopped", DeleteStream, None, "A newer ffmpeg is stopped by Ctrl-C.", |t| {
            Box::pin(meets(t, Kind::NewerFfmpeg, Fate::Stopped))
        }),
        scenario(
            "newer_ffmpeg_stopped_in_congestion",
            DeleteStream,
            None,
            "A newer ffmpeg is stopped by Ctrl-C behind an uplink that has become thinner than its push.",
            |t| Box::pin(meets(t, Kind::NewerFfmpeg, Fate::StoppedInCongestion)),
        ),
        scenario(
            "rtmp2sink_killed",
            EndOfFile,
            None,
            "GStreamer's rtmp2sink is killed while it streams.",
            |t| Box::pin(meets(t, Kind::Rtmp2Sink, Fate::Killed)),
        ),
        scenario(
            "rtmp2sink_stopped",
            DeleteStream,
            None,
            "GStreamer's rtmp2sink is stopped by Ctrl-C.",
            |t| Box::pin(meets(t, Kind::Rtmp2Sink, Fate::Stopped)),
        ),
        scenario(
            "rtmp2sink_stopped_in_congestion",
            DeleteStream,
            None,
            "GStreamer's rtmp2sink is stopped by Ctrl-C behind an uplink that has become thinner than its push.",
            |t| Box::pin(meets(t, Kind::Rtmp2Sink, Fate::StoppedInCongestion)),
        ),
        scenario(
            "rtmpsink_killed",
            EndOfFile,
            None,
            "GStreamer's rtmpsink is killed while it streams.",
            |t| Box::pin(meets(t, Kind::RtmpSink, Fate::Killed)),
        ),
        scenario("rtmpsink_stopped", DeleteStream, None, "GStreamer's rtmpsink is stopped by Ctrl-C.", |t| {
            Box::pin(meets(t, Kind::RtmpSink, Fate::Stopped))
        }),
        scenario(
            "rtmpsink_stopped_in_congestion",
            DeleteStream,
            None,
            "GStreamer's rtmpsink is stopped by Ctrl-C behind an uplink that has become thinner than its push.",
            |t| Box::pin(meets(t, Kind::RtmpSink, Fate::StoppedInCongestion)),
        ),
        scenario("obs_killed", EndOfFile, None, "OBS is killed while it streams.", |t| {
            Box::pin(meets(t, Kind::Obs, Fate::Killed))
        }),
        scenario("obs_stopped", DeleteStream, None, "OBS is stopped by its button.", |t| {
            Box::pin(meets(t, Kind::Obs, Fate::Stopped))
        }),
        scenario(
            "obs_stopped_in_congestion",
            DeleteStream,
            None,
            "OBS is stopped by its button behind an uplink that has become thinner than its push.",
            |t| Box::pin(meets(t, Kind::Obs, Fate::StoppedInCongestion)),
        ),
        scenario(
            "ffmpeg_frozen",
            MediaStopped,
            Some(DetailKey::EncoderFrozen),
            "ffmpeg stands still, goes on, and stands still for good: it has answered a ping between.",
            |t| Box::pin(frozen_twice(t, Kind::Ffmpeg)),
        ),
        scenario(
            "obs_frozen",
            MediaStopped,
            Some(DetailKey::HostAlive),
            "The same with OBS, which answers no pings: that its host is alive is all that can be told.",
            |t| Box::pin(frozen_twice(t, Kind::Obs)),
        ),
        scenario(
            "obs_wifi_drop",
            TakenOverEmpty,
            Some(DetailKey::ReplacedBy),
            "OBS loses its Wi-Fi and finds another: it gives up its connection, reconnects, and ends its own ghost.",
            |t| Box::pin(wifi_drop(t, Kind::Obs)),
        ),
    ]
}

async fn meets(trial: Trial, kind: Kind, fate: Fate) -> Result<Seen, LabError> {
    let mut turn = 1;
    loop {
        match met(&trial, kind, fate).await {
            Err(LabError::Lingered { .. }) if turn < TURNS => turn += 1,
            met => return met,
        }
    }
}

async fn met(trial: &Trial, kind: Kind, fate: Fate) -> Result<Seen, LabError> {
    let between = Between::new()?;
    between.exec(&["sysctl", "-q", "-w", SEND_BUFFER])?;
    let site: Site = server_at(between.host, Profile::Plain).await?;
    let kbps = if fate == Fate::StoppedInCongestion { BROAD } else { USUAL };
    let mut encoder = Encoder::start(kind, &between.under(), &site, trial.stream(), kbps)?;
    encoder.sends_media(&site, trial.stream()).await?;
    if fate == Fate::StoppedInCongestion {
        sleep(BROAD_FOR).await;
        between.limit_up(THIN, QUEUE);
        sleep(THIN_FOR).await;
    } else {
        sleep(WELL).await;
    }
    let seen = Seen::stream(&site, trial.stream()).now();
    match fate {
        Fate::Killed => encoder.kill().await?,
        Fate::Stopped | Fate::StoppedInCongestion => encoder.stop(IpAddr::V4(between.client)).await?,
    }
    Ok(seen.keep(encoder).keep(between))
}

async fn frozen_twice(trial: Trial, kind: Kind) -> Result<Seen, LabError> {
    let between = Between::new()?;
    let site = server_at(between.host, Profile::Standard).await?;
    let mut encoder = Encoder::start(kind, &between.under(), &site, trial.stream(), USUAL)?;
    encoder.sends_media(&site, trial.stream()).await?;
    sleep(WELL).await;
    encoder.signal(Signal::Stop)?;
    sleep(ASKED).await;
    encoder.signal(Signal::Continue)?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    encoder.signal(Signal::Stop)?;
    Ok(seen.keep(encoder).keep(between))
}

async fn wifi_drop(trial: Trial, kind: Kind) -> Result<Seen, LabError> {
    let between = Between::new()?;
    let site = server_at(between.host, Profile::Patient).await?;
    let mut encoder = Encoder::start(kind, &between.under(), &site, trial.stream(), USUAL)?;
    encoder.sends_media(&site, trial.stream()).await?;
    sleep(WELL).await;
    between.black_hole(true);
    sleep(OFFLINE).await;
    between.roam()?;
    between.black_hole(false);
    sleep(GIVES_UP).await;
    Ok(Seen::stream(&site, trial.stream()).keep(encoder).keep(between))
}
