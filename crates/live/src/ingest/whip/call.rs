//! The HTTP request that asks for a push. Until its answer is given it is what the push's client is reached by.

use std::sync::Arc;
use std::time::Instant;

use cause::evidence::{Close, TcpFacts};
use model::{Clock, Code};
use tokio::sync::oneshot;

use super::session::Session;
use super::{Answered, WhipRefusal};
use crate::ingest::way::{Way, hold_while_there};
use crate::push::{ConnectionFacts, OrderSlot, Watch};
use crate::webrtc::offer::OfferError;

/// The request, and the session that came of it.
pub(super) struct Call {
    clock: Arc<dyn Clock>,
    answer: Option<oneshot::Sender<Result<Answered, WhipRefusal>>>,
    bytes: usize,
    left: bool,
    unusable: Option<OfferError>,
    session: Option<Session>,
}

impl Call {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        answer: oneshot::Sender<Result<Answered, WhipRefusal>>,
        bytes: usize,
    ) -> Self {
        Self { clock, answer: Some(answer), bytes, left: false, unusable: None, session: None }
    }

    /// Gives the answer. False when nobody waits for it any more.
    pub(super) fn answer(&mut self, answered: Answered, session: Session) -> bool {
        self.session = Some(session);
        self.answer.take().is_some_and(|answer| answer.send(Ok(answered)).is_ok())
    }

    /// The offer is at fault.
    pub(super) fn blame_offer(&mut self, error: OfferError) {
        self.unusable = Some(error);
    }

    /// Whether the offer is at fault.
    pub(super) fn blames_offer(&self) -> bool {
        self.unusable.is_some()
    }

    /// Refuses, if no answer was given.
    pub(super) fn refuse(&mut self, code: Code, text: &str) {
        if let Some(answer) = self.answer.take() {
            let refusal = WhipRefusal { code, text: text.to_owned(), offer: self.unusable.take() };
            // Whoever asked may have left.
            let _ = answer.send(Err(refusal));
        }
    }

    pub(super) fn session(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }

    pub(super) fn take_session(&mut self) -> Option<Session> {
        self.session.take()
    }
}

impl Way for Call {
    fn now(&self) -> Instant {
        self.clock.instant()
    }

    fn closed(&self) -> Option<Close> {
        self.left.then_some(Close::EndOfFile)
    }

    fn bytes(&self) -> (u64, u64) {
        (self.bytes as u64, 0)
    }

    fn tcp(&self) -> Option<TcpFacts> {
        None
    }

    fn facts(&self) -> ConnectionFacts {
        ConnectionFacts { bytes_in: self.bytes as u64, ..ConnectionFacts::default() }
    }

    async fn hold<T>(
        &mut self,
        _: &mut Watch,
        order: &OrderSlot,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        hold_while_there(order, work, |cx| {
            self.left |= self.answer.as_mut().is_some_and(|answer| answer.poll_closed(cx).is_ready());
            self.left
        })
        .await
    }
}
