//! Rows 22, 25-32: left before live. Rows 6, 7, 23, 33: broken rules.

use super::build::*;
use crate::Cause;
use crate::evidence::{
    CarrierFacts, Close, Errno, FaultKind, Goodbye, Stage, TlsFacts, TlsFailure, TlsFailureKind, Transport,
    WebRtcFacts, WebRtcStep,
};
use crate::verdict::{Confidence, verdict};

#[test]
fn before_live_the_stage_decides_however_the_connection_ended() {
    let rows = [
        (Stage::NoBytes, Cause::LeftBeforeFirstByte),
        (Stage::TlsHandshake, Cause::LeftInTlsHandshake),
        (Stage::SrtHandshake, Cause::LeftInSrtHandshake),
        (Stage::WebrtcSetup, Cause::LeftInWebrtcSetup),
        (Stage::RtmpHandshake, Cause::LeftInRtmpHandshake),
        (Stage::BeforeConnect, Cause::LeftBeforeConnect),
        (Stage::Connected, Cause::LeftAfterConnect),
        (Stage::StreamCreated, Cause::LeftBeforePublish),
        (Stage::AuthHook, Cause::LeftInAuthHook),
        (Stage::Admission, Cause::LeftBeforePublish),
    ];
    let closes =
        [Close::EndOfFile, Close::Reset, Close::TimedOut, Close::Failed(Errno::EPIPE), Close::TransportLost];
    for (stage, cause) in rows {
        for close in closes {
            assert_eq!(judged(&early(stage, close)), (cause, "setup_closed".into()), "{stage:?} {close:?}");
        }
        assert_eq!(judged(&early(stage, Close::SetupLimit)), (cause, "setup_limit".into()), "{stage:?}");
        assert_eq!(verdict(&early(stage, Close::Reset)).findings[0].confidence, Confidence::Certain);
    }
}

#[test]
fn set_up_of_webrtc_says_which_step_did_not_come_about() {
    let end = |step, close| {
        let mut e = early(Stage::WebrtcSetup, close);
        e.carrier = Some(CarrierFacts::WebRtc(Box::new(WebRtcFacts { step, ..WebRtcFacts::default() })));
        e
    };
    let row = |key: &str| (Cause::LeftInWebrtcSetup, key.into());
    assert_eq!(judged(&end(WebRtcStep::Answered, Close::SetupLimit)), row("webrtc_no_path"));
    assert_eq!(judged(&end(WebRtcStep::Checked, Close::SetupLimit)), row("webrtc_no_dtls"));
    assert_eq!(judged(&end(WebRtcStep::Dtls, Close::TransportLost)), row("webrtc_no_dtls"));
    let mut taken_back = end(WebRtcStep::Checked, Close::Open);
    taken_back.goodbye = Some(Goodbye::WhipDelete);
    assert_eq!(judged(&taken_back), row("setup_closed"));
    let mut unusable = early(Stage::WebrtcSetup, Close::Open);
    unusable.fault = Some(fault(FaultKind::Protocol));
    assert_eq!(judged(&unusable), row("webrtc_offer"));
}

#[test]
fn a_goodbye_before_any_publish_leaves_the_stage_to_decide() {
    let mut e = early(Stage::StreamCreated, Close::EndOfFile);
    e.goodbye = Some(Goodbye::DeleteStream);
    assert_eq!(cause_of(&e), Cause::LeftBeforePublish);
}

#[test]
fn a_goodbye_while_the_hook_decides_is_leaving_the_hook_and_one_while_the_journal_decides_is_a_goodbye() {
    let mut e = early(Stage::AuthHook, Close::EndOfFile);
    e.goodbye = Some(Goodbye::DeleteStream);
    assert_eq!(cause_of(&e), Cause::LeftInAuthHook);
    e.stage = Stage::Admission;
    assert_eq!(cause_of(&e), Cause::DeleteStream);
}

#[test]
fn a_broken_rule_has_its_row_at_any_stage_of_rtmp() {
    let rows = [
        (FaultKind::Protocol, Cause::ProtocolBroken, "rule"),
        (FaultKind::MessageTooLarge, Cause::MessageTooLarge, "rule"),
        (FaultKind::CommandAmf, Cause::AmfBroken, "rule"),
        (FaultKind::Media, Cause::MediaBroken, "rule"),
    ];
    for (kind, cause, key) in rows {
        for stage in [Stage::RtmpHandshake, Stage::Connected, Stage::Live] {
            let mut e = early(stage, Close::Open);
            e.fault = Some(fault(kind));
            assert_eq!(judged(&e), (cause, key.to_owned()), "{kind:?} {stage:?}");
        }
    }
}

