//! What is to be said and when, read out of an export. Pure.

use cause::Evidence;
use cause::black_box::{MediaEntry, MediaEntryKind};
use cause::evidence::{Close, CutMessage, Goodbye, Stage};
use cause::export::Export;
use cause::timeline::Sample;

/// A replay longer than this is cut at its front, ms.
const LONGEST_MS: u64 = 10 * 60_000;
/// Bytes of an audio message that stands for one of the timeline.
const AUDIO_BYTES: u32 = 200;

/// Why a record cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unplayable {
    /// Its evidence is gone.
    #[error("its evidence is no longer kept")]
    NoEvidence,
    /// What broke the protocol is not in the black box.
    #[error("it broke a rule with bytes that are not kept")]
    BytesNotKept,
    /// It did not come over RTMP.
    #[error("it did not come over RTMP")]
    OtherTransport,
}

/// A replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How far the push came.
    pub stage: Stage,
    /// Media messages after going live, in order.
    pub messages: Vec<Message>,
    /// A message that is only begun at the end.
    pub cut: Option<CutMessage>,
    /// How it ends.
    pub ending: Ending,
    /// When it ends, milliseconds from going live.
    pub end_ms: u64,
}

/// One media message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Milliseconds from going live.
    pub at_ms: u64,
    /// What it carries.
    pub kind: MediaEntryKind,
    /// A key frame.
    pub key_frame: bool,
    /// Codec configuration.
    pub config: bool,
    /// Its timestamp.
    pub timestamp: u32,
    /// Its size, bytes.
    pub size: u32,
}

/// How a push ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By a goodbye.
    Goodbye(Goodbye),
    /// The client closed.
    EndOfFile,
    /// The client reset.
    Reset,
    /// The server ended it, or the network did: the client stays and waits.
    Wait,
}

impl Plan {
    /// The plan for a record. `tail` leaves out what was before the black box's window.
    ///
    /// # Errors
    /// When the record does not hold what a replay needs.
    pub fn of(export: &Export, tail: bool) -> Result<Self, Unplayable> {
        let e = export.evidence.as_ref().ok_or(Unplayable::NoEvidence)?;
        if !export.record.protocol.starts_with("rtmp") {
            return Err(Unplayable::OtherTransport);
        }
        if e.fault.is_some() {
            return Err(Unplayable::BytesNotKept);
        }
        let live_at_ms = e.lived_ms.saturating_sub(e.media.live_ms);
        let mut messages = boxed(e, live_at_ms);
        let skip_ms = match messages.first().copied() {
            Some(first) if !tail => {
                let skip_ms = e.media.live_ms.saturating_sub(LONGEST_MS);
                let mut filled = filled(e, live_at_ms, skip_ms, first);
                filled.append(&mut messages);
                messages = filled;
                skip_ms
            }
            Some(first) => first.at_ms,
            None => 0,
        };
        for message in &mut messages {
            message.at_ms = message.at_ms.saturating_sub(skip_ms);
        }
        let end_ms = e.media.live_ms.saturating_sub(skip_ms);
        Ok(Self { stage: e.stage, messages, cut: e.cut_message, ending: ending(e), end_ms })
    }
}

fn ending(e: &Evidence) -> Ending {
    match (&e.act, e.goodbye, e.close) {
        (Some(_), ..) => Ending::Wait,
        (None, Some(goodbye), _) => Ending::Goodbye(goodbye),
        (None, None, Close::EndOfFile) => Ending::EndOfFile,
        (None, None, Close::Reset) => Ending::Reset,
        _ => Ending::Wait,
    }
}

/// What the black box kept.
fn boxed(e: &Evidence, live_at_ms: u64) -> Vec<Message> {
    let message = |entry: MediaEntry| Message {
        at_ms: u64::from(entry.at_ms).saturating_sub(live_at_ms),
        kind: entry.kind,
        key_frame: entry.key_frame,
        config: entry.config,
        timestamp: entry.timestamp,
        size: entry.size,
    };
    e.black_box.media_entries().map(message).collect()
}

/// Messages at the timeline's rates, from `skip_ms` on until the first one that the black box kept.
fn filled(e: &Evidence, live_at_ms: u64, skip_ms: u64, first: Message) -> Vec<Message> {
    let mut messages = Vec::new();
    for sample in e.timeline.all() {
        let from = u64::from(sample.at_s.saturating_sub(sample.span_s)).saturating_mul(1000);
        let from = from.saturating_sub(live_at_ms);
        messages.extend(of_sample(&sample, from).filter(|m| m.at_ms >= skip_ms && m.at_ms < first.at_ms));
    }
    messages.sort_by_key(|message| message.at_ms);
    for message in &mut messages {
        let before = u32::try_from(first.at_ms.saturating_sub(message.at_ms)).unwrap_or(u32::MAX);
        message.timestamp = first.timestamp.wrapping_sub(before);
    }
    messages
}

