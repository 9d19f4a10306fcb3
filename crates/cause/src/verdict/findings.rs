//! The signs behind a verdict, the other causes that they speak for, and what cannot be told from the server's side.

use super::collapse::Uplink;
use super::ending::Ending;
use super::live::{collapse_right_before, is_frozen, probe_is_retransmitting, segments_out_of_order};
use super::window::OwnWindow;
use super::{Confidence, Finding, NO_SILENCE_MS, Seen, below_rtmp, goodbye_counts};
use crate::detail::{Detail, DetailKey};
use crate::event::EventKind;
use crate::evidence::{Close, Evidence, Probe, Stage, Transport};
use crate::quirk::{self, Quirk};
use crate::table::{Cause, Side};

/// The cause's own finding first, then the others as they were considered.
pub(super) fn of(e: &Evidence, seen: &Seen, cause: Cause) -> Vec<Finding> {
    let main = main_finding(e, seen, cause);
    let others = if is_certain(e) { Vec::new() } else { others(e, seen, cause) };
    [main].into_iter().chain(collapse_behind_goodbye(e, seen)).chain(others).collect()
}

/// The end itself was seen, not concluded from signs.
fn is_certain(e: &Evidence) -> bool {
    let by_us = e.act.is_some() || matches!(e.close, Close::TaskFailed | Close::NodeDied | Close::Unreadable);
    let by_fault = e.fault.is_some() && !below_rtmp(e.stage);
    by_us || by_fault || e.stage < Stage::Live || (e.goodbye.is_some() && goodbye_counts(e))
}

fn main_finding(e: &Evidence, seen: &Seen, cause: Cause) -> Finding {
    let signs_for = if is_certain(e) { signs_of_certainty(e) } else { signs_for(e, seen, cause) };
    let signs_against = if is_certain(e) { Vec::new() } else { signs_against(e, cause) };
    let confidence = match (signs_for.len(), signs_against.is_empty()) {
        _ if cause == Cause::Unknown => Confidence::Possible,
        _ if is_certain(e) => Confidence::Certain,
        (0 | 1, _) | (_, false) => Confidence::Likely,
        _ => Confidence::Strong,
    };
    Finding { cause, confidence, signs_for, signs_against }
}

/// What was seen itself: our act, the goodbye, the broken rule, the stage; and what the socket said, which does not
/// count.
fn signs_of_certainty(e: &Evidence) -> Vec<Detail> {
    let ended = e.close != Close::Open;
    if e.act.is_some() {
        let sign = Detail::new(DetailKey::OwnActFirst).with_some("close", ended.then(|| e.close.as_str()));
        return vec![sign];
    }
    if let Some(goodbye) = e.goodbye.filter(|_| goodbye_counts(e)) {
        let mut signs = vec![Detail::new(DetailKey::GoodbyeReceived).with("command", goodbye.command())];
        if ended {
            signs.push(Detail::new(DetailKey::CloseAfterGoodbye).with("close", e.close.as_str()));
        }
        if e.close == Close::Reset {
            signs.extend(habit(e, &[Quirk::ReadsNothing, Quirk::ResetsAfterGoodbye]));
        }
        return signs;
    }
    let mut signs = Vec::new();
    if let Some(fault) = &e.fault {
        signs.push(Detail::new(DetailKey::BytesProve).with("offset", fault.offset));
    }
    signs.push(Detail::new(DetailKey::StageReached).with("stage", e.stage.as_str()));
    if ended && e.fault.is_none() {
        signs.push(socket_ended(e));
    }
    signs
}

fn signs_for(e: &Evidence, seen: &Seen, cause: Cause) -> Vec<Detail> {
    let mut signs = Vec::new();
    if e.close != Close::Open {
        signs.push(socket_ended(e));
    }
    if let Some(errno) = e.write_error {
        signs.push(Detail::new(DetailKey::WriteFailed).with("errno", errno.0));
    }
    match cause {
        Cause::EndOfFile | Cause::Reset if is_frozen(e) => signs.extend(silence_and_probe(e)),
        Cause::EndOfFile | Cause::Reset => signs.extend(until_the_end(e)),
        Cause::UplinkCollapsed => {
            signs.extend(seen.uplink.iter().flat_map(uplink_signs));
            if seen.ending == Ending::Reset {
                signs.extend(habit(e, &[Quirk::ReadsNothing]));
            }
        }
        Cause::PipelineFailed => signs.extend(seen.own_window.map(OwnWindow::detail)),
        Cause::NeverSentMedia | Cause::MediaStopped => {
            let silence_ms = e.media.last_ms_ago.unwrap_or(e.media.live_ms);
            signs.push(Detail::new(DetailKey::NoMediaFor).with("silence_ms", silence_ms));
            signs.extend(probe(e));
        }
        _ => signs.extend(silence_and_probe(e)),
    }
    if cause.side() == Side::Network {
        signs.extend(path_suspect_before(e));
    }
    signs
}

