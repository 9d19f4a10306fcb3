//! From the first byte to `Publish.Start`: the commands before publish, then admission.

use std::sync::Arc;
use std::time::Duration;

use cause::evidence::{Act, Close, Stage};
use cause::{Cause, Detail, DetailKey};
use model::admission::{self, Admission, PushRequest};
use model::sign::SignError;
use model::stream_key::PushUrl;
use model::{Refusal, StreamKey, Timestamp};
use rtmp::server::{Event, Publish};
use store::{JournalError, OpenRow};

use super::connection::{Connection, Input};
use super::{fault, pass_on, summary};
use crate::arrivals::overload;
use crate::auth_hook::HookQuestion;
use crate::push::{End, Push, PushHandle};
use crate::shared::Shared;

/// How long the journal may take for the open row; then the push is refused 18/103.
const JOURNAL_LIMIT: Duration = Duration::from_secs(2);

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

/// Follows the client's commands until it publishes.
pub(super) async fn until_publish(
    shared: &Shared,
    connection: &mut Connection,
    push: &mut Push,
    mut overloaded: Option<Act>,
) -> Result<Box<Publish>, Box<End>> {
    if let Some(publish) = connection.carried.take() {
        return Ok(publish);
    }
    if let Some(connect) = &connection.connect {
        push.facts.agent = agent(&connect.flash_ver);
        push.facts.can_reconnect = connect.enhanced.has(rtmp::ertmp::caps::RECONNECT);
    }
    let limits = &shared.config.limits;
    let setup_deadline = push.origin + limits.setup;
    let mut deadline = if connection.connect.is_some() {
        setup_deadline
    } else {
        setup_deadline.min(push.origin + limits.handshake)
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
            Event::Publish(publish) => return Ok(publish),
            Event::Play(play) => {
                connection.plays = true;
                if let Some(end) = Box::pin(super::play::run(shared, connection, push, &play)).await {
                    return Err(Box::new(end));
                }
                if let Some(publish) = connection.carried.take() {
                    return Ok(publish);
                }
                deadline = connection.now() + limits.setup;
            }
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

/// The end that an order asks for.
pub(super) fn ordered(push: &Push) -> End {
    push.order.get().cloned().map_or_else(End::default, End::act)
}

fn agent(flash_ver: &str) -> Option<String> {
    (!flash_ver.is_empty()).then(|| summary::text(flash_ver))
}

/// Decides about a publish, and if it may, makes it live: hook, hub, upstream, journal, in this order, and the catalog
/// once more on its newest state before the client hears `Publish.Start`.
pub(super) async fn admit(
    shared: &Arc<Shared>,
    connection: &mut Connection,
    push: &mut Push,
    publish: &Publish,
) -> Result<(), Box<End>> {
    let started = connection.now();
    let (tc_url, app) = connection.connect.as_ref().map_or(("", ""), |c| (&c.tc_url, &c.app));
    let url = PushUrl::from_rtmp(tc_url, app, &publish.name);
    push.stage = Stage::Admission;
    push.stream_param = (!url.query.is_empty()).then(|| model::mask::mask_query(&url.query));

    let first = decide(shared, push, &url)?;
    shared.journal.ready().map_err(|e| Box::new(journal_refusal(&e)))?;
    let live = shared.hub.len();
    if live >= shared.config.limits.pushes {
        return Err(Box::new(End::act(overload("pushes", live, shared.config.limits.pushes))));
    }
    let slot = shared
        .slots
        .take((first.account, first.max_account), (&first.key.domain, first.max_domain))
        .map_err(|act| Box::new(End::act(act)))?;
    push.slot = Some(slot);

    if let Some(hook) = &shared.auth_hook {
        push.stage = Stage::AuthHook;
        let question = HookQuestion::new(push, &first.key, &url);
        let order = push.order.clone();
        match connection.hold(&mut push.watch, &order, hook.ask(&question)).await {
            Some(Ok(())) => {}
            Some(Err(detail)) => return Err(Box::new(End::cause(Cause::HookRefused, Some(detail)))),
            None => return Err(Box::new(left_or_ordered(connection, push))),
        }
        push.stage = Stage::Admission;
    }

    let handle = Arc::new(PushHandle::new(
        push.id,
        first.key.clone(),
        first.account,
        push.client,
        push.transport.as_str(),
        first.priority,
        shared.clock.now(),
        push.origin,
        push.order.clone(),
    ));
    let entered = shared.hub.enter(handle.clone(), first.conflict, first.max_stream, shared.clock.instant());
    push.place = Some(entered.map_err(|act| Box::new(End::act(act)))?);
    push.handle = Some(handle);
    // A forbid that came since the first decision found no push to cut; this look finds the forbid.
    decide(shared, push, &url)?;
    let way = pass_on::ask(shared, connection, push, &first, &url.query).await?;
    open(shared, connection, push, &first, &url).await?;
    if push.order.get().is_some() {
        return Err(Box::new(ordered(push)));
    }
    let now = shared.clock.instant();
    let old = |old: &PushHandle| format!("push {} from {}", old.id, old.client);
    let replaced: Vec<_> = push.place.iter().flat_map(|place| place.replaces()).map(old).collect();
    replaced.into_iter().for_each(|old| push.note_command(now, false, "takes_over", old, 0));
    if let Some(place) = &mut push.place {
        place.take_over();
    }
    pass_on::begin(shared, push, way);
    shared.relays.stream_is_live(shared, &first.key, first.account);
    connection.session.accept_publish(publish.stream_id);
    let now = shared.clock.instant();
    push.note_command(now, false, "onStatus", "NetStream.Publish.Start".to_owned(), 0);
    push.stage = Stage::Live;
    push.published_at = Some(shared.clock.now());
    push.watch.live(now);
    shared.counters.admitted(now.saturating_duration_since(started));
    tracing::info!(key = %first.key, "push is live");
    Ok(())
}

fn decide(shared: &Shared, push: &mut Push, url: &PushUrl) -> Result<Admission, Box<End>> {
    let Some(catalog) = shared.catalog.snapshot() else {
        push.claimed.app = Some(url.app.clone());
        push.claimed.stream = Some(url.stream.clone());
        return Err(Box::new(End::act(shared.catalog.unavailable())));
    };
    let request = PushRequest { url, sni: None, client_ip: push.client.ip(), now: shared.clock.now() };
    match admission::decide(&catalog, &shared.config.admission, &request) {
        Ok(admission) => {
            push.claimed.account = Some(admission.account);
            push.claimed.domain = Some(admission.key.domain.clone());
            push.claimed.app = Some(admission.key.app.clone());
            push.claimed.stream = Some(admission.key.stream.clone());
            Ok(admission)
        }
        Err(refused) => {
            push.claimed = refused.claimed.clone();
            // A publish without a name is still a publish.
            push.claimed.stream.get_or_insert_default();
            let detail = Detail::from(&refused.refusal);
            let detail = match &refused.refusal {
                Refusal::Signature(SignError::Expired { at }) => since_live(shared, push, *at, detail),
                _ => detail,
            };
            Err(Box::new(End::act(Act { code: refused.refusal.code(), detail: Some(detail) })))
        }
    }
}

/// A reconnect whose URL was still good when the push before it went live: what keeps it out is not what cut that one.
fn since_live(shared: &Shared, push: &Push, expired: Timestamp, detail: Detail) -> Detail {
    let claimed = &push.claimed;
    let (Some(domain), Some(app), Some(stream)) = (&claimed.domain, &claimed.app, &claimed.stream) else {
        return detail;
    };
    let now = shared.clock.instant();
    let key = StreamKey::new(domain.as_str(), app.as_str(), stream.as_str());
    if let Some(since) = shared.hub.live_since(&key).filter(|since| *since <= expired) {
        return detail.with("live_since", since.to_string());
    }
    match shared.recent.last(&key, now).filter(|last| last.published_at <= expired) {
        Some(last) => {
            let ago = now.saturating_duration_since(last.at).as_millis();
            detail
                .with("ended_ms", u64::try_from(ago).unwrap_or(u64::MAX))
                .with("last_code", last.code.to_string())
        }
        None => detail,
    }
}

async fn open(
    shared: &Shared,
    connection: &mut Connection,
    push: &mut Push,
    admission: &Admission,
    url: &PushUrl,
) -> Result<(), Box<End>> {
    let row = OpenRow {
        id: push.id,
        account: admission.account,
        key: admission.key.clone(),
        protocol: push.transport.as_str().to_owned(),
        client_ip: push.client.ip(),
        client_port: push.client.port(),
        connected_at: push.connected_at,
        published_at: shared.clock.now(),
        encoder: push.encoder(),
        stream_param: push.stream_param.clone(),
        callback_param: push.stream_param.is_some().then(|| url.query.clone()),
    };
    let mut open = shared.journal.open(row).map_err(|e| Box::new(journal_refusal(&e)))?;
    let order = push.order.clone();
    let durable = connection.hold(&mut push.watch, &order, open.durable(JOURNAL_LIMIT)).await;
    push.open = Some(open);
    match durable {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(Box::new(journal_refusal(&error))),
        None => Err(Box::new(left_or_ordered(connection, push))),
    }
}

pub(super) fn left_or_ordered(connection: &Connection, push: &Push) -> End {
    match connection.sensor.closed() {
        Some(close) => End::closed(close),
        None => ordered(push),
    }
}

fn journal_refusal(error: &JournalError) -> End {
    let detail = match error {
        JournalError::Timeout => Detail::new(DetailKey::JournalSlow)
            .with("limit_ms", u64::try_from(JOURNAL_LIMIT.as_millis()).unwrap_or(u64::MAX)),
        JournalError::DiskFull => Detail::new(DetailKey::DiskFull),
        other => Detail::new(DetailKey::StoreError).with("reason", other.to_string()),
    };
    End::cause(Cause::JournalUnwritable, Some(detail))
}
