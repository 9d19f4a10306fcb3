//! Certificates that end soon, and orders for new ones that fail.

use live::tls::{Standing, Validity};

use crate::console::frame::Frame;
use crate::state::WebState;

/// What is to be worried about, in words.
pub(super) fn worries(state: &WebState, f: &Frame) -> Vec<String> {
    let now = state.clock().now();
    let mut found: Vec<_> = state.certificates().iter().flat_map(|all| all.validities()).collect();
    found.sort();
    found.dedup();
    let day = |time: model::Timestamp| time.to_string().chars().take(10).collect::<String>();
    let worry = |(name, validity): (String, Validity)| {
        let words = match validity.standing(now) {
            Standing::Good => return None,
            Standing::EndsSoon => "health-certificate",
            Standing::Over => "health-certificate-over",
        };
        Some(f.words().with(words, &[("name", name), ("day", day(validity.until))]))
    };
    let mut worries: Vec<String> = found.into_iter().filter_map(worry).collect();
    if let Some(error) = state.challenges().last_error() {
        worries.push(f.words().with("health-acme", &[("error", error)]));
    }
    worries
}
