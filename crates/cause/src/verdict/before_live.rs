//! Rule 5: pushes that ended before they were live are told by the stage they had reached.

use super::Ruling;
use crate::detail::{Detail, DetailKey};
use crate::evidence::{Close, Evidence, Stage};
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
    match e.close {
        Close::SetupLimit | Close::IdleLimit => Detail::new(DetailKey::SetupLimit)
            .with_some("limit_ms", (e.limits.setup_ms > 0).then_some(e.limits.setup_ms)),
        close => Detail::new(DetailKey::SetupClosed)
            .with("close", close.as_str())
            .with_some("after_ms", (e.lived_ms > 0).then_some(e.lived_ms)),
    }
}
