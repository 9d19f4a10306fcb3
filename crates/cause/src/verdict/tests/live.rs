//! How live pushes end: rows 3, 4, 5, 8, 12, 13, 14, 17, 20, 24.

use super::build::*;
use crate::event::{EventCount, EventKind};
use crate::evidence::{Close, Errno, Probe, TcpFacts, Transport};
use crate::timeline::Sample;
use crate::verdict::{Confidence, verdict};
use crate::{Cause, Lang};

#[test]
fn end_of_file_without_a_goodbye_is_3_and_says_where_it_stopped() {
    assert_eq!(judged(&live(Close::EndOfFile)), (Cause::EndOfFile, "at_message_boundary".into()));
    let mut e = live(Close::EndOfFile);
    e.cut_message = cut();
    let v = verdict(&e);
    assert_eq!((v.cause, detail_of(&v)), (Cause::EndOfFile, "mid_message"));
    let params = v.detail.unwrap().params;
    assert_eq!(
        (&params["have"], &params["want"], &params["message_type"]),
        (&812.into(), &20_113.into(), &9.into())
    );
    assert_eq!(v.findings[0].confidence, Confidence::Strong);
}

#[test]
fn a_reset_without_silence_is_4_and_its_sender_is_not_known() {
    let v = verdict(&live(Close::Reset));
    assert_eq!(v.cause, Cause::Reset);
    assert!(v.findings[0].signs_against.iter().any(|sign| sign.key.as_str() == "reset_sender_unknown"));
    assert_eq!(v.findings[0].confidence, Confidence::Likely);
}

#[test]
fn a_reset_that_a_write_took_is_still_a_reset() {
    for close in [Close::Open, Close::EndOfFile, Close::Failed(Errno::EPIPE), Close::IdleLimit] {
        let mut e = live(close);
        e.write_error = Some(Errno::ECONNRESET);
        assert_eq!(cause_of(&e), Cause::Reset, "{close:?}");
    }
}

#[test]
fn a_reset_while_our_probe_is_unacknowledged_is_a_lost_nat() {
    let mut e = live(Close::Reset);
    silent(&mut e, 4, Probe::Unacknowledged);
    let v = verdict(&e);
    assert_eq!((v.cause, detail_of(&v)), (Cause::PathLost, "nat_lost"));
    assert_eq!(v.detail.unwrap().params["silence_ms"], 4000);
    assert_eq!(v.findings[0].confidence, Confidence::Strong);
}

#[test]
fn a_reset_that_came_before_our_probe_could_be_answered_is_a_reset() {
    let mut e = live(Close::Reset);
    silent(&mut e, 3, Probe::Unacknowledged);
    let rtt_us = 600_000;
    e.tcp = e.tcp.map(|tcp| TcpFacts { rtt_us, ..tcp });
    for (probe_ms_ago, cause) in [(0, Cause::Reset), (199, Cause::Reset), (200, Cause::PathLost)] {
        e.silence.probe_ms_ago = probe_ms_ago;
        assert_eq!(cause_of(&e), cause, "{probe_ms_ago} ms after the probe");
    }
}

#[test]
fn a_reset_after_silence_in_which_our_probe_was_acknowledged_is_a_frozen_program_killed() {
    let mut e = live(Close::Reset);
    silent(&mut e, 10, Probe::Acknowledged);
    assert_eq!(judged(&e), (Cause::Reset, "killed_while_frozen".into()));
    e.silence.ms = 500;
    assert_eq!(judged(&e), (Cause::Reset, "at_message_boundary".into()), "bytes came after the probe");
}

#[test]
fn silence_is_no_collapse_although_the_drift_grows_in_it() {
    for (close, cause) in [(Close::EndOfFile, Cause::EndOfFile), (Close::Reset, Cause::Reset)] {
        let mut e = live(close);
        silent(&mut e, 8, Probe::Acknowledged);
        assert_eq!(cause_of(&e), cause);
    }
}

