//! Rule 6: how a live push ended, when nobody said so.

use super::collapse::Uplink;
use super::ending::Ending;
use super::{Ruling, Seen, unexplained};
use crate::detail::{Detail, DetailKey};
use crate::evidence::{Evidence, Probe, Transport};
use crate::table::Cause;

/// A collapse before a silence longer than this no longer explains the end.
const RIGHT_AFTER_MS: u64 = 10_000;
/// A client may acknowledge this much later than our bytes arrive, and the round trip is measured with it.
const DELAYED_ACK_MS: u64 = 200;

pub(super) fn ended(e: &Evidence, seen: &Seen) -> Ruling {
    match seen.ending {
        Ending::TimedOut => Ruling::with(Cause::PathLost, path_lost(e)),
        Ending::Unreachable(errno) => {
            Ruling::with(Cause::Unreachable, Detail::new(DetailKey::IcmpUnreachable).with("errno", errno.0))
        }
        Ending::TransportLost => Ruling { cause: Cause::TransportLost, detail: transport_lost(e) },
        Ending::IdleLimit if probe_is_retransmitting(e) => Ruling::with(Cause::PathLost, path_lost(e)),
        Ending::OwnHost(errno) => Ruling::with(
            Cause::TaskFailed,
            Detail::new(DetailKey::SocketEnded).with("close", e.close.as_str()).with("errno", errno.0),
        ),
        Ending::Other => unexplained(e),
        Ending::IdleLimit | Ending::EndOfFile | Ending::Reset | Ending::SendFailed(_) => {
            match seen.own_window.filter(|window| window.is_at_the_end()) {
                Some(window) => Ruling::with(Cause::PipelineFailed, window.detail()),
                None => by_client_or_path(e, seen),
            }
        }
    }
}

fn by_client_or_path(e: &Evidence, seen: &Seen) -> Ruling {
    let is_reset = seen.ending == Ending::Reset;
    match seen.ending {
        // Over datagrams there are no resets: the client's host answered that nobody has the port any more.
        Ending::Reset if matches!(e.transport, Transport::Srt | Transport::Whip) && e.tcp.is_none() => {
            Ruling::with(Cause::Reset, Detail::new(DetailKey::PeerPortClosed))
        }
        Ending::IdleLimit if e.media.messages == 0 => {
            Ruling { cause: Cause::NeverSentMedia, detail: idle(e, seen) }
        }
        Ending::IdleLimit => Ruling { cause: Cause::MediaStopped, detail: idle(e, seen) },
        Ending::SendFailed(errno) => {
            Ruling::with(Cause::SendFailed, Detail::new(DetailKey::SendFailed).with("errno", errno.0))
        }
        _ => match collapse_right_before(e, seen) {
            // Behind a full path a probe is late and a killed encoder's reset too: no router need have forgotten anything.
            Some(uplink) => Ruling::with(Cause::UplinkCollapsed, uplink.detail()),
            None if is_reset && may_answer_our_probe(e) => Ruling::with(
                Cause::PathLost,
                Detail::new(DetailKey::NatLost).with("silence_ms", e.silence.ms),
            ),
            None if is_reset && is_frozen(e) => Ruling::with(Cause::Reset, killed_while_frozen(e)),
            None if is_reset => Ruling::with(Cause::Reset, where_it_stopped(e)),
            None => Ruling::with(Cause::EndOfFile, where_it_stopped(e)),
        },
    }
}

/// The uplink had collapsed, and the connection ended before it could recover.
pub(super) fn collapse_right_before(e: &Evidence, seen: &Seen) -> Option<Uplink> {
    // An answered probe came up the uplink: it was not stuck.
    let explains = e.silence.ms <= RIGHT_AFTER_MS && e.silence.probe != Probe::Answered;
    seen.uplink.filter(|uplink| explains && uplink.has_collapsed())
}

