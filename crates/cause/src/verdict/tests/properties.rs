//! What holds for any evidence whatever.

use proptest::prelude::*;
use proptest::sample::select;

use super::build::*;
use crate::evidence::{
    Act, Close, CutMessage, Errno, Evidence, FaultKind, MediaState, Probe, Silence, Stage, TcpFacts,
    Transport,
};
use crate::timeline::Sample;
use crate::verdict::{Confidence, verdict};
use crate::{Cause, Lang};

fn any_close() -> impl Strategy<Value = Close> {
    prop_oneof![
        4 => select(CLOSES.to_vec()),
        1 => Just(Close::Unreadable),
        2 => (0..140i32).prop_map(|n| Close::Failed(Errno(n))),
    ]
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let traffic = (prop_oneof![Just(0u64), 1..10_000_000u64], 0..300u32, 0..300u32);
    let network = (-100_000..100_000i32, 0..2_000_000u32, 0..200u32, prop::bool::weighted(0.2));
    (traffic, network).prop_map(|((bytes, video, audio), (lag_ms, rcv_rtt_us, ooo, wnd_closed))| Sample {
        bytes,
        video,
        audio,
        lag_ms,
        rcv_rtt_us,
        ooo,
        wnd_closed,
        ..Sample::default()
    })
}

fn any_tcp() -> impl Strategy<Value = TcpFacts> {
    (any::<[u8; 3]>(), any::<[u32; 6]>()).prop_map(|([state, retransmits, probes], [a, b, c, d, e, f])| {
        TcpFacts {
            state,
            retransmits,
            probes,
            rtt_us: a,
            rcv_rtt_us: b,
            unacked: c,
            rcv_wnd: d % 3,
            bytes_received: u64::from(e),
            send_queue: f,
            ..TcpFacts::default()
        }
    })
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    let probes = vec![Probe::None, Probe::Unacknowledged, Probe::Acknowledged, Probe::Answered];
    let kinds =
        vec![FaultKind::Protocol, FaultKind::MessageTooLarge, FaultKind::CommandAmf, FaultKind::Media];
    let acts = (0..50u16, 0..700u16).prop_map(|(a, b)| Act { code: model::Code::new(a, b), detail: None });
    let transports = vec![Transport::Rtmp, Transport::Rtmps, Transport::Srt, Transport::Whip];
    let end = (
        select(transports),
        prop_oneof![3 => Just(Stage::Live), 1 => select(STAGES.to_vec())],
        any_close(),
        prop::option::weighted(0.2, select(GOODBYES.to_vec())),
        prop::option::weighted(0.2, acts),
        prop::option::weighted(0.2, select(kinds)),
        prop::option::weighted(0.3, (0..140i32).prop_map(Errno)),
    );
    let state = (
        (any::<u64>(), any::<Option<u64>>(), any::<u64>()),
        (any::<u64>(), select(probes), any::<u64>()),
        prop::option::of(any_tcp()),
        prop::option::of(any::<(u8, u32, u32)>()),
        any::<(bool, bool)>(),
        prop::collection::vec((any_sample(), 0..4u32), 0..80),
    );
    (end, state).prop_map(|(end, state)| {
        let (transport, stage, close, goodbye, act, kind, write_error) = end;
        let (media, silence, tcp, cut, (behind_proxy, answered_ping), samples) = state;
        let mut e = Evidence::new(transport);
        (e.stage, e.close, e.goodbye, e.act, e.write_error) = (stage, close, goodbye, act, write_error);
        e.fault = kind.map(fault);
        e.tcp = tcp;
        e.behind_proxy = behind_proxy;
        e.client.answered_ping = answered_ping;
        e.media =
            MediaState { messages: media.0, last_ms_ago: media.1, live_ms: media.2, ..MediaState::default() };
        e.silence = Silence { ms: silence.0, probe: silence.1, probe_ms_ago: silence.2 };
        e.cut_message = cut.map(|(message_type, have, want)| CutMessage { message_type, have, want });
        let mut at_s = 0;
        for (sample, gap) in samples {
            at_s += gap;
            e.timeline.push(Sample { at_s, span_s: 1, ..sample });
        }
        e
    })
}

