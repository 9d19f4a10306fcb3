//! The live part of a push: media, goodbyes, silence, limits and orders, until one of them ends it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cause::evidence::{Close, Goodbye, Stage};
use cause::{Cause, Detail, DetailKey};
use rtmp::MediaKind;
use rtmp::amf0::Value;
use rtmp::ertmp::RECONNECT_REQUEST;
use rtmp::message::MediaMessage;
use rtmp::message::data::DataMessage;
use rtmp::server::{Event, PlayRejection, Publish, PublishRejection};

use super::connection::{Connection, Input};
use super::fault;
use super::setup::{live_control, note};
use crate::ingest::admission::ordered;
use crate::ingest::conclude::conclude;
use crate::ingest::intake::{self, Message, Round, Rounds};
use crate::ingest::way::Way;
use crate::ingest::words::text;
use crate::push::{Declared, End, Push, client_text};
use crate::shared::Shared;

/// An answer to FCUnpublish that the client does not read turns its clean stop into a reset, so it waits.
const FC_UNPUBLISH_ANSWER: Duration = Duration::from_secs(1);
/// FCUnpublish without deleteStream is a goodbye after this time.
const FC_UNPUBLISH_ALONE: Duration = Duration::from_secs(2);

/// What the live part remembers between inputs.
struct Live {
    stream_id: u32,
    fc_unpublish: Option<Instant>,
    fc_answered: bool,
    rounds: Rounds,
}

/// Runs the push until it ends.
pub(super) async fn run(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    stream_id: u32,
) -> End {
    let mut live = Live { stream_id, fc_unpublish: None, fc_answered: false, rounds: Rounds::new(shared) };
    let order = push.order.clone();
    let end = loop {
        let deadline = live.deadline(Rounds::deadline(push));
        let step = match connection.next(&mut push.watch, deadline, &order).await {
            Input::Event(Event::Media(media)) => take_in(shared, connection, push, media),
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
    intake::tell_rest(shared, push, connection.now());
    end
}

fn take_in(shared: &Shared, connection: &Connection, push: &mut Push, message: MediaMessage) -> Option<End> {
    let MediaMessage { info, kind, payload, .. } = message;
    let message = Message {
        video: kind == MediaKind::Video,
        timestamp: info.timestamp,
        payload,
        track: u8::try_from(info.chunk_stream).unwrap_or(u8::MAX),
    };
    let broken = intake::media(shared, push, connection.now(), message)?;
    Some(End::fault(fault::of_media(&broken, &info)))
}

impl Live {
    fn deadline(&self, round: Instant) -> Instant {
        match self.fc_unpublish {
            Some(at) if !self.fc_answered => round.min(at + FC_UNPUBLISH_ANSWER),
            Some(at) => round.min(at + FC_UNPUBLISH_ALONE),
            None => round,
        }
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
        if let Some(at) = self.fc_unpublish {
            if now >= at + FC_UNPUBLISH_ALONE {
                return Some(End::goodbye(Goodbye::FcUnpublishAlone));
            }
            if now >= at + FC_UNPUBLISH_ANSWER && !self.fc_answered {
                self.fc_answered = true;
                connection.session.answer_fc_unpublish();
            }
        }
        if push.order.take_move() {
            ask_to_move(shared, connection, push);
        }
        match self.rounds.go(shared, connection, push) {
            Round::Done => None,
            Round::Probe { silence } => {
                push.note_command(now, false, "ping", String::new(), 0);
                connection.probe(silence, push.watch.at_ms(now));
                None
            }
            Round::End(end) => Some(end),
        }
    }

    fn closed(&self, close: Close) -> End {
        let goodbye = self.fc_unpublish.map(|_| Goodbye::FcUnpublishClosed);
        End { goodbye, ..End::closed(close) }
    }

    /// A client that is cut is told why.
    fn tell(&self, shared: &Shared, connection: &mut Connection, push: &mut Push, end: &End) {
        let Some(why) = intake::why_cut(shared, push, end) else { return };
        push.note_command(connection.now(), false, "onStatus", text(&why), 0);
        connection.session.cut(self.stream_id, &why);
    }
}

/// Asks the client to connect elsewhere, if it said that it would understand; it is not told where, since whatever stands
/// in front of the nodes knows that.
fn ask_to_move(shared: &Shared, connection: &mut Connection, push: &mut Push) {
    if connection.session.request_reconnect(None, Some("this server is being taken out of service")) {
        push.note_command(connection.now(), false, "onStatus", RECONNECT_REQUEST.to_owned(), 0);
        shared.drain.asked();
    }
}

/// A second publish beside a live one on the same connection is refused, recorded, and leaves the live one alone.
async fn refuse_second(shared: &Arc<Shared>, connection: &mut Connection, live: &Push, publish: &Publish) {
    let mut second =
        Push::new(live.transport, live.client, live.behind_proxy, &shared.config.limits, &*shared.clock);
    second.stage = Stage::Admission;
    second.claimed = live.claimed.clone();
    second.claimed.stream = Some(text(publish.name.split('?').next().unwrap_or_default()));
    second.facts = live.facts.clone();
    second.bytes_before = (connection.sensor.bytes_in(), connection.sensor.bytes_out());
    second.note_command(connection.now(), true, "publish", text(&publish.name), publish.info.length);
    let name = live.claimed.stream.clone().unwrap_or_default();
    let end =
        End::cause(Cause::ProtocolBroken, Some(Detail::new(DetailKey::SecondPublish).with("live", name)));
    if let Some(act) = &end.act {
        let text = client_text(act, shared.config.terse);
        connection.session.reject_publish(publish.stream_id, PublishRejection::BadName, &text);
    }
    conclude(shared, connection, &mut second, &end).await;
}

fn note_data(push: &mut Push, now: Instant, data: &DataMessage) {
    let at_ms = push.watch.at_ms(now);
    if let Some(error) = &data.broken {
        push.watch.media_mut().broken_data(at_ms, error);
    }
    if data.name != "onMetaData" {
        return;
    }
    let objects = || {
        data.values.iter().filter_map(|value| match value {
            Value::Object(object) | Value::EcmaArray(object) => Some(object),
            _ => None,
        })
    };
    let encoder = objects().find_map(|object| match object.get("encoder") {
        Some(Value::String(name) | Value::LongString(name)) => Some(text(name)),
        _ => None,
    });
    if encoder.is_some() {
        push.facts.encoder = encoder;
    }
    let number = |name: &str| {
        let given = objects().find_map(|object| match object.get(name) {
            Some(Value::Number(number)) => Some(*number as f32),
            _ => None,
        });
        given.filter(|number| number.is_finite() && *number > 0.0)
    };
    // Encoders without a set rate declare none, or only that of the sound.
    let kbps = number("videodatarate").map(|video| video + number("audiodatarate").unwrap_or(0.0));
    push.declared = Declared { fps: number("framerate"), kbps };
}
