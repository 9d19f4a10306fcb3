//! Playing: from a play URL to a viewer of a live stream, and what viewers are sent.
//!
//! | file | what lives there |
//! |---|---|
//! | [`hls`] | HLS and low-latency HLS: a packager per live stream that somebody asks for |
//! | `whep` | WebRTC viewers |
//! | `outbox` | what waits to be written to one viewer, as shared pieces |
//!
//! RTMP play is driven by `ingest::rtmp`, because a connection becomes a player only by what it says; HTTP formats are
//! driven by the web crate.

pub mod hls;
mod outbox;
pub(crate) mod whep;

use model::{PlayRefusal, PushUrl, StreamKey};

pub(crate) use self::outbox::Outbox;
use crate::Live;
use crate::hub::WatchError;
use crate::hub::feed::{Viewer, ViewerInfo};
use crate::shared::Shared;

/// Why something cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlayError {
    /// The URL is not good.
    #[error(transparent)]
    Refused(#[from] PlayRefusal),
    /// The URL is good, and the stream cannot be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
}

impl Live {
    /// Which live stream a play URL means, if it may be played: the first that is live of those it may mean, else the
    /// first.
    ///
    /// # Errors
    /// [`PlayRefusal`].
    pub fn authorize_play(&self, url: &PushUrl) -> Result<StreamKey, PlayRefusal> {
        authorize(&self.shared, url)
    }

    /// Joins the viewers of what a play URL means.
    ///
    /// # Errors
    /// [`PlayError`].
    pub fn play(&self, url: &PushUrl, who: ViewerInfo) -> Result<Viewer, PlayError> {
        let key = self.authorize_play(url)?;
        Ok(self.watch(&key, who)?)
    }
}

/// Which live stream a play URL means, if it may be played.
pub(crate) fn authorize(shared: &Shared, url: &PushUrl) -> Result<StreamKey, PlayRefusal> {
    let catalog = shared.catalog.snapshot().ok_or(PlayRefusal::CatalogUnavailable)?;
    let grant = model::playback::authorize(&catalog, &shared.config.admission, url, shared.clock.now())?;
    let live = grant.keys.iter().find(|key| shared.hub.is_on(key));
    live.or(grant.keys.first()).cloned().ok_or(PlayRefusal::NoDomain)
}
