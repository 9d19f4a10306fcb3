//! RTMP: drives one connection and the pushes on it, each to its end.

mod connection;
mod fault;
mod live;
mod play;
mod setup;
mod summary;

use std::sync::Arc;

use bytes::Bytes;
use cause::evidence::Act;
use model::PushId;
use rtmp::server::PublishRejection;
use rtmp::{ServerConfig, ServerSession};
use tracing::{Instrument, Span};

use self::connection::Connection;
use self::setup::Wish;
use super::conclude::{conclude, end_of};
use super::way::Way;
use crate::push::{End, Push, client_text};
use crate::shared::Shared;
use crate::socket::Sensor;

/// Pushes that one connection may make one after another; an encoder needs one or two.
const PUSHES_PER_CONNECTION: usize = 1000;

/// An accepted connection, as the listener hands it over.
pub(super) struct Accepted {
    pub(super) sensor: Sensor,
    /// Its first push, begun when it was accepted. Its address is the socket's, or the one that a load balancer told. It is
    /// handed on from future to future, each of which would keep room for a whole one.
    pub(super) push: Box<Push>,
    /// Bytes read behind a PROXY header, or together with the end of a TLS handshake.
    pub(super) first_bytes: Bytes,
    /// Set when the connection is above a limit and may only be told so.
    pub(super) overload: Option<Act>,
}

/// Serves a connection until it closes. Every push on it leaves its record.
pub(super) async fn serve(shared: Arc<Shared>, accepted: Accepted) {
    let Accepted { sensor, push, first_bytes, overload } = accepted;
    let (transport, client, behind_proxy) = (push.transport, push.client, push.behind_proxy);
    let session = ServerSession::new(server_config(&shared, push.id));
    let mut first = Some(push);
    let mut connection = Connection::new(sensor, session, shared.clone());
    connection.prefill(&first_bytes);
    for turn in 0..PUSHES_PER_CONNECTION {
        let next = || Push::new(transport, client, behind_proxy, &shared.config.limits, &*shared.clock);
        let mut push = first.take().unwrap_or_else(|| Box::new(next()));
        if turn > 0 {
            push.stage = setup::stage_of(&connection);
            push.bytes_before = (connection.sensor.bytes_in(), connection.sensor.bytes_out());
        }
        let span = tracing::info_span!("push", id = %push.id, client = %client);
        let overload = overload.clone();
        let again = serve_push(&shared, &mut connection, &mut push, turn == 0, overload, &span).await;
        if !again {
            break;
        }
    }
    Box::pin(connection.farewell()).await;
}

/// Runs one push to its end and writes its record. Returns whether the connection may go on.
async fn serve_push(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    first: bool,
    overload: Option<Act>,
    span: &Span,
) -> bool {
    shared.orders.enter(push);
    let run = run(shared, connection, push, overload, span);
    let (end, failed) = end_of(span, run).await;
    shared.orders.leave(push);
    // What follows a finished push on its connection is a push only once it names a stream, and playing is none.
    let attempted = push.claimed.stream.is_some() || (first && !connection.plays);
    if attempted && !was_to_fetch(shared, connection, push, &end, span) {
        Box::pin(conclude(shared, connection, push, &end)).instrument(span.clone()).await;
    }
    !failed && end.goodbye.is_some() && connection.sensor.closed().is_none()
}

/// Whether a connection that ended before it said what it wanted is that of another node: that fetches, and pushes nothing.
fn was_to_fetch(shared: &Shared, connection: &Connection, push: &Push, end: &End, span: &Span) -> bool {
    if push.claimed.stream.is_some() || !crate::pull::is_of_a_node(shared, connection.session.client_head()) {
        return false;
    }
    let (stage, close) = (push.stage, end.close);
    span.in_scope(|| tracing::info!(?stage, ?close, "another node's fetch ended before it named a stream"));
    true
}

async fn run(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    overload: Option<Act>,
    span: &Span,
) -> End {
    // What runs once a push is boxed, so that the task of a live push stays small and warm in the cache. Its span is
    // entered where lines are logged: a live push and a player log hardly any, and would enter and leave it with every
    // message.
    let (mut overload, mut since) = (overload, push.origin);
    let publish = loop {
        let setup = setup::until_wish(shared, connection, push, overload.take(), since);
        match Box::pin(setup.instrument(span.clone())).await {
            Ok(Wish::Publish(publish)) => break publish,
            Ok(Wish::Play(play)) => {
                connection.plays = true;
                if let Some(end) = Box::pin(play::run(shared, connection, push, &play, span)).await {
                    return end;
                }
                since = connection.now();
            }
            Err(end) => return *end,
        }
    };
    let stream_id = publish.stream_id;
    match Box::pin(setup::admit(shared, connection, push, &publish).instrument(span.clone())).await {
        Ok(()) => live::run(shared, connection, push, stream_id).await,
        Err(end) => {
            if let Some(act) = &end.act {
                let text = client_text(act, shared.config.terse);
                push.note_command(connection.now(), false, "onStatus", text.clone(), 0);
                connection.session.reject_publish(stream_id, rejection_of(act), &text);
            }
            *end
        }
    }
}

/// Conflicts are about the name; everything else is a refusal of the client.
fn rejection_of(act: &Act) -> PublishRejection {
    match (act.code.errcode, act.code.sub_errcode) {
        (18, 308 | 309 | 601 | 602) => PublishRejection::BadName,
        (10, _) if crate::relay::proxy::is_about_the_name(act) => PublishRejection::BadName,
        _ => PublishRejection::Denied,
    }
}

fn server_config(shared: &Shared, push: PushId) -> ServerConfig {
    let mut config = ServerConfig::new(Shared::handshake_bytes_of(push));
    config.limits.message = shared.config.limits.message;
    config
}
