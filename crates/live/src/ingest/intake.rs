//! What every live push does with its media and its time, whichever transport carries it: facts, watch, black box and
//! hub for each message, and the round of once a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cause::black_box::{MediaEntry, MediaEntryKind};
use cause::evidence::{Act, Close, FaultClass, FaultKind, ProtocolFault};
use cause::{Cause, Detail, DetailKey};
use media::pack::{Message as Packed, MessageKind};

use super::pass_on;
use super::way::Way;
use crate::hub::Place;
use crate::hub::feed::FrameKind;
use crate::push::{Due, End, Frame, MediaFault, Push, Unplayed, client_text};
use crate::shared::Shared;

/// Events are told once in this time, if there were any.
const EVENT_INTERVAL: Duration = Duration::from_secs(5);

/// The numbers under which the black box notes the tracks of a transport that has none for them.
const VIDEO_TRACK: u8 = 1;
const AUDIO_TRACK: u8 = 2;

/// One audio or video message, as the hub carries it.
pub(super) struct Message {
    pub(super) video: bool,
    /// ms.
    pub(super) timestamp: u32,
    /// The body of an FLV tag, classic or enhanced.
    pub(super) payload: Bytes,
    /// Where it came in: RTMP's chunk stream, or the transport's own number for the track.
    pub(super) track: u8,
}

/// Takes a message in. What is wrong with it is given back where the configuration cuts for it (23/0).
pub(super) fn media(shared: &Shared, push: &mut Push, now: Instant, message: Message) -> Option<MediaFault> {
    let Message { video, timestamp, payload, track } = message;
    let at_ms = push.watch.at_ms(now);
    let facts = push.watch.media_mut();
    let seen = if video {
        facts.video(now, at_ms, timestamp, &payload)
    } else {
        facts.audio(now, at_ms, timestamp, &payload)
    };
    let (frame, broken) = match seen {
        Ok(frame) => (frame, None),
        Err(error) => (Frame { video, timestamp, ..Frame::default() }, Some(error)),
    };
    push.watch.frame(now, &frame);
    push.black_box.media(MediaEntry {
        at_ms,
        kind: if video { MediaEntryKind::Video } else { MediaEntryKind::Audio },
        key_frame: frame.key,
        config: frame.config,
        timestamp,
        size: u32::try_from(payload.len()).unwrap_or(u32::MAX),
        chunk_stream: track,
    });
    if let Some(handle) = &push.handle {
        handle.media_at(now);
    }
    if let Some(place) = &mut push.place {
        let kind = if video { FrameKind::Video } else { FrameKind::Audio };
        place.writer().media(now, kind, timestamp, payload, frame.coded, frame.key);
    }
    broken.filter(|_| shared.config.strict_media)
}

/// Takes in what was packed from the units of a transport that carries no FLV. Gives the push's end where one of them is
/// reason for it (23/0); what came with it is taken in all the same.
pub(super) fn packed(
    shared: &Shared,
    push: &mut Push,
    now: Instant,
    messages: impl Iterator<Item = Packed>,
) -> Option<End> {
    let mut fault = None;
    for message in messages {
        let video = message.kind == MessageKind::Video;
        let track = if video { VIDEO_TRACK } else { AUDIO_TRACK };
        let (timestamp, payload) = (message.timestamp_ms, message.payload);
        let wrong = media(shared, push, now, Message { video, timestamp, payload, track });
        fault = fault.or(wrong);
    }
    fault.map(|fault| {
        let (kind, class) = (FaultKind::Media, FaultClass::Invalid);
        End::fault(ProtocolFault::unplaced(kind, class, fault.rule, fault.what))
    })
}

/// What is left to do after a round.
pub(super) enum Round {
    /// Nothing.
    Done,
    /// Ask the client for a sign of life.
    Probe {
        /// How long nothing has come.
        silence: Duration,
    },
    /// The push ends.
    End(End),
}

/// The rounds of a live push.
pub(super) struct Rounds {
    unplayed: Unplayed,
}

