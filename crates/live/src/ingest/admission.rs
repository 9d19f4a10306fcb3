//! From a publish, in whichever protocol it came, to a live push: every transport asks here, so that all have the same
//! rules in the same order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cause::evidence::{Act, Stage};
use cause::{Cause, Detail, DetailKey};
use model::admission::{self, Admission, PushRequest};
use model::catalog::AccountId;
use model::record::marked_as_test;
use model::sign::SignError;
use model::stream_key::PushUrl;
use model::{Refusal, StreamKey, Timestamp};
use rtmp::ertmp::Enhancements;
use store::{JournalError, OpenRow};

use super::pass_on;
use super::way::Way;
use crate::arrivals::overload;
use crate::auth_hook::HookQuestion;
use crate::cluster::{Claim, Cluster};
use crate::push::{End, Push, PushHandle};
use crate::shared::Shared;

/// How long the journal may take for the open row; then the push is refused 18/103.
const JOURNAL_LIMIT: Duration = Duration::from_secs(2);

/// What a client asks for.
pub(super) struct Question {
    /// The push URL that it gave.
    pub(super) url: PushUrl,
    /// The server name of its TLS handshake.
    pub(super) sni: Option<String>,
    /// What it can do of Enhanced RTMP, or what its media need: an upstream is told the same.
    pub(super) enhanced: Enhancements,
}

/// The end that an order asks for.
pub(super) fn ordered(push: &Push) -> End {
    push.order.get().cloned().map_or_else(End::default, End::act)
}

/// A publish that may go live, and is on record as one that does.
pub(super) struct Admitted {
    started: Instant,
    key: StreamKey,
    account: AccountId,
    passage: Option<pass_on::Upward>,
}

/// Decides about a publish, and if it may, makes it live: hook, hub, upstream, journal, in this order, and the catalog
/// once more on its newest state before the client hears `Publish.Start`.
///
/// `welcome` tells the client that it is live; nothing can refuse the push after it.
///
/// # Errors
/// How the push ended instead: refused, or left or ordered away meanwhile.
pub(super) async fn admit<W: Way>(
    shared: &Arc<Shared>,
    way: &mut W,
    push: &mut Push,
    question: &Question,
    welcome: impl FnOnce(&mut W, &mut Push),
) -> Result<(), Box<End>> {
    let admitted = decide_all(shared, way, push, question).await?;
    go_live(shared, push, admitted, |push| welcome(way, push));
    Ok(())
}

