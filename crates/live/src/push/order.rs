//! Orders to a push from outside its task: drop, forbid, takeover, shutdown. All go through one slot; the first wins.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use cause::evidence::Act;

/// The one order that a push may get. Given from anywhere, obeyed by the push's own task.
#[derive(Debug, Default)]
pub struct OrderSlot {
    first: OnceLock<Act>,
    /// The push's task, while it waits. Its own lock, so that waiting costs no other push anything.
    waiting: Mutex<Option<Waker>>,
    /// Whether the client is to be asked to connect elsewhere. No order: the push goes on until the client follows.
    move_wanted: AtomicBool,
}

impl OrderSlot {
    /// Orders the push to end with `act`. Returns whether this order was the first, and so the one that counts.
    pub fn give(&self, act: Act) -> bool {
        let first = self.first.set(act).is_ok();
        if first && let Some(waker) = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take() {
            waker.wake();
        }
        first
    }

    /// Has the push's task ask its client to connect elsewhere, where its protocol has words for that; within a second,
    /// with the task's next round.
    pub fn ask_to_move(&self) {
        self.move_wanted.store(true, Ordering::Relaxed);
    }

    /// Takes back what was not asked yet.
    pub fn let_stay(&self) {
        self.move_wanted.store(false, Ordering::Relaxed);
    }

    /// Whether the client is to be asked to connect elsewhere; true once for each time it was wanted.
    pub fn take_move(&self) -> bool {
        self.move_wanted.load(Ordering::Relaxed) && self.move_wanted.swap(false, Ordering::Relaxed)
    }

    /// The order, if one was given.
    pub fn get(&self) -> Option<&Act> {
        self.first.get()
    }

    /// Ready once an order stands; else wakes the task of `cx` when one is given.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<&Act> {
        if let Some(act) = self.first.get() {
            return Poll::Ready(act);
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            *waiting = Some(cx.waker().clone());
        }
        drop(waiting);
        // Given between the first look and the waker's place: nobody would wake us.
        self.first.get().map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;

    use model::Code;

    use super::*;

    fn act(errcode: u16, sub: u16) -> Act {
        Act { code: Code::new(errcode, sub), detail: None }
    }

    #[test]
    fn the_first_order_wins() {
        let slot = OrderSlot::default();
        assert!(slot.get().is_none());
        assert!(slot.give(act(21, 101)));
        assert!(!slot.give(act(9, 0)));
        assert_eq!(slot.get().unwrap().code, Code::new(21, 101));
    }

    #[test]
    fn a_wish_to_move_is_taken_once_and_is_no_order() {
        let slot = OrderSlot::default();
        assert!(!slot.take_move());
        slot.ask_to_move();
        assert!(slot.take_move() && !slot.take_move());
        slot.ask_to_move();
        slot.let_stay();
        assert!(!slot.take_move() && slot.get().is_none());
    }

    #[tokio::test]
    async fn an_order_given_while_waiting_wakes_the_push() {
        let slot = Arc::new(OrderSlot::default());
        let waiting = tokio::spawn({
            let slot = slot.clone();
            async move { poll_fn(|cx| slot.poll(cx).map(|act| act.code)).await }
        });
        tokio::task::yield_now().await;
        slot.give(act(21, 102));
        assert_eq!(waiting.await.unwrap(), Code::new(21, 102));
    }
}
