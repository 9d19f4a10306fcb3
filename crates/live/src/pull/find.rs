//! From a play URL to a live stream: one of this node, or one that is fetched for it.

use std::sync::Arc;
use std::time::Duration;

use model::{PlayRefusal, PushUrl, StreamKey};

use super::following::{Holder, Seen};
use super::pulls::Hold;
use crate::Live;
use crate::shared::Shared;

/// How long the one who asks first waits for the first media, as all who come meanwhile.
const START: Duration = Duration::from_secs(5);
/// How long the registry may take to say who carries a stream.
const LOOKUP: Duration = Duration::from_secs(1);
/// Of the streams that a play URL may mean, so many are looked for on other nodes.
const LOOKED_FOR: usize = 8;

/// A stream that may be played.
#[derive(Debug)]
pub struct Found {
    /// Which.
    pub key: StreamKey,
    /// Keeps it from being let go before it is watched.
    _hold: Option<Hold>,
}

/// Which live stream a play URL means, if it may be played; where another node carries it, it is fetched from now on.
///
/// # Errors
/// [`PlayRefusal`].
pub(crate) async fn find(shared: &Arc<Shared>, url: &PushUrl) -> Result<Found, PlayRefusal> {
    let keys = crate::play::granted(shared, url)?;
    if shared.cluster.is_some()
        && let Some(found) = far(shared, &keys).await
    {
        return Ok(found);
    }
    let here = keys.iter().find(|key| shared.hub.is_on(key)).or(keys.first());
    here.cloned().map(|key| Found { key, _hold: None }).ok_or(PlayRefusal::NoDomain)
}

/// The first of these that is another node's, once its media is here; `None` where one is this node's own.
async fn far(shared: &Arc<Shared>, keys: &[StreamKey]) -> Option<Found> {
    let pulls = &shared.pulls;
    for key in keys {
        if let Some(hold) = pulls.hold(key) {
            hold.ready(START).await;
            return Some(Found { key: key.clone(), _hold: Some(hold) });
        }
        if shared.hub.is_carried(key) {
            return None;
        }
    }
    if shared.hub.has_no_room() || pulls.config.most == 0 {
        return None;
    }
    for key in keys.iter().take(LOOKED_FOR) {
        let Some(seen) = owner(shared, key).await else { continue };
        if let Some(hold) = pulls.begin(shared, key, seen) {
            hold.ready(START).await;
            return Some(Found { key: key.clone(), _hold: Some(hold) });
        }
    }
    None
}

/// Who carries a stream by the registry; `None` where nobody does, or it cannot be asked.
async fn owner(shared: &Shared, key: &StreamKey) -> Option<Seen> {
    let (pulls, cluster) = (&shared.pulls, shared.cluster.as_ref()?);
    if pulls.is_missing(key, shared.clock.instant()) {
        return None;
    }
    if !cluster.is_connected() {
        return None;
    }
    let asked = async {
        let _turn = pulls.lookups.acquire().await.ok()?;
        cluster.owner(key).await
    };
    let seen = tokio::time::timeout(LOOKUP, asked).await.ok()??;
    if seen.holder == Holder::Nobody {
        pulls.note_missing(key, shared.clock.instant());
        return None;
    }
    Some(seen)
}

impl Live {
    /// Which live stream a play URL means, if it may be played: the first that is live of those it may mean, here or on
    /// another node, else the first. A stream of another node is fetched from now on; its first media is waited for, within
    /// a limit.
    ///
    /// # Errors
    /// [`PlayRefusal`].
    pub async fn find_stream(&self, url: &PushUrl) -> Result<Found, PlayRefusal> {
        find(&self.shared, url).await
    }

    /// Whether a play URL means a stream that is live, here or on another node; nothing is fetched.
    ///
    /// # Errors
    /// [`PlayRefusal`].
    pub async fn look_for_stream(&self, url: &PushUrl) -> Result<bool, PlayRefusal> {
        let keys = crate::play::granted(&self.shared, url)?;
        Ok(self.are_live_somewhere(&keys).await)
    }

    /// As [`Live::is_live`], on any node.
    pub async fn is_live_somewhere(&self, key: &StreamKey) -> bool {
        self.are_live_somewhere(std::slice::from_ref(key)).await
    }

    async fn are_live_somewhere(&self, keys: &[StreamKey]) -> bool {
        if keys.iter().any(|key| self.shared.hub.is_on(key)) {
            return true;
        }
        for key in keys.iter().take(LOOKED_FOR) {
            if let Some(Seen { holder: Holder::There(_), .. }) = owner(&self.shared, key).await {
                return true;
            }
        }
        false
    }
}
