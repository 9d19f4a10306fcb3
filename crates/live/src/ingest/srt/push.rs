//! One SRT push, from its stream id to its record.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cause::evidence::{Act, Close, FaultClass, FaultKind, ProtocolFault, Stage, Transport};
use model::stream_key::{Host, PushUrl};
use rtmp::ertmp::Enhancements;
use tracing::{Instrument, Span};

use super::connection::{Connection, Input};
use super::half;
use super::media::MediaIn;
use super::reject;
use crate::arrivals::PlaceOfAddress;
use crate::ingest::admission::{self, Question, ordered};
use crate::ingest::conclude::{conclude, end_of, with_facts};
use crate::ingest::intake::{self, Round, Rounds};
use crate::ingest::words::text;
use crate::push::{ConnectionFacts, End, Push, client_text};
use crate::shared::Shared;

/// A caller heard within this time is alive; it sends a sign of life each second.
const ALIVE_MS: u64 = 2_500;

/// A caller that asks to push.
pub(super) struct Asking {
    pub(super) connection: Connection,
    pub(super) client: SocketAddr,
    pub(super) stream_id: Vec<u8>,
    /// Set when the connection is above a limit and may only be told so.
    pub(super) overload: Option<Act>,
    /// Its share of what one address may have.
    pub(super) place: Option<PlaceOfAddress>,
}

/// Runs a push to its end and writes its record.
pub(super) async fn serve(shared: Arc<Shared>, asking: Asking) {
    let Asking { mut connection, client, stream_id, overload, place: _place } = asking;
    let mut push = Push::new(Transport::Srt, client, false, &shared.config.limits, &*shared.clock);
    push.stage = Stage::SrtHandshake;
    push.facts.agent = agent(connection.version);
    let stream_id = String::from_utf8_lossy(&stream_id).into_owned();
    let greeting = format!("streamid={}", text(&stream_id));
    push.note_command(
        connection.now,
        true,
        "handshake",
        greeting,
        u32::try_from(stream_id.len()).unwrap_or(0),
    );
    let span = tracing::info_span!("push", id = %push.id, client = %client);
    let mut media = MediaIn::new(shared.clone());
    shared.orders.enter(&push);
    let run = run(&shared, &mut connection, &mut push, &mut media, &stream_id, overload, &span);
    let (end, _) = end_of(&span, run).await;
    shared.orders.leave(&push);
    connection.ts = media.facts();
    conclude(&shared, &connection, &mut push, &end).instrument(span).await;
    // Whoever waits for the last connection finds its record written.
    connection.close();
}

async fn run(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    media: &mut MediaIn,
    stream_id: &str,
    overload: Option<Act>,
    span: &Span,
) -> End {
    let url = PushUrl::from_srt_streamid(stream_id);
    let admitted = match overload {
        Some(act) => {
            claim(push, &url);
            Err(Box::new(End::act(act)))
        }
        None => {
            let question = Question { url, sni: None, enhanced: Enhancements::forwarding() };
            let welcome = |connection: &mut Connection, push: &mut Push| {
                connection.accept();
                push.note_command(connection.now, false, "accept", String::new(), 0);
            };
            Box::pin(admission::admit(shared, connection, push, &question, welcome).instrument(span.clone()))
                .await
        }
    };
    match admitted {
        Ok(()) => live(shared, connection, push, media).await,
        Err(end) => {
            if let Some(act) = &end.act {
                let code = reject::code(act);
                let why = client_text(act, shared.config.terse);
                push.note_command(connection.now, false, "reject", format!("{code}: {why}"), 0);
                connection.reject(code);
            }
            *end
        }
    }
}

