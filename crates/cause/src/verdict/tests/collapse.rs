//! Row 15: what is a collapse of the uplink, and what only looks like one. The figures are those measured.

use super::build::*;
use crate::Cause;
use crate::evidence::{Close, Evidence, Goodbye, Probe};
use crate::timeline::Sample;
use crate::verdict::verdict;

/// `count` seconds in which the push falls behind by `drift_ms` a second.
fn behind(e: &mut Evidence, count: u32, drift_ms: i32, second: Sample) {
    seconds(e, count, |n| Sample { lag_ms: 40 + drift_ms * n as i32, ..second });
}

/// An uplink of 700 kbit/s for a push of 1500: the round trip grows from 50 to 376 ms.
fn narrow() -> Sample {
    Sample { bytes: 87_000, rcv_rtt_us: 376_000, trickle_ms: 940, ..healthy(0) }
}

/// 13 of 30 frames, at a calm network.
fn overloaded_encoder() -> Sample {
    Sample { bytes: 80_000, video: 13, ..healthy(0) }
}

#[test]
fn a_narrow_uplink_before_an_end_of_file_or_a_reset_is_15() {
    for close in [Close::EndOfFile, Close::Reset] {
        let mut e = live(close);
        behind(&mut e, 6, 600, narrow());
        let v = verdict(&e);
        assert_eq!((v.cause, detail_of(&v)), (Cause::UplinkCollapsed, "collapse"));
        let params = v.detail.unwrap().params;
        assert_eq!(params["drift_ms"], 3600);
        assert!(params["rcv_rtt_ms"].as_u64() > Some(350) && params["baseline_ms"].as_u64() < Some(60));
    }
}

#[test]
fn it_says_that_a_person_or_a_kill_looks_the_same() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 6, 600, narrow());
    let findings = verdict(&e).findings;
    assert!(findings[0].signs_against.iter().any(|sign| sign.key.as_str() == "stop_looks_same"));
    assert_eq!(findings[1].cause, Cause::EndOfFile);
}

#[test]
fn an_overloaded_encoder_is_no_collapse() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 10, 550, overloaded_encoder());
    let v = verdict(&e);
    assert_eq!(v.cause, Cause::EndOfFile);
    let other = v.findings.iter().find(|finding| finding.cause == Cause::UplinkCollapsed).unwrap();
    let against: Vec<_> = other.signs_against.iter().map(|sign| sign.key.as_str()).collect();
    assert_eq!(against, ["rtt_flat", "encoder_slow"]);
}

#[test]
fn packet_loss_that_the_push_keeps_up_with_is_no_collapse() {
    let mut e = live(Close::Reset);
    seconds(&mut e, 10, |n| Sample { ooo: 70, ..healthy(n) });
    assert_eq!(cause_of(&e), Cause::Reset);
}

#[test]
fn packet_loss_behind_which_the_push_falls_behind_is_a_collapse() {
    let mut e = live(Close::Reset);
    behind(&mut e, 6, 300, Sample { ooo: 70, ..healthy(0) });
    assert_eq!(cause_of(&e), Cause::UplinkCollapsed);
}

#[test]
fn loss_that_was_there_all_along_does_not_explain_a_sudden_lag() {
    let mut e = live(Close::Reset);
    e.timeline = Default::default();
    seconds(&mut e, 60, |n| Sample { ooo: 20, ..healthy(n) });
    behind(&mut e, 6, 300, Sample { ooo: 20, ..overloaded_encoder() });
    assert_eq!(cause_of(&e), Cause::Reset);
}

#[test]
fn video_gone_while_audio_flows_is_a_collapse_once_the_push_fell_behind() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 4, 500, Sample { video: 20, ..healthy(0) });
    // The audio has caught up since the video was dropped.
    seconds(&mut e, 4, |_| Sample { video: 0, bytes: 16_000, lag_ms: 300, ..healthy(0) });
    let v = verdict(&e);
    assert_eq!(v.cause, Cause::UplinkCollapsed);
    assert_eq!(v.detail.unwrap().params["video_gone_ms"], 4000);
}

