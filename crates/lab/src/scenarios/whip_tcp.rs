//! A browser whose datagrams are dropped on the way pushes over TCP (RFC 6544), and ends in each way.

use std::time::Duration;

use cause::{Cause, DetailKey};
use tokio::time::sleep;

use super::network::whip_server_at;
use crate::encoder::{Encoder, Kind};
use crate::error::LabError;
use crate::network::Between;
use crate::process::Signal;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

const FIREWALL: Needs = Needs::Root(&["ip", "iptables"]);
/// A push streams this long before something happens to it.
const WELL: Duration = Duration::from_secs(2);
/// A client whose connection has ended may come by another for half a second.
const SOON: Duration = Duration::from_secs(1);
/// The server's idle limit, which finds a client that checks its path no more, and a second.
const LOST: Duration = Duration::from_secs(8);
/// kbit/s.
const USUAL: u32 = 500;

/// What happens to the browser, or to its path.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Meets(Signal),
    /// Its path swallows everything.
    BlackHole,
    /// A box on its path resets its connection, and every further one.
    Reset,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let rows = vec![
        Scenario::new(
            "whip_chromium_tcp_stopped",
            Cause::TransportGoodbye,
            DetailKey::WhipDelete,
            "Chromium over WebRTC, no datagram of which gets through, is stopped.",
            |t| Box::pin(firewalled(t, Fate::Meets(Signal::Interrupt))),
        ),
        Scenario::new(
            "whip_chromium_tcp_killed",
            Cause::EndOfFile,
            None,
            "Chromium over WebRTC, no datagram of which gets through, is killed; a reset (4/0) if it had not read all yet.",
            |t| Box::pin(firewalled(t, Fate::Meets(Signal::Kill))),
        )
        .or(Cause::Reset)
        .within(SOON),
        Scenario::new(
            "whip_chromium_tcp_frozen",
            Cause::TransportLost,
            DetailKey::ConsentLost,
            "Chromium over WebRTC, no datagram of which gets through, stands still.",
            |t| Box::pin(firewalled(t, Fate::Meets(Signal::Stop))),
        )
        .within(LOST),
        Scenario::new(
            "whip_chromium_tcp_black_hole",
            Cause::PathLost,
            DetailKey::PathLost,
            "The path of Chromium over WebRTC, no datagram of which gets through, swallows everything.",
            |t| Box::pin(firewalled(t, Fate::BlackHole)),
        )
        .within(LOST),
        Scenario::new(
            "whip_chromium_tcp_reset",
            Cause::Reset,
            None,
            "A box on the path of Chromium over WebRTC, no datagram of which gets through, resets its connection.",
            |t| Box::pin(firewalled(t, Fate::Reset)),
        )
        .within(SOON),
    ];
    rows.into_iter().map(|row| row.needing(FIREWALL).heavy()).collect()
}

async fn firewalled(trial: Trial, fate: Fate) -> Result<Seen, LabError> {
    let between = Between::new()?;
    between.drop_datagrams()?;
    let site = whip_server_at(between.host, Profile::Standard, Vec::new()).await?;
    let mut encoder = Encoder::start(Kind::WhipChromium, &between.under(), &site, trial.stream(), USUAL)?;
    encoder.sends_media(&site, trial.stream()).await?;
    sleep(WELL).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    match fate {
        Fate::Meets(signal) => encoder.signal(signal)?,
        Fate::BlackHole => between.black_hole(true),
        Fate::Reset => between.reset_outgoing()?,
    }
    Ok(seen.keep(encoder).keep(between))
}
