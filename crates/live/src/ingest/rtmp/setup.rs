//! From the first byte to publish: the commands before it, then what admission is asked about.

use std::sync::Arc;
use std::time::Instant;

use cause::evidence::{Act, Close, Stage};
use model::stream_key::PushUrl;
use rtmp::server::{Event, Play, Publish};

use super::connection::{Connection, Input};
use super::{fault, summary};
use crate::ingest::admission::{self, Question, ordered};
use crate::ingest::way::Way;
use crate::ingest::words::text;
use crate::push::{End, Push};
use crate::shared::Shared;

/// The stage that the connection has reached, as evidence names it.
pub(super) fn stage_of(connection: &Connection) -> Stage {
    match connection.session.stage() {
        rtmp::Stage::Handshake(_) if connection.sensor.bytes_in() == 0 => Stage::NoBytes,
        rtmp::Stage::Handshake(_) => Stage::RtmpHandshake,
        rtmp::Stage::BeforeConnect => Stage::BeforeConnect,
        rtmp::Stage::Connected => Stage::Connected,
        rtmp::Stage::StreamCreated | rtmp::Stage::Publishing | rtmp::Stage::Playing => Stage::StreamCreated,
    }
}

/// What a client wants once it is connected.
pub(super) enum Wish {
    Publish(Box<Publish>),
    Play(Box<Play>),
}

/// Follows the client's commands until it publishes or plays, for which it has the time of `[limits] setup` from `since`.
pub(super) async fn until_wish(
    shared: &Shared,
    connection: &mut Connection,
    push: &mut Push,
    mut overloaded: Option<Act>,
    since: Instant,
) -> Result<Wish, Box<End>> {
    if let Some(publish) = connection.carried.take() {
        return Ok(Wish::Publish(publish));
    }
    if let Some(connect) = &connection.connect {
        push.facts.agent = agent(&connect.flash_ver);
        push.facts.can_reconnect = connect.enhanced.has(rtmp::ertmp::caps::RECONNECT);
    }
    let limits = &shared.config.limits;
    let setup_deadline = since + limits.setup;
    let mut deadline = if connection.connect.is_some() {
        setup_deadline
    } else {
        setup_deadline.min(connection.now() + limits.handshake)
    };
    let order = push.order.clone();
    loop {
        let input = connection.next(&mut push.watch, deadline, &order).await;
        push.stage = push.stage.max(stage_of(connection));
        let event = match input {
            Input::Event(event) => event,
            Input::Fault(fault) => return Err(Box::new(End::fault(fault::of_rtmp(&fault)))),
            Input::Closed(close) => return Err(Box::new(End::closed(close))),
            Input::Memory(end) => return Err(Box::new(end)),
            Input::Due => return Err(Box::new(End::closed(Close::SetupLimit))),
            Input::Ordered => return Err(Box::new(ordered(push))),
        };
        note(push, connection, &event);
        match event {
            Event::HandshakeDone(kind) => {
                push.facts.handshake = Some(match kind {
                    rtmp::handshake::HandshakeKind::Simple => "simple".to_owned(),
                    rtmp::handshake::HandshakeKind::Digest(_) => "digest".to_owned(),
                });
                deadline = setup_deadline;
            }
            Event::Connect(connect) => {
                push.facts.agent = agent(&connect.flash_ver);
                push.facts.can_reconnect = connect.enhanced.has(rtmp::ertmp::caps::RECONNECT);
                if let Some(act) = overloaded.take() {
                    let text = crate::push::client_text(&act, shared.config.terse);
                    connection.session.reject_connect(&text);
                    return Err(Box::new(End::act(act)));
                }
                connection.session.accept_connect();
                connection.connect = Some(connect);
            }
            Event::Publish(publish) => return Ok(Wish::Publish(publish)),
            Event::Play(play) => return Ok(Wish::Play(play)),
            Event::FcUnpublish(_) => connection.session.answer_fc_unpublish(),
            Event::Control(control) => live_control(push, connection, &control.control),
            _ => {}
        }
    }
}

/// Keeps an event in the black box, if it is a command.
pub(super) fn note(push: &mut Push, connection: &Connection, event: &Event) {
    if let Some((name, line)) = summary::of(event) {
        let size = event.info().map_or(0, |info| info.length);
        push.note_command(connection.now(), true, &name, line, size);
    }
}

pub(super) fn live_control(
    push: &mut Push,
    connection: &Connection,
    control: &rtmp::message::control::Control,
) {
    if let rtmp::message::control::Control::SetChunkSize(size) = control {
        let at_ms = push.watch.at_ms(connection.now());
        push.watch.media_mut().chunk_size(at_ms, *size);
    }
}

fn agent(flash_ver: &str) -> Option<String> {
    (!flash_ver.is_empty()).then(|| text(flash_ver))
}

/// Asks admission about a publish; if it may go live, the client hears `Publish.Start`.
pub(super) async fn admit(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    publish: &Publish,
) -> Result<(), Box<End>> {
    let (tc_url, app) = connection.connect.as_ref().map_or(("", ""), |c| (&c.tc_url, &c.app));
    let question = Question {
        url: PushUrl::from_rtmp(tc_url, app, &publish.name),
        sni: connection.sensor.server_name().map(str::to_owned),
        enhanced: connection.connect.as_ref().map(|connect| connect.enhanced.clone()).unwrap_or_default(),
    };
    let stream_id = publish.stream_id;
    admission::admit(shared, connection, push, &question, |connection, push| {
        connection.session.accept_publish(stream_id);
        let now = shared.clock.instant();
        push.note_command(now, false, "onStatus", "NetStream.Publish.Start".to_owned(), 0);
    })
    .await
}