impl Rounds {
    /// The rounds of a push that has just gone live.
    pub(super) fn new(shared: &Shared) -> Self {
        Self { unplayed: Unplayed::new(shared.config.limits.unplayed) }
    }

    /// When [`Rounds::go`] has something to do next.
    pub(super) fn deadline(push: &Push) -> Instant {
        let tick = push.watch.next_deadline();
        push.place.as_ref().and_then(Place::deadline).map_or(tick, |flush| tick.min(flush))
    }

    /// Hands on what waits in the hub, and once a second takes a sample, tells events, and looks at limits.
    pub(super) fn go<W: Way>(&mut self, shared: &Arc<Shared>, way: &W, push: &mut Push) -> Round {
        let now = way.now();
        if let Some(place) = &mut push.place {
            place.writer().flush(now);
        }
        if !push.watch.tick_is_due(now) {
            return Round::Done;
        }
        let due = push.watch.tick(now, way.tcp());
        tell_events(shared, push, now, EVENT_INTERVAL);
        let plays = !push.place.as_ref().is_some_and(Place::is_unplayed);
        if let Some(act) = self.unplayed.look(plays, now) {
            return Round::End(End::act(act));
        }
        note_contests(push, now);
        let (bytes_in, bytes_out) = way.bytes();
        push.publish_state(now, bytes_in, bytes_out);
        pass_on::look(shared, push, now);
        match due {
            None => Round::Done,
            Some(Due::Probe { silence }) => Round::Probe { silence },
            Some(Due::Idle) => Round::End(End::closed(Close::IdleLimit)),
            Some(Due::Cut(act)) => Round::End(End::act(act)),
        }
    }
}

/// Tells the events that are left once a push has ended.
pub(super) fn tell_rest(shared: &Shared, push: &mut Push, now: Instant) {
    tell_events(shared, push, now, Duration::ZERO);
}

/// Counts what was noted, and tells the events of the reporting interval if it is over.
fn tell_events(shared: &Shared, push: &mut Push, now: Instant, interval: Duration) {
    push.watch.media_mut().events_mut().take_counts(|kind, count| shared.counters.events(kind, count));
    let Some(events) = push.take_since(now, interval) else { return };
    for event in &events {
        tracing::debug!(push = %push.id, event = event.kind.key(), count = event.count, "events");
    }
    if let Some(report) = crate::push::report(push, &events, shared.clock.now(), EVENT_INTERVAL) {
        shared.journal.report(report);
    }
}

/// Keeps what others tried on this push's stream key with its evidence.
pub(super) fn note_contests(push: &mut Push, now: Instant) {
    let noted = push.handle.as_ref().map(|handle| handle.take_contests()).unwrap_or_default();
    for contest in noted {
        push.note_command(now, false, contest.what, contest.text, 0);
    }
}

/// What a client that is cut is told; nothing where it left by itself.
pub(super) fn why_cut(shared: &Shared, push: &Push, end: &End) -> Option<String> {
    let act = match end {
        End { act: Some(act), .. } => act.clone(),
        End { close: Close::IdleLimit, .. } => {
            let never = push.watch.media().messages() == 0;
            let cause = if never { Cause::NeverSentMedia } else { Cause::MediaStopped };
            Act { code: cause.code(), detail: None }
        }
        End { fault: Some(fault), .. } => {
            let cause = match fault.kind {
                FaultKind::Protocol => Cause::ProtocolBroken,
                FaultKind::MessageTooLarge => Cause::MessageTooLarge,
                FaultKind::CommandAmf => Cause::AmfBroken,
                FaultKind::Media => Cause::MediaBroken,
            };
            let detail = Detail::new(DetailKey::Rule)
                .with("rule", fault.rule.clone())
                .with("offset", fault.offset)
                .with("found", fault.found.clone());
            Act { code: cause.code(), detail: Some(detail) }
        }
        _ => return None,
    };
    Some(client_text(&act, shared.config.terse))
}
