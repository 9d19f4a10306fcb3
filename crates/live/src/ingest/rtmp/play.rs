//! A connection that plays: no push, and so without a record.

use std::sync::Arc;
use std::time::Instant;

use bytes::{Buf, Bytes};
use model::PushUrl;
use rtmp::message::command::Command;
use rtmp::server::{Event, Play, PlayRejection};
use tracing::Span;

use super::connection::{Connection, Input, PlayInput};
use super::fault;
use crate::hub::WatchError;
use crate::hub::feed::{
    Ended, FrameKind, Headers, RTMP_CHUNK_SIZE, RTMP_STREAM_ID, Step, Viewer, ViewerInfo, ViewerKind,
};
use crate::ingest::admission::{left_or_ordered, ordered};
use crate::ingest::way::Way;
use crate::play::{Outbox, STREAM_HAS_ENDED, STREAM_WAS_LOST};
use crate::push::{End, Push};
use crate::shared::Shared;

/// Contiguous batches go out together up to about this many bytes.
const TOGETHER: usize = 256 * 1024;

/// One who plays over RTMP.
struct Player {
    /// Entered where lines are logged.
    span: Span,
    viewer: Viewer,
    /// Another node plays, on behalf of its own viewers.
    by_node: bool,
    stream_id: u32,
    outbox: Outbox,
    /// The client has heard `Play.Start`.
    started: bool,
    paused: bool,
    wants_audio: bool,
    wants_video: bool,
    /// Headers that go out before the next batch.
    next_headers: Option<Arc<Headers>>,
    headers: Option<Arc<Headers>>,
}

/// What follows a step of the client's.
enum Then {
    /// Playing goes on.
    On,
    /// The client has stopped playing, and may do something else.
    Stop,
}

/// Plays until the client stops it (`None`: its connection may go on) or leaves.
pub(super) async fn run(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    play: &Play,
    span: &Span,
) -> Option<End> {
    let by_node = crate::pull::asked_by_a_node(shared, &play_url(connection, play));
    let (viewer, give_up) = match Box::pin(join(shared, connection, push, play, by_node)).await {
        Ok(Some(joined)) => joined,
        Ok(None) => return Some(left_or_ordered(connection, push)),
        Err((code, text)) => {
            span.in_scope(|| tracing::info!(reason = text, "play refused"));
            connection.session.reject_play(play.stream_id, code, &text);
            return None;
        }
    };
    span.in_scope(|| tracing::info!(stream = %crate::ingest::words::text(&play.name), "play"));
    let mut player = Player {
        span: span.clone(),
        viewer,
        by_node,
        stream_id: play.stream_id,
        outbox: Outbox::default(),
        started: false,
        paused: false,
        wants_audio: true,
        wants_video: true,
        next_headers: None,
        headers: None,
    };
    connection.take_answers(&mut player.outbox);
    let end = player.run(connection, push, give_up).await;
    player.go_on_alone();
    connection.sensor.others_wrote(player.viewer.groups_wrote());
    connection.flush_later(player.outbox);
    end
}

fn play_url(connection: &Connection, play: &Play) -> PushUrl {
    let (tc_url, app) = connection.connect.as_ref().map_or(("", ""), |c| (&c.tc_url, &c.app));
    PushUrl::from_rtmp(tc_url, app, &play.name)
}

/// A viewer, and until when it waits for a stream that is not live.
type Joined = (Viewer, Option<Instant>);

/// The viewer; `None` if its client has left meanwhile, or has to.
async fn join(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    play: &Play,
    by_node: bool,
) -> Result<Option<Joined>, (PlayRejection, String)> {
    let url = play_url(connection, play);
    let kind = if by_node { ViewerKind::Node } else { ViewerKind::Rtmp };
    let who = ViewerInfo { kind, client: push.client, since: shared.clock.now() };
    if by_node {
        let served = crate::pull::serve(shared, &url, &push.order, who);
        return served
            .map(|viewer| Some((viewer, None)))
            .map_err(|error| (PlayRejection::Failed, error.to_string()));
    }
    let order = push.order.clone();
    let Some(found) = connection.hold(&mut push.watch, &order, crate::pull::find(shared, &url)).await else {
        return Ok(None);
    };
    let found = found.map_err(|e| (PlayRejection::Failed, e.to_string()))?;
    let key = &found.key;
    // A player that may wait hears `Play.Start` only once the stream is live.
    let (wait, hub) = (shared.config.play.wait, &shared.hub);
    let joined = match wait.is_zero() || hub.is_live(key) {
        true => hub.watch(key, who),
        false => Err(WatchError::NoSuchStream),
    };
    match joined {
        Ok(viewer) => Ok(Some((viewer, None))),
        Err(WatchError::NoSuchStream) if !wait.is_zero() => {
            let viewer = hub.watch_for(key, who);
            viewer
                .map(|viewer| Some((viewer, Some(connection.now() + wait))))
                .map_err(|e| (PlayRejection::Failed, e.to_string()))
        }
        Err(error @ WatchError::NoSuchStream) => Err((PlayRejection::StreamNotFound, error.to_string())),
        Err(error) => Err((PlayRejection::Failed, error.to_string())),
    }
}