fn of_sample(sample: &Sample, from_ms: u64) -> impl Iterator<Item = Message> + use<> {
    let span_ms = u64::from(sample.span_s).saturating_mul(1000);
    let place = move |n: u32, of: u32| {
        from_ms.saturating_add(span_ms.saturating_mul(u64::from(n)) / u64::from(of.max(1)))
    };
    let (videos, audios, keys) = (sample.video, sample.audio, sample.keys);
    let of_audio = u64::from(audios).saturating_mul(AUDIO_BYTES.into()).min(sample.bytes);
    let left = sample.bytes.saturating_sub(of_audio);
    let size = u32::try_from(left / u64::from(videos.max(1))).unwrap_or(u32::MAX);
    // As many key frames as there were, evenly.
    let key_every = videos.checked_div(keys).unwrap_or(u32::MAX).max(1);
    let video = move |n: u32| Message {
        at_ms: place(n, videos),
        kind: MediaEntryKind::Video,
        key_frame: n.is_multiple_of(key_every) && keys > 0,
        config: false,
        timestamp: 0,
        size,
    };
    let audio = move |n: u32| Message {
        at_ms: place(n, audios),
        kind: MediaEntryKind::Audio,
        key_frame: false,
        config: false,
        timestamp: 0,
        size: AUDIO_BYTES,
    };
    (0..videos).map(video).chain((0..audios).map(audio))
}

#[cfg(test)]
mod tests {
    use cause::evidence::Transport;

    use super::*;

    fn record() -> model::Record {
        let json = serde_json::json!({
            "id": "01890a5d-ac96-774b-bcce-b302099a8057", "sequence": "1", "source": "lastframe",
            "account": 1, "domain": "a.example", "app": "live", "stream": "s", "protocol": "rtmp",
            "client_ip": "127.0.0.1", "client_port": 4000, "node": "n",
            "connected_at": "2026-11-22T20:00:00.000Z", "published_at": "2026-11-22T20:00:01.000Z",
            "ended_at": "2026-11-22T20:00:11.000Z", "duration_ms": 10_000, "errcode": 3, "sub_errcode": 0,
            "errmsg": "", "side": "client", "detail": null, "attempts": 1, "last_attempt_at": null,
            "bytes_in": 1, "bytes_out": 1, "video": null, "audio": null, "encoder": null,
            "stream_param": null,
        });
        serde_json::from_value(json).unwrap()
    }

    /// Ten seconds live, of which the black box kept the last four frames.
    fn export() -> Export {
        let mut e = Evidence::new(Transport::Rtmp);
        (e.stage, e.close, e.lived_ms, e.media.live_ms) = (Stage::Live, Close::EndOfFile, 11_000, 10_000);
        for at_s in 2..=11 {
            let sample =
                Sample { at_s, span_s: 1, bytes: 20_000, video: 10, keys: 1, audio: 5, ..Sample::default() };
            e.timeline.push(sample);
        }
        for n in 0..4 {
            e.black_box.media(MediaEntry {
                at_ms: 10_600 + n * 100,
                kind: MediaEntryKind::Video,
                key_frame: n == 0,
                config: false,
                timestamp: 50_000 + n * 100,
                size: 1_000 + n,
                chunk_stream: 6,
            });
        }
        Export::new(record(), Some(e))
    }

    #[test]
    fn the_tail_is_the_black_box_with_its_sizes_and_gaps() {
        let plan = Plan::of(&export(), true).unwrap();
        let seen: Vec<_> = plan.messages.iter().map(|m| (m.at_ms, m.timestamp, m.size)).collect();
        assert_eq!(seen, [(0, 50_000, 1000), (100, 50_100, 1001), (200, 50_200, 1002), (300, 50_300, 1003)]);
        assert_eq!((plan.ending, plan.end_ms), (Ending::EndOfFile, 400));
    }

    #[test]
    fn before_the_black_box_the_timelines_rates_fill_in_and_lead_up_to_it() {
        let plan = Plan::of(&export(), false).unwrap();
        let first = plan.messages[0];
        assert_eq!((first.at_ms, first.timestamp, first.key_frame), (0, 40_400, true));
        let video = plan.messages.iter().filter(|m| m.kind == MediaEntryKind::Video).count();
        let audio = plan.messages.len() - video;
        assert_eq!((video, audio), (96 + 4, 48));
        assert!(plan.messages.is_sorted_by_key(|m| (m.at_ms, m.timestamp)));
        assert_eq!(plan.end_ms, 10_000);
    }

    #[test]
    fn what_is_not_kept_cannot_be_replayed() {
        let mut gone = export();
        gone.evidence = None;
        assert_eq!(Plan::of(&gone, false), Err(Unplayable::NoEvidence));
        let mut srt = export();
        srt.record.protocol = "srt".to_owned();
        assert_eq!(Plan::of(&srt, false), Err(Unplayable::OtherTransport));
    }
}