#[test]
fn a_broken_rule_is_named_with_its_offset() {
    let mut e = live(Close::Open);
    e.fault = Some(fault(FaultKind::Protocol));
    let detail = verdict(&e).detail.unwrap();
    assert_eq!(detail.params["rule"], "chunk_type_3_on_fresh_stream");
    assert_eq!(detail.params["offset"], 3073);
    assert_eq!(detail.params["class"], "invalid");
    assert!(!detail.params.contains_key("path"));
}

#[test]
fn a_message_above_the_limit_is_told_with_both_sizes() {
    let mut e = live(Close::Open);
    e.limits.message_bytes = 4 << 20;
    e.fault = Some(fault(FaultKind::MessageTooLarge));
    e.fault.as_mut().unwrap().length = Some(5 << 20);
    let detail = verdict(&e).detail.unwrap();
    assert_eq!(detail.key.as_str(), "message_limit");
    assert_eq!((&detail.params["size"], &detail.params["limit"]), (&(5 << 20).into(), &(4 << 20).into()));
}

#[test]
fn broken_amf_is_told_with_its_marker_and_offset() {
    let mut e = early(Stage::BeforeConnect, Close::Open);
    e.fault = Some(fault(FaultKind::CommandAmf));
    e.fault.as_mut().unwrap().marker = Some(0x1F);
    let v = verdict(&e);
    assert_eq!((v.cause, detail_of(&v)), (Cause::AmfBroken, "amf_marker"));
    assert_eq!(v.detail.unwrap().params["marker"], 0x1F);
}

#[test]
fn a_broken_tls_handshake_is_no_broken_rtmp() {
    let mut e = early(Stage::TlsHandshake, Close::Open);
    e.fault = Some(fault(FaultKind::Protocol));
    assert_eq!(cause_of(&e), Cause::LeftInTlsHandshake);
}

#[test]
fn a_tls_handshake_tells_whether_it_broke_or_was_left_and_how_far_it_had_come() {
    let left = |tls: TlsFacts, close| {
        let mut e = early(Stage::TlsHandshake, close);
        e.transport = Transport::Rtmps;
        e.carrier = Some(CarrierFacts::Tls(Box::new(tls)));
        judged(&e)
    };
    let tls = (Cause::LeftInTlsHandshake, "");
    let key = |key: &str| (tls.0, key.to_owned());
    let answered = TlsFacts { version: Some("TLSv1.3".into()), ..TlsFacts::default() };
    assert_eq!(left(TlsFacts::default(), Close::EndOfFile), key("setup_closed"));
    assert_eq!(left(answered.clone(), Close::Reset), key("tls_left"));
    assert_eq!(left(answered.clone(), Close::SetupLimit), key("setup_limit"));
    let failed = |kind| Some(TlsFailure { kind, found: "what was found".into() });
    let alert = TlsFacts { failure: failed(TlsFailureKind::Alert), ..answered };
    assert_eq!(left(alert, Close::Open), key("tls_handshake_failed"));
    let plain = TlsFacts { failure: failed(TlsFailureKind::PlainRtmp), ..TlsFacts::default() };
    assert_eq!(left(plain, Close::Open), key("plain_on_tls"));
}

#[test]
fn a_tls_record_that_cannot_be_read_is_a_lost_transport() {
    let mut e = live(Close::TransportLost);
    e.transport = Transport::Rtmps;
    let failure = TlsFailure { kind: TlsFailureKind::Broken, found: "cannot decrypt peer's message".into() };
    e.carrier = Some(CarrierFacts::Tls(Box::new(TlsFacts { failure: Some(failure), ..TlsFacts::default() })));
    let v = verdict(&e);
    assert_eq!((v.cause, detail_of(&v)), (Cause::TransportLost, "tls_broken"));
    assert_eq!(v.detail.unwrap().params["reason"], "cannot decrypt peer's message");
}

#[test]
fn an_end_of_file_over_tls_tells_whether_the_program_closed_it_itself() {
    let mut e = live(Close::EndOfFile);
    e.transport = Transport::Rtmps;
    for (close_notify, key) in [(true, "close_notify"), (false, "no_close_notify")] {
        e.carrier = Some(CarrierFacts::Tls(Box::new(TlsFacts { close_notify, ..TlsFacts::default() })));
        let v = verdict(&e);
        assert_eq!(v.cause, Cause::EndOfFile);
        assert!(v.findings[0].signs_for.iter().any(|sign| sign.key.as_str() == key), "{v:?}");
    }
}

#[test]
fn tls_on_the_plain_port_is_told_as_what_it_is() {
    let mut e = early(Stage::RtmpHandshake, Close::Open);
    e.fault = Some(fault(FaultKind::Protocol));
    e.fault.as_mut().unwrap().rule = crate::verdict::TLS_ON_PLAIN.into();
    assert_eq!(judged(&e), (Cause::ProtocolBroken, "tls_on_plain".to_owned()));
}
