//! Two pushes of one stream key, and limits of how many there may be.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cause::{Cause, DetailKey};
use tokio::task::JoinSet;

use super::refusal::refused;
use crate::client::{Client, PATIENCE, Pace};
use crate::error::LabError;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{Profile, Server, Setup};
use crate::site::{APP, Site};
use crate::trial::Trial;

/// Takeovers between two sources after which the live one stays.
const TAKEOVERS: u8 = 3;
const LONGEST_DUEL: Duration = Duration::from_secs(100);
const ONE_PUSH: &str = "\n[[domain]]\nname = \"one.lab.test\"\naccount = 1\nauth = false\nmax_pushes = 1\n";

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause as C;
    use DetailKey as D;
    vec![
        Scenario::new(
            "taken_over",
            C::TakenOver,
            D::ReplacedBy,
            "A second push of the same stream takes over from one that sends media.",
            |t| Box::pin(taken_over(t, true)),
        ),
        Scenario::new(
            "taken_over_empty",
            C::TakenOverEmpty,
            D::ReplacedBy,
            "A second push of the same stream takes over from one that has sent nothing.",
            |t| Box::pin(taken_over(t, false)),
        ),
        Scenario::new(
            "ghost_after_reconnect",
            C::TakenOverEmpty,
            D::ReplacedBy,
            "An encoder reconnects while the server still holds its silent first connection, as after a Wi-Fi drop.",
            |t| Box::pin(ghost_after_reconnect(t)),
        ),
        Scenario::new(
            "second_push_refused",
            C::TooManyPushesOfStream,
            None,
            "A second push of a live stream, where the conflict rule is to refuse it.",
            |t| Box::pin(second_push_refused(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "duel",
            C::TooManyPushesOfStream,
            D::Duel,
            "Two encoders with automatic reconnect take one stream from each other.",
            |t| Box::pin(duel(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "priority_lower",
            C::PriorityLower,
            D::PriorityBelow,
            "A second push of a live stream with a lower priority.",
            |t| Box::pin(priority_lower(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "too_many_pushes_of_domain",
            C::TooManyPushes,
            None,
            "Pushes to a domain that has as many pushes as allowed.",
            |t| Box::pin(too_many_pushes_of_domain(t)),
        )
        .needing(Needs::Own),
    ]
}

async fn taken_over(trial: Trial, with_media: bool) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut old = site.published(trial.stream()).await?;
    if with_media {
        old.send_frame(1_000).await?;
        media_is_seen(&site, trial.stream()).await?;
    }
    let seen = Seen::push(&site, &old, trial.stream()).now();
    let new = site.published(trial.stream()).await?;
    let told = old.wait_for_cut(PATIENCE).await?;
    new.delete_stream().await?;
    Ok(seen.told(told))
}

async fn ghost_after_reconnect(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut old = site.live(trial.stream()).await?;
    old.idle(Duration::from_millis(3_500)).await?;
    let seen = Seen::push(&site, &old, trial.stream()).now();
    let new = site.live(trial.stream()).await?;
    let told = old.wait_for_cut(PATIENCE).await?;
    new.delete_stream().await?;
    Ok(seen.told(told))
}

async fn second_push_refused(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let first = push_to(&site, "refusing.lab.test", trial.stream()).await?;
    let seen = refused(&site, "refusing.lab.test", APP, trial.stream(), trial.stream()).await?;
    first.delete_stream().await?;
    Ok(seen)
}

async fn duel(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let push = async |turn: u8| {
        let from = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2_u8.saturating_add(turn % 2)));
        site.ready(Client::open_from(from, site.rtmp).await?).await
    };
    // As encoders do, they send all the while; one that is cut comes to its end.
    let mut live = JoinSet::new();
    for turn in 0..=TAKEOVERS {
        let mut next = push(turn).await?;
        next.publish(trial.stream()).await?;
        live.join_next().await;
        live.spawn(async move { next.stream(Pace::default(), LONGEST_DUEL).await });
        media_is_seen(&site, trial.stream()).await?;
    }
    let mut last = push(TAKEOVERS.saturating_add(1)).await?;
    let seen = Seen::push(&site, &last, trial.stream()).now();
    let seen = match last.publish(trial.stream()).await {
        Err(LabError::Refused(told)) => seen.told(told),
        Err(error) => return Err(error),
        Ok(()) => return Err(LabError::WentLive),
    };
    Ok(seen.keep(live))
}

async fn priority_lower(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let high = format!("{}?priority=5", trial.stream());
    let low = format!("{}?priority=4", trial.stream());
    let first = push_to(&site, "ranked.lab.test", &high).await?;
    let seen = refused(&site, "ranked.lab.test", APP, trial.stream(), &low).await?;
    first.delete_stream().await?;
    Ok(seen)
}

async fn too_many_pushes_of_domain(trial: Trial) -> Result<Seen, LabError> {
    let mut setup = Setup::new(Profile::Plain);
    setup.config.push_str(ONE_PUSH);
    let site = Site::own(std::sync::Arc::new(Server::start(setup).await?))?;
    let first = push_to(&site, "one.lab.test", &format!("{}-first", trial.stream())).await?;
    let seen = refused(&site, "one.lab.test", APP, trial.stream(), trial.stream()).await?;
    first.delete_stream().await?;
    Ok(seen)
}

async fn push_to(site: &Site, host: &str, name: &str) -> Result<Client, LabError> {
    let mut client = site.open().await?;
    client.handshake().await?;
    client.connect(APP, &format!("rtmp://{host}/{APP}")).await?;
    client.create_stream().await?;
    client.publish(name).await?;
    client.send_frame(1_000).await?;
    Ok(client)
}

/// Waits until the server has taken in the media of the push that is live.
async fn media_is_seen(site: &Site, stream: &str) -> Result<(), LabError> {
    /// More than the handshake and the commands before publish take.
    const SET_UP: u64 = 4_000;
    const POLL: Duration = Duration::from_millis(100);
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        if site.api.live_bytes(stream).await?.is_some_and(|bytes| bytes > SET_UP) {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
        waited += POLL;
    }
    Err(LabError::Late { awaited: "the media of the push".to_owned(), limit: PATIENCE })
}
