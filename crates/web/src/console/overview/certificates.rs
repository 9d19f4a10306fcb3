//! Certificates that end soon, and orders for new ones that fail.

use crate::console::frame::Frame;
use crate::state::WebState;

/// What is to be worried about, in words.
pub(super) fn worries(state: &WebState, f: &Frame) -> Vec<String> {
    let now = state.clock().now();
    let mut expiries: Vec<_> = state.certificates().iter().flat_map(|all| all.expiries()).collect();
    expiries.sort();
    expiries.dedup();
    expiries.retain(|(_, expires)| live::tls::is_worry(*expires, now));
    let day = |time: model::Timestamp| time.to_string().chars().take(10).collect::<String>();
    let mut worries: Vec<String> = expiries
        .into_iter()
        .map(|(name, expires)| f.words().with("health-certificate", &[("name", name), ("day", day(expires))]))
        .collect();
    if let Some(error) = state.challenges().last_error() {
        worries.push(f.words().with("health-acme", &[("error", error)]));
    }
    worries
}
