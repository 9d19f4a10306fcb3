//! Faults of the network, in namespaces of the lab's own.

mod congested;
mod dead;
mod moving;
mod race;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::child::{Pusher, Step};
use crate::error::LabError;
use crate::network::Between;
use crate::scenario::{Needs, Scenario};
use crate::server::{Profile, Server, Setup};
use crate::site::Site;
use crate::trial::Trial;

const NAMESPACE: Needs = Needs::Root(&["ip"]);
const FILTERED: Needs = Needs::Root(&["ip", "iptables"]);
/// The push runs this long before the fault.
const WELL: Duration = Duration::from_secs(2);
/// kbit/s of a usual push.
const USUAL: u32 = 400;
/// Longer than any of these scenarios.
const LONG: f64 = 90.0;

pub(super) fn scenarios() -> Vec<Scenario> {
    [dead::scenarios(), congested::scenarios(), moving::scenarios(), race::scenarios()].concat()
}

/// A server that is reached by way of this address of the host alone.
pub(super) async fn server_at(host: Ipv4Addr, profile: Profile) -> Result<Site, LabError> {
    let mut setup = Setup::new(profile);
    setup.rtmp = SocketAddr::new(IpAddr::V4(host), 0);
    Site::own(Arc::new(Server::start(setup).await?))
}

/// The same, and pushes over WebRTC are asked for at this address too.
pub(super) async fn whip_server_at(
    host: Ipv4Addr,
    profile: Profile,
    environment: Vec<(&'static str, OsString)>,
) -> Result<Site, LabError> {
    let mut setup = Setup::new(profile);
    setup.rtmp = SocketAddr::new(IpAddr::V4(host), 0);
    setup.http_outside = true;
    setup.environment = environment;
    Site::own(Arc::new(Server::start(setup).await?))
}

/// A push by way of a network between, and the server at its other end.
#[derive(Debug)]
struct Line {
    between: Between,
    site: Site,
    pusher: Pusher,
}

impl Line {
    /// A push that does these steps, and has been well for a while.
    async fn start(
        trial: &Trial,
        between: Between,
        profile: Profile,
        kbps: u32,
        steps: &[Step],
    ) -> Result<Self, LabError> {
        let site = server_at(between.host, profile).await?;
        let mut pusher = Pusher::start(&between.under(), &site, trial.stream(), kbps, steps)?;
        if let Some(step) = steps.first() {
            pusher.reaches(step.word()).await?;
        }
        sleep(WELL).await;
        Ok(Self { between, site, pusher })
    }

    /// One that streams for long, over a usual path, to a server with short limits.
    async fn usual(trial: &Trial) -> Result<Self, LabError> {
        Self::start(trial, Between::new()?, Profile::Plain, USUAL, &[Step::Stream(LONG)]).await
    }
}
