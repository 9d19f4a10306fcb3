//! A node of a cluster whose registry is away, or says what nobody can use.

use std::sync::Arc;
use std::time::Duration;

use cause::{Cause, DetailKey};
use tokio::time::sleep;

use super::refusal::refused;
use super::server::live_on;
use crate::client::{Client, PATIENCE, Pace};
use crate::error::LabError;
use crate::nats::Nats;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{DOMAIN, Profile, Server, Setup};
use crate::site::{APP, Site};
use crate::trial::Trial;

/// More than any way to end a push takes.
const LONG: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

pub(super) fn scenarios() -> Vec<Scenario> {
    let of =
        |name, cause, detail, about, run| Scenario::new(name, cause, detail, about, run).needing(Needs::Own);
    vec![
        of(
            "registry_away",
            Cause::RegistryUnreachable,
            DetailKey::RegistryError,
            "The registry of all nodes is killed, and then a push comes.",
            |t| Box::pin(registry_away(t)),
        ),
        of(
            "registry_unreadable",
            Cause::RegistryConflict,
            DetailKey::RegistryError,
            "What stands in the registry under the stream key can be neither read nor replaced.",
            |t| Box::pin(registry_unreadable(t)),
        ),
        of(
            "lease_lost",
            Cause::OwnershipLost,
            DetailKey::LeaseLost,
            "The registry is killed while the push is live, and stays away for longer than the grace.",
            |t| Box::pin(lease_lost(t)),
        ),
    ]
}

/// A node of a cluster, and its registry.
async fn node() -> Result<(Nats, Site), LabError> {
    let nats = Nats::start().await?;
    let mut setup = Setup::new(Profile::Plain);
    let url = nats.url();
    setup.config.push_str(&format!("\n[cluster]\nnats = \"{url}\"\nlease = \"2s\"\ngrace = \"3s\"\n"));
    let site = Site::own(Arc::new(Server::start(setup).await?))?;
    Ok((nats, site))
}

/// Publishes until the node has met its registry; before that, pushes are refused 18/101.
async fn met(site: &Site, stream: &str) -> Result<Client, LabError> {
    let mut waited = Duration::ZERO;
    loop {
        match live_on(site.rtmp, stream).await {
            Err(LabError::Refused(told)) if waited < PATIENCE && told.text.starts_with("[18/101]") => {
                sleep(POLL).await;
                waited += POLL;
            }
            other => return other,
        }
    }
}

async fn registry_away(trial: Trial) -> Result<Seen, LabError> {
    let (mut nats, site) = node().await?;
    let probe = met(&site, &format!("{}-probe", trial.stream())).await?;
    probe.delete_stream().await?;
    nats.kill().await?;
    Ok(refused(&site, DOMAIN, APP, trial.stream(), trial.stream()).await?.keep(nats))
}

async fn registry_unreadable(trial: Trial) -> Result<Seen, LabError> {
    let (nats, site) = node().await?;
    let probe = met(&site, &format!("{}-probe", trial.stream())).await?;
    probe.delete_stream().await?;
    let name = format!("{}.{}.{}", escaped(DOMAIN), escaped(APP), escaped(trial.stream()));
    nats.store(&format!("$KV.lastframe_leases.{name}"), "{\"of\":\"another kind\"}").await?;
    Ok(refused(&site, DOMAIN, APP, trial.stream(), trial.stream()).await?.keep(nats))
}

async fn lease_lost(trial: Trial) -> Result<Seen, LabError> {
    let (mut nats, site) = node().await?;
    let probe = met(&site, &format!("{}-probe", trial.stream())).await?;
    probe.delete_stream().await?;
    let mut client = live_on(site.rtmp, trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream());
    nats.kill().await?;
    let told = client.stream_until_cut(Pace::default(), LONG).await?;
    Ok(seen.told(told).keep(nats))
}

/// A part of a stream key as the registry has it.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("={b:02X}") }).collect()
}
