//! WebRTC pushes, set up by WHIP (RFC 9725): decided about when the offer comes, live when ICE and DTLS are through.
//!
//! | file | what lives there |
//! |---|---|
//! | `call` | the request, which waits for its answer while the push is decided about |
//! | `session` | the push's peer, and what is counted of it |
//! | `lip_sync` | sound and picture on one clock |
//! | `tracks` | frames of WebRTC to messages of the hub |
//! | `live` | set-up and the live part |

mod call;
mod lip_sync;
mod live;
mod session;
mod tracks;

use std::net::SocketAddr;
use std::sync::Arc;

use cause::evidence::{Act, Close, FaultClass, FaultKind, ProtocolFault, Stage, Transport};
use model::Code;
use model::stream_key::PushUrl;
use tokio::sync::oneshot;
use tracing::Instrument;

use self::call::Call;
use super::conclude::{end_of, with_facts};
use super::intake::why_cut;
use super::way::Way;
use super::words::text;
use crate::arrivals::Arrival;
use crate::push::{End, Push};
use crate::shared::{Connections, Shared};
use crate::webrtc::offer::OfferError;

/// A request to push or to play: POST with an offer.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The URL that it was sent to, the bearer token among its parameters.
    pub url: PushUrl,
    /// The offer.
    pub sdp: String,
    /// Who asks.
    pub client: SocketAddr,
    /// The User-Agent.
    pub agent: Option<String>,
}

/// A session that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The name of its resource.
    pub id: String,
    /// Its entity tag.
    pub tag: String,
    /// The answer.
    pub sdp: String,
    /// What the client should know besides: what of the stream it does not get.
    pub note: Option<String>,
}

/// A push that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhipRefusal {
    /// The cause.
    pub code: Code,
    /// What the client is told.
    pub text: String,
    /// The offer is at fault, if it is.
    pub offer: Option<OfferError>,
}

/// Decides about an offer, and drives what comes of it until it ends; `answer` is told once. Leaves one record.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    offer: Offer,
    answer: oneshot::Sender<Result<Answered, WhipRefusal>>,
) {
    let _guard = Connections::enter(&shared);
    shared.counters.accepted();
    let client = SocketAddr::new(offer.client.ip().to_canonical(), offer.client.port());
    let (open, now) = (shared.connections.open(), shared.clock.instant());
    let (overload, _place) = match shared.arrivals.arrive(client.ip(), &shared.config.limits, open, now) {
        Arrival::Welcome(place) => (None, Some(place)),
        Arrival::ToldWhy(act) | Arrival::TurnedAway(act) => {
            shared.counters.overloaded();
            (Some(act), None)
        }
    };
    let mut push = Push::new(Transport::Whip, client, false, &shared.config.limits, &*shared.clock);
    push.stage = Stage::WebrtcSetup;
    push.facts.agent = offer.agent.as_deref().map(text);
    let span = tracing::info_span!("push", id = %push.id, client = %client);
    let mut call = Call::new(shared.clock.clone(), answer, offer.sdp.len());
    shared.orders.enter(&push);
    let run = run(&shared, &mut call, &mut push, offer, overload).instrument(span.clone());
    let (end, _) = end_of(&span, run).await;
    shared.orders.leave(&push);
    // A broken offer is no broken rule of a protocol that had begun: its words are those of the stage.
    let told = if call.blames_offer() { None } else { why_cut(&shared, &push, &end) };
    if let Some(told) = &told {
        push.note_command(shared.clock.instant(), false, "close", text(told), 0);
    }
    let mut session = call.take_session();
    let facts = match &mut session {
        Some(session) => {
            session.peer().close();
            session.facts()
        }
        None => call.facts(),
    };
    let code = with_facts(&shared, facts, &mut push, &end).instrument(span).await;
    let told = told.unwrap_or_else(|| format!("[{code}] {}", words_of(code)));
    call.refuse(code, &told);
    if let Some(resource) = session.as_mut().and_then(|session| session.peer().take_resource()) {
        resource.ended(shared.clock.instant(), Some(code), told);
    }
}

async fn run(
    shared: &Arc<Shared>,
    call: &mut Call,
    push: &mut Push,
    offer: Offer,
    overload: Option<Act>,
) -> End {
    if let Some(act) = overload {
        return End::act(act);
    }
    let admitted = match live::set_up(shared, call, push, offer).await {
        Ok(admitted) => admitted,
        Err(end) => return *end,
    };
    match call.session() {
        Some(session) => live::run(shared, session, push, admitted).await,
        None => End::closed(Close::TaskFailed),
    }
}

/// An offer that cannot be answered: the client got no further than set-up.
fn unusable(error: &OfferError) -> End {
    let (class, rule) = match error {
        OfferError::Broken(_) => (FaultClass::Invalid, "sdp_offer"),
        OfferError::NoCodec { .. } => (FaultClass::Incompatible, "no_codec"),
    };
    End::fault(ProtocolFault::unplaced(FaultKind::Protocol, class, rule, text(&error.to_string())))
}

fn words_of(code: Code) -> &'static str {
    cause::Cause::from_code(code).unwrap_or(cause::Cause::Unknown).errmsg(cause::Lang::En)
}
