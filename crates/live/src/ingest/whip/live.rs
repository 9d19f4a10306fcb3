//! A push from its offer on: admission, answer, ICE and DTLS, then media until something ends it.

use std::sync::Arc;

use cause::evidence::{Close, Goodbye, Stage};
use rtmp::ertmp::Enhancements;

use super::call::Call;
use super::session::Session;
use super::tracks::Tracks;
use super::{Answered, Offer, unusable};
use crate::hub::Place;
use crate::ingest::admission::{Admitted, Question, decide_all, go_live, ordered};
use crate::ingest::intake::{self, Round, Rounds};
use crate::ingest::way::Way;
use crate::ingest::words::text;
use crate::push::{End, Push};
use crate::shared::Shared;
use crate::webrtc::offer::{OfferError, Offered, credentials, fragment_of};
use crate::webrtc::peer::{Input, Peer};
use crate::webrtc::{ResourceKind, WebRtc};

/// Decides about an offer, answers it, and waits for its client to connect.
pub(super) async fn set_up(
    shared: &Arc<Shared>,
    call: &mut Call,
    push: &mut Push,
    offer: Offer,
) -> Result<Admitted, Box<End>> {
    let Some(webrtc) = &shared.webrtc else { return Err(Box::new(End::closed(Close::TaskFailed))) };
    let size = u32::try_from(offer.sdp.len()).unwrap_or(u32::MAX);
    let offered = read(call, &offer.sdp);
    let summary = offered.as_ref().map_or_else(|_| String::new(), Offered::summary);
    push.note_command(call.now(), true, "POST", text(&summary), size);
    // Who may push is decided first: a stranger learns nothing of what would be wrong besides.
    let question = Question { url: offer.url, sni: None, enhanced: Enhancements::forwarding() };
    let admitted = decide_all(shared, call, push, &question).await?;
    push.stage = Stage::WebrtcSetup;
    let offered = offered?;
    let answered = begin(shared, webrtc, push, call, offered, &offer.sdp)?;
    let size = u32::try_from(answered.0.sdp.len()).unwrap_or(u32::MAX);
    push.note_command(call.now(), false, "201", String::new(), size);
    if !call.answer(answered.0, answered.1) {
        return Err(Box::new(End::closed(Close::EndOfFile)));
    }
    match call.session() {
        Some(session) => connect(shared, session, push).await?,
        None => return Err(Box::default()),
    }
    Ok(admitted)
}

fn read(call: &mut Call, sdp: &str) -> Result<Offered, Box<End>> {
    Offered::read(sdp).map_err(|error| blame(call, error))
}

fn blame(call: &mut Call, error: OfferError) -> Box<End> {
    let end = unusable(&error);
    call.blame_offer(error);
    Box::new(end)
}

fn begin(
    shared: &Shared,
    webrtc: &WebRtc,
    push: &Push,
    call: &mut Call,
    offered: Offered,
    sdp: &str,
) -> Result<(Answered, Session), Box<End>> {
    let carried = offered.best();
    if carried.is_nothing() {
        let wanted = "H264, H265, AV1, VP9, VP8 and OPUS".to_owned();
        return Err(blame(call, OfferError::NoCodec { wanted }));
    }
    let no_randomness = || Box::new(End::closed(Close::TaskFailed));
    let credentials = credentials().ok_or_else(no_randomness)?;
    let tag = credentials.ufrag.clone();
    let addresses = webrtc.addresses_for(push.client);
    let answer = offered
        .answer(carried, credentials, &addresses, shared.clock.instant())
        .map_err(|error| blame(call, error))?;
    let resource =
        webrtc.resources.open(ResourceKind::Whip, &tag, fragment_of(sdp)).ok_or_else(no_randomness)?;
    let id = resource.id().to_owned();
    let line = webrtc.port.line(tag.clone());
    let peer = Peer::new(answer.rtc, line, resource, addresses, shared.clock.clone());
    let session = Session::new(peer, Tracks::new(push.origin));
    Ok((Answered { id, tag, sdp: answer.sdp, note: None }, session))
}

