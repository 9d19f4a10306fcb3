//! The live part of a push: media, goodbyes, silence, limits and orders, until one of them ends it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cause::black_box::{MediaEntry, MediaEntryKind};
use cause::evidence::{Close, Goodbye, Stage};
use cause::{Cause, Detail, DetailKey};
use rtmp::MediaKind;
use rtmp::amf0::Value;
use rtmp::message::MediaMessage;
use rtmp::message::data::DataMessage;
use rtmp::server::{Event, PlayRejection, Publish, PublishRejection};

use super::connection::{Connection, Input};
use super::setup::{live_control, note, ordered};
use super::{fault, pass_on, summary};
use crate::hub::Place;
use crate::hub::feed::FrameKind;
use crate::push::{Due, End, Push, Unplayed, client_text};
use crate::shared::Shared;

/// An answer to FCUnpublish that the client does not read turns its clean stop into a reset, so it waits.
const FC_UNPUBLISH_ANSWER: Duration = Duration::from_secs(1);
/// FCUnpublish without deleteStream is a goodbye after this time.
const FC_UNPUBLISH_ALONE: Duration = Duration::from_secs(2);

/// Events are told once in this time, if there were any.
const EVENT_INTERVAL: Duration = Duration::from_secs(5);

/// What the live part remembers between inputs.
struct Live {
    stream_id: u32,
    fc_unpublish: Option<Instant>,
    fc_answered: bool,
    unplayed: Unplayed,
}