/// Takes media in until something ends the push.
async fn live(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    media: &mut MediaIn,
) -> End {
    let mut rounds = Rounds::new(shared);
    let order = push.order.clone();
    let end = loop {
        let step = match connection.next(Rounds::deadline(push), &order).await {
            Input::Data => take_in(shared, connection, push, media),
            Input::Due => due(shared, connection, push, &mut rounds),
            Input::Ended => {
                media.finish(shared, push, connection.now);
                Some(connection.end())
            }
            Input::Ordered => Some(ordered(push)),
        };
        if let Some(end) = step {
            break end;
        }
    };
    if let Some(why) = intake::why_cut(shared, push, &end) {
        // The protocol has a goodbye, but no word for its reason.
        push.note_command(connection.now, false, "shutdown", text(&why), 0);
    }
    push.watch.link(connection.link());
    intake::tell_rest(shared, push, connection.now);
    end
}

fn take_in(
    shared: &Shared,
    connection: &mut Connection,
    push: &mut Push,
    media: &mut MediaIn,
) -> Option<End> {
    let now = connection.now;
    let mut batch = std::mem::take(&mut connection.batch);
    let end = batch.drain(..).find_map(|payload| media.take(shared, push, now, &payload));
    connection.batch = batch;
    end
}

fn due(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    rounds: &mut Rounds,
) -> Option<End> {
    if push.watch.tick_is_due(connection.now) {
        push.watch.link(connection.link());
    }
    match rounds.go(shared, connection, push) {
        Round::Done => None,
        // The protocol asks and answers by itself all the while.
        Round::Probe { .. } => {
            if connection.unheard_ms() <= ALIVE_MS {
                push.watch.pong(connection.now);
            }
            None
        }
        Round::End(end) => Some(end),
    }
}

/// Records callers that left half-way through their handshakes, or that the protocol itself refused.
pub(super) async fn half_way(shared: Arc<Shared>, end: half::End, now: Instant) {
    let half::End { caller: (from, _), half, code, attempts } = end;
    let client = SocketAddr::new(from.ip().to_canonical(), from.port());
    let mut push = Push::new(Transport::Srt, client, false, &shared.config.limits, &*shared.clock);
    push.stage = Stage::SrtHandshake;
    let ago = now.saturating_duration_since(half.began);
    push.connected_at = push.connected_at.minus(ago);
    push.attempts = attempts;
    push.facts.agent = agent(half.greeting.version);
    if half.greeting.concludes {
        let stream_id = String::from_utf8_lossy(&half.greeting.stream_id).into_owned();
        claim(&mut push, &PushUrl::from_srt_streamid(&stream_id));
        push.note_command(half.began, true, "handshake", format!("streamid={}", text(&stream_id)), 0);
    }
    let end = match code {
        None => End::closed(Close::TransportLost),
        Some(code) => {
            let found = format!("{} (reject code {code})", reject::meaning(code));
            push.note_command(now, false, "reject", found.clone(), 0);
            let rule = if code == reject::BAD_SECRET { "passphrase" } else { "srt_handshake" };
            End::fault(ProtocolFault::unplaced(FaultKind::Protocol, FaultClass::Incompatible, rule, found))
        }
    };
    with_facts(&shared, ConnectionFacts::default(), &mut push, &end).await;
}

/// What a caller named that admission never saw.
fn claim(push: &mut Push, url: &PushUrl) {
    if let Host::Domain(domain) = &url.host {
        push.claimed.domain = Some(domain.clone());
    }
    push.claimed.app = (!url.app.is_empty()).then(|| text(&url.app));
    push.claimed.stream = Some(text(&url.stream));
    push.stream_param = (!url.query.is_empty()).then(|| model::mask::mask_query(&url.query));
}

/// Whether a caller wants to be sent a stream, which is not offered over SRT.
pub(super) fn wants_to_play(stream_id: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stream_id);
    text.strip_prefix("#!::").is_some_and(|pairs| pairs.split(',').any(|pair| pair == "m=request"))
}

fn agent(version: u32) -> Option<String> {
    let [_, major, minor, patch] = version.to_be_bytes();
    (version > 0).then(|| format!("SRT {major}.{minor}.{patch}"))
}

/// How long a port waits at most until it looks after its connections.
pub(super) const LOOK_AFTER: Duration = Duration::from_millis(250);
