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

use std::sync::Arc;

use model::{PlayRefusal, PushUrl, StreamKey};

pub(crate) use self::outbox::Outbox;
use crate::Live;
use crate::hub::WatchError;
use crate::hub::feed::{Viewer, ViewerInfo};
use crate::pull;
use crate::shared::Shared;

/// What one who plays over RTMP is told when the push of its stream has ended in an orderly way.
pub(crate) const STREAM_HAS_ENDED: &str = "The stream has ended.";
/// The same when the push was lost, and nobody has taken its place.
pub(crate) const STREAM_WAS_LOST: &str = "The stream was lost.";

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
    /// Joins the viewers of what a play URL means; see [`Live::find_stream`].
    ///
    /// # Errors
    /// [`PlayError`].
    pub async fn play(&self, url: &PushUrl, who: ViewerInfo) -> Result<Viewer, PlayError> {
        watch(&self.shared, url, who).await
    }
}

/// Joins the viewers of what a play URL means, wherever that is carried.
pub(crate) async fn watch(shared: &Arc<Shared>, url: &PushUrl, who: ViewerInfo) -> Result<Viewer, PlayError> {
    let found = pull::find(shared, url).await?;
    Ok(shared.hub.watch(&found.key, who)?)
}

/// The streams that a play URL may mean, best first, if it may be played.
pub(crate) fn granted(shared: &Shared, url: &PushUrl) -> Result<Vec<StreamKey>, PlayRefusal> {
    let catalog = shared.catalog.snapshot().ok_or(PlayRefusal::CatalogUnavailable)?;
    let grant = model::playback::authorize(&catalog, &shared.config.admission, url, shared.clock.now())?;
    Ok(grant.keys)
}
