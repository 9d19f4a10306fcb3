//! Pushes that the server passes on to another, which has the last word.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cause::{Cause, DetailKey};
use model::{Clock, SystemClock};

use crate::client::{Client, Pace, Told};
use crate::error::LabError;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{DOMAIN, Profile, Server, Setup};
use crate::site::{APP, Site};
use crate::trial::Trial;
use crate::upstream::{Temper, Upstream, WORDS};

/// More than any way to end a push takes.
const LONG: Duration = Duration::from_secs(60);
/// Fills the buffers on the way to an upstream that reads no more in a second or two.
const HEAVY: Pace = Pace { fps: 30, kbps: 16_000, speed: 1.0 };

pub(super) fn scenarios() -> Vec<Scenario> {
    use DetailKey as D;
    let of = |name, detail, about, run| {
        Scenario::new(name, Cause::ProxyToldToStop, detail, about, run).needing(Needs::Own)
    };
    vec![
        of(
            "upstream_refuses",
            D::UpstreamRefused,
            "The server that pushes are passed on to refuses this one at publish.",
            |t| Box::pin(refused(t, Temper::Refuses)),
        ),
        of(
            "upstream_refuses_connection",
            D::UpstreamRefused,
            "The server that pushes are passed on to refuses the connection.",
            |t| Box::pin(refused(t, Temper::RefusesConnection)),
        ),
        of(
            "upstream_says_nothing",
            D::UpstreamSilent,
            "The server that pushes are passed on to accepts the connection and answers nothing.",
            |t| Box::pin(unanswered(t)),
        ),
        of("upstream_down", D::UpstreamUnreachable, "Nobody listens where pushes are passed on to.", |t| {
            Box::pin(down(t))
        }),
        of(
            "upstream_tells_to_stop",
            D::UpstreamOrder,
            "The server that a live push is passed on to tells it to stop.",
            |t| Box::pin(told_to_stop(t)),
        ),
        of(
            "upstream_closes",
            D::UpstreamClosed,
            "The server that a live push is passed on to closes without a word.",
            |t| Box::pin(cut(t, Temper::Closes, Pace::default())),
        ),
        of(
            "upstream_resets",
            D::UpstreamClosed,
            "The server that a live push is passed on to resets the connection, as when it is killed.",
            |t| Box::pin(cut(t, Temper::Resets, Pace::default())),
        ),
        of(
            "upstream_freezes",
            D::UpstreamSilent,
            "The server that a live push is passed on to reads no more.",
            |t| Box::pin(cut(t, Temper::Freezes, HEAVY)),
        ),
    ]
}

/// A server that passes pushes on to this address.
async fn in_front_of(upstream: SocketAddr) -> Result<Site, LabError> {
    let mut setup = Setup::new(Profile::Plain);
    setup.config.push_str(&format!("\n[proxy]\nupstream = \"rtmp://{upstream}\"\ntimeout = \"2s\"\n"));
    Site::own(Arc::new(Server::start(setup).await?))
}

async fn refused(trial: Trial, temper: Temper) -> Result<Seen, LabError> {
    let upstream = Upstream::start(temper)?;
    let site = in_front_of(upstream.address()).await?;
    let seen = super::refusal::refused(&site, DOMAIN, APP, trial.stream(), trial.stream()).await?;
    match &seen.told {
        Some(told) => says(told, WORDS)?,
        None => return Err(LabError::WentLive),
    }
    Ok(seen.keep(upstream))
}

async fn unanswered(trial: Trial) -> Result<Seen, LabError> {
    let upstream = Upstream::start(Temper::SaysNothing)?;
    let site = in_front_of(upstream.address()).await?;
    let seen = super::refusal::refused(&site, DOMAIN, APP, trial.stream(), trial.stream()).await?;
    Ok(seen.keep(upstream))
}

async fn down(trial: Trial) -> Result<Seen, LabError> {
    // A port that was free a moment ago, and is given to nobody else while it is held unused.
    let held = tokio::net::TcpSocket::new_v4()?;
    held.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let site = in_front_of(held.local_addr()?).await?;
    let seen = super::refusal::refused(&site, DOMAIN, APP, trial.stream(), trial.stream()).await?;
    Ok(seen.keep(held))
}

async fn told_to_stop(trial: Trial) -> Result<Seen, LabError> {
    let seen = cut(trial, Temper::TellsToStop, Pace::default()).await?;
    match &seen.told {
        Some(told) => says(told, WORDS)?,
        None => return Err(LabError::Closed { awaited: "what the client is told" }),
    }
    Ok(seen)
}

/// Streams until the upstream has ended the push, and the client was told.
async fn cut(trial: Trial, temper: Temper, pace: Pace) -> Result<Seen, LabError> {
    let upstream = Upstream::start(temper)?;
    let site = in_front_of(upstream.address()).await?;
    let mut client: Client = site.published(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream());
    let told = client.stream_until_cut(pace, LONG).await?;
    // An upstream that stands still has done so for a while when it is given up: no time to detect can be told.
    let seen = if temper == Temper::Freezes { seen } else { seen.at(SystemClock.now()) };
    Ok(seen.told(told).keep(upstream))
}

fn says(told: &Told, words: &str) -> Result<(), LabError> {
    if told.text.contains(words) {
        return Ok(());
    }
    Err(LabError::Program {
        program: "the upstream".to_owned(),
        what: format!("its words did not arrive: {told}"),
    })
}
