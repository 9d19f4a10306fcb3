//! [`Live`]: what the floors above ask of the live path, and tell it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};
use model::catalog::Forbidden;
use model::{Catalog, StreamKey};
use serde::{Deserialize, Serialize};

use crate::auth_hook::{HookChoice, HookChoiceError, HookSample, HookState, HookTrial};
use crate::catalog::{self, CatalogError, Change};
use crate::cluster::{self, Word};
use crate::counters::LiveCounters;
use crate::hub::WatchError;
use crate::hub::feed::{Viewer, ViewerFacts, ViewerInfo};
use crate::play::hls::Hls;
use crate::pull;
use crate::push::LivePush;
use crate::relay;
use crate::shared::Shared;
use crate::start::Tasks;

/// The running live path. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    pub(crate) shared: Arc<Shared>,
    pub(crate) rtmp_addr: SocketAddr,
    pub(crate) rtmps_addr: Option<SocketAddr>,
    pub(crate) tasks: Arc<Tasks>,
}

/// Who gave an order, for the record and the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedBy {
    /// The id of the API key, or the name of the user.
    pub who: String,
    /// The way: `api`, `console`, `css_api`.
    #[serde(deserialize_with = "cluster::words::way")]
    pub via: Word,
    /// Where the order came from.
    pub from: Option<IpAddr>,
}

impl Live {
    /// Where RTMP pushes come in.
    pub fn rtmp_addr(&self) -> SocketAddr {
        self.rtmp_addr
    }

    /// Where RTMP pushes over TLS come in, if they may.
    pub fn rtmps_addr(&self) -> Option<SocketAddr> {
        self.rtmps_addr
    }

    /// All pushes of this node that are live or wait as backups, oldest first. Tests are not among them.
    pub fn pushes(&self) -> Vec<LivePush> {
        self.here(self.shared.hub.list())
    }

    fn here(&self, mut pushes: Vec<LivePush>) -> Vec<LivePush> {
        pushes.iter_mut().for_each(|push| push.node.clone_from(&self.shared.config.node_label));
        pushes
    }

    /// How many pushes of this node are live or wait as backups.
    pub fn push_count(&self) -> usize {
        self.shared.hub.len()
    }

    /// All test pushes, oldest first.
    pub fn test_pushes(&self) -> Vec<LivePush> {
        self.here(self.shared.hub.list_tests())
    }

    /// Joins the viewers of a live stream. They stay when its push is replaced, and for a while when it is lost.
    ///
    /// # Errors
    /// [`WatchError`].
    pub fn watch(&self, key: &StreamKey, who: ViewerInfo) -> Result<Viewer, WatchError> {
        self.shared.hub.watch(key, who)
    }

    /// As [`Live::watch`], also before anybody publishes the stream: the viewer's first step comes once somebody does.
    /// How long that may take is for the caller to say.
    ///
    /// # Errors
    /// [`WatchError::TooMany`].
    pub fn watch_for(&self, key: &StreamKey, who: ViewerInfo) -> Result<Viewer, WatchError> {
        self.shared.hub.watch_for(key, who)
    }

    /// HLS: packaged streams and their players.
    pub fn hls(&self) -> &Arc<Hls> {
        &self.shared.hls
    }

    /// Whether a stream is live, was a moment ago, or has a push that is being admitted: who comes now is served.
    pub fn is_live(&self, key: &StreamKey) -> bool {
        self.shared.hub.is_on(key)
    }

    /// Who watches a live stream, oldest first.
    pub fn viewers(&self, key: &StreamKey) -> Vec<ViewerFacts> {
        self.shared.hub.viewers(key)
    }

    /// Ends the pushes that a stream key has here. Returns how many it reached.
    pub(crate) fn drop_here(&self, key: &StreamKey, by: &OrderedBy) -> usize {
        let detail = Detail::new(DetailKey::OrderedBy).with("who", by.who.as_str()).with("via", by.via);
        let told = self.shared.hub.order(key, &Act { code: Cause::Dropped.code(), detail: Some(detail) });
        let now = self.shared.clock.now();
        self.shared.catalog.note(catalog::dropped(&self.catalog(), key, told, by, now));
        told
    }

