//! Pushes over WebRTC: set up, or not; stopped, lost, or cut.

use std::time::Duration;

use cause::{Cause, DetailKey};

use crate::client::PATIENCE;
use crate::error::LabError;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::Profile;
use crate::site::Site;
use crate::trial::Trial;
use crate::whip::{Whip, post};

/// Long enough for a second of the timeline.
const A_WHILE: Duration = Duration::from_millis(1_500);
/// A silent client is sent a sign of life a quarter of a second after it, and twice if nobody has the port.
const SOON: Duration = Duration::from_secs(1);

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{Dropped, LeftInWebrtcSetup, NeverSentMedia, Reset, TransportGoodbye};
    use DetailKey as D;
    vec![
        Scenario::new(
            "whip_delete",
            TransportGoodbye,
            D::WhipDelete,
            "Streams over WebRTC, then deletes its session.",
            |t| Box::pin(deletes(t)),
        ),
        Scenario::new(
            "whip_closed",
            TransportGoodbye,
            D::WhipDelete,
            "Streams over WebRTC, then closes DTLS, as a browser does with its tab.",
            |t| Box::pin(closes(t)),
        ),
        Scenario::new(
            "whip_killed",
            Reset,
            D::PeerPortClosed,
            "Streams over WebRTC, and is gone without a word.",
            |t| Box::pin(is_killed(t)),
        )
        .within(SOON),
        Scenario::new(
            "whip_never_connects",
            LeftInWebrtcSetup,
            D::WebrtcNoPath,
            "Offers a push over WebRTC, and never sends a datagram.",
            |t| Box::pin(never_connects(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "whip_without_dtls",
            LeftInWebrtcSetup,
            D::WebrtcNoDtls,
            "Finds a path to the server, and its DTLS never arrives.",
            |t| Box::pin(without_dtls(t)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "whip_broken_offer",
            LeftInWebrtcSetup,
            D::WebrtcOffer,
            "Offers what is no offer.",
            |t| Box::pin(broken_offer(t)),
        ),
        Scenario::new(
            "whip_unknown_domain",
            Cause::DomainUnknown,
            None,
            "Offers a push over WebRTC to a domain that nobody knows.",
            |t| Box::pin(unknown_domain(t)),
        ),
        Scenario::new(
            "whip_dropped",
            Dropped,
            None,
            "Streams over WebRTC, and is dropped by the API.",
            |t| Box::pin(is_dropped(t)),
        ),
        Scenario::new(
            "whip_without_media",
            NeverSentMedia,
            None,
            "Connects over WebRTC, and sends no media until the idle limit.",
            |t| Box::pin(without_media(t)),
        )
        .needing(Needs::Own),
    ]
}

async fn live(site: &Site, stream: &str) -> Result<Whip, LabError> {
    let mut whip = Whip::offer(site, stream).await?;
    whip.connect().await?;
    whip.stream(A_WHILE).await?;
    Ok(whip)
}

async fn deletes(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let whip = live(&site, trial.stream()).await?;
    let seen = Seen::stream(&site, trial.stream()).now();
    whip.delete().await?;
    Ok(seen)
}

async fn closes(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut whip = live(&site, trial.stream()).await?;
    let seen = Seen::stream(&site, trial.stream()).now();
    whip.close().await?;
    Ok(seen)
}

async fn is_killed(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    drop(live(&site, trial.stream()).await?);
    Ok(Seen::stream(&site, trial.stream()).now())
}

async fn never_connects(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Impatient).await?;
    let seen = Seen::stream(&site, trial.stream()).now();
    let whip = Whip::offer(&site, trial.stream()).await?;
    drop(whip);
    Ok(seen)
}

async fn without_dtls(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Impatient).await?;
    let seen = Seen::stream(&site, trial.stream()).now();
    Whip::offer(&site, trial.stream()).await?.check_only(Duration::from_secs(4)).await?;
    Ok(seen)
}

async fn broken_offer(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    refused(&site, trial.stream(), "v=0\r\nthis is no offer\r\n").await
}

async fn unknown_domain(trial: Trial) -> Result<Seen, LabError> {
    let mut site = trial.site().await?;
    site.host = "nowhere.lab.test".to_owned();
    refused(&site, trial.stream(), "v=0\r\n").await
}

async fn refused(site: &Site, stream: &str, offer: &str) -> Result<Seen, LabError> {
    let seen = Seen::stream(site, stream).now();
    match post(&reqwest::Client::new(), site, stream, offer).await {
        Err(LabError::Refused(told)) => Ok(seen.told(told)),
        Err(error) => Err(error),
        Ok(_) => Err(LabError::WentLive),
    }
}

async fn is_dropped(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut whip = live(&site, trial.stream()).await?;
    let seen = Seen::stream(&site, trial.stream()).now();
    site.api.drop_stream(&site.host, &site.app, trial.stream()).await?;
    whip.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn without_media(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let mut whip = Whip::offer(&site, trial.stream()).await?;
    whip.connect().await?;
    let seen = Seen::stream(&site, trial.stream()).now();
    whip.wait_for_close(PATIENCE).await?;
    Ok(seen)
}
