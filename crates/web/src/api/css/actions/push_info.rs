//! How pushes do: the live ones now, and the seconds of one stream's pushes.

use std::time::Duration;

use cause::Evidence;
use cause::timeline::Sample;
use live::LivePush;
use model::catalog::Role;
use model::{Record, Timestamp};
use serde::Serialize;
use serde_json::json;
use store::{Reader, RecordQuery, StoreError};

use super::streams::live_pushes;
use crate::api::css::call::{Action, Answered, Call, PageNumbers, answer};
use crate::api::css::error::CssError;
use crate::api::css::schema::{Param, integer, text};
use crate::api::css::time;

const HOUR: Duration = Duration::from_secs(3_600);
/// How far back the seconds of a push are kept at most, with an hour for clocks.
const HISTORY: Duration = HOUR.saturating_mul(7 * 24 + 1);
/// How much time one answer spans.
const SPAN: Duration = HOUR.saturating_mul(3);
/// Pushes of a stream that one answer looks at.
const MAX_PUSHES: usize = 200;
/// Points in one answer.
const MAX_POINTS: usize = 12_000;

const DOMAIN: Param = text("PushDomain", 255);
const APP: Param = text("AppName", 255);

/// The actions of this file.
pub const ACTIONS: [Action; 2] = [
    Action {
        name: "DescribeStreamPushInfoList",
        rate: 40,
        role: Role::Viewer,
        params: &[
            text("StreamName", 255).required(),
            text("StartTime", 64).required(),
            text("EndTime", 64).required(),
            DOMAIN,
            APP,
        ],
        run: |call| Box::pin(quality(call)),
    },
    Action {
        name: "DescribeLiveStreamPushInfoList",
        rate: 500,
        role: Role::Viewer,
        params: &[DOMAIN, APP, integer("PageNum", 1, 10_000).or(1), integer("PageSize", 1, 100_000).or(200)],
        run: |call| Box::pin(live(call)),
    },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LiveList {
    data_info_list: Vec<PushData>,
    #[serde(flatten)]
    page: PageNumbers,
}

/// PushDataInfo. What the encoder says of itself in its metadata is not kept, so those numbers are 0; nor is it known
/// under which of its addresses clients reach this node.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PushData {
    stream_name: String,
    app_name: String,
    push_domain: String,
    client_ip: String,
    server_ip: &'static str,
    begin_push_time: String,
    acodec: String,
    vcodec: String,
    resolution: String,
    video_fps: u32,
    video_speed: u64,
    audio_fps: u32,
    audio_speed: u64,
    asample_rate: u32,
    meta_audio_speed: u64,
    meta_video_speed: u64,
    meta_fps: u32,
    sequence: String,
}

/// The pushes that carry a stream now, oldest first.
async fn live(call: Call) -> Answered {
    let mut pushes = live_pushes(&call, "PushDomain", None).await;
    pushes.retain(|push| push.role == "live");
    let page = call.page();
    let total = pushes.len();
    let data_info_list = page.of(pushes).into_iter().map(of_push).collect();
    answer(LiveList { data_info_list, page: page.numbers(total) })
}

fn of_push(push: LivePush) -> PushData {
    let state = push.state;
    let total = u64::from(state.kbps) * 1000;
    let audio = total.min(u64::from(state.audio_kbps) * 1000);
    PushData {
        stream_name: push.stream,
        app_name: push.app,
        push_domain: push.domain,
        client_ip: push.client_ip.to_string(),
        begin_push_time: time::utc(push.published_at),
        acodec: state.audio_codec.as_deref().map(codec).unwrap_or_default(),
        vcodec: state.video_codec.as_deref().map(codec).unwrap_or_default(),
        resolution: resolution(state.width, state.height),
        video_fps: state.fps,
        video_speed: total - audio,
        audio_fps: state.audio_fps,
        audio_speed: audio,
        asample_rate: state.audio_sample_rate,
        sequence: push.sequence.to_string(),
        ..PushData::default()
    }
}

/// CSS writes codecs without punctuation: `H264`.
fn codec(name: &str) -> String {
    name.replace('.', "")
}

fn resolution(width: Option<u32>, height: Option<u32>) -> String {
    width.zip(height).map(|(width, height)| format!("{width}*{height}")).unwrap_or_default()
}

/// PushQualityData.
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PushQuality {
    time: String,
    push_domain: String,
    app_name: String,
    client_ip: String,
    server_ip: &'static str,
    begin_push_time: String,
    resolution: String,
    #[serde(rename = "VCodec")]
    video_codec: String,
    #[serde(rename = "ACodec")]
    audio_codec: String,
    sequence: String,
    stream_param: String,
    video_fps: u32,
    video_rate: u64,
    audio_fps: u32,
    audio_rate: u64,
    local_ts: u64,
    video_ts: u64,
    audio_ts: u64,
    meta_video_rate: u64,
    meta_audio_rate: u64,
    mate_fps: u32,
    gop_size: u64,
    bandwidth: f64,
    flux: f64,
}

