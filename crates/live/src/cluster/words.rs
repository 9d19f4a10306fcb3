//! Words of a fixed set are `&'static str` here; what another node sends is matched against the sets, so that nothing it
//! says has to be kept for ever.

use serde::{Deserialize, Deserializer};

/// A word of a fixed set. An alias, since a reader of JSON would else want to borrow it from what it reads.
pub type Word = &'static str;

const PROTOCOLS: [&str; 4] = ["rtmp", "rtmps", "srt", "whip"];
const ROLES: [&str; 3] = ["live", "backup", "test"];
const WAYS: [&str; 4] = ["api", "console", "css_api", "signal"];

fn known<'de, D: Deserializer<'de>>(
    d: D,
    words: &[&'static str],
    other: &'static str,
) -> Result<&'static str, D::Error> {
    let text = String::deserialize(d)?;
    Ok(words.iter().find(|word| **word == text).copied().unwrap_or(other))
}

/// The name of a push's transport.
pub(crate) fn protocol<'de, D: Deserializer<'de>>(d: D) -> Result<&'static str, D::Error> {
    known(d, &PROTOCOLS, "other")
}

/// Whether a push carries its stream or waits.
pub(crate) fn role<'de, D: Deserializer<'de>>(d: D) -> Result<&'static str, D::Error> {
    known(d, &ROLES, "live")
}

/// The way by which an order came.
pub(crate) fn way<'de, D: Deserializer<'de>>(d: D) -> Result<&'static str, D::Error> {
    known(d, &WAYS, "cluster")
}
