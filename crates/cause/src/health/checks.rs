//! What is looked at, each check by itself. What could not be measured gives none.

use model::Record;

use super::{Check, Grade, bitrate, frame_rate, lag};
use crate::detail::{Detail, DetailKey};
use crate::event::EventKind;
use crate::evidence::{CarrierFacts, Evidence};
use crate::export::count_of;
use crate::timeline::Sample;

/// A promise below this is none: encoders without a set rate declare that of the sound alone, kbit/s.
const LEAST_PROMISE: f64 = 64.0;
/// Seconds over which the lowest bitrate is taken; one alone is no rate, since frames come in bursts.
const OVER: usize = 5;
/// Shares of the usual bitrate.
const DIP_FAIR: f64 = 0.5;
const DIP_POOR: f64 = 0.2;
/// Distances of key frames, ms.
const KEYS_FAIR_MS: u64 = 4_000;
const KEYS_POOR_MS: u64 = 10_000;
/// How far sound and picture may be apart, and how far they may drift, ms.
const APART_FAIR_MS: u32 = 500;
const APART_POOR_MS: u32 = 2_000;
const DRIFT_FAIR_MS: u32 = 200;
const DRIFT_POOR_MS: u32 = 1_000;
/// Shares of packets, per cent.
const LOST_FAIR: f64 = 0.5;
const LOST_POOR: f64 = 5.0;
const GONE_POOR: f64 = 0.1;

