//! What every transport's connection offers to the steps that all pushes share: admission, intake and conclusion.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Instant;

use cause::evidence::{Close, TcpFacts};

use crate::push::{ConnectionFacts, OrderSlot, Watch};

/// One connection, whatever carries it. Its user is always generic over it, so that sharing a step costs no transport
/// anything.
pub(super) trait Way {
    /// The time of the newest bytes, deadline or order.
    fn now(&self) -> Instant;

    /// How the receive side ended, once it has.
    fn closed(&self) -> Option<Close>;

    /// Bytes received and sent on the connection so far.
    fn bytes(&self) -> (u64, u64);

    /// `TCP_INFO` as it is now, where TCP carries the connection.
    fn tcp(&self) -> Option<TcpFacts>;

    /// What only the connection knows at a push's end.
    fn facts(&self) -> ConnectionFacts;

    /// Waits for `work` of ours while the client may go on sending: what it sends is held, and read once the work is
    /// done. `None` when the client has left meanwhile, or an order came.
    async fn hold<T>(
        &mut self,
        watch: &mut Watch,
        order: &OrderSlot,
        work: impl Future<Output = T>,
    ) -> Option<T>;
}

/// [`Way::hold`] for a client that sends nothing meanwhile, or what waits elsewhere: `gone` says whether it has left.
pub(super) async fn hold_while_there<T>(
    order: &OrderSlot,
    work: impl Future<Output = T>,
    mut gone: impl FnMut(&mut Context<'_>) -> bool,
) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        if gone(cx) {
            return Poll::Ready(None);
        }
        order.poll(cx).map(|_| None)
    })
    .await
}
