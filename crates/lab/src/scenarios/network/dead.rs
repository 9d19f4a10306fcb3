//! Paths that die, or answer with an error.

use std::time::Duration;

use cause::{Cause, DetailKey, EventKind};
use tokio::time::sleep;

use super::{FILTERED, LONG, Line, NAMESPACE, USUAL, WELL, server_at};
use crate::child::{Pusher, Step};
use crate::error::LabError;
use crate::network::{Between, Path, Router};
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

/// The path limit of these servers, and the second that is promised.
const PATH_LIMIT: Duration = Duration::from_secs(6);
/// A reset is there as soon as it arrives.
const AT_ONCE: Duration = Duration::from_millis(100);
/// IP packets of this size still pass a hole for large ones.
const SMALL: usize = 600;

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{MediaStopped, PathLost, Reset, Unreachable};
    use DetailKey as D;
    vec![
        Scenario::new(
            "black_hole",
            PathLost,
            D::PathLost,
            "The path swallows everything in both directions, and nobody is told.",
            |t| Box::pin(swallows(t, |path| (path.up.black_hole, path.down.black_hole) = (true, true))),
        )
        .needing(NAMESPACE)
        .within(PATH_LIMIT),
        Scenario::new(
            "uplink_dead",
            PathLost,
            D::PathLost,
            "The path from the client is dead; the one to it still works.",
            |t| Box::pin(swallows(t, |path| path.up.black_hole = true)),
        )
        .needing(NAMESPACE)
        .within(PATH_LIMIT),
        Scenario::new(
            "downlink_dead",
            PathLost,
            None,
            "The path to the client is dead; the one from it still works.",
            |t| Box::pin(swallows(t, |path| path.down.black_hole = true)),
        )
        .needing(NAMESPACE)
        .within(PATH_LIMIT),
        Scenario::new(
            "cable_pulled",
            PathLost,
            D::PathLost,
            "The client's cable is pulled: its own system knows, and cannot tell.",
            |t| Box::pin(fault(t, |between| between.cable(false))),
        )
        .needing(NAMESPACE)
        .within(PATH_LIMIT),
        Scenario::new("forged_reset", Reset, None, "A box on the way resets the connection.", |t| {
            Box::pin(fault(t, |between| between.reject_incoming("tcp-reset")))
        })
        .needing(FILTERED)
        .within(AT_ONCE),
        Scenario::new(
            "host_unreachable",
            Unreachable,
            D::IcmpUnreachable,
            "A router reports that the client's host cannot be reached.",
            |t| Box::pin(fault(t, |between| unreachable(between, "icmp-host-unreachable"))),
        )
        .needing(FILTERED)
        .within(PATH_LIMIT),
        Scenario::new(
            "network_unreachable",
            Unreachable,
            D::IcmpUnreachable,
            "A router reports that the client's network cannot be reached.",
            |t| Box::pin(fault(t, |between| unreachable(between, "icmp-net-unreachable"))),
        )
        .needing(FILTERED)
        .within(PATH_LIMIT),
        Scenario::new(
            "large_packets_lost",
            MediaStopped,
            D::HostAlive,
            "A path of a smaller MTU swallows large packets and tells nobody; small ones pass, so the host is alive.",
            |t| Box::pin(large_packets_lost(t)),
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
    ]
}

async fn fault(trial: Trial, fault: fn(&Between) -> Result<(), LabError>) -> Result<Seen, LabError> {
    let line = Line::usual(&trial).await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    fault(&line.between)?;
    Ok(seen.keep(line))
}

async fn swallows(trial: Trial, change: fn(&mut Path)) -> Result<Seen, LabError> {
    let line = Line::usual(&trial).await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    line.between.change(change);
    Ok(seen.event(EventKind::PathSuspect).keep(line))
}

/// Packets of the client are lost, and those to it are answered with this ICMP message.
fn unreachable(between: &Between, with: &str) -> Result<(), LabError> {
    between.drop_outgoing_but_icmp()?;
    between.reject_incoming(with)
}

async fn large_packets_lost(trial: Trial) -> Result<Seen, LabError> {
    let steps = [Step::Stream(LONG)];
    let line = Line::start(&trial, Between::new()?, Profile::Standard, USUAL, &steps).await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    line.between.change(|path| path.up.largest = Some(SMALL));
    Ok(seen.keep(line))
}

async fn router_restarted(trial: Trial) -> Result<Seen, LabError> {
    let router = Router::new()?;
    let site = server_at(router.host, Profile::Plain).await?;
    let mut pusher = Pusher::start(&router.under(), &site, trial.stream(), USUAL, &[Step::Stream(LONG)])?;
    pusher.reaches("stream").await?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    router.forget()?;
    Ok(seen.keep(pusher).keep(router))
}