/// The first half of [`admit`], for transports that tell their client before media can come: the push is decided about,
/// has its place in the hub and its row in the journal, and whoever carries the stream still does.
///
/// # Errors
/// As [`admit`].
pub(super) async fn decide_all<W: Way>(
    shared: &Arc<Shared>,
    way: &mut W,
    push: &mut Push,
    question: &Question,
) -> Result<Admitted, Box<End>> {
    let started = way.now();
    let url = &question.url;
    push.stage = Stage::Admission;
    push.stream_param = (!url.query.is_empty()).then(|| model::mask::mask_query(&url.query));

    let first = decide(shared, push, question)?;
    if first.test {
        push.stream_param = marked_as_test(push.stream_param.take());
    }
    shared.journal.ready().map_err(|e| Box::new(journal_refusal(&e)))?;
    let live = shared.hub.len();
    if live >= shared.config.limits.pushes {
        return Err(Box::new(End::act(overload("pushes", live, shared.config.limits.pushes))));
    }
    let slot = shared
        .slots
        .take(
            (first.account, first.max_account),
            (&first.key.domain, first.max_domain),
            elsewhere(shared, &first),
        )
        .map_err(|act| Box::new(End::act(act)))?;
    push.slot = Some(slot);

    if let Some(hook) = shared.auth_hook.now() {
        push.stage = Stage::AuthHook;
        let asked = HookQuestion::new(push, &first.key, url);
        let order = push.order.clone();
        // Boxed, as all that few pushes meet: the future of every push would have room for it.
        match way.hold(&mut push.watch, &order, Box::pin(hook.ask(&asked))).await {
            Some(Ok(())) => {}
            Some(Err(detail)) => return Err(Box::new(End::cause(Cause::HookRefused, Some(detail)))),
            None => return Err(Box::new(left_or_ordered(way, push))),
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
    if first.test {
        push.test = Some(shared.hub.enter_test(handle.clone()));
    } else {
        let now = shared.clock.instant();
        let entered = shared.hub.enter(handle.clone(), first.conflict, first.max_stream, now);
        push.place = Some(entered.map_err(|act| Box::new(End::act(act)))?);
    }
    push.handle = Some(handle);
    // A forbid that came since the first decision found no push to cut; this look finds the forbid.
    decide(shared, push, question)?;
    // A test push carries nothing, here or elsewhere.
    let claim = if first.test { None } else { claim(shared, push, &first) };
    if let Some((cluster, claim)) = &claim {
        held(way, push, cluster.look(claim)).await?;
    }
    let passage = match &shared.relays.proxy {
        Some(proxy) if !first.test => {
            Some(Box::pin(pass_on::ask(shared, proxy, way, push, &first, question)).await?)
        }
        _ => None,
    };
    let row = open_row(shared, push, &first, url);
    let told = claim.is_some().then(|| row.clone());
    open(shared, way, push, row).await?;
    if let (Some((cluster, claim)), Some(row)) = (&claim, &told) {
        // Last, since it may end another node's push: nothing is to refuse this one any more.
        push.tenure = Some(held(way, push, cluster.claim(claim, row)).await?);
    }
    if push.order.get().is_some() {
        return Err(Box::new(ordered(push)));
    }
    Ok(Admitted { started, key: first.key, account: first.account, passage })
}

/// The second half of [`admit`]: the push carries the stream from here on, or waits as its backup.
pub(super) fn go_live(
    shared: &Arc<Shared>,
    push: &mut Push,
    admitted: Admitted,
    welcome: impl FnOnce(&mut Push),
) {
    let Admitted { started, key, account, passage } = admitted;
    let now = shared.clock.instant();
    let old = |old: &PushHandle| format!("push {} from {}", old.id, old.client);
    let replaced: Vec<_> = push.place.iter().flat_map(|place| place.replaces()).map(old).collect();
    replaced.into_iter().for_each(|old| push.note_command(now, false, "takes_over", old, 0));
    if let Some(place) = &mut push.place {
        place.take_over();
    }
    pass_on::begin(shared, push, passage);
    if push.test.is_none() {
        shared.relays.stream_is_live(shared, &key, account);
    }
    welcome(push);
    let now = shared.clock.instant();
    push.stage = Stage::Live;
    push.published_at = Some(shared.clock.now());
    push.watch.live(now);
    shared.counters.admitted(now.saturating_duration_since(started));
    tracing::info!(%key, test = push.test.is_some(), "push is live");
}

fn decide(shared: &Shared, push: &mut Push, question: &Question) -> Result<Admission, Box<End>> {
    let url = &question.url;
    let Some(catalog) = shared.catalog.snapshot() else {
        push.claimed.app = Some(url.app.clone());
        push.claimed.stream = Some(url.stream.clone());
        return Err(Box::new(End::act(shared.catalog.unavailable())));
    };
    let request = PushRequest {
        url,
        sni: question.sni.as_deref(),
        client_ip: push.client.ip(),
        now: shared.clock.now(),
    };
    match admission::decide(&catalog, &shared.config.admission, &request) {
        Ok(admission) => {
            push.claimed.account = Some(admission.account);
            push.claimed.domain = Some(admission.key.domain.clone());
            push.claimed.app = Some(admission.key.app.clone());
            push.claimed.stream = Some(admission.key.stream.clone());
            // Asked here, so that a drain that begins between the two decisions finds no gap.
            match shared.drain.refusal() {
                Some(act) => Err(Box::new(End::act(act))),
                None => Ok(admission),
            }
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

/// How many pushes the other nodes have of the account and the domain, where that is limited.
fn elsewhere(shared: &Shared, admission: &Admission) -> (u32, u32) {
    match &shared.cluster {
        Some(cluster) if admission.max_account != 0 || admission.max_domain != 0 => {
            cluster.elsewhere(admission.account, &admission.key.domain)
        }
        _ => (0, 0),
    }
}

/// What the registry of all nodes is asked, where there is one.
fn claim(shared: &Shared, push: &Push, admission: &Admission) -> Option<(Arc<dyn Cluster>, Claim)> {
    let cluster = shared.cluster.clone()?;
    let claim = Claim {
        push: push.id,
        key: admission.key.clone(),
        client: push.client,
        priority: admission.priority,
        rule: admission.conflict,
        max_stream: admission.max_stream,
        behind: push.place.as_ref().is_some_and(|place| !place.comes_first()),
    };
    Some((cluster, claim))
}

/// Waits for an answer that may refuse the push.
async fn held<W: Way, T>(
    way: &mut W,
    push: &mut Push,
    work: impl Future<Output = Result<T, Act>>,
) -> Result<T, Box<End>> {
    let order = push.order.clone();
    match way.hold(&mut push.watch, &order, work).await {
        Some(answer) => answer.map_err(|act| Box::new(End::act(act))),
        None => Err(Box::new(left_or_ordered(way, push))),
    }
}

fn open_row(shared: &Shared, push: &Push, admission: &Admission, url: &PushUrl) -> OpenRow {
    OpenRow {
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
    }
}

async fn open<W: Way>(shared: &Shared, way: &mut W, push: &mut Push, row: OpenRow) -> Result<(), Box<End>> {
    let mut open = shared.journal.open(row).map_err(|e| Box::new(journal_refusal(&e)))?;
    let order = push.order.clone();
    let durable = way.hold(&mut push.watch, &order, open.durable(JOURNAL_LIMIT)).await;
    push.open = Some(open);
    match durable {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(Box::new(journal_refusal(&error))),
        None => Err(Box::new(left_or_ordered(way, push))),
    }
}

/// How a push ended while something was waited for: its client left, or an order came.
pub(super) fn left_or_ordered<W: Way>(way: &W, push: &Push) -> End {
    match way.closed() {
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
