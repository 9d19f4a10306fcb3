//! Programs that others wrote push over WebRTC: each is stopped, killed, frozen, cut off, and refused.

use std::time::Duration;

use cause::{Cause, DetailKey};
use model::sign::{Algorithm, signed_query};
use model::{Clock, SystemClock, Timestamp};
use tokio::time::sleep;

use super::network::whip_server_at;
use crate::encoder::{Encoder, Kind};
use crate::error::LabError;
use crate::network::Between;
use crate::process::Signal;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{KEY, Profile, SIGNED_DOMAIN};
use crate::trial::Trial;

const NAMESPACE: Needs = Needs::Root(&["ip"]);
const TRANSLATING: Needs = Needs::Root(&["ip", "iptables"]);
/// An address that the server does not have (RFC 5737).
const PUBLIC: &str = "203.0.113.9";
/// A push streams this long before something happens to it.
const WELL: Duration = Duration::from_secs(2);
/// A silent client is sent a sign of life a quarter of a second after it, and twice if nobody has the port.
const SOON: Duration = Duration::from_secs(1);
/// The server's idle limit, which finds a client that checks its path no more, and a second.
const LOST: Duration = Duration::from_secs(8);
/// In the year 2020, ms since 1970.
const LONG_AGO: i64 = 1_600_000_000_000;
/// kbit/s.
const USUAL: u32 = 500;

/// The scenarios of one program.
macro_rules! scenarios_of {
    ($kind:ident, $name:literal, $program:literal) => {
        vec![
            Scenario::new(
                concat!("whip_", $name, "_stopped"),
                Cause::TransportGoodbye,
                DetailKey::WhipDelete,
                concat!($program, " over WebRTC is stopped."),
                |t| Box::pin(meets(t, Kind::$kind, Signal::Interrupt)),
            ),
            Scenario::new(
                concat!("whip_", $name, "_killed"),
                Cause::Reset,
                DetailKey::PeerPortClosed,
                concat!($program, " over WebRTC is killed."),
                |t| Box::pin(meets(t, Kind::$kind, Signal::Kill)),
            )
            .within(SOON),
            Scenario::new(
                concat!("whip_", $name, "_frozen"),
                Cause::TransportLost,
                DetailKey::ConsentLost,
                concat!($program, " over WebRTC stands still."),
                |t| Box::pin(meets(t, Kind::$kind, Signal::Stop)),
            )
            .within(LOST),
            Scenario::new(
                concat!("whip_", $name, "_black_hole"),
                Cause::TransportLost,
                DetailKey::ConsentLost,
                concat!("The path of ", $program, " swallows everything, and nobody is told."),
                |t| Box::pin(swallowed(t, Kind::$kind)),
            )
            .needing(NAMESPACE)
            .within(LOST),
            Scenario::new(
                concat!("whip_", $name, "_unsigned"),
                Cause::ExpiryMissing,
                None,
                concat!($program, " has a WHIP endpoint without a signature."),
                |t| Box::pin(unsigned(t, Kind::$kind)),
            ),
            Scenario::new(
                concat!("whip_", $name, "_wrong_key"),
                Cause::SignatureWrong,
                DetailKey::SecretMismatch,
                concat!($program, " has a WHIP endpoint that another key has signed."),
                |t| Box::pin(wrong_key(t, Kind::$kind)),
            ),
            Scenario::new(
                concat!("whip_", $name, "_expired"),
                Cause::Expired,
                DetailKey::ExpiredAt,
                concat!($program, " has a WHIP endpoint that has expired."),
                |t| Box::pin(expired(t, Kind::$kind)),
            ),
            Scenario::new(
                concat!("whip_", $name, "_forbidden"),
                Cause::StreamForbidden,
                None,
                concat!($program, " offers a stream that is forbidden."),
                |t| Box::pin(forbidden(t, Kind::$kind)),
            ),
        ]
    };
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let own = |scenario: Scenario| match scenario.needs {
        Needs::Client => scenario.needing(Needs::Own).heavy(),
        _ => scenario.heavy(),
    };
    let nat = Scenario::new(
        "whip_chromium_nat",
        Cause::TransportGoodbye,
        DetailKey::WhipDelete,
        "Chromium over WebRTC reaches a server behind a 1:1 NAT by its public address, and is stopped.",
        |t| Box::pin(translated(t, Kind::WhipChromium)),
    )
    .needing(TRANSLATING);
    [
        vec![nat],
        scenarios_of!(WhipChromium, "chromium", "Chromium"),
        scenarios_of!(WhipAiortc, "aiortc", "aiortc"),
        scenarios_of!(WhipFfmpeg, "newer_ffmpeg", "a newer ffmpeg"),
    ]
    .concat()
    .into_iter()
    .map(own)
    .collect()
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

async fn swallowed(trial: Trial, kind: Kind) -> Result<Seen, LabError> {
    let between = Between::new()?;
    let site = whip_server_at(between.host, Profile::Standard, Vec::new()).await?;
    let mut encoder = Encoder::start(kind, &between.under(), &site, trial.stream(), USUAL)?;
    encoder.sends_media(&site, trial.stream()).await?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    between.black_hole(true);
    Ok(seen.keep(encoder).keep(between))
}

/// What is sent to the public address arrives at the server's own, and the client sees the public one in what comes back.
async fn translated(trial: Trial, kind: Kind) -> Result<Seen, LabError> {
    let between = Between::new()?;
    let host = between.host.to_string();
    let to = ["-d", PUBLIC, "-j", "DNAT", "--to-destination", &host];
    between.exec(&[&["iptables", "-w", "-t", "nat", "-A", "OUTPUT"][..], &to].concat())?;
    let public = ("LASTFRAME_WEBRTC_PUBLIC_IP", PUBLIC.into());
    let site = whip_server_at(between.host, Profile::Standard, vec![public]).await?;
    let mut encoder = Encoder::start(kind, &between.under(), &site, trial.stream(), USUAL)?;
    encoder.sends_media(&site, trial.stream()).await?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    encoder.signal(Signal::Interrupt)?;
    Ok(seen.keep(encoder).keep(between))
}

async fn unsigned(trial: Trial, kind: Kind) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let encoder = Encoder::start_for(kind, &[], &site, SIGNED_DOMAIN, trial.stream(), USUAL)?;
    Ok(Seen::stream(&site, trial.stream()).keep(encoder))
}

async fn wrong_key(trial: Trial, kind: Kind) -> Result<Seen, LabError> {
    let until = SystemClock.now().plus(Duration::from_secs(3600));
    let query = signed_query("another-key", trial.stream(), until, Algorithm::Md5);
    signed(trial, kind, &query).await
}

async fn expired(trial: Trial, kind: Kind) -> Result<Seen, LabError> {
    let query = signed_query(KEY, trial.stream(), Timestamp(LONG_AGO), Algorithm::Md5);
    signed(trial, kind, &query).await
}

async fn signed(trial: Trial, kind: Kind, query: &str) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let domain = format!("{SIGNED_DOMAIN}&{query}");
    let encoder = Encoder::start_for(kind, &[], &site, &domain, trial.stream(), USUAL)?;
    Ok(Seen::stream(&site, trial.stream()).keep(encoder))
}

async fn forbidden(trial: Trial, kind: Kind) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    site.api.forbid(&site.host, &site.app, trial.stream()).await?;
    let encoder = Encoder::start(kind, &[], &site, trial.stream(), USUAL)?;
    Ok(Seen::stream(&site, trial.stream()).keep(encoder))
}