/// Waits until ICE and DTLS are through.
async fn connect(shared: &Shared, session: &mut Session, push: &mut Push) -> Result<(), Box<End>> {
    let deadline = push.origin + shared.config.limits.setup;
    let order = push.order.clone();
    loop {
        let input = session.peer().next(deadline, |cx| order.poll(cx).map(|_| ())).await;
        let (now, fresh) = (session.peer().now(), session.peer().take_fresh_bytes());
        if fresh > 0 {
            push.watch.bytes(now, fresh);
        }
        let end = match input {
            Input::Connected => return Ok(()),
            Input::Added(added) => {
                session.tracks.add(&added);
                continue;
            }
            Input::Deleted => {
                push.note_command(now, true, "DELETE", String::new(), 0);
                End::goodbye(Goodbye::WhipDelete)
            }
            Input::Failed(error) => {
                push.note_command(now, true, "failed", text(&error), 0);
                End::closed(Close::TransportLost)
            }
            Input::Closed => End::closed(Close::EndOfFile),
            Input::CutOff(close) => End::closed(close),
            Input::Due => End::closed(Close::SetupLimit),
            Input::Other => ordered(push),
            _ => continue,
        };
        return Err(Box::new(end));
    }
}

/// Runs the push until it ends.
pub(super) async fn run(
    shared: &Arc<Shared>,
    session: &mut Session,
    push: &mut Push,
    admitted: Admitted,
) -> End {
    let over = if session.tcp().is_some() { "over TCP" } else { "over UDP" };
    go_live(shared, push, admitted, |push| {
        push.note_command(shared.clock.instant(), false, "connected", text(over), 0);
    });
    let mut rounds = Rounds::new(shared);
    let order = push.order.clone();
    let end = loop {
        let deadline = Rounds::deadline(push);
        let input = session.peer().next(deadline, |cx| order.poll(cx).map(|_| ())).await;
        let (now, fresh) = (session.peer().now(), session.peer().take_fresh_bytes());
        if fresh > 0 {
            push.watch.bytes(now, fresh);
        }
        let end = match input {
            Input::Media(data) => {
                session.frame(&data);
                hand_over(shared, session, push)
            }
            Input::Stats(stats) => {
                session.count(&stats, &mut push.watch);
                None
            }
            Input::RoundTrip(rtt) => {
                session.round_trip(rtt);
                None
            }
            Input::Added(added) => {
                session.tracks.add(&added);
                None
            }
            Input::Deleted => {
                push.note_command(now, true, "DELETE", String::new(), 0);
                Some(End::goodbye(Goodbye::WhipDelete))
            }
            Input::Closed => {
                push.note_command(now, true, "close_notify", String::new(), 0);
                Some(End::goodbye(Goodbye::WhipDelete))
            }
            Input::Lost(None) => Some(End::closed(Close::TransportLost)),
            Input::Lost(Some(errno)) => Some(End::closed(Close::Unreachable(errno))),
            Input::Gone => {
                push.note_command(now, true, "icmp", text("port unreachable"), 0);
                Some(End::closed(Close::Reset))
            }
            Input::CutOff(close) => {
                push.note_command(now, true, "closed", text("the TCP connection"), 0);
                Some(End::closed(close))
            }
            Input::Failed(error) => {
                push.note_command(now, true, "failed", text(&error), 0);
                Some(End::closed(Close::TransportLost))
            }
            Input::Other => Some(ordered(push)),
            Input::Due => match rounds.go(shared, session, push) {
                // A client that is alive checks its path every few seconds: there is nothing to ask it.
                Round::Done | Round::Probe { .. } => None,
                // Nothing at all comes from it: that is no encoder that has stopped.
                Round::End(End { close: Close::IdleLimit, .. }) if session.peer().is_silent() => {
                    Some(End::closed(Close::TransportLost))
                }
                Round::End(end) => Some(end),
            },
            Input::Connected | Input::KeyFrameWanted => None,
        };
        if let Some(end) = end {
            break end;
        }
        ask_for_key_frame(session, push);
    };
    intake::tell_rest(shared, push, session.now());
    end
}

fn hand_over(shared: &Shared, session: &mut Session, push: &mut Push) -> Option<End> {
    let now = session.now();
    intake::packed(shared, push, now, session.tracks.messages().drain(..))
}

fn ask_for_key_frame(session: &mut Session, push: &Push) {
    let now = session.now();
    let watched = !push.place.as_ref().is_some_and(Place::is_unplayed);
    let wanted = push.place.as_ref().is_some_and(Place::take_key_wanted);
    if let Some((mid, rid)) = session.tracks.key_frame_due(now, watched, wanted) {
        session.peer().ask_for_key_frame(mid, rid);
    }
}
