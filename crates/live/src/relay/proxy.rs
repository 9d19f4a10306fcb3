//! Proxy mode: a push goes live only once the server behind this one has accepted it, and ends when that server ends it.

use std::sync::Arc;

use cause::Cause;
use cause::evidence::{Act, Close};
use model::{Clock, PushId, StreamKey};
use rtmp::ertmp::Enhancements;
use tokio::sync::oneshot;

use super::flow::{Flow, FlowEnd};
use super::link::{Dialer, Link};
use super::parting::Parting;
use super::relays::Task;
use super::rule::ProxyConfig;
use super::run::{moved, watch};
use super::side::Goodbye;
use super::status::{Counts, Identity, Role, Status};
use super::target::{Endpoint, Target};
use super::tls::{self, TrustError};

use crate::push::{End, OrderSlot};
use crate::shared::Shared;

/// What proxy mode is called where relays have names.
pub const NAME: &str = "proxy";

/// The server behind this one.
pub(crate) struct Proxy {
    upstream: Target,
    dialer: Dialer,
    pub(super) sums: Arc<Counts>,
}

/// A push that is passed through, at its start.
pub(crate) struct Passage {
    /// The push.
    pub(crate) push: PushId,
    /// Its stream key.
    pub(crate) key: StreamKey,
    /// Owner of the domain.
    pub(crate) account: u64,
    /// Where to end it.
    pub(crate) order: Arc<OrderSlot>,
    /// Where it goes.
    pub(crate) endpoint: Endpoint,
    /// What its encoder said of Enhanced RTMP.
    pub(crate) enhanced: Enhancements,
}

/// A push's way to the upstream; given up on drop, without a word.
pub(crate) struct Upstream {
    stop: Option<oneshot::Sender<Goodbye>>,
    status: Arc<Status>,
    skipped_before: u64,
}

impl Proxy {
    pub(super) fn new(config: &ProxyConfig, clock: &Arc<dyn Clock>) -> Result<Self, TrustError> {
        let tls = config.upstream.is_tls().then(|| tls::connector(config.ca.as_deref())).transpose()?;
        let dialer = Dialer { tls, clock: clock.clone(), limit: config.timeout };
        Ok(Self { upstream: config.upstream.clone(), dialer, sums: Arc::default() })
    }

    /// Time for the upstream to accept a push.
    pub(crate) fn limit(&self) -> std::time::Duration {
        self.dialer.limit
    }

    /// Where a push with this key and query goes.
    pub(crate) fn endpoint(&self, key: &StreamKey, query: &str) -> Endpoint {
        self.upstream.endpoint_through(key, query)
    }

    /// Publishes there, and follows where it asks to go.
    ///
    /// # Errors
    /// How it ended before the upstream took media.
    pub(crate) async fn open(&self, passage: &mut Passage, random: [u8; 1528]) -> Result<Link, Parting> {
        const MOVES: usize = 3;
        let mut moves = 0;
        loop {
            match self.dialer.open(&passage.endpoint, &passage.enhanced, random).await {
                Err(parting) => match moved(&parting, &passage.endpoint).filter(|_| moves < MOVES) {
                    Some(elsewhere) => {
                        moves += 1;
                        passage.endpoint = elsewhere;
                    }
                    None => return Err(parting),
                },
                open => return open,
            }
        }
    }

    /// Passes a live push on; where `link` is none, connects first. Whatever ends the way to the upstream ends the push:
    /// 10/0.
    pub(crate) fn start(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        passage: Passage,
        link: Option<Link>,
    ) -> Upstream {
        let who = Identity {
            role: Role::Proxy,
            name: NAME.into(),
            account: passage.account,
            key: passage.key.clone(),
            target: passage.endpoint.to_string(),
        };
        let status = Arc::new(Status::new(who, self.sums.clone(), shared.clock.clone()));
        shared.relays.proxied(passage.push, status.clone());
        let (stop, stopped) = oneshot::channel();
        let task = Task::begin(shared);
        let leaving = Leaving { shared: shared.clone(), push: passage.push };
        let (proxy, shared, of_task) = (self.clone(), shared.clone(), status.clone());
        tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or(Goodbye::EndOfFile) };
            proxy.pass(&shared, passage, &of_task, link, stopped).await;
            drop((leaving, task));
        });
        Upstream { stop: Some(stop), status, skipped_before: 0 }
    }

    async fn pass(
        &self,
        shared: &Shared,
        mut passage: Passage,
        status: &Status,
        mut link: Option<Link>,
        stopped: impl Future<Output = Goodbye>,
    ) {
        let mut stopped = std::pin::pin!(stopped);
        let parting = loop {
            status.connecting(passage.endpoint.to_string());
            let mut open = match link.take() {
                Some(link) => link,
                None => {
                    let random = shared.handshake_bytes();
                    tokio::select! {
                        opened = self.open(&mut passage, random) => match opened {
                            Ok(link) => link,
                            Err(parting) => break parting,
                        },
                        _ = &mut stopped => return,
                    }
                }
            };
            status.live();
            let Some(mut viewer) = watch(shared, passage.key.clone(), open.peer()) else {
                // The stream has ended; so has the push, or is about to.
                return open.leave(stopped.await).await;
            };
            let mut flow = Flow::new(&mut open, &mut viewer, status);
            match flow.run(&mut stopped).await {
                FlowEnd::Stopped(goodbye) => {
                    flow.rest().await;
                    return open.leave(goodbye).await;
                }
                FlowEnd::StreamEnded => return open.leave(stopped.await).await,
                FlowEnd::Parted(parting) => match moved(&parting, &passage.endpoint) {
                    Some(elsewhere) => {
                        open.leave(Goodbye::Delete).await;
                        status.moved(elsewhere.to_string());
                        passage.endpoint = elsewhere;
                    }
                    None => break parting,
                },
            }
        };
        status.parted(&parting, None);
        tracing::warn!(key = %passage.key, upstream = %passage.endpoint, %parting, "the upstream ended a push");
        passage.order.give(told_to_stop(&parting, &passage.endpoint));
        // Its number stays in lists until the push has ended.
        stopped.await;
    }
}