proptest! {
    #[test]
    fn any_evidence_has_one_verdict_that_survives_storing(e in any_evidence()) {
        let first = verdict(&e);
        prop_assert_eq!(&verdict(&e), &first);
        let stored = Evidence::decode(&e.encode()).unwrap();
        prop_assert_eq!(&verdict(&stored), &first);
        let json = serde_json::to_string(&e).unwrap();
        prop_assert_eq!(&verdict(&serde_json::from_str(&json).unwrap()), &first);
    }

    #[test]
    fn the_causes_own_finding_comes_first_and_no_other_is_surer(e in any_evidence()) {
        let v = verdict(&e);
        prop_assert_eq!(v.findings[0].cause, v.cause);
        prop_assert!(v.findings.iter().all(|finding| finding.confidence <= v.findings[0].confidence));
        prop_assert!(v.findings[1..].iter().all(|finding| finding.cause != v.cause));
        prop_assert_eq!(v.cause == Cause::Unknown, v.findings[0].confidence == Confidence::Possible);
    }

    #[test]
    fn every_detail_and_sign_is_worded_in_every_language(e in any_evidence()) {
        let v = verdict(&e);
        let signs = v.findings.iter().flat_map(|finding| finding.signs_for.iter().chain(&finding.signs_against));
        for detail in v.detail.iter().chain(signs) {
            for lang in [Lang::Ja, Lang::En, Lang::Zh] {
                let text = detail.text(lang);
                prop_assert!(!text.is_empty() && !text.contains(['{', '}']), "{:?}: {}", detail.key, text);
            }
        }
    }

    #[test]
    fn a_detail_appears_only_under_the_causes_it_is_made_for(mut e in any_evidence()) {
        e.act = None;
        let v = verdict(&e);
        if let Some(detail) = v.detail {
            prop_assert!(detail.key.causes().contains(&v.cause), "{} under {}", detail.key, v.cause);
            for name in detail.params.keys() {
                prop_assert!(detail.key.params().iter().any(|(param, _)| param == name), "{name} of {}", detail.key);
            }
        }
    }

    #[test]
    fn a_goodbye_of_a_live_push_wins_over_anything_that_the_socket_says(
        mut e in any_evidence(),
        goodbye in select(GOODBYES.to_vec()),
        close in select(CLOSES.to_vec()),
        errno in prop::option::of(0..140i32),
    ) {
        prop_assume!(!matches!(close, Close::NodeDied | Close::TaskFailed));
        e.stage = Stage::Live;
        e.act = None;
        e.goodbye = Some(goodbye);
        e.close = close;
        e.write_error = errno.map(Errno);
        let cause = cause_of(&e);
        prop_assert!(matches!(cause, Cause::DeleteStream | Cause::CloseStream | Cause::TransportGoodbye));
    }

    #[test]
    fn an_act_wins_over_anything_that_the_client_does(mut e in any_evidence(), cause in select(Cause::ALL.to_vec())) {
        prop_assume!(!matches!(e.close, Close::NodeDied | Close::TaskFailed | Close::Unreadable));
        e.act = act(cause);
        prop_assert_eq!(cause_of(&e), cause);
    }

    #[test]
    fn a_known_end_of_a_live_push_is_never_unknown(mut e in any_evidence(), close in select(CLOSES.to_vec())) {
        let known = !matches!(close, Close::Open | Close::SetupLimit | Close::Failed(_));
        prop_assume!(known);
        e.stage = Stage::Live;
        e.act = None;
        e.close = close;
        prop_assert_ne!(cause_of(&e), Cause::Unknown);
    }
}
