//! Acts by which the registry refuses a push.

use std::time::Duration;

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};

pub(super) fn too_many(have: u32, limit: u32) -> Act {
    let detail =
        Detail::new(DetailKey::LimitOf).with("scope", "stream").with("have", have).with("limit", limit);
    Act { code: Cause::TooManyPushesOfStream.code(), detail: Some(detail) }
}

pub(super) fn unreachable(reason: &str, waited_ms: u64) -> Act {
    refusal(Cause::RegistryUnreachable, reason, waited_ms)
}

pub(super) fn refusal(cause: Cause, reason: &str, waited_ms: u64) -> Act {
    let detail = Detail::new(DetailKey::RegistryError).with("reason", reason).with("waited_ms", waited_ms);
    Act { code: cause.code(), detail: Some(detail) }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
