//! Whether this node and its store do what they should.

use model::Code;

use super::certificates;
use crate::console::frame::Frame;
use crate::console::show::grouped;
use crate::state::WebState;

/// A commit that takes longer keeps pushes waiting, ms.
const SLOW_COMMIT: f64 = 500.0;

/// One thing that must work, and whether it does.
pub(super) struct Line {
    pub ok: bool,
    pub text: String,
}

/// What the reader may know of it.
pub(super) fn lines(state: &WebState, f: &Frame) -> Vec<Line> {
    let stats = state.journal().stats();
    let p99 = stats.commit_latency.p99.as_micros() as f64 / 1_000.0;
    let mut lines = vec![
        match stats.writable {
            true => good(f.t("health-journal")),
            false => bad(f.t("health-journal-broken")),
        },
        Line { ok: p99 < SLOW_COMMIT, text: f.tn("health-commit", format!("{p99:.1}")) },
    ];
    // What is counted over all accounts is for those who see them.
    if !f.sees_all() {
        return lines;
    }
    lines.extend(certificates::worries(state, f).into_iter().map(bad));
    let live = state.live().counters();
    lines.push(good(f.tn("health-connections", grouped(live.connections as u64))));
    if let Some(shipping) = state.journal().shipping() {
        let key = if shipping.connected { "health-shipping" } else { "health-shipping-away" };
        lines.push(Line { ok: shipping.connected, text: f.tn(key, grouped(shipping.waiting)) });
    }
    if state.catalog().domains.is_empty() {
        lines.push(bad(f.t("health-catalog")));
    }
    let unknown = stats.records.get(&Code::new(0, 0)).copied().unwrap_or(0);
    let mishaps = [
        ("health-overload", live.overloaded),
        ("health-failed", stats.failed_batches),
        ("health-thinned", stats.evidence_thinned),
        ("health-unstorable", stats.unstorable),
        ("health-unknown", unknown),
    ];
    lines.extend(mishaps.into_iter().filter(|(_, n)| *n > 0).map(|(key, n)| bad(f.tn(key, grouped(n)))));
    lines
}

fn good(text: String) -> Line {
    Line { ok: true, text }
}

fn bad(text: String) -> Line {
    Line { ok: false, text }
}
