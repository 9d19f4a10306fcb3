//! How the live path starts, and how it stops.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};
use model::Clock;
use store::Store;
use tokio::task::JoinHandle;

use crate::auth_hook::{HookConfigError, HookRoom};
use crate::catalog::CatalogRoom;
use crate::cluster::Cluster;
use crate::config::LiveConfig;
use crate::handle::Live;
use crate::hub::Hub;
use crate::ingest::srt::SrtConfigError;
use crate::listeners::Listeners;
use crate::play::hls::Hls;
use crate::pull::pulls::Pulls;
use crate::shared::{MessageMemory, Shared};
use crate::{counters, drain, ingest, recent, relay, shared, webrtc};

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

#[derive(Debug)]
pub(crate) struct Tasks {
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
        Self::start_among(listeners, config, store, clock, None).await
    }

    /// As [`Live::start_on`], as one node of a cluster.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_among(
        listeners: Listeners,
        config: LiveConfig,
        store: &Store,
        clock: Arc<dyn Clock>,
        cluster: Option<Arc<dyn Cluster>>,
    ) -> Result<Self, StartError> {
        let Listeners { rtmp, rtmp_addr, rtmps, webrtc, srt } = listeners;
        let auth_hook =
            HookRoom::load(config.auth_hook.as_ref(), config.chosen_hook.clone(), store.catalog())?;
        let hub = Arc::new(Hub::new(config.play.clone()));
        let hls = Arc::new(Hls::new(config.play.hls, hub.clone(), clock.clone()));
        let relays = relay::relays::Relays::new(&config.relays, config.proxy.as_ref(), &clock)?;
        let pulls = Pulls::new(&config.pull, &clock, cluster.is_some())?;
        let webrtc = match (webrtc, config.webrtc.clone()) {
            (Some(ports), Some(settings)) => {
                let addr = settings.listen;
                let started = webrtc::WebRtc::start(settings, ports, config.limits.path);
                Some(started.map_err(|source| StartError::Bind { addr, source })?)
            }
            _ => None,
        };
        let shared = Arc::new(Shared {
            relays,
            pulls,
            webrtc,
            journal: store.journal(),
            catalog: CatalogRoom::load(store.catalog()),
            hub,
            hls,
            slots: Arc::default(),
            auth_hook: Arc::new(auth_hook),
            orders: shared::Orders::default(),
            recent: recent::RecentEnds::default(),
            arrivals: Arc::default(),
            counters: counters::Counters::default(),
            message_memory: MessageMemory::new(config.limits.message_memory),
            connections: shared::Connections::default(),
            drain: drain::Drain::default(),
            cluster,
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
}

impl Live {
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
        shared.auth_hook.mend().await;
        shared.hls.sweep();
        shared.hub.sweep(shared.clock.instant());
    }
}