#[test]
fn bytes_that_stay_unacknowledged_until_tcp_gives_up_are_a_lost_path() {
    let mut e = live(Close::TimedOut);
    silent(&mut e, 20, Probe::Unacknowledged);
    e.tcp.as_mut().unwrap().retransmits = 7;
    let v = verdict(&e);
    assert_eq!((v.cause, detail_of(&v)), (Cause::PathLost, "path_lost"));
    let params = v.detail.unwrap().params;
    assert_eq!((&params["unacked_ms"], &params["silence_ms"]), (&17_000.into(), &20_000.into()));
    assert_eq!(params["retransmits"], 7);
}

#[test]
fn a_timeout_that_a_write_took_is_a_lost_path() {
    for close in [Close::Open, Close::EndOfFile] {
        let mut e = live(close);
        silent(&mut e, 20, Probe::Unacknowledged);
        e.write_error = Some(Errno::ETIMEDOUT);
        assert_eq!(cause_of(&e), Cause::PathLost, "{close:?}");
    }
}

#[test]
fn a_path_that_had_been_suspect_before_is_told() {
    let mut e = live(Close::TimedOut);
    let kind = EventKind::PathSuspect.number();
    e.events.push(EventCount { kind, count: 3, ..EventCount::default() });
    let signs = verdict(&e).findings.remove(0).signs_for;
    assert!(signs.iter().any(|sign| sign.key.as_str() == "path_suspect_before" && sign.params["times"] == 3));
}

#[test]
fn an_icmp_report_is_13() {
    for errno in [Errno::EHOSTUNREACH, Errno::ENETUNREACH] {
        let v = verdict(&live(Close::Unreachable(errno)));
        assert_eq!((v.cause, detail_of(&v)), (Cause::Unreachable, "icmp_unreachable"));
        assert_eq!(cause_of(&live(Close::Failed(errno))), Cause::Unreachable);
    }
    let mut e = live(Close::EndOfFile);
    e.write_error = Some(Errno::EHOSTUNREACH);
    assert_eq!(cause_of(&e), Cause::Unreachable);
}

#[test]
fn a_failed_write_is_14_only_when_the_receive_side_shows_nothing() {
    let mut e = live(Close::Open);
    e.write_error = Some(Errno::EPIPE);
    let v = verdict(&e);
    assert_eq!((v.cause, detail_of(&v)), (Cause::SendFailed, "send_failed"));
    assert_eq!(v.detail.unwrap().params["errno"], 32);
    assert_eq!(cause_of(&live(Close::Failed(Errno::EPIPE))), Cause::SendFailed);
    e.close = Close::EndOfFile;
    assert_eq!(cause_of(&e), Cause::EndOfFile);
    e.close = Close::Reset;
    assert_eq!(cause_of(&e), Cause::Reset);
}

#[test]
fn a_socket_that_our_own_host_took_away_is_our_failure() {
    for errno in [Errno::ECONNABORTED, Errno::ENOMEM, Errno::ENOBUFS, Errno::EBADF] {
        assert_eq!(cause_of(&live(Close::Failed(errno))), Cause::TaskFailed);
    }
}

#[test]
fn a_lost_transport_is_17_with_its_kind() {
    for (transport, detail) in
        [(Transport::Rtmps, ""), (Transport::Srt, "peer_timeout"), (Transport::Whip, "consent_lost")]
    {
        let mut e = live(Close::TransportLost);
        e.transport = transport;
        assert_eq!(judged(&e), (Cause::TransportLost, detail.to_owned()));
    }
}

#[test]
fn a_closed_port_behind_datagrams_is_a_reset_and_no_collapse_or_router_is_read_into_it() {
    for transport in [Transport::Srt, Transport::Whip] {
        let mut e = live(Close::Reset);
        silent(&mut e, 4, Probe::Unacknowledged);
        (e.transport, e.tcp) = (transport, None);
        assert_eq!(judged(&e), (Cause::Reset, "peer_port_closed".to_owned()));
    }
}