/// The reset can be the answer to our unacknowledged probe. One that comes before a box on the way could have answered was
/// on its way already when the probe was sent; the box may be nearer than the client, so half of the round trip will do.
fn may_answer_our_probe(e: &Evidence) -> bool {
    let rtt_ms = e.tcp.map_or(0, |tcp| u64::from(tcp.rtt_us) / 1000).saturating_sub(DELAYED_ACK_MS);
    e.silence.probe == Probe::Unacknowledged && e.silence.probe_ms_ago >= rtt_ms / 2
}

/// Our probe is unacknowledged, and TCP has begun to send it again.
pub(super) fn probe_is_retransmitting(e: &Evidence) -> bool {
    e.silence.probe == Probe::Unacknowledged && e.tcp.is_some_and(|tcp| tcp.retransmits > 0 || tcp.probes > 0)
}

/// The host acknowledged our probe, and not a byte has come from the program since.
pub(super) fn is_frozen(e: &Evidence) -> bool {
    e.silence.probe == Probe::Acknowledged && e.silence.ms >= e.silence.probe_ms_ago
}

fn path_lost(e: &Evidence) -> Detail {
    let unacked = e.silence.probe == Probe::Unacknowledged;
    Detail::new(DetailKey::PathLost)
        .with("silence_ms", e.silence.ms)
        .with_some("unacked_ms", unacked.then_some(e.silence.probe_ms_ago))
        .with_some("unacked_bytes", e.tcp.map(|tcp| tcp.send_queue).filter(|bytes| *bytes > 0))
        .with_some("retransmits", e.tcp.map(|tcp| tcp.retransmits.max(tcp.probes)).filter(|times| *times > 0))
}

fn transport_lost(e: &Evidence) -> Option<Detail> {
    let key = match e.transport {
        Transport::Srt => DetailKey::PeerTimeout,
        Transport::Whip => DetailKey::ConsentLost,
        Transport::Rtmps => {
            let failure = e.tls()?.failure.as_ref()?;
            return Some(Detail::new(DetailKey::TlsBroken).with("reason", failure.found.as_str()));
        }
        Transport::Rtmp => return None,
    };
    Some(Detail::new(key).with("silence_ms", e.silence.ms))
}

fn killed_while_frozen(e: &Evidence) -> Detail {
    Detail::new(DetailKey::KilledWhileFrozen)
        .with("silence_ms", e.silence.ms)
        .with("probe_ms", e.silence.probe_ms_ago)
}

/// What the probe says about a client that sends no media.
fn idle(e: &Evidence, seen: &Seen) -> Option<Detail> {
    let without_media_ms = e.media.last_ms_ago.unwrap_or(e.media.live_ms);
    let key = match e.silence.probe {
        Probe::Answered => DetailKey::EncoderStalled,
        Probe::Acknowledged if !is_frozen(e) => DetailKey::DataWithoutMedia,
        Probe::Acknowledged if e.client.answered_ping && segments_out_of_order(seen) == 0 => {
            DetailKey::EncoderFrozen
        }
        Probe::Acknowledged => DetailKey::HostAlive,
        Probe::None if e.silence.ms < without_media_ms / 2 => DetailKey::DataWithoutMedia,
        Probe::None | Probe::Unacknowledged => return None,
    };
    Some(
        Detail::new(key)
            .with("silence_ms", without_media_ms)
            .with_some("limit_ms", (e.limits.idle_ms > 0).then_some(e.limits.idle_ms)),
    )
}

/// Segments that still arrived in the silence, but with a hole before them: the program sends, and the path swallows
/// its large packets. So it is not frozen.
pub(super) fn segments_out_of_order(seen: &Seen) -> u64 {
    seen.seconds.iter().rev().take_while(|s| s.bytes == 0).map(|s| u64::from(s.ooo)).sum()
}

fn where_it_stopped(e: &Evidence) -> Detail {
    match e.cut_message {
        Some(cut) => Detail::new(DetailKey::MidMessage)
            .with("have", cut.have)
            .with("want", cut.want)
            .with("message_type", cut.message_type),
        None => Detail::new(DetailKey::AtMessageBoundary),
    }
}
