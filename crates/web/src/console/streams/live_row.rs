//! A live push as the pages show it.

use live::LivePush;
use model::{StreamKey, Timestamp};

use super::grade::Grade;
use crate::console::frame::Frame;
use crate::console::show::{When, duration, grouped};
use crate::console::spark::Spark;
use crate::console::stream;

/// A live push.
pub(in crate::console) struct LiveRow {
    /// The push's id: rows are told by it.
    pub id: String,
    pub sequence: String,
    pub domain: String,
    pub app: String,
    pub stream: String,
    pub backup: bool,
    /// A test push: nobody can watch it.
    pub test: bool,
    /// Whether another push waits behind it, or carries the stream before it.
    pub link: String,
    pub preview: String,
    pub client: String,
    pub encoder: String,
    pub since: When,
    pub lasted: String,
    pub media: String,
    pub kbps: String,
    pub fps: String,
    /// What the encoder promised; empty where it did not.
    pub fps_expected: String,
    pub kbps_expected: String,
    pub lag: String,
    pub rtt: String,
    pub viewers: String,
    pub spark: Option<Spark>,
    pub grade: Grade,
}

impl LiveRow {
    /// The row of a push, as it is at that time.
    pub fn of(push: LivePush, now: Timestamp, f: &Frame) -> Self {
        let state = &push.state;
        let key = StreamKey::new(push.domain.as_str(), push.app.as_str(), push.stream.as_str());
        let size = state.width.zip(state.height).map(|(w, h)| format!("{w}×{h}"));
        let media = [state.video_codec.clone(), size, state.audio_codec.clone()];
        let lived = u64::try_from(now.millis() - push.published_at.millis()).unwrap_or(0);
        let rates: Vec<f64> = push.trend.seconds().iter().map(|second| f64::from(second.kbps)).collect();
        let top = rates.iter().copied().fold(0.0, f64::max);
        let expected = |rate: Option<f32>| rate.map(|rate| grouped(rate.round() as u64)).unwrap_or_default();
        Self {
            id: push.id.to_string(),
            sequence: push.sequence.to_string(),
            grade: Grade::of(&push, lived, f),
            link: stream::link(&key),
            preview: stream::preview_link(&key),
            backup: push.role == "backup",
            test: push.role == "test",
            client: push.client_ip.to_string(),
            encoder: state.encoder.clone().unwrap_or_default(),
            since: When::of(push.published_at),
            lasted: duration(f.words(), lived),
            media: media.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            kbps: grouped(state.kbps.into()),
            kbps_expected: expected(state.declared.kbps.filter(|rate| *rate > 64.0)),
            fps: state.fps.to_string(),
            fps_expected: expected(state.declared.fps),
            lag: grouped(u64::try_from(state.lag_ms).unwrap_or(0)),
            rtt: if state.rcv_rtt_ms > 0.0 { format!("{:.0}", state.rcv_rtt_ms) } else { String::new() },
            viewers: grouped(push.played.viewers as u64),
            spark: Spark::of(&rates, f.tn("spark-live", grouped(top as u64))),
            domain: push.domain,
            app: push.app,
            stream: push.stream,
        }
    }
}
