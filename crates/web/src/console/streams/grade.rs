//! How well a push is doing, and why.

use live::LivePush;

use crate::console::frame::Frame;

/// A push that fell behind by this much while live does badly, ms.
const LAG_POOR: i32 = 2_000;
const LAG_FAIR: i32 = 500;
/// Frames a second below which a picture stutters.
const FPS_FAIR: u32 = 15;
/// Nothing is said about a push that has only just begun, ms.
const SETTLING: u64 = 3_000;

/// A grade with its reasons.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Grade {
    /// `good`, `fair`, `poor`: the style's name.
    pub level: &'static str,
    pub mark: &'static str,
    pub text: String,
    /// Empty for a push that does well.
    pub reasons: String,
}

impl Grade {
    pub(super) fn of(push: &LivePush, lived_ms: u64, f: &Frame) -> Self {
        let state = &push.state;
        let mut poor = Vec::new();
        let mut fair = Vec::new();
        if lived_ms >= SETTLING {
            if state.kbps == 0 {
                poor.push(f.t("grade-silent"));
            } else if state.video_codec.is_some() && state.fps == 0 {
                poor.push(f.t("grade-no-video"));
            } else if state.video_codec.is_some() && state.fps < FPS_FAIR {
                fair.push(f.tn("grade-fps", state.fps));
            }
            match state.lag_ms {
                LAG_POOR.. => poor.push(f.tn("grade-lag", state.lag_ms)),
                LAG_FAIR.. => fair.push(f.tn("grade-lag", state.lag_ms)),
                _ => {}
            }
        }
        let (level, mark, text) = match (poor.is_empty(), fair.is_empty()) {
            (false, _) => ("poor", "▼", f.t("grade-poor")),
            (true, false) => ("fair", "◐", f.t("grade-fair")),
            (true, true) => ("good", "●", f.t("grade-good")),
        };
        poor.extend(fair);
        Self { level, mark, text, reasons: poor.join(" · ") }
    }
}
