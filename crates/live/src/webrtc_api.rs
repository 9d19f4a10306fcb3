//! What the floors above ask of WebRTC: sessions made by an offer, and changed by their resource.

use std::net::SocketAddr;

use tokio::sync::oneshot;

use crate::Live;
use crate::ingest::whip::{self, Answered, Offer, WhipRefusal};
use crate::play::whep::{self, WhepError};
use crate::webrtc::{ResourceError, ResourceKind};

impl Live {
    /// Where WebRTC comes in; `None` where it is turned off.
    pub fn webrtc_addr(&self) -> Option<SocketAddr> {
        self.shared.webrtc.as_ref().map(|webrtc| webrtc.port.local())
    }

    /// Datagrams of WebRTC sessions that were lost because the session was behind.
    pub fn webrtc_lost(&self) -> u64 {
        self.shared.webrtc.as_ref().map_or(0, |webrtc| webrtc.port.lost())
    }

    /// Asks for a push. The push goes on by itself, and leaves its record, whatever becomes of the asker. `None` where
    /// WebRTC is turned off, or the node is stopping.
    pub async fn whip(&self, offer: Offer) -> Option<Result<Answered, WhipRefusal>> {
        self.shared.webrtc.as_ref()?;
        let (answer, answered) = oneshot::channel();
        tokio::spawn(whip::serve(self.shared.clone(), offer, answer));
        answered.await.ok()
    }

    /// Asks to play. `None` where WebRTC is turned off.
    pub async fn whep(&self, offer: Offer) -> Option<Result<Answered, WhepError>> {
        self.shared.webrtc.as_ref()?;
        Some(whep::begin(&self.shared, offer).await)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`ResourceError`].
    pub fn webrtc_delete(&self, kind: ResourceKind, id: &str) -> Result<(), ResourceError> {
        let webrtc = self.shared.webrtc.as_ref().ok_or(ResourceError::Unknown)?;
        webrtc.resources.delete(kind, id)
    }

    /// Takes candidates of a client's.
    ///
    /// # Errors
    /// [`ResourceError`].
    pub fn webrtc_trickle(
        &self,
        kind: ResourceKind,
        id: &str,
        if_match: Option<&str>,
        fragment: &str,
    ) -> Result<(), ResourceError> {
        let webrtc = self.shared.webrtc.as_ref().ok_or(ResourceError::Unknown)?;
        let named = crate::webrtc::offer::fragment_of(fragment);
        webrtc.resources.trickle(kind, id, if_match, named)
    }
}