/// What speaks against the cause, or cannot be told from here.
fn signs_against(e: &Evidence, cause: Cause) -> Vec<Detail> {
    let mut signs = Vec::new();
    match cause {
        Cause::UplinkCollapsed => signs.push(DetailKey::StopLooksSame.into()),
        Cause::Reset => signs.push(DetailKey::ResetSenderUnknown.into()),
        Cause::NeverSentMedia | Cause::MediaStopped
            if e.silence.probe == Probe::Acknowledged && !e.client.answered_ping =>
        {
            signs.push(habit(e, &[Quirk::AnswersNoPings]).unwrap_or(DetailKey::NeverAnsweredPing.into()));
        }
        _ => {}
    }
    let over_tcp = matches!(e.transport, Transport::Rtmp | Transport::Rtmps);
    let from_tcp = cause.side() == Side::Network
        || matches!(cause, Cause::EndOfFile | Cause::Reset | Cause::PipelineFailed | Cause::MediaStopped);
    if e.behind_proxy && from_tcp {
        signs.push(DetailKey::BehindProxy.into());
    }
    if e.tcp.is_none() && over_tcp && from_tcp {
        signs.push(DetailKey::NoTcpFacts.into());
    }
    signs
}

/// A habit of the client among these.
fn habit(e: &Evidence, quirks: &[Quirk]) -> Option<Detail> {
    let row = quirk::known(&e.client).find(|row| quirks.contains(&row.quirk))?;
    Some(Detail::new(DetailKey::ClientHabit).with("client", row.client).with("habit", row.quirk.as_str()))
}

/// Causes that were considered and not taken.
fn others(e: &Evidence, seen: &Seen, cause: Cause) -> Vec<Finding> {
    let mut others = Vec::new();
    let possible = |cause, signs_for, signs_against| Finding {
        cause,
        confidence: Confidence::Possible,
        signs_for,
        signs_against,
    };
    match cause {
        Cause::UplinkCollapsed => {
            let other = if seen.ending == Ending::Reset { Cause::Reset } else { Cause::EndOfFile };
            let against = seen.uplink.iter().flat_map(uplink_signs).collect();
            others.push(possible(other, vec![socket_ended(e), DetailKey::StopLooksSame.into()], against));
        }
        Cause::EndOfFile | Cause::Reset => others.extend(fell_behind(seen)),
        Cause::MediaStopped | Cause::NeverSentMedia => {
            let segments = segments_out_of_order(seen);
            if segments > 0 {
                let sign = Detail::new(DetailKey::OutOfOrder)
                    .with("segments", segments)
                    .with("window_ms", e.silence.ms);
                others.push(possible(Cause::PathLost, vec![sign], probe(e).into_iter().collect()));
            } else if e.silence.probe == Probe::Unacknowledged && !probe_is_retransmitting(e) {
                others.push(possible(Cause::PathLost, probe(e).into_iter().collect(), Vec::new()));
            }
        }
        _ => {}
    }
    if cause != Cause::PipelineFailed
        && let Some(window) = seen.own_window
    {
        others.push(possible(Cause::PipelineFailed, vec![window.detail()], Vec::new()));
    }
    others
}

/// A push that fell behind without any network sign: the network is not excluded, but the encoder is the likelier.
fn fell_behind(seen: &Seen) -> Option<Finding> {
    let uplink = seen.uplink.filter(Uplink::fell_behind)?;
    let mut against = Vec::new();
    if let Some(rtt) = uplink.rtt.filter(|rtt| !rtt.risen) {
        against.push(
            Detail::new(DetailKey::RttFlat)
                .with("rcv_rtt_ms", rtt.now_ms())
                .with("baseline_ms", rtt.baseline_ms()),
        );
    }
    if !uplink.network_sign() {
        against.push(slow_encoder(&uplink));
    }
    Some(Finding {
        cause: Cause::UplinkCollapsed,
        confidence: Confidence::Possible,
        signs_for: vec![drift(&uplink)],
        signs_against: against,
    })
}