impl Player {
    async fn run(
        &mut self,
        connection: &mut Connection,
        push: &mut Push,
        mut give_up: Option<Instant>,
    ) -> Option<End> {
        let order = push.order.clone();
        loop {
            if give_up.is_none() && !self.started {
                self.start(connection);
            }
            let in_group = self.may_join_a_group();
            let viewer = (!self.paused).then_some(&mut self.viewer);
            let before = connection.sensor.bytes_out();
            let input = connection.exchange(&mut self.outbox, viewer, in_group, &order, give_up).await;
            if self.started {
                self.viewer.sent(connection.sensor.bytes_out().saturating_sub(before));
            }
            match input {
                PlayInput::Step(Step::Ended(why)) => {
                    // What ended the stream may have ended this connection too, as a stop does.
                    let ordered = self.by_node && order.get().is_some();
                    self.ended(connection, if ordered { Ended::Lost } else { why });
                    return None;
                }
                PlayInput::Step(step) => {
                    give_up = None;
                    if !self.started {
                        self.start(connection);
                    }
                    self.send(step);
                    self.send_what_is_there();
                }
                PlayInput::Rest(rest) => self.came_back(rest),
                PlayInput::Client(Input::Event(event)) => {
                    self.go_on_alone();
                    match self.event(connection, event) {
                        Then::On => {}
                        Then::Stop => return None,
                    }
                }
                PlayInput::Client(Input::Due) => {
                    let text = WatchError::NoSuchStream.to_string();
                    connection.session.reject_play(self.stream_id, PlayRejection::StreamNotFound, &text);
                    return None;
                }
                PlayInput::Client(Input::Fault(fault)) => return Some(End::fault(fault::of_rtmp(&fault))),
                PlayInput::Client(Input::Memory(end)) => return Some(end),
                PlayInput::Client(Input::Closed(close)) => return Some(End::closed(close)),
                PlayInput::Client(Input::Ordered) => {
                    // Another node asks the next owner, who may have the stream already.
                    let why = if self.by_node { Ended::Lost } else { Ended::Unpublished };
                    self.ended(connection, why);
                    return Some(ordered(push));
                }
            }
        }
    }

    /// A group sends everybody the same.
    fn may_join_a_group(&self) -> bool {
        self.started && self.wants_audio && self.wants_video && self.stream_id == RTMP_STREAM_ID
    }

    /// Leaves its group, if it is in one.
    fn go_on_alone(&mut self) {
        if self.viewer.is_in_group() {
            let rest = self.viewer.leave_group();
            self.came_back(rest);
        }
    }

    /// Takes over what a group has not written.
    fn came_back(&mut self, rest: Vec<Bytes>) {
        rest.into_iter().for_each(|piece| self.outbox.push(piece));
        self.headers = self.viewer.headers().cloned();
    }

    fn start(&mut self, connection: &mut Connection) {
        self.started = true;
        if connection.session.chunk_size() != RTMP_CHUNK_SIZE {
            connection.session.set_chunk_size(RTMP_CHUNK_SIZE);
        }
        connection.session.accept_play(self.stream_id);
        // The answer goes out before the first frame.
        connection.take_answers(&mut self.outbox);
    }

    /// Puts a step into the outbox.
    fn send(&mut self, step: Step) {
        match step {
            Step::Headers(headers) => self.next_headers = Some(headers),
            Step::Batch(batch) => {
                if let Some(headers) = self.next_headers.take() {
                    let known = self.headers.as_deref();
                    self.outbox.push(headers.rtmp(self.stream_id, known, batch.timestamp()));
                    self.headers = Some(headers);
                }
                let (audio, video) = (self.wants_audio, self.wants_video);
                self.outbox.push(match audio && video {
                    true => batch.rtmp_on(self.stream_id),
                    false => batch.rtmp_where(self.stream_id, |frame| match frame.kind {
                        FrameKind::Audio => audio,
                        FrameKind::Video => video,
                        FrameKind::Script => true,
                    }),
                });
            }
            Step::Skipped { frames } => self.span.in_scope(|| tracing::debug!(frames, "viewer is too slow")),
            Step::Ended(_) => {}
        }
    }

    /// Batches that came together go out together.
    fn send_what_is_there(&mut self) {
        while self.outbox.remaining() < TOGETHER {
            match self.viewer.try_next() {
                // The end is met again once all of this is written.
                None | Some(Step::Ended(_)) => return,
                Some(step) => self.send(step),
            }
        }
    }

    fn event(&mut self, connection: &mut Connection, event: Event) -> Then {
        match event {
            Event::CloseStream(stream) | Event::DeleteStream(stream)
                if stream.stream_id == self.stream_id =>
            {
                return Then::Stop;
            }
            Event::Pause(pause) if pause.stream_id == self.stream_id => {
                if self.paused && !pause.paused {
                    self.viewer.skip_to_live();
                }
                self.paused = pause.paused;
                connection.session.answer_pause(self.stream_id, pause.paused);
            }
            Event::Play(play) => {
                let text = "this connection plays another stream already";
                connection.session.reject_play(play.stream_id, PlayRejection::Failed, text);
                if play.stream_id == self.stream_id {
                    return Then::Stop;
                }
            }
            // It is a push from here on, to be admitted and recorded as one.
            Event::Publish(publish) => {
                connection.carried = Some(publish);
                return Then::Stop;
            }
            Event::Command(command) => self.command(&command),
            Event::FcUnpublish(_) => connection.session.answer_fc_unpublish(),
            _ => {}
        }
        Then::On
    }

    fn command(&mut self, command: &Command) {
        let wanted = command.arg(1).and_then(rtmp::amf0::Value::as_bool);
        match (command.name.as_str(), wanted) {
            ("receiveAudio", Some(wanted)) => self.wants_audio = wanted,
            ("receiveVideo", Some(wanted)) => self.wants_video = wanted,
            _ => {}
        }
    }

    fn ended(&mut self, connection: &mut Connection, why: Ended) {
        if self.started {
            let text = match why {
                Ended::Unpublished => STREAM_HAS_ENDED,
                Ended::Lost => STREAM_WAS_LOST,
            };
            connection.session.play_stop(self.stream_id, text);
        } else {
            let text = WatchError::NoSuchStream.to_string();
            connection.session.reject_play(self.stream_id, PlayRejection::StreamNotFound, &text);
        }
    }
}