#[test]
fn webrtc_over_tcp_ends_as_any_other_connection_does() {
    for (close, row) in [(Close::EndOfFile, Cause::EndOfFile), (Close::Reset, Cause::Reset)] {
        let mut e = live(close);
        e.transport = Transport::Whip;
        assert_eq!(judged(&e), (row, "at_message_boundary".to_owned()));
    }
    let mut e = live(Close::TransportLost);
    e.transport = Transport::Whip;
    assert_eq!(judged(&e), (Cause::TransportLost, "consent_lost".to_owned()));
}

#[test]
fn the_idle_limit_is_8_without_any_media_and_20_after_some() {
    let mut e = live(Close::IdleLimit);
    silent(&mut e, 70, Probe::Acknowledged);
    assert_eq!(judged(&e), (Cause::MediaStopped, "host_alive".into()));
    e.media.messages = 0;
    e.media.last_ms_ago = None;
    assert_eq!(judged(&e), (Cause::NeverSentMedia, "host_alive".into()));
}

#[test]
fn a_client_that_answers_pings_has_a_stalled_encoder() {
    let mut e = live(Close::IdleLimit);
    silent(&mut e, 70, Probe::Answered);
    let v = verdict(&e);
    assert_eq!((v.cause, detail_of(&v)), (Cause::MediaStopped, "encoder_stalled"));
    let params = v.detail.unwrap().params;
    assert_eq!((&params["silence_ms"], &params["limit_ms"]), (&70_000.into(), &70_000.into()));
}

#[test]
fn only_a_client_that_has_answered_a_ping_before_is_called_frozen() {
    let mut e = live(Close::IdleLimit);
    silent(&mut e, 70, Probe::Acknowledged);
    let v = verdict(&e);
    assert!(v.findings[0].signs_against.iter().any(|sign| sign.key.as_str() == "never_answered_ping"));
    e.client.answered_ping = true;
    assert_eq!(judged(&e), (Cause::MediaStopped, "encoder_frozen".into()));
}

#[test]
fn bytes_without_media_are_no_frozen_program() {
    let mut e = live(Close::IdleLimit);
    silent(&mut e, 70, Probe::Acknowledged);
    e.client.answered_ping = true;
    e.silence.ms = 300;
    assert_eq!(judged(&e), (Cause::MediaStopped, "data_without_media".into()));
    e.silence.probe = Probe::None;
    assert_eq!(judged(&e), (Cause::MediaStopped, "data_without_media".into()));
}

#[test]
fn an_idle_limit_shorter_than_the_probes_delay_says_no_more_than_it_knows() {
    let mut e = live(Close::IdleLimit);
    silent(&mut e, 2, Probe::None);
    assert_eq!(judged(&e), (Cause::MediaStopped, String::new()));
}

#[test]
fn an_idle_limit_with_a_retransmitting_probe_is_a_lost_path() {
    let mut e = live(Close::IdleLimit);
    silent(&mut e, 10, Probe::Unacknowledged);
    let v = verdict(&e);
    assert_eq!(v.cause, Cause::MediaStopped);
    assert_eq!(v.findings[1].cause, Cause::PathLost);
    e.tcp.as_mut().unwrap().retransmits = 3;
    assert_eq!(judged(&e), (Cause::PathLost, "path_lost".into()));
    e.media.messages = 0;
    assert_eq!(cause_of(&e), Cause::PathLost);
}

#[test]
fn segments_behind_a_hole_in_the_silence_point_at_the_path_and_away_from_a_frozen_program() {
    let mut e = live(Close::IdleLimit);
    silent(&mut e, 69, Probe::Acknowledged);
    seconds(&mut e, 1, |_| Sample { ooo: 2, ..Sample::default() });
    e.silence.ms = 70_000;
    e.client.answered_ping = true;
    let v = verdict(&e);
    assert_eq!((v.cause, detail_of(&v)), (Cause::MediaStopped, "host_alive"));
    assert_eq!(v.findings[1].cause, Cause::PathLost);
}