#[test]
fn video_gone_for_longer_than_the_window_still_counts_when_the_push_falls_behind() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 20, 200, Sample { video: 0, bytes: 16_000, ..healthy(0) });
    assert_eq!(cause_of(&e), Cause::UplinkCollapsed);
}

#[test]
fn sound_alone_that_falls_behind_is_no_collapse() {
    let mut e = live(Close::EndOfFile);
    e.timeline = Default::default();
    seconds(&mut e, 60, |n| Sample { video: 0, bytes: 16_000, ..healthy(n) });
    behind(&mut e, 10, 300, Sample { video: 0, bytes: 12_000, ..healthy(0) });
    assert_eq!(cause_of(&e), Cause::EndOfFile);
}

#[test]
fn video_gone_without_falling_behind_is_no_collapse() {
    let mut e = live(Close::EndOfFile);
    seconds(&mut e, 4, |_| Sample { video: 0, bytes: 16_000, ..healthy(0) });
    assert_eq!(cause_of(&e), Cause::EndOfFile);
}

#[test]
fn a_fall_of_bitrate_or_frame_rate_alone_is_never_a_collapse() {
    let mut e = live(Close::EndOfFile);
    seconds(&mut e, 10, |_| Sample { bytes: 20_000, video: 8, ..healthy(0) });
    assert_eq!(cause_of(&e), Cause::EndOfFile);
}

#[test]
fn a_collapse_that_recovered_does_not_explain_a_later_end() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 6, 600, narrow());
    seconds(&mut e, 12, healthy);
    assert_eq!(cause_of(&e), Cause::EndOfFile);
}

#[test]
fn noise_of_a_lan_is_no_collapse() {
    let mut e = live(Close::EndOfFile);
    e.timeline = Default::default();
    seconds(&mut e, 60, |n| Sample { rcv_rtt_us: 300, ..healthy(n) });
    behind(&mut e, 6, 550, Sample { rcv_rtt_us: 4_000, ..overloaded_encoder() });
    assert_eq!(cause_of(&e), Cause::EndOfFile);
}

#[test]
fn one_slow_second_is_noise() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 5, 550, overloaded_encoder());
    seconds(&mut e, 1, |_| Sample { lag_ms: 3300, rcv_rtt_us: 400_000, ..overloaded_encoder() });
    assert_eq!(cause_of(&e), Cause::EndOfFile);
}

#[test]
fn a_young_push_without_a_past_is_judged_by_how_its_messages_arrive() {
    let mut e = live(Close::EndOfFile);
    e.timeline = crate::timeline::Timeline::default();
    behind(&mut e, 7, 600, narrow());
    assert_eq!(verdict(&e).cause, Cause::UplinkCollapsed);
    e.timeline = crate::timeline::Timeline::default();
    behind(&mut e, 6, 600, Sample { trickle_ms: 0, ..narrow() });
    assert_eq!(verdict(&e).cause, Cause::EndOfFile, "a round trip without a baseline claims nothing");
}

#[test]
fn what_slow_start_costs_a_young_push_on_a_long_path_is_no_collapse() {
    let mut e = live(Close::Reset);
    e.timeline = crate::timeline::Timeline::default();
    let opening = Sample { rcv_rtt_us: 1_000_000, trickle_ms: 980, ..narrow() };
    behind(&mut e, 2, 800, opening);
    assert_eq!(cause_of(&e), Cause::Reset, "it had lived for two seconds");
    seconds(&mut e, 10, |_| Sample { lag_ms: 1700, rcv_rtt_us: 1_000_000, ..healthy(0) });
    assert_eq!(cause_of(&e), Cause::Reset, "it never caught up, and fell behind no further");
}