/// The encoder fell behind while the network was calm.
pub(super) fn slow_encoder(uplink: &Uplink) -> Detail {
    Detail::new(DetailKey::EncoderSlow)
        .with("fps", uplink.fps)
        .with("drift_ms", uplink.drift_ms)
        .with("window_ms", uplink.window_ms)
}

/// A goodbye is certain, but the collapse before it may be why it was said.
fn collapse_behind_goodbye(e: &Evidence, seen: &Seen) -> Option<Finding> {
    let said = e.goodbye.is_some() && e.act.is_none() && e.stage == Stage::Live;
    let uplink = collapse_right_before(e, seen).filter(|_| said)?;
    let signs_against = vec![
        Detail::new(DetailKey::GoodbyeReceived)
            .with_some("command", e.goodbye.map(|goodbye| goodbye.command())),
    ];
    Some(Finding {
        cause: Cause::UplinkCollapsed,
        confidence: Confidence::Possible,
        signs_for: uplink_signs(&uplink),
        signs_against,
    })
}

fn socket_ended(e: &Evidence) -> Detail {
    Detail::new(DetailKey::SocketEnded)
        .with("close", e.close.as_str())
        .with_some("errno", e.close.errno().map(|errno| errno.0))
}

/// No goodbye, and whether media flowed until the end.
fn until_the_end(e: &Evidence) -> Vec<Detail> {
    let mut signs = vec![Detail::new(DetailKey::NoGoodbye)];
    if let Some(tls) = e.tls() {
        signs.push(if tls.close_notify { DetailKey::CloseNotify } else { DetailKey::NoCloseNotify }.into());
    }
    match e.media.last_ms_ago {
        Some(last_ms) if last_ms < NO_SILENCE_MS => {
            signs.push(Detail::new(DetailKey::MediaUntilEnd).with("last_ms", last_ms));
        }
        _ => signs.extend(silence_and_probe(e)),
    }
    signs
}

fn silence_and_probe(e: &Evidence) -> Vec<Detail> {
    let key = if e.silence.ms < NO_SILENCE_MS { DetailKey::NoSilence } else { DetailKey::SilenceBefore };
    let mut signs = vec![Detail::new(key).with("silence_ms", e.silence.ms)];
    signs.extend(probe(e));
    signs
}

fn probe(e: &Evidence) -> Option<Detail> {
    let key = match e.silence.probe {
        Probe::None => return None,
        Probe::Unacknowledged => DetailKey::ProbeUnacknowledged,
        Probe::Acknowledged => DetailKey::ProbeAcknowledged,
        Probe::Answered => DetailKey::ProbeAnswered,
    };
    let sent_again = e.tcp.map(|tcp| tcp.retransmits.max(tcp.probes));
    let sent_again = sent_again.filter(|times| *times > 0 && e.silence.probe == Probe::Unacknowledged);
    Some(Detail::new(key).with("probe_ms", e.silence.probe_ms_ago).with_some("retransmits", sent_again))
}

fn path_suspect_before(e: &Evidence) -> Option<Detail> {
    let times = e.events.iter().find(|event| event.event() == Some(EventKind::PathSuspect))?.count;
    Some(Detail::new(DetailKey::PathSuspectBefore).with("times", times))
}

fn drift(uplink: &Uplink) -> Detail {
    Detail::new(DetailKey::DriftGrew).with("drift_ms", uplink.drift_ms).with("window_ms", uplink.window_ms)
}

/// The drift, and each network sign that was seen.
pub(super) fn uplink_signs(uplink: &Uplink) -> Vec<Detail> {
    let mut signs = vec![drift(uplink)];
    if let Some(rtt) = uplink.rtt.filter(|rtt| rtt.risen) {
        signs.push(
            Detail::new(DetailKey::RttRisen)
                .with("rcv_rtt_ms", rtt.now_ms())
                .with("baseline_ms", rtt.baseline_ms()),
        );
    }
    if let Some(segments) = uplink.out_of_order {
        signs.push(
            Detail::new(DetailKey::OutOfOrder).with("segments", segments).with("window_ms", uplink.window_ms),
        );
    }
    if let Some(gone_ms) = uplink.video_gone_ms {
        signs.push(Detail::new(DetailKey::VideoGone).with("video_gone_ms", gone_ms));
    }
    signs
}
