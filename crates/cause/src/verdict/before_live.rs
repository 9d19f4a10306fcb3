//! Rule 5: pushes that ended before they were live are told by the stage they had reached.

use super::{Ruling, rule_detail};
use crate::detail::{Detail, DetailKey};
use crate::evidence::{CarrierFacts, Close, Evidence, Stage, TlsFacts, TlsFailureKind, WebRtcStep};
use crate::table::Cause;

pub(super) fn left(e: &Evidence) -> Option<Ruling> {
    let cause = match e.stage {
        Stage::NoBytes => Cause::LeftBeforeFirstByte,
        Stage::TlsHandshake => Cause::LeftInTlsHandshake,
        Stage::SrtHandshake => Cause::LeftInSrtHandshake,
        Stage::WebrtcSetup => Cause::LeftInWebrtcSetup,
        Stage::RtmpHandshake => Cause::LeftInRtmpHandshake,
        Stage::BeforeConnect => Cause::LeftBeforeConnect,
        Stage::Connected => Cause::LeftAfterConnect,
        Stage::StreamCreated | Stage::Admission => Cause::LeftBeforePublish,
        Stage::AuthHook => Cause::LeftInAuthHook,
        Stage::Live => return None,
    };
    Some(Ruling::with(cause, how(e)))
}

/// Whether the limit for the stage passed, or how the client's connection ended.
fn how(e: &Evidence) -> Detail {
    if let Some(detail) = e.tls().filter(|_| e.stage == Stage::TlsHandshake).and_then(|tls| in_tls(e, tls)) {
        return detail;
    }
    if let Some(detail) = (e.stage == Stage::WebrtcSetup).then(|| in_webrtc(e)).flatten() {
        return detail;
    }
    // The protocol itself refused the caller, and knows why.
    if let Some(fault) = e.fault.as_ref().filter(|_| e.stage == Stage::SrtHandshake) {
        return rule_detail(fault);
    }
    match e.close {
        Close::SetupLimit | Close::IdleLimit => Detail::new(DetailKey::SetupLimit)
            .with_some("limit_ms", (e.limits.setup_ms > 0).then_some(e.limits.setup_ms)),
        close => Detail::new(DetailKey::SetupClosed)
            .with("close", close.as_str())
            .with_some("after_ms", (e.lived_ms > 0).then_some(e.lived_ms)),
    }
}

/// Which step of WebRTC's set-up did not come about, where the client did not take back its offer itself.
fn in_webrtc(e: &Evidence) -> Option<Detail> {
    if let Some(fault) = &e.fault {
        return Some(Detail::new(DetailKey::WebrtcOffer).with("found", fault.found.as_str()));
    }
    let Some(CarrierFacts::WebRtc(facts)) = &e.carrier else { return None };
    if e.goodbye.is_some() {
        return None;
    }
    match (facts.step, e.close) {
        (WebRtcStep::Answered, Close::SetupLimit) => Some(
            Detail::new(DetailKey::WebrtcNoPath)
                .with_some("limit_ms", (e.limits.setup_ms > 0).then_some(e.limits.setup_ms)),
        ),
        (WebRtcStep::Checked | WebRtcStep::Dtls, _) => Some(
            Detail::new(DetailKey::WebrtcNoDtls)
                .with_some("after_ms", (e.lived_ms > 0).then_some(e.lived_ms))
                .with("checks", facts.checks),
        ),
        _ => None,
    }
}

/// What is known of a TLS handshake that failed, or that the client left after it had seen our certificate.
fn in_tls(e: &Evidence, tls: &TlsFacts) -> Option<Detail> {
    let version = tls.version.as_deref();
    match &tls.failure {
        Some(failure) if failure.kind == TlsFailureKind::PlainRtmp => Some(DetailKey::PlainOnTls.into()),
        Some(failure) => Some(
            Detail::new(DetailKey::TlsHandshakeFailed)
                .with("reason", failure.found.as_str())
                .with_some("version", version),
        ),
        None if version.is_none() || matches!(e.close, Close::SetupLimit | Close::IdleLimit) => None,
        None => Some(
            Detail::new(DetailKey::TlsLeft)
                .with("close", e.close.as_str())
                .with_some("after_ms", (e.lived_ms > 0).then_some(e.lived_ms)),
        ),
    }
}
