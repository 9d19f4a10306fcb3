//! The live path: from an accepted connection to the end of its push.
//!
//! | room | what lives there |
//! |---|---|
//! | `ingest` | a file or folder a transport, and the listener |
//! | `arrivals` | who is connected from where, against the limits of the node |
//! | `socket` | a sensor around every socket, plain or secured, that remembers once how it ended |
//! | [`tls`] | the certificates of the node's own listeners |
//! | [`pace`] | how threads take more messages together the more of them come |
//! | `push` | a push's identity, watch, orders and end |
//! | `hub` | which push carries a live stream, who waits, who has to go |
//! | [`play`] | who may play what, and what players are sent |
//! | `relay` | live streams passed on to other servers, and proxy mode |
//! | `catalog` | the snapshot that admission reads, and its changes |
//! | `webrtc` | what WHIP and WHEP share: the UDP port, the peer, the resources |
//! | `auth_hook` | the third-party question before a push goes live |
//! | [`outbound`] | requests to others, held to the addresses they may go to |
//!
//! [`Live`] is the handle that the floors above hold.

mod arrivals;
mod auth_hook;
mod catalog;
mod caught;
mod config;
mod counters;
mod hub;
mod ingest;
pub mod outbound;
pub mod pace;
pub mod play;
mod push;
mod recent;
pub mod relay;
mod shared;
mod socket;
pub mod tls;
mod webrtc;
mod webrtc_api;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};
use model::catalog::Forbidden;
use model::{Catalog, Clock, Sequence, StreamKey, Timestamp};
use store::Store;
use tokio::task::JoinHandle;

pub use auth_hook::{HookConfigError, HookFacts, HookSample, HookTrial};
pub use catalog::{CatalogError, Change};
pub use config::{
    AuthHookConfig, EventLimits, HlsConfig, HlsMode, Limits, ListenConfig, LiveConfig, PlayConfig, SrtConfig,
    WebRtcConfig,
};
pub use counters::{LATENCY_BOUNDS_US, LiveCounters, PlayCounters};
pub use hub::{Switched, WatchError, feed};
pub use ingest::proxy_protocol;
pub use ingest::srt::SrtConfigError;
pub use ingest::whip::{Answered, Offer, WhipRefusal};
pub use play::PlayError;
pub use play::whep::WhepError;
pub use push::{Declared, EventReport, EventSeen, LivePush, PushState, Second, TREND_SECONDS, Trend};
pub use webrtc::offer::OfferError;
pub use webrtc::{ResourceError, ResourceKind};

use crate::auth_hook::AuthHook;
use crate::catalog::CatalogRoom;
use crate::hub::Hub;
use crate::hub::feed::{Viewer, ViewerFacts, ViewerInfo};
use crate::play::hls::Hls;
use crate::shared::{MessageMemory, Shared};

/// How often what nobody needs any more is forgotten, and a catalog that could not be read is tried again.
const SWEEP: Duration = Duration::from_secs(2);