/// The seconds of a stream's pushes within a time, oldest first: from the evidence of those that ended, and for those
/// that are live their last second.
async fn quality(call: Call) -> Answered {
    let (from, to) = window(&call)?;
    let stream = call.required("StreamName")?.to_owned();
    let query = RecordQuery {
        stream: Some(stream.clone()),
        domain: call.filter("PushDomain").map(str::to_owned),
        app: call.filter("AppName").map(str::to_owned),
        account: call.caller.scope.account(),
        since: Some(from),
        limit: MAX_PUSHES,
        ..RecordQuery::default()
    };
    let reader = call.state.reader().clone();
    let mut points = tokio::task::spawn_blocking(move || ended(&reader, query, from, to)).await??;
    let now = call.state.clock().now();
    if (from..=to).contains(&now) {
        let pushes = live_pushes(&call, "PushDomain", Some(&stream)).await;
        points.extend(pushes.into_iter().map(|push| (now, last_second(push, now))));
    }
    points.sort_by_key(|(at, _)| *at);
    let points = points.into_iter().map(|(_, point)| point);
    answer(json!({ "DataInfoList": points.collect::<Vec<_>>() }))
}

fn window(call: &Call) -> Result<(Timestamp, Timestamp), CssError> {
    let read = |name: &'static str| {
        time::read_either(call.required(name)?)
            .ok_or_else(|| CssError::value(name, "must be a UTC time such as 2018-12-29T19:00:00Z"))
    };
    let (from, to) = (read("StartTime")?, read("EndTime")?);
    if from < call.state.clock().now().minus(HISTORY) {
        return Err(CssError::value("StartTime", "must be at most 7 days ago"));
    }
    if to < from || to > from.plus(SPAN) {
        return Err(CssError::value("EndTime", "must be after `StartTime`, by at most 3 hours"));
    }
    Ok((from, to))
}

fn ended(
    reader: &Reader,
    query: RecordQuery,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, PushQuality)>, StoreError> {
    let page = crate::query::full_page(reader, query)?;
    let mut points = Vec::new();
    let overlapping = |record: &Record| record.published_at.is_some() && record.connected_at <= to;
    for record in page.records.iter().filter(|record| overlapping(record)) {
        let Some((_, Some(evidence))) = reader.get(record.id)? else { continue };
        let evidence = match Evidence::decode(&evidence) {
            Ok(evidence) => evidence,
            Err(error) => {
                tracing::warn!(id = %record.id, %error, "evidence cannot be read");
                continue;
            }
        };
        let identity = identity(record);
        for sample in evidence.timeline.all() {
            let at = record.connected_at.plus(Duration::from_secs(sample.at_s.into()));
            if (from..=to).contains(&at) && points.len() < MAX_POINTS {
                points.push((at, point(&identity, record, &sample, at)));
            }
        }
    }
    Ok(points)
}

/// What all points of a push share.
fn identity(record: &Record) -> PushQuality {
    let (video, audio) = (record.video.as_ref(), record.audio.as_ref());
    PushQuality {
        push_domain: record.domain.clone().unwrap_or_default(),
        app_name: record.app.clone().unwrap_or_default(),
        client_ip: record.client_ip.to_string(),
        begin_push_time: time::beijing_ms(record.published_at.unwrap_or(record.connected_at)),
        resolution: resolution(video.and_then(|v| v.width), video.and_then(|v| v.height)),
        video_codec: video.and_then(|v| v.codec.as_deref()).map(codec).unwrap_or_default(),
        audio_codec: audio.and_then(|a| a.codec.as_deref()).map(codec).unwrap_or_default(),
        sequence: record.sequence.to_string(),
        stream_param: record.stream_param.clone().unwrap_or_default(),
        ..PushQuality::default()
    }
}

/// One span of a push. What it carried is known in all; the audio's share is its average over the push.
fn point(identity: &PushQuality, record: &Record, sample: &Sample, at: Timestamp) -> PushQuality {
    let span = u64::from(sample.span_s.max(1));
    let rate = sample.bytes * 8 / span;
    let audio = record.audio.as_ref().and_then(|audio| audio.kbps).map_or(0, |kbps| u64::from(kbps) * 1000);
    let audio_rate = if sample.audio == 0 { 0 } else { audio.min(rate) };
    let live = at.since(record.published_at.unwrap_or(record.connected_at));
    let media = live.saturating_add_signed(-i64::from(sample.lag_ms));
    PushQuality {
        time: time::utc(at),
        video_fps: sample.video / sample.span_s.max(1),
        video_rate: if sample.video == 0 { 0 } else { rate - audio_rate },
        audio_fps: sample.audio / sample.span_s.max(1),
        audio_rate,
        local_ts: live,
        video_ts: if sample.video == 0 { 0 } else { media },
        audio_ts: if sample.audio == 0 { 0 } else { media },
        gop_size: (span * 1000).checked_div(sample.keys.into()).unwrap_or(0),
        bandwidth: rate as f64 / 1e6,
        flux: sample.bytes as f64 / 1e6,
        ..identity.clone()
    }
}

fn last_second(push: LivePush, now: Timestamp) -> PushQuality {
    let local_ts = now.since(push.published_at);
    let media = local_ts.saturating_add_signed(-i64::from(push.state.lag_ms));
    let rate = u64::from(push.state.kbps) * 1000;
    let begin_push_time = time::beijing_ms(push.published_at);
    let data = of_push(push);
    PushQuality {
        time: time::utc(now),
        push_domain: data.push_domain,
        app_name: data.app_name,
        client_ip: data.client_ip,
        begin_push_time,
        resolution: data.resolution,
        video_codec: data.vcodec,
        audio_codec: data.acodec,
        sequence: data.sequence,
        video_fps: data.video_fps,
        video_rate: data.video_speed,
        audio_fps: data.audio_fps,
        audio_rate: data.audio_speed,
        local_ts,
        video_ts: media,
        audio_ts: media,
        bandwidth: rate as f64 / 1e6,
        flux: rate as f64 / 8e6,
        ..PushQuality::default()
    }
}
