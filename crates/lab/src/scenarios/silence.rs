//! Clients that go quiet, freeze, fall behind or send too fast.

use std::time::Duration;

use cause::{Cause, DetailKey};
use rtmp::amf0::Object;
use tokio::time::sleep;

use crate::child::{Pusher, Step};
use crate::client::{Client, Pace};
use crate::error::LabError;
use crate::process::Signal;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

/// Longer than any idle limit that a server is likely to have.
const LONGER_THAN_IDLE: Duration = Duration::from_secs(90);
/// A probe goes out after 3 s without a byte; by now it has been acknowledged, and the idle limit has not passed.
const PROBED: Duration = Duration::from_secs(10);
/// The probe goes out at the first full second of the push after that silence.
const JUST_PROBED: Duration = Duration::from_millis(4_050);
/// The idle limit of the standard profile is passed by then.
const PAST_LIMIT: Duration = Duration::from_secs(25);

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{FrameRateLimit, LagLimit, MediaStopped, NeverSentMedia, Reset, Unplayed};
    use DetailKey as D;
    vec![
        Scenario::new(
            "never_sends_media",
            NeverSentMedia,
            D::EncoderStalled,
            "Goes live, answers pings, and never sends media.",
            |t| Box::pin(goes_quiet(t, false, true)),
        ),
        Scenario::new(
            "never_sends_a_byte",
            NeverSentMedia,
            D::HostAlive,
            "Goes live and says nothing more; pings stay unanswered.",
            |t| Box::pin(goes_quiet(t, false, false)),
        ),
        Scenario::new(
            "encoder_stalls",
            MediaStopped,
            D::EncoderStalled,
            "Sends media, then none, and answers pings.",
            |t| Box::pin(goes_quiet(t, true, true)),
        ),
        Scenario::new(
            "client_without_pongs_stalls",
            MediaStopped,
            D::HostAlive,
            "Sends media, then nothing, and answers no pings, as OBS.",
            |t| Box::pin(goes_quiet(t, true, false)),
        ),
        Scenario::new(
            "data_without_media",
            MediaStopped,
            D::DataWithoutMedia,
            "Sends media, then metadata alone.",
            |t| Box::pin(data_without_media(t)),
        ),
        Scenario::new(
            "process_frozen",
            MediaStopped,
            D::EncoderFrozen,
            "The client's process, which has answered a ping before, is stopped by SIGSTOP.",
            |t| Box::pin(process_frozen(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "killed_while_frozen",
            Reset,
            D::KilledWhileFrozen,
            "The client's process is stopped by SIGSTOP and killed ten seconds later: no router has lost anything.",
            |t| Box::pin(killed_while_frozen(t, PROBED)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "killed_when_just_probed",
            Reset,
            D::KilledWhileFrozen,
            "The same when our probe has only just been acknowledged.",
            |t| Box::pin(killed_while_frozen(t, JUST_PROBED)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "falls_behind",
            LagLimit,
            D::LagLimit,
            "Sends half a second of media a second, past the lag limit.",
            |t| Box::pin(cut_by_limit(t, Profile::Lag, Pace { speed: 0.5, ..Pace::default() })),
        )
        .needing(Needs::Own),
        Scenario::new(
            "too_many_frames",
            FrameRateLimit,
            D::FrameRate,
            "Sends 100 frames a second to a server that allows 60.",
            |t| Box::pin(cut_by_limit(t, Profile::FrameRate, Pace { fps: 100, ..Pace::default() })),
        )
        .needing(Needs::Own),
        Scenario::new(
            "unplayed",
            Unplayed,
            D::UnplayedFor,
            "Pushes to a server that cuts what nobody has played for two seconds.",
            |t| Box::pin(cut_by_limit(t, Profile::Unplayed, Pace::default())),
        )
        .needing(Needs::Own),
    ]
}

async fn goes_quiet(trial: Trial, sends_media: bool, answers_pings: bool) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let client = if answers_pings { site.open().await? } else { Client::open_silent(site.rtmp).await? };
    let mut client = site.publish_on(client, trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream());
    if sends_media {
        client.stream(Pace::default(), Duration::from_secs(1)).await?;
    }
    let seen = seen.now();
    Ok(seen.told(client.wait_for_cut(LONGER_THAN_IDLE).await?))
}

async fn data_without_media(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut client = site.live(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream()).now();
    let id = client.stream_id();
    for _ in 0..LONGER_THAN_IDLE.as_secs() {
        client.session().send_metadata(id, Object::new().with("encoder", "lab"));
        // The server closing is what is waited for.
        if client.flush().await.is_err() {
            return Ok(seen);
        }
        match client.wait_for_cut(Duration::from_secs(1)).await {
            Ok(told) => return Ok(seen.told(told)),
            Err(LabError::Late { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Err(LabError::Late { awaited: "to be cut".to_owned(), limit: LONGER_THAN_IDLE })
}

/// A client that has answered a ping, and streams.
async fn answering_pusher(trial: &Trial, site: &crate::site::Site) -> Result<Pusher, LabError> {
    let steps = [Step::Idle(4.5), Step::Stream(100.0)];
    let mut pusher = Pusher::start(&[], site, trial.stream(), 400, &steps)?;
    pusher.reaches("stream").await?;
    sleep(Duration::from_secs(1)).await;
    Ok(pusher)
}

async fn process_frozen(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let pusher = answering_pusher(&trial, &site).await?;
    let seen = Seen::stream(&site, trial.stream()).now();
    pusher.signal(Signal::Stop)?;
    Ok(seen.keep(pusher))
}

async fn killed_while_frozen(trial: Trial, after: Duration) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Plain).await?;
    let pusher = answering_pusher(&trial, &site).await?;
    pusher.signal(Signal::Stop)?;
    sleep(after).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    pusher.signal(Signal::Kill)?;
    Ok(seen.keep(pusher))
}

async fn cut_by_limit(trial: Trial, profile: Profile, pace: Pace) -> Result<Seen, LabError> {
    let site = trial.own(profile).await?;
    let mut client = site.published(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream()).now();
    match client.stream(pace, PAST_LIMIT).await {
        // The server closed, and may have reset what came after.
        Err(LabError::Lost(_) | LabError::Closed { .. }) => Ok(seen),
        Err(error) => Err(error),
        Ok(()) => Err(LabError::Late { awaited: "to be cut".to_owned(), limit: PAST_LIMIT }),
    }
}
