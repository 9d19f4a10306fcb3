//! Whether the push is there, what came of the last one, and what would keep the next one out.

use std::net::IpAddr;

use model::admission::{PushRequest, decide};
use model::stream_key::PushUrl;
use model::{Code, StreamKey};
use store::RecordQuery;

use crate::console::frame::Frame;
use crate::console::show::{Chip, When, duration};
use crate::state::WebState;

/// What is known about a stream key now.
pub(super) struct Seen {
    /// The push that carries it.
    pub live: Option<LiveNow>,
    /// The newest end of one.
    pub last: Option<Last>,
    /// What a push with this URL from the reader's own address would be refused with.
    pub refusal: Option<Chip>,
}

pub(super) struct LiveNow {
    /// Codecs and size as soon as they are known, the pusher, for how long.
    pub facts: String,
}

pub(super) struct Last {
    pub link: String,
    pub chip: Chip,
    pub at: When,
}

impl Seen {
    pub async fn of(state: &WebState, key: &StreamKey, query: &str, from: IpAddr, f: &Frame) -> Self {
        let live = live(state, key, f).await;
        let refusal = if live.is_none() { refusal(state, key, query, from) } else { None };
        Self { live, last: last(state, key, f).await, refusal: refusal.map(|code| Chip::of(code, f.lang)) }
    }
}

async fn live(state: &WebState, key: &StreamKey, f: &Frame) -> Option<LiveNow> {
    let mut pushes = state.pushes_everywhere(f.scope()).await.outcome.into_iter();
    let push = pushes.find(|p| p.domain == key.domain && p.app == key.app && p.stream == key.stream)?;
    let lived = state.clock().now().millis().saturating_sub(push.published_at.millis());
    let size = push.state.width.zip(push.state.height).map(|(w, h)| format!("{w}×{h}"));
    let lasted = duration(f.words(), u64::try_from(lived).unwrap_or(0));
    let (video, audio) = (push.state.video_codec.clone(), push.state.audio_codec.clone());
    let facts = [video, size, audio, Some(push.client_ip.to_string()), Some(lasted)];
    Some(LiveNow { facts: facts.into_iter().flatten().collect::<Vec<_>>().join(" · ") })
}

async fn last(state: &WebState, key: &StreamKey, f: &Frame) -> Option<Last> {
    let query = RecordQuery {
        stream: Some(key.stream.clone()),
        domain: Some(key.domain.clone()),
        app: Some(key.app.clone()),
        limit: 1,
        ..RecordQuery::default()
    };
    let reader = state.reader().clone();
    let page = tokio::task::spawn_blocking(move || reader.query(&query)).await.ok()?.ok()?;
    let record = page.records.into_iter().next()?;
    Some(Last {
        link: format!("/records/{}", record.id),
        chip: Chip::of(record.code(), f.lang),
        at: When::of(record.ended_at),
    })
}

/// What the catalog says to a push of this key with this query.
fn refusal(state: &WebState, key: &StreamKey, query: &str, from: IpAddr) -> Option<Code> {
    let url = PushUrl::from_path(Some(&key.domain), &format!("{}/{}", key.app, key.stream), query);
    let request = PushRequest { url: &url, sni: None, client_ip: from, now: state.clock().now() };
    let refused = decide(&state.catalog(), &state.config().admission, &request).err()?;
    Some(refused.refusal.code())
}
