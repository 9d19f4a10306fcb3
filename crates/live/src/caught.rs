//! A panic in a push's task becomes a value, so that the push still ends on record.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs a future to its end; a panic inside is given as its text.
///
/// # Errors
/// The panic's message.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(move |cx| {
        // What the future held may be half changed after a panic; nothing of it is used again but the push's own
        // evidence, which only grows.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(text(panic.as_ref()))),
        }
    })
    .await
}

fn text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_its_text_and_a_value_passes() {
        assert_eq!(caught(async { 7 }).await, Ok(7));
        let failed = caught(async {
            tokio::task::yield_now().await;
            panic!("broken {}", "invariant");
        });
        let failed: Result<(), _> = failed.await;
        assert_eq!(failed, Err("broken invariant".to_owned()));
    }
}