/// Why the live path did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The SRT port cannot be had.
    #[error("cannot listen on {addr} for SRT: {source}")]
    BindSrt {
        /// The address.
        addr: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Relays or proxy mode cannot be used as configured.
    #[error(transparent)]
    Relay(#[from] relay::TrustError),
    /// The authentication hook cannot be used as configured.
    #[error(transparent)]
    Hook(#[from] HookConfigError),
    /// SRT cannot be offered as configured.
    #[error(transparent)]
    Srt(#[from] SrtConfigError),
}

/// The running live path. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    shared: Arc<Shared>,
    rtmp_addr: SocketAddr,
    rtmps_addr: Option<SocketAddr>,
    tasks: Arc<Tasks>,
}

#[derive(Debug)]
struct Tasks {
    /// Those that end when a stop begins.
    accepting: Vec<JoinHandle<()>>,
    /// Those that speak for connections, and so end when there are none left.
    speaking: Vec<JoinHandle<()>>,
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in self.accepting.iter().chain(&self.speaking) {
            task.abort();
        }
    }
}

/// Who gave an order, for the record and the audit log.
#[derive(Clone, Debug)]
pub struct OrderedBy {
    /// The id of the API key, or the name of the user.
    pub who: String,
    /// The way: `api`, `console`, `css_api`.
    pub via: &'static str,
    /// Where the order came from.
    pub from: Option<IpAddr>,
}

/// Ports that are bound before the store is recovered, so that a busy port harms nothing.
#[derive(Debug)]
pub struct Listeners {
    rtmp: tokio::net::TcpListener,
    rtmp_addr: SocketAddr,
    webrtc: Option<tokio::net::UdpSocket>,
    rtmps: Option<(tokio::net::TcpListener, SocketAddr, ingest::listener::Door)>,
    srt: Option<(tokio::net::UdpSocket, SocketAddr)>,
}

impl Listeners {
    /// Binds the ports of the live path.
    ///
    /// # Errors
    /// [`StartError::Bind`].
    pub fn bind(config: &LiveConfig) -> Result<Self, StartError> {
        let (rtmp, rtmp_addr) = bound(config.rtmp.listen)?;
        let webrtc = match &config.webrtc {
            None => None,
            Some(config) => {
                let addr = config.listen;
                match webrtc::bind(addr) {
                    Ok(socket) => Some(socket),
                    Err(error) if config.optional => {
                        tracing::warn!(%addr, %error, "cannot listen for WebRTC: WHIP and WHEP are off; choose another port with webrtc.listen");
                        None
                    }
                    Err(source) => return Err(StartError::Bind { addr, source }),
                }
            }
        };
        let srt = match config.srt.as_ref().map(|config| (config, bind_srt(config.listen))) {
            Some((config, Err(error))) if config.optional => {
                tracing::warn!(%error, "no pushes over SRT; choose another port with srt.listen");
                None
            }
            Some((_, bound)) => Some(bound?),
            None => None,
        };
        Ok(Self { rtmp, rtmp_addr, rtmps: None, webrtc, srt })
    }

    /// Where SRT pushes come in, as [`Listeners::rtmp_addr`].
    pub fn srt_addr(&self) -> Option<SocketAddr> {
        self.srt.as_ref().map(|(_, addr)| *addr)
    }

    /// Binds a port for RTMP over TLS as well, with settings that [`tls::listener`] makes. Gives the real address.
    ///
    /// # Errors
    /// [`StartError::Bind`]; the other ports stay as they are.
    pub fn add_rtmps(
        &mut self,
        config: &ListenConfig,
        tls: Arc<rustls::ServerConfig>,
    ) -> Result<SocketAddr, StartError> {
        let (listener, addr) = bound(config.listen)?;
        let door = ingest::listener::Door::rtmps(config.proxy_protocol.clone(), tls);
        self.rtmps = Some((listener, addr, door));
        Ok(addr)
    }

    /// Where RTMP pushes come in; the port is the real one where 0 was asked for.
    pub fn rtmp_addr(&self) -> SocketAddr {
        self.rtmp_addr
    }
}

fn bound(addr: SocketAddr) -> Result<(tokio::net::TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind { addr, source };
    let listener = ingest::listener::bind(addr).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

fn bind_srt(addr: SocketAddr) -> Result<(tokio::net::UdpSocket, SocketAddr), StartError> {
    let failed = |source| StartError::BindSrt { addr, source };
    let socket = ingest::srt::bind(addr).map_err(failed)?;
    let addr = socket.local_addr().map_err(failed)?;
    Ok((socket, addr))
}

impl Live {
    /// Binds the ports, loads the catalog and starts to accept; a catalog that cannot be read refuses pushes (18/100)
    /// until it can.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: LiveConfig, store: &Store, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let listeners = Listeners::bind(&config)?;
        Self::start_on(listeners, config, store, clock).await
    }

    /// As [`Live::start`], on ports that are bound already.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_on(
        listeners: Listeners,
        config: LiveConfig,
        store: &Store,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let Listeners { rtmp, rtmp_addr, rtmps, webrtc, srt } = listeners;
        let auth_hook = config.auth_hook.as_ref().map(AuthHook::new).transpose()?;
        let hub = Arc::new(Hub::new(config.play.clone()));
        let hls = Arc::new(Hls::new(config.play.hls, hub.clone(), clock.clone()));
        let relays = relay::relays::Relays::new(&config.relays, config.proxy.as_ref(), &clock)?;
        let webrtc = match (webrtc, config.webrtc.clone()) {
            (Some(socket), Some(settings)) => {
                let addr = settings.listen;
                let started = webrtc::WebRtc::start(settings, socket);
                Some(started.map_err(|source| StartError::Bind { addr, source })?)
            }
            _ => None,
        };
        let shared = Arc::new(Shared {
            relays,
            webrtc,
            journal: store.journal(),
            catalog: CatalogRoom::load(store.catalog()),
            hub,
            hls,
            slots: Arc::default(),
            auth_hook,
            orders: shared::Orders::default(),
            recent: recent::RecentEnds::default(),
            arrivals: Arc::default(),
            counters: counters::Counters::default(),
            message_memory: MessageMemory::new(config.limits.message_memory),
            connections: shared::Connections::default(),
            clock,
            config,
        });
        let door = ingest::listener::Door::rtmp(shared.config.rtmp.proxy_protocol.clone());
        let mut accepting = vec![tokio::spawn(ingest::listener::accept(shared.clone(), rtmp, door))];
        let rtmps_addr = rtmps.map(|(listener, addr, door)| {
            accepting.push(tokio::spawn(ingest::listener::accept(shared.clone(), listener, door)));
            addr
        });
        accepting.push(tokio::spawn(sweep(shared.clone())));
        let mut speaking = Vec::new();
        if let (Some((socket, _)), Some(config)) = (srt, &shared.config.srt) {
            speaking.push(tokio::spawn(ingest::srt::run(shared.clone(), socket, config)?));
        }
        let tasks = Tasks { accepting, speaking };
        Ok(Self { shared, rtmp_addr, rtmps_addr, tasks: Arc::new(tasks) })
    }

    /// Where RTMP pushes come in.
    pub fn rtmp_addr(&self) -> SocketAddr {
        self.rtmp_addr
    }

    /// Where RTMP pushes over TLS come in, if they may.
    pub fn rtmps_addr(&self) -> Option<SocketAddr> {
        self.rtmps_addr
    }

    /// All pushes that are live or wait as backups, oldest first.
    pub fn pushes(&self) -> Vec<LivePush> {
        self.shared.hub.list()
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

    /// Ends the pushes of a stream key (21/100); they may come again. Returns how many it reached.
    pub fn drop_stream(&self, key: &StreamKey, by: &OrderedBy) -> usize {
        let detail = Detail::new(DetailKey::OrderedBy).with("who", by.who.as_str()).with("via", by.via);
        let told = self.shared.hub.order(key, &Act { code: Cause::Dropped.code(), detail: Some(detail) });
        let now = self.shared.clock.now();
        self.shared.catalog.note(catalog::dropped(&self.catalog(), key, told, by, now));
        told
    }

    /// Lets another push of a stream key carry the stream: a backup, or the one that did so before. Viewers see it from
    /// its next key frame on; the push that carried the stream waits as a backup.
    pub fn switch_to(&self, key: &StreamKey, to: Sequence, by: &OrderedBy) -> Switched {
        let switched = self.shared.hub.switch_to(key, to);
        if switched == Switched::Now {
            let now = self.shared.clock.now();
            self.shared.catalog.note(catalog::switched(&self.catalog(), key, to, by, now));
        }
        switched
    }

    /// Forbids a stream until `until`: its pushes end (21/101), and new ones are refused (18/305). Returns how many
    /// pushes it reached.
    ///
    /// # Errors
    /// [`CatalogError`]; nothing has changed then.
    pub async fn forbid(
        &self,
        key: StreamKey,
        until: Timestamp,
        reason: String,
        by: &OrderedBy,
    ) -> Result<usize, CatalogError> {
        let now = self.shared.clock.now();
        let forbidden = Forbidden { key: key.clone(), since: now, until, reason, by: by.who.clone() };
        let act = catalog::forbid_act(&forbidden);
        self.shared.catalog.change(Change::Forbid(forbidden), by, now).await?;
        Ok(self.shared.hub.order(&key, &act))
    }

    /// Lets a forbidden stream in again; false if it was not forbidden.
    ///
    /// # Errors
    /// [`CatalogError`]; nothing has changed then.
    pub async fn resume(&self, key: &StreamKey, by: &OrderedBy) -> Result<bool, CatalogError> {
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

    fn cut_disabled(&self) {
        if self.shared.config.limits.cut_on_disable
            && let Some(catalog) = self.shared.catalog.snapshot()
        {
            let clock = &*self.shared.clock;
            self.shared.hub.order_where(|push| catalog::cut_by(&catalog, push, clock));
        }
    }

    /// The authentication hook as it is set up; `None` where there is none.
    pub fn auth_hook(&self) -> Option<HookFacts> {
        self.shared.auth_hook.as_ref().map(AuthHook::facts)
    }

    /// Asks the authentication hook about a push that never was; `None` where there is no hook.
    pub async fn try_auth_hook(&self, sample: &HookSample) -> Option<HookTrial> {
        let hook = self.shared.auth_hook.as_ref()?;
        Some(hook.try_out(sample, &*self.shared.clock).await)
    }

    /// Live streams on their way to other servers.
    pub fn relays(&self) -> Vec<relay::Relay> {
        self.shared.relays.list()
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

    /// Stops accepting, ends every push as 9/0, and waits until their clients were told, at most `limit`.
    pub async fn shutdown(self, limit: Duration) {
        self.tasks.accepting.iter().for_each(JoinHandle::abort);
        let detail = Detail::new(DetailKey::OrderedBy).with("via", "signal");
        self.shared.orders.all(&Act { code: Cause::NodeStopped.code(), detail: Some(detail) });
        let told = async {
            self.shared.connections.none_left().await;
            self.shared.relays.end_all().await;
        };
        if tokio::time::timeout(limit, told).await.is_err() {
            let left = self.shared.connections.open();
            tracing::warn!(left, "connections that did not close in time");
        }
    }
}

async fn sweep(shared: Arc<Shared>) {
    let mut every = tokio::time::interval(SWEEP);
    loop {
        every.tick().await;
        shared.catalog.mend().await;
        shared.hls.sweep();
        shared.hub.sweep(shared.clock.instant());
    }
}