pub(super) fn all(e: &Evidence, record: &Record, media_ms: u64) -> Vec<Check> {
    let samples: Vec<Sample> = e.timeline.all().collect();
    [
        codecs(e, record),
        rate(e, &samples, media_ms),
        steadiness(&samples),
        frames(e, media_ms),
        key_frames(e, media_ms),
        offset(e),
        behind(&samples),
        timestamps(e, media_ms),
        gaps(e, media_ms),
        broken(e),
        path(e, &samples),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn check(grade: Grade, detail: Detail) -> Option<Check> {
    Some(Check { grade, detail })
}

fn codecs(e: &Evidence, record: &Record) -> Option<Check> {
    let video = record.video.as_ref().map(|video| {
        let size = video.width.zip(video.height).map(|(width, height)| format!("{width}×{height}"));
        joined([video.codec.clone(), size])
    });
    let audio = record
        .audio
        .as_ref()
        .map(|audio| joined([audio.codec.clone(), audio.sample_rate.map(|rate| format!("{rate} Hz"))]));
    let missing = video.is_none() || audio.is_none();
    let uncommon = count_of(e, EventKind::UncommonCodec) > 0;
    let grade = if missing || uncommon { Grade::Fair } else { Grade::Good };
    let key = match (&video, &audio) {
        (None, Some(_)) => DetailKey::HealthNoVideo,
        (Some(_), None) => DetailKey::HealthNoAudio,
        _ if uncommon => DetailKey::HealthUncommonCodec,
        _ => DetailKey::HealthCodecs,
    };
    let detail = Detail::new(key.clone());
    let video = video.filter(|_| key != DetailKey::HealthNoVideo);
    let audio = audio.filter(|_| key != DetailKey::HealthNoAudio);
    check(grade, detail.with_some("video", video).with_some("audio", audio))
}

fn joined(parts: [Option<String>; 2]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn rate(e: &Evidence, samples: &[Sample], media_ms: u64) -> Option<Check> {
    let bytes: u64 = samples.iter().map(|sample| sample.bytes).sum();
    let kbps = bytes.saturating_mul(8).checked_div(media_ms)?;
    let promised = e.quality.and_then(|quality| quality.declared_kbps);
    let expected = promised.map(f64::from).filter(|rate| *rate > LEAST_PROMISE);
    let grade = expected.map_or(Grade::Good, |expected| bitrate(kbps as f64, expected));
    let detail = Detail::new(DetailKey::HealthBitrate).with("kbps", kbps);
    check(grade, detail.with_some("expected_kbps", expected.map(|rate| rate.round() as u64)))
}

/// The lowest five seconds against the usual; the first and the last sample are parts of a second.
fn steadiness(samples: &[Sample]) -> Option<Check> {
    let whole = samples.get(1..samples.len().checked_sub(1)?)?;
    if whole.len() < 2 * OVER {
        return None;
    }
    let rates: Vec<f64> =
        whole.iter().map(|s| s.bytes as f64 * 8.0 / 1000.0 / f64::from(s.span_s.max(1))).collect();
    let windows = rates.windows(OVER).map(|five| five.iter().sum::<f64>() / OVER as f64);
    let least = windows.fold(f64::INFINITY, f64::min);
    let mut sorted = rates.clone();
    sorted.sort_by(f64::total_cmp);
    let usual = sorted.get(sorted.len() / 2).copied().filter(|usual| *usual > 0.0)?;
    let grade = match least / usual {
        share if share < DIP_POOR => Grade::Poor,
        share if share < DIP_FAIR => Grade::Fair,
        _ => Grade::Good,
    };
    let detail = Detail::new(DetailKey::HealthSteadiness);
    check(grade, detail.with("least_kbps", least.round() as u64).with("usual_kbps", usual.round() as u64))
}

fn frames(e: &Evidence, media_ms: u64) -> Option<Check> {
    let count = Some(e.media.video_frames).filter(|count| *count > 0)?;
    let actual = count as f64 * 1000.0 / media_ms as f64;
    let quality = e.quality.unwrap_or_default();
    let per_second = |hundredths: u32| f64::from(hundredths) / 100.0;
    let expected = quality.declared_fps.or(quality.fps).map(per_second).filter(|fps| *fps > 0.0);
    let grade = frame_rate(actual, expected);
    let tenth = |rate: f64| (rate * 10.0).round() / 10.0;
    let detail = Detail::new(DetailKey::HealthFrameRate).with("fps", tenth(actual));
    check(grade, detail.with_some("expected_fps", expected.map(tenth)))
}

fn key_frames(e: &Evidence, media_ms: u64) -> Option<Check> {
    if e.media.video_frames == 0 {
        return None;
    }
    let keys = e.quality?.key_frames;
    let Some(mean) = keys.mean_ms() else {
        let grade = if media_ms > KEYS_POOR_MS { Grade::Poor } else { Grade::Fair };
        return check(grade, Detail::new(DetailKey::HealthOneKeyFrame).with("live_ms", media_ms));
    };
    let longest = u64::from(keys.longest_ms);
    let irregular = longest > mean.saturating_mul(2) && longest > 1_000;
    let grade = match longest {
        longest if longest > KEYS_POOR_MS => Grade::Poor,
        longest if longest > KEYS_FAIR_MS || irregular => Grade::Fair,
        _ => Grade::Good,
    };
    let detail = Detail::new(DetailKey::HealthKeyFrames).with("mean_ms", mean);
    check(grade, detail.with("shortest_ms", keys.shortest_ms).with("longest_ms", longest))
}

fn offset(e: &Evidence) -> Option<Check> {
    let offset = e.quality?.offset?;
    let (apart, drift) = (offset.widest_ms.unsigned_abs(), offset.last_ms.abs_diff(offset.first_ms));
    let grade = match () {
        () if apart >= APART_POOR_MS || drift >= DRIFT_POOR_MS => Grade::Poor,
        () if apart >= APART_FAIR_MS || drift >= DRIFT_FAIR_MS => Grade::Fair,
        () => Grade::Good,
    };
    let detail = Detail::new(DetailKey::HealthOffset);
    check(grade, detail.with("widest_ms", apart).with("drift_ms", drift))
}

fn behind(samples: &[Sample]) -> Option<Check> {
    // While nothing comes the lag grows by itself; that is told by gaps and by the verdict.
    let with_media = samples.iter().filter(|sample| sample.video > 0 || sample.audio > 0);
    let worst = with_media.map(|sample| sample.lag_ms).max()?;
    check(lag(worst), Detail::new(DetailKey::HealthLag).with("worst_ms", worst.max(0)))
}

fn timestamps(e: &Evidence, media_ms: u64) -> Option<Check> {
    use EventKind::{AudioBack, AudioJump, VideoBack, VideoJump};
    let times: u32 = [VideoBack, AudioBack, VideoJump, AudioJump].map(|kind| count_of(e, kind)).iter().sum();
    counted(DetailKey::HealthTimestamps, times, media_ms / 5_000)
}

fn gaps(e: &Evidence, media_ms: u64) -> Option<Check> {
    let times = [EventKind::VideoGap, EventKind::AudioGap].map(|kind| count_of(e, kind)).iter().sum();
    counted(DetailKey::HealthGaps, times, media_ms / 10_000)
}

fn counted(key: DetailKey, times: u32, many: u64) -> Option<Check> {
    let grade = match u64::from(times) {
        0 => return None,
        times if times > many.max(1) => Grade::Poor,
        _ => Grade::Fair,
    };
    check(grade, Detail::new(key).with("times", times))
}

fn broken(e: &Evidence) -> Option<Check> {
    let times = Some(count_of(e, EventKind::Unparsable)).filter(|times| *times > 0)?;
    check(Grade::Poor, Detail::new(DetailKey::HealthBroken).with("times", times))
}

/// What the transport knows of the path. Over TCP nothing is lost for good; segments out of order stand for those that
/// had to be sent again.
fn path(e: &Evidence, samples: &[Sample]) -> Option<Check> {
    let (packets, lost, gone, rtt_us) = match &e.carrier {
        Some(CarrierFacts::Srt(srt)) => (srt.packets, srt.lost, srt.dropped, Some(srt.rtt_us)),
        Some(CarrierFacts::WebRtc(rtc)) => {
            let lost = rtc.video_lost.saturating_add(rtc.audio_lost);
            (rtc.video_packets.saturating_add(rtc.audio_packets), lost, 0, Some(rtc.rtt_us))
        }
        _ if e.behind_proxy => return None,
        _ => {
            let tcp = e.tcp.as_ref()?;
            let rtt = samples.iter().rev().find_map(|sample| sample.rtt_us).or(Some(tcp.rtt_us));
            (u64::from(tcp.data_segs_in), u64::from(tcp.rcv_ooopack), 0, rtt)
        }
    };
    let percent = |count: u64| count as f64 * 100.0 / packets.max(1) as f64;
    let grade = match (percent(lost), percent(gone)) {
        (lost, gone) if lost > LOST_POOR || gone > GONE_POOR => Grade::Poor,
        (lost, gone) if lost > LOST_FAIR || gone > 0.0 => Grade::Fair,
        _ => Grade::Good,
    };
    let share = (percent(lost) * 10.0).round() / 10.0;
    let detail = Detail::new(DetailKey::HealthPath).with("lost_percent", share);
    let rtt_ms = rtt_us.filter(|rtt| *rtt > 0).map(|rtt| rtt.div_ceil(1_000));
    check(grade, detail.with_some("rtt_ms", rtt_ms))
}