/// What ends a push whose upstream has ended it.
pub(crate) fn told_to_stop(parting: &Parting, endpoint: &Endpoint) -> Act {
    Act { code: Cause::ProxyToldToStop.code(), detail: Some(parting.detail(&endpoint.address())) }
}

/// Whether the upstream refused because of the stream's name.
pub(crate) fn is_about_the_name(act: &Act) -> bool {
    let said =
        act.detail.as_ref().and_then(|detail| detail.params.get("said")).and_then(|said| said.as_str());
    said.is_some_and(|said| said.starts_with(super::parting::BAD_NAME))
}

/// The goodbye for the upstream: what the client's was.
pub(crate) fn goodbye_after(end: &End) -> Goodbye {
    use cause::evidence::Goodbye as Said;
    match (&end.act, end.goodbye, end.close) {
        (Some(_), ..) => Goodbye::Delete,
        (None, Some(Said::CloseStream), _) => Goodbye::Close,
        (None, Some(_), _) => Goodbye::Delete,
        (None, None, Close::Reset) => Goodbye::Reset,
        (None, None, Close::IdleLimit | Close::SetupLimit) => Goodbye::Delete,
        (None, None, _) => Goodbye::EndOfFile,
    }
}

impl Upstream {
    /// Takes the stream back from the upstream as its client did.
    pub(crate) fn end(mut self, goodbye: Goodbye) {
        if let Some(stop) = self.stop.take() {
            // It fails where the upstream was first; then there is nothing to say.
            let _ = stop.send(goodbye);
        }
    }

    /// Frames that the upstream was too slow for since this was asked last.
    pub(crate) fn newly_skipped(&mut self) -> u64 {
        let skipped = self.status.skipped_so_far();
        skipped - std::mem::replace(&mut self.skipped_before, skipped)
    }
}

struct Leaving {
    shared: Arc<Shared>,
    push: PushId,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.shared.relays.no_longer_proxied(self.push);
    }
}

#[cfg(test)]
mod tests {
    use cause::evidence::Goodbye as Said;

    use super::*;

    #[test]
    fn the_upstream_is_left_as_the_client_left() {
        for (end, goodbye) in [
            (End::goodbye(Said::DeleteStream), Goodbye::Delete),
            (End::goodbye(Said::CloseStream), Goodbye::Close),
            (End::goodbye(Said::FcUnpublishClosed), Goodbye::Delete),
            (End::closed(Close::EndOfFile), Goodbye::EndOfFile),
            (End::closed(Close::TimedOut), Goodbye::EndOfFile),
            (End::closed(Close::Reset), Goodbye::Reset),
            (End::closed(Close::IdleLimit), Goodbye::Delete),
            (End { close: Close::Reset, ..End::cause(Cause::Dropped, None) }, Goodbye::Delete),
        ] {
            assert_eq!(goodbye_after(&end), goodbye, "{end:?}");
        }
    }

    #[test]
    fn a_refusal_is_about_the_name_where_the_upstream_says_so() {
        let target: Target = "rtmp://origin".parse().unwrap();
        let endpoint = target.endpoint(&StreamKey::new("d", "live", "s"));
        let refused = |code: &str| {
            let said = super::super::parting::Said::new(code, "Already publishing");
            let stage = cause::evidence::Stage::StreamCreated;
            told_to_stop(&Parting::Refused { stage, said }, &endpoint)
        };
        assert!(is_about_the_name(&refused("NetStream.Publish.BadName")));
        assert!(!is_about_the_name(&refused("NetStream.Publish.Denied")));
        let closed = Parting::Unreachable("nobody".to_owned());
        assert!(!is_about_the_name(&told_to_stop(&closed, &endpoint)));
    }
}