#[test]
fn a_long_congestion_does_not_become_its_own_baseline() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 120, 600, narrow());
    assert_eq!(cause_of(&e), Cause::UplinkCollapsed);
}

#[test]
fn a_collapse_before_a_short_silence_counts_and_after_an_answered_probe_not() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 6, 600, narrow());
    silent(&mut e, 5, Probe::Acknowledged);
    assert_eq!(cause_of(&e), Cause::UplinkCollapsed);
    e.silence.probe = Probe::Answered;
    assert_eq!(cause_of(&e), Cause::EndOfFile);
}

#[test]
fn a_goodbye_after_a_collapse_is_a_goodbye_with_a_finding() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 6, 600, narrow());
    e.goodbye = Some(Goodbye::DeleteStream);
    let v = verdict(&e);
    assert_eq!(v.cause, Cause::DeleteStream);
    assert_eq!(v.findings[1].cause, Cause::UplinkCollapsed);
}

#[test]
fn our_own_closed_window_explains_a_lag_before_the_network_does() {
    let mut e = live(Close::Reset);
    behind(&mut e, 6, 600, Sample { wnd_closed: true, ..narrow() });
    assert_eq!(cause_of(&e), Cause::PipelineFailed);
}

/// Measured on a path of a millisecond behind 700 kbit/s: its round trip is no longer than an overloaded encoder's pauses.
#[test]
fn a_thin_uplink_on_a_short_path_is_told_by_messages_that_trickle_in() {
    let mut e = live(Close::EndOfFile);
    behind(
        &mut e,
        10,
        570,
        Sample { bytes: 84_000, video: 13, audio: 19, rcv_rtt_us: 110_000, trickle_ms: 930, ..healthy(0) },
    );
    assert_eq!(verdict(&e).cause, Cause::UplinkCollapsed);
}

/// An encoder at 13 frames a second pauses for 77 ms after each, and that is what the kernel then measures.
#[test]
fn an_overloaded_encoder_on_a_short_path_is_no_collapse_though_its_pauses_look_like_a_round_trip() {
    let mut e = live(Close::EndOfFile);
    e.timeline = crate::timeline::Timeline::default();
    e.tcp = e.tcp.map(|tcp| crate::evidence::TcpFacts { rtt_us: 57, ..tcp });
    seconds(&mut e, 12, |n| Sample {
        bytes: 51_000,
        video: 13,
        audio: 13,
        lag_ms: 550 * n as i32,
        rcv_rtt_us: 76_000,
        trickle_ms: 20,
        ..healthy(0)
    });
    assert_eq!(verdict(&e).cause, Cause::EndOfFile);
}

/// Measured: ffmpeg at 6 small frames a second over loopback shows 2.2 s of `rcv_rtt`, and no message comes in pieces.
#[test]
fn a_slow_encoder_of_few_bytes_is_no_collapse_whatever_the_kernel_says_of_the_round_trip() {
    let mut e = live(Close::EndOfFile);
    behind(&mut e, 10, 600, Sample { bytes: 9_000, video: 6, audio: 0, rcv_rtt_us: 2_200_000, ..healthy(0) });
    assert_eq!(verdict(&e).cause, Cause::EndOfFile);
}

/// Measured behind 250 kbit/s: the path fell silent for 3.8 s while TCP waited to send again, and the killed encoder's
/// reset met our probe.
#[test]
fn a_reset_that_meets_our_probe_behind_a_collapsed_uplink_is_the_collapse_and_no_router() {
    let mut e = live(Close::Reset);
    behind(&mut e, 10, 600, narrow());
    e.silence = crate::evidence::Silence {
        ms: 3_800,
        probe: crate::evidence::Probe::Unacknowledged,
        probe_ms_ago: 700,
    };
    assert_eq!(verdict(&e).cause, Cause::UplinkCollapsed);
    let mut calm = live(Close::Reset);
    calm.silence = e.silence;
    assert_eq!(verdict(&calm).cause, Cause::PathLost);
}
