//! Rows 22, 25-32: left before live. Rows 6, 7, 23, 33: broken rules.

use super::build::*;
use crate::Cause;
use crate::evidence::{Close, Errno, FaultKind, Goodbye, Stage};
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