#[test]
fn our_own_window_closed_at_the_end_is_our_failure() {
    for close in [Close::EndOfFile, Close::Reset, Close::IdleLimit] {
        let mut e = live(close);
        seconds(&mut e, 4, |_| Sample { wnd_closed: true, ..healthy(0) });
        let v = verdict(&e);
        assert_eq!((v.cause, detail_of(&v)), (Cause::PipelineFailed, "own_window_closed"), "{close:?}");
        assert_eq!(v.detail.unwrap().params["closed_ms"], 4000);
    }
}

#[test]
fn our_own_window_closed_two_seconds_before_the_end_counts_and_three_is_a_finding() {
    let mut e = live(Close::EndOfFile);
    seconds(&mut e, 1, |_| Sample { wnd_closed: true, ..healthy(0) });
    seconds(&mut e, 2, healthy);
    assert_eq!(verdict(&e).detail.unwrap().params["before_ms"], 2000);
    seconds(&mut e, 1, healthy);
    let v = verdict(&e);
    assert_eq!(v.cause, Cause::EndOfFile);
    assert_eq!(
        (v.findings[1].cause, v.findings[1].confidence),
        (Cause::PipelineFailed, Confidence::Possible)
    );
}

#[test]
fn a_window_seen_closed_only_at_the_very_end_counts() {
    let mut e = live(Close::EndOfFile);
    e.tcp.as_mut().unwrap().rcv_wnd = 0;
    assert_eq!(cause_of(&e), Cause::PipelineFailed);
}

#[test]
fn a_kernel_that_does_not_tell_the_window_makes_no_failure_of_ours() {
    let mut e = live(Close::EndOfFile);
    e.timeline = Default::default();
    seconds(&mut e, 30, |n| Sample { wnd_closed: true, ..healthy(n) });
    e.tcp.as_mut().unwrap().rcv_wnd = 0;
    assert_eq!(cause_of(&e), Cause::EndOfFile);
}

#[test]
fn a_goodbye_wins_over_our_closed_window() {
    let mut e = live(Close::EndOfFile);
    seconds(&mut e, 4, |_| Sample { wnd_closed: true, ..healthy(0) });
    e.goodbye = Some(crate::evidence::Goodbye::DeleteStream);
    assert_eq!(cause_of(&e), Cause::DeleteStream);
}

#[test]
fn what_tcp_tells_of_a_load_balancers_leg_is_marked() {
    let mut e = live(Close::Reset);
    silent(&mut e, 4, Probe::Unacknowledged);
    e.behind_proxy = true;
    let main = verdict(&e).findings.remove(0);
    assert_eq!(main.confidence, Confidence::Likely);
    assert!(main.signs_against.iter().any(|sign| sign.text(Lang::En).contains("balancer")));
}

#[test]
fn a_habit_of_the_client_is_told_where_it_looks_like_a_fault() {
    let habits = |e: &crate::Evidence| {
        let v = verdict(e);
        let signs = v.findings.into_iter().flat_map(|f| f.signs_for.into_iter().chain(f.signs_against));
        signs
            .filter(|sign| sign.key.as_str() == "client_habit")
            .map(|sign| sign.text(Lang::En))
            .collect::<Vec<_>>()
    };
    let mut e = live(Close::IdleLimit);
    silent(&mut e, 70, Probe::Acknowledged);
    assert!(habits(&e).is_empty());
    e.client.encoder = Some("obs-output module (libobs version 29.0.2)".to_owned());
    assert_eq!(habits(&e), ["It is a habit of OBS: it answers no pings."]);
    let mut e = live(Close::Reset);
    e.client.encoder = Some("Lavf59.27.100".to_owned());
    assert!(habits(&e).is_empty(), "without a goodbye the reset is none of its habits");
    e.goodbye = Some(crate::evidence::Goodbye::DeleteStream);
    assert_eq!(habits(&e).len(), 1);
}