    /// Forbids a stream on this node. Returns how many pushes it reached.
    pub(crate) async fn forbid_here(
        &self,
        forbidden: Forbidden,
        by: &OrderedBy,
    ) -> Result<usize, CatalogError> {
        let now = self.shared.clock.now();
        let key = forbidden.key.clone();
        let act = catalog::forbid_act(&forbidden);
        self.shared.catalog.change(Change::Forbid(forbidden), by, now).await?;
        Ok(self.shared.hub.order(&key, &act))
    }

    /// Lets a forbidden stream in again on this node; false if it was not forbidden.
    pub(crate) async fn resume_here(&self, key: &StreamKey, by: &OrderedBy) -> Result<bool, CatalogError> {
        self.shared.catalog.change(Change::Resume(key.clone()), by, self.shared.clock.now()).await
    }

    /// The catalog as it is now; empty while the stored one cannot be read.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.shared.catalog.snapshot().unwrap_or_default()
    }

    /// Whether the stored catalog could be read: else [`Live::catalog`] is empty for no other reason than that.
    pub fn catalog_is_known(&self) -> bool {
        self.shared.catalog.snapshot().is_some()
    }

    /// Changes the catalog; running pushes that the change forbids outright are cut, where the configuration says so.
    /// Returns whether it changed anything.
    ///
    /// # Errors
    /// [`CatalogError`]; nothing has changed then.
    pub async fn change(&self, change: Change, by: &OrderedBy) -> Result<bool, CatalogError> {
        let changed = self.shared.catalog.change(change, by, self.shared.clock.now()).await?;
        self.cut_disabled();
        Ok(changed)
    }

    /// As [`Live::change`], for a change that `decide` makes up on the newest catalog: no other change comes between
    /// the two. The inner error is what `decide` refuses.
    ///
    /// # Errors
    /// [`CatalogError`]; nothing has changed then.
    pub async fn change_with<E>(
        &self,
        decide: impl FnOnce(&Catalog) -> Result<Change, E>,
        by: &OrderedBy,
    ) -> Result<Result<bool, E>, CatalogError> {
        let changed = self.shared.catalog.change_with(decide, by, self.shared.clock.now()).await?;
        self.cut_disabled();
        Ok(changed)
    }

    pub(crate) fn cut_disabled(&self) {
        if self.shared.config.limits.cut_on_disable
            && let Some(catalog) = self.shared.catalog.snapshot()
        {
            let clock = &*self.shared.clock;
            self.shared.hub.order_where(|push| catalog::cut_by(&catalog, push, clock));
        }
    }

    /// The authentication hook that is asked.
    pub fn auth_hook(&self) -> HookState {
        self.shared.auth_hook.state()
    }

    /// Chooses the hook that is asked from now on, for this node, also after a restart. Leaves an entry in the audit log.
    ///
    /// # Errors
    /// [`HookChoiceError`]; nothing has changed then.
    pub async fn choose_auth_hook(&self, choice: HookChoice, by: &OrderedBy) -> Result<(), HookChoiceError> {
        self.shared.auth_hook.choose(choice, by, self.shared.clock.now()).await
    }

    /// Asks the authentication hook about a push that never was; `None` where there is no hook.
    pub async fn try_auth_hook(&self, sample: &HookSample) -> Option<HookTrial> {
        let hook = self.shared.auth_hook.now()?;
        Some(hook.try_out(sample, &*self.shared.clock).await)
    }

    /// Live streams on their way to other servers.
    pub fn relays(&self) -> Vec<relay::Relay> {
        self.shared.relays.list()
    }

    /// Streams of other nodes that are fetched for viewers of this one, and the pulls that ended last, the newest first.
    pub fn pulls(&self) -> (Vec<pull::Pull>, Vec<pull::EndedPull>) {
        self.shared.pulls.list(&self.shared)
    }

    /// What fetching streams of other nodes has come to since the start; `None` where this node stands alone.
    pub fn pull_figures(&self) -> Option<pull::PullFigures> {
        self.shared.cluster.as_ref().map(|_| self.shared.pulls.figures())
    }

    /// What relays have done since the start, by rule.
    pub fn relay_figures(&self) -> Vec<relay::RelayFigures> {
        self.shared.relays.figures()
    }

    /// What the node has counted.
    pub fn counters(&self) -> LiveCounters {
        let counters = self.shared.counters.read(&self.shared.hub, self.shared.connections.open());
        LiveCounters { hls_held: self.shared.hls.held(), ..counters }
    }
}
