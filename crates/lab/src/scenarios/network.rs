//! Faults of the network, in namespaces of the lab's own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cause::{Cause, DetailKey};
use tokio::time::sleep;

use crate::child::{Pusher, Step};
use crate::error::LabError;
use crate::network::{Router, Space};
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{Profile, Server, Setup};
use crate::site::Site;
use crate::trial::Trial;

const NAMESPACE: Needs = Needs::Root(&["ip", "iptables"]);
/// The push runs this long before the fault.
const WELL: Duration = Duration::from_secs(2);
/// A push of this rate goes through an uplink of [`THIN`] kbit/s.
const BROAD: u32 = 1_500;
const THIN: u32 = 500;

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{DeleteStream, EndOfFile, PathLost, Reset, Unreachable, UplinkCollapsed};
    use DetailKey as D;
    vec![
        Scenario::new(
            "black_hole",
            PathLost,
            D::PathLost,
            "The path swallows everything in both directions, and nobody is told.",
            |t| Box::pin(fault(t, Space::black_hole)),
        )
        .needing(NAMESPACE),
        Scenario::new(
            "uplink_dead",
            PathLost,
            D::PathLost,
            "The path from the client is dead; the one to it still works.",
            |t| Box::pin(fault(t, Space::drop_outgoing)),
        )
        .needing(NAMESPACE),
        Scenario::new(
            "downlink_dead",
            PathLost,
            None,
            "The path to the client is dead; the one from it still works.",
            |t| Box::pin(fault(t, Space::drop_incoming)),
        )
        .needing(NAMESPACE),
        Scenario::new("forged_reset", Reset, None, "A box on the way resets the connection.", |t| {
            Box::pin(fault(t, Space::reset_incoming))
        })
        .needing(NAMESPACE),
        Scenario::new(
            "host_unreachable",
            Unreachable,
            D::IcmpUnreachable,
            "A router reports that the client's host cannot be reached.",
            |t| Box::pin(fault(t, Space::unreachable)),
        )
        .needing(NAMESPACE),
        Scenario::new(
            "router_restarted",
            PathLost,
            D::NatLost,
            "The client's router forgets its address translations.",
            |t| Box::pin(router_restarted(t)),
        )
        .needing(Needs::Root(&["ip", "iptables", "conntrack", "sysctl"])),
        Scenario::new(
            "goodbye_under_congestion",
            DeleteStream,
            None,
            "The uplink becomes thinner than the push, and the client says deleteStream: the goodbye wins.",
            |t| Box::pin(uplink_thinner(t, Step::Delete)),
        )
        .needing(Needs::Root(&["ip", "tc"])),
        Scenario::new(
            "lossy_path",
            EndOfFile,
            None,
            "A tenth of the client's packets is lost, the push keeps up, and the client closes: no collapse.",
            |t| Box::pin(lossy_path(t)),
        )
        .needing(NAMESPACE),
        Scenario::new(
            "uplink_collapsed",
            UplinkCollapsed,
            D::Collapse,
            "The uplink becomes thinner than the push, and the client resets.",
            |t| Box::pin(uplink_thinner(t, Step::Reset)),
        )
        .needing(Needs::Root(&["ip", "tc"])),
    ]
}

/// A server that is reached by way of this address of the host alone.
async fn server_at(host: Ipv4Addr) -> Result<Site, LabError> {
    let mut setup = Setup::new(Profile::Plain);
    setup.rtmp = SocketAddr::new(IpAddr::V4(host), 0);
    Site::own(Arc::new(Server::start(setup).await?))
}

async fn fault(trial: Trial, fault: fn(&Space) -> Result<(), LabError>) -> Result<Seen, LabError> {
    let space = Space::new()?;
    let site = server_at(space.host).await?;
    let mut pusher = Pusher::start(&space.under(), &site, trial.stream(), 400, &[Step::Stream(90.0)])?;
    pusher.reaches("stream").await?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    fault(&space)?;
    Ok(seen.keep(pusher).keep(space))
}

async fn router_restarted(trial: Trial) -> Result<Seen, LabError> {
    let router = Router::new()?;
    let site = server_at(router.host).await?;
    let mut pusher = Pusher::start(&router.under(), &site, trial.stream(), 400, &[Step::Stream(90.0)])?;
    pusher.reaches("stream").await?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    router.forget()?;
    Ok(seen.keep(pusher).keep(router))
}

async fn uplink_thinner(trial: Trial, leaving: Step) -> Result<Seen, LabError> {
    let space = Space::new()?;
    let site = server_at(space.host).await?;
    let steps = [Step::Stream(18.0), leaving];
    let mut pusher = Pusher::start(&space.under(), &site, trial.stream(), BROAD, &steps)?;
    pusher.reaches("stream").await?;
    sleep(Duration::from_secs(8)).await;
    space.limit_rate(THIN, 800)?;
    pusher.reaches(leaving.word()).await?;
    let seen = Seen::stream(&site, trial.stream()).now();
    Ok(seen.keep(pusher).keep(space))
}

/// The client closes in place of resetting: nobody sends a lost reset again, and then our probe is what brings the next.
async fn lossy_path(trial: Trial) -> Result<Seen, LabError> {
    let space = Space::new()?;
    let site = server_at(space.host).await?;
    let steps = [Step::Stream(14.0), Step::Close];
    let mut pusher = Pusher::start(&space.under(), &site, trial.stream(), 400, &steps)?;
    pusher.reaches("stream").await?;
    sleep(WELL).await;
    space.lose_outgoing(0.1)?;
    pusher.reaches("close").await?;
    Ok(Seen::stream(&site, trial.stream()).now().keep(pusher).keep(space))
}