/// Runs the push until it ends.
pub(super) async fn run(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    stream_id: u32,
) -> End {
    let mut live = Live {
        stream_id,
        fc_unpublish: None,
        fc_answered: false,
        unplayed: Unplayed::new(shared.config.limits.unplayed),
    };
    let order = push.order.clone();
    let end = loop {
        let flush = push.place.as_ref().and_then(Place::deadline);
        let deadline = live.deadline(push.watch.next_deadline(), flush);
        let step = match connection.next(&mut push.watch, deadline, &order).await {
            Input::Event(Event::Media(media)) => live.media(shared, connection, push, media),
            Input::Event(event) => live.event(shared, connection, push, event).await,
            Input::Due => live.due(shared, connection, push),
            Input::Fault(fault) => Some(End::fault(fault::of_rtmp(&fault))),
            Input::Closed(close) => Some(live.closed(close)),
            Input::Memory(end) => Some(end),
            Input::Ordered => Some(ordered(push)),
        };
        if let Some(end) = step {
            break end;
        }
    };
    live.tell(shared, connection, push, &end);
    tell_events(shared, push, connection.now(), Duration::ZERO);
    end
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

impl Live {
    fn deadline(&self, tick: Instant, flush: Option<Instant>) -> Instant {
        let tick = flush.map_or(tick, |flush| tick.min(flush));
        match self.fc_unpublish {
            Some(at) if !self.fc_answered => tick.min(at + FC_UNPUBLISH_ANSWER),
            Some(at) => tick.min(at + FC_UNPUBLISH_ALONE),
            None => tick,
        }
    }

    fn media(
        &self,
        shared: &Shared,
        connection: &Connection,
        push: &mut Push,
        message: MediaMessage,
    ) -> Option<End> {
        let now = connection.now();
        let at_ms = push.watch.at_ms(now);
        let timestamp = message.info.timestamp;
        let facts = push.watch.media_mut();
        let seen = match message.kind {
            MediaKind::Video => facts.video(now, at_ms, timestamp, &message.payload),
            MediaKind::Audio => facts.audio(now, at_ms, timestamp, &message.payload),
        };
        let (frame, broken) = match seen {
            Ok(frame) => (frame, None),
            Err(error) => {
                let frame = crate::push::Frame {
                    video: message.kind == MediaKind::Video,
                    timestamp,
                    ..crate::push::Frame::default()
                };
                (frame, Some(error))
            }
        };
        push.watch.frame(now, &frame);
        push.black_box.media(MediaEntry {
            at_ms,
            kind: match message.kind {
                MediaKind::Video => MediaEntryKind::Video,
                MediaKind::Audio => MediaEntryKind::Audio,
            },
            key_frame: frame.key,
            config: frame.config,
            timestamp,
            size: message.info.length,
            chunk_stream: u8::try_from(message.info.chunk_stream).unwrap_or(u8::MAX),
        });
        if let Some(handle) = &push.handle {
            handle.media_at(now);
        }
        if let Some(place) = &mut push.place {
            let kind = match message.kind {
                MediaKind::Video => FrameKind::Video,
                MediaKind::Audio => FrameKind::Audio,
            };
            place.writer().media(now, kind, timestamp, message.payload, frame.coded, frame.key);
        }
        let broken = broken.filter(|_| shared.config.strict_media)?;
        Some(End::fault(fault::of_media(&broken, &message.info)))
    }

    async fn event(
        &mut self,
        shared: &Arc<Shared>,
        connection: &mut Connection,
        push: &mut Push,
        event: Event,
    ) -> Option<End> {
        note(push, connection, &event);
        match event {
            Event::DeleteStream(stream) if stream.stream_id == self.stream_id => {
                connection.session.answer_fc_unpublish();
                return Some(End::goodbye(Goodbye::DeleteStream));
            }
            Event::CloseStream(stream) if stream.stream_id == self.stream_id => {
                return Some(End::goodbye(Goodbye::CloseStream));
            }
            Event::FcUnpublish(_) => {
                self.fc_unpublish.get_or_insert(connection.now());
            }
            Event::Publish(publish) if self.fc_unpublish.is_some() => {
                connection.carried = Some(publish);
                return Some(End::goodbye(Goodbye::Republished));
            }
            Event::Publish(publish) => Box::pin(refuse_second(shared, connection, push, &publish)).await,
            Event::PingResponse(_) => push.watch.pong(connection.now()),
            Event::Data(data) => {
                note_data(push, connection.now(), &data);
                if let Some(place) = push.place.as_mut().filter(|_| !data.raw.is_empty()) {
                    place.writer().data(connection.now(), data.info.timestamp, &data.name, &data.raw);
                }
            }
            Event::Control(control) => live_control(push, connection, &control.control),
            Event::Play(play) => {
                let code = PlayRejection::Failed;
                connection.session.reject_play(play.stream_id, code, "this connection publishes");
            }
            _ => {}
        }
        None
    }

    fn due(&mut self, shared: &Arc<Shared>, connection: &mut Connection, push: &mut Push) -> Option<End> {
        let now = connection.now();
        if let Some(place) = &mut push.place {
            place.writer().flush(now);
        }
        if let Some(at) = self.fc_unpublish {
            if now >= at + FC_UNPUBLISH_ALONE {
                return Some(End::goodbye(Goodbye::FcUnpublishAlone));
            }
            if now >= at + FC_UNPUBLISH_ANSWER && !self.fc_answered {
                self.fc_answered = true;
                connection.session.answer_fc_unpublish();
            }
        }
        if !push.watch.tick_is_due(now) {
            return None;
        }
        let due = push.watch.tick(now, connection.sensor.facts());
        tell_events(shared, push, now, EVENT_INTERVAL);
        let plays = !push.place.as_ref().is_some_and(Place::is_unplayed);
        if let Some(act) = self.unplayed.look(plays, now) {
            return Some(End::act(act));
        }
        note_contests(push, now);
        push.publish_state(now, connection.sensor.bytes_in(), connection.sensor.bytes_out());
        pass_on::look(shared, push, now);
        match due? {
            Due::Probe { silence } => {
                push.note_command(now, false, "ping", String::new(), 0);
                connection.probe(silence, push.watch.at_ms(now));
                None
            }
            Due::Idle => Some(End::closed(Close::IdleLimit)),
            Due::Cut(act) => Some(End::act(act)),
        }
    }

    fn closed(&self, close: Close) -> End {
        let goodbye = self.fc_unpublish.map(|_| Goodbye::FcUnpublishClosed);
        End { goodbye, ..End::closed(close) }
    }

    /// A client that is cut is told why.
    fn tell(&self, shared: &Shared, connection: &mut Connection, push: &mut Push, end: &End) {
        let text = match end {
            End { act: Some(act), .. } => client_text(act, shared.config.terse),
            End { close: Close::IdleLimit, .. } => {
                let cause = if push.watch.media().messages() == 0 {
                    Cause::NeverSentMedia
                } else {
                    Cause::MediaStopped
                };
                client_text(&cause::evidence::Act { code: cause.code(), detail: None }, shared.config.terse)
            }
            End { fault: Some(fault), .. } => {
                let cause = match fault.kind {
                    cause::evidence::FaultKind::Protocol => Cause::ProtocolBroken,
                    cause::evidence::FaultKind::MessageTooLarge => Cause::MessageTooLarge,
                    cause::evidence::FaultKind::CommandAmf => Cause::AmfBroken,
                    cause::evidence::FaultKind::Media => Cause::MediaBroken,
                };
                let detail = Detail::new(DetailKey::Rule)
                    .with("rule", fault.rule.clone())
                    .with("offset", fault.offset)
                    .with("found", fault.found.clone());
                client_text(
                    &cause::evidence::Act { code: cause.code(), detail: Some(detail) },
                    shared.config.terse,
                )
            }
            _ => return,
        };
        push.note_command(connection.now(), false, "onStatus", summary::text(&text), 0);
        connection.session.cut(self.stream_id, &text);
    }
}

/// Keeps what others tried on this push's stream key with its evidence.
pub(super) fn note_contests(push: &mut Push, now: Instant) {
    let noted = push.handle.as_ref().map(|handle| handle.take_contests()).unwrap_or_default();
    for contest in noted {
        push.note_command(now, false, contest.what, contest.text, 0);
    }
}

/// A second publish beside a live one on the same connection is refused, recorded, and leaves the live one alone.
async fn refuse_second(shared: &Arc<Shared>, connection: &mut Connection, live: &Push, publish: &Publish) {
    let mut second =
        Push::new(live.transport, live.client, live.behind_proxy, &shared.config.limits, &*shared.clock);
    second.stage = Stage::Admission;
    second.claimed = live.claimed.clone();
    second.claimed.stream = Some(summary::text(publish.name.split('?').next().unwrap_or_default()));
    second.facts = live.facts.clone();
    second.bytes_before = (connection.sensor.bytes_in(), connection.sensor.bytes_out());
    second.note_command(connection.now(), true, "publish", summary::text(&publish.name), publish.info.length);
    let name = live.claimed.stream.clone().unwrap_or_default();
    let end =
        End::cause(Cause::ProtocolBroken, Some(Detail::new(DetailKey::SecondPublish).with("live", name)));
    if let Some(act) = &end.act {
        let text = client_text(act, shared.config.terse);
        connection.session.reject_publish(publish.stream_id, PublishRejection::BadName, &text);
    }
    super::conclude(shared, connection, &mut second, &end).await;
}

fn note_data(push: &mut Push, now: Instant, data: &DataMessage) {
    let at_ms = push.watch.at_ms(now);
    if let Some(error) = &data.broken {
        push.watch.media_mut().broken_data(at_ms, error);
    }
    if data.name != "onMetaData" {
        return;
    }
    let encoder = data.values.iter().find_map(|value| match value {
        Value::Object(object) | Value::EcmaArray(object) => match object.get("encoder") {
            Some(Value::String(name) | Value::LongString(name)) => Some(summary::text(name)),
            _ => None,
        },
        _ => None,
    });
    if encoder.is_some() {
        push.facts.encoder = encoder;
    }
}
