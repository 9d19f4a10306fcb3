//! What the handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cause::Lang;
use ipnet::IpNet;
use live::cluster::PushesEverywhere;
use live::tls::Certificates;
use live::{Live, LivePush};
use model::{AdmissionSettings, Catalog, Clock, UrlKind};
use store::{CatalogStore, History, Journal, Outbox, Reader, Store};

use tokio::sync::Semaphore;

use crate::actions::Scope;
use crate::api;
use crate::callback::CallbackSettings;
use crate::callback::deliver::Figures;
use crate::challenges::Challenges;
use crate::console::feed::Listeners;
use crate::console::session::Sessions;
use crate::console::summaries::Summaries;
use crate::import::Importer;
use crate::password::Passwords;

/// Callback templates being tried out at once.
const TRIALS: usize = 4;

/// A listener, as URLs to it need to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// What it takes or gives.
    pub kind: UrlKind,
    /// Its port.
    pub port: u16,
    /// For WHIP and playback: whether it speaks TLS.
    pub tls: bool,
}

/// For how long what is kept is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Records: `[store] keep`.
    pub records: Duration,
    /// Their evidence: `[store] keep_evidence`.
    pub evidence: Duration,
    /// Events and deliveries: `[callback] keep`.
    pub history: Duration,
}

/// How the surface is set up.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether sign-in and APIs are open to other machines without TLS.
    pub insecure: bool,
    /// Language for those who have not chosen one; `None` asks the browser.
    pub default_language: Option<Lang>,
    /// The RTMP port that hints on pages name.
    pub rtmp_port: u16,
    /// Where to push and play: a listener each, in the order in which pages offer them.
    pub doors: Vec<Door>,
    /// What admission goes by, for pages that tell what it would say.
    pub admission: AdmissionSettings,
    /// What settings tell of retention.
    pub retention: Retention,
    /// Whether the CSS API holds keys to the calls a second that CSS documents.
    pub css_rate_limits: bool,
    /// How callbacks are sent.
    pub callback: CallbackSettings,
    /// Who may tell of pushes that run elsewhere.
    pub importers: Vec<Importer>,
    /// What the listeners with TLS show.
    pub certificates: Vec<Arc<Certificates>>,
}

/// What the handlers share; cheap to clone.
#[derive(Clone)]
pub struct WebState {
    inner: Arc<Inner>,
}

struct Inner {
    config: WebConfig,
    live: Live,
    reader: Reader,
    journal: Journal,
    users: CatalogStore,
    outbox: Outbox,
    history: History,
    callback_figures: Figures,
    trials: Semaphore,
    clock: Arc<dyn Clock>,
    sessions: Sessions,
    passwords: Passwords,
    summaries: Summaries,
    listeners: Listeners,
    css: api::css::Shared,
    challenges: Challenges,
    stopping: AtomicBool,
}

impl WebState {
    /// Puts together what the handlers need.
    pub fn new(config: WebConfig, live: Live, store: &Store, clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            config,
            live,
            reader: store.reader(),
            journal: store.journal(),
            users: store.catalog(),
            outbox: store.outbox(),
            history: store.history(),
            callback_figures: Figures::default(),
            trials: Semaphore::new(TRIALS),
            sessions: Sessions::new(Arc::clone(&clock)),
            passwords: Passwords::new(Arc::clone(&clock)),
            summaries: Summaries::default(),
            listeners: Listeners::default(),
            css: api::css::Shared::default(),
            challenges: Challenges::default(),
            stopping: AtomicBool::new(false),
            clock,
        };
        Self { inner: Arc::new(inner) }
    }

    /// The node begins to stop: `/readyz` says so from now on, while what is open is ended.
    pub fn begin_stop(&self) {
        self.inner.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.inner.stopping.load(Ordering::Relaxed)
    }

    /// What an ACME authority is answered here.
    pub fn challenges(&self) -> &Challenges {
        &self.inner.challenges
    }

    pub(crate) fn certificates(&self) -> &[Arc<Certificates>] {
        &self.inner.config.certificates
    }

    pub(crate) fn config(&self) -> &WebConfig {
        &self.inner.config
    }

    pub(crate) fn live(&self) -> &Live {
        &self.inner.live
    }

    /// The live pushes of this node that somebody may see.
    pub(crate) fn pushes(&self, scope: Scope) -> Vec<LivePush> {
        let mut pushes = self.inner.live.pushes();
        pushes.retain(|push| scope.covers(Some(push.account)));
        pushes
    }

    /// The test pushes that somebody may see.
    pub(crate) fn test_pushes(&self, scope: Scope) -> Vec<LivePush> {
        let mut pushes = self.inner.live.test_pushes();
        pushes.retain(|push| scope.covers(Some(push.account)));
        pushes
    }

    /// The same of all nodes.
    pub(crate) async fn pushes_everywhere(&self, scope: Scope) -> PushesEverywhere {
        let mut all = self.inner.live.pushes_everywhere().await;
        all.outcome.retain(|push| scope.covers(Some(push.account)));
        all
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.inner.live.catalog()
    }

    pub(crate) fn reader(&self) -> &Reader {
        &self.inner.reader
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.inner.journal
    }

    pub(crate) fn users(&self) -> &CatalogStore {
        &self.inner.users
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.inner.outbox
    }

    pub(crate) fn history(&self) -> &History {
        &self.inner.history
    }

    pub(crate) fn callback_figures(&self) -> &Figures {
        &self.inner.callback_figures
    }

    /// Places for templates being tried out, which each may take as long as a receiver lets it wait.
    pub(crate) fn trials(&self) -> &Semaphore {
        &self.inner.trials
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    pub(crate) fn summaries(&self) -> &Summaries {
        &self.inner.summaries
    }

    pub(crate) fn listeners(&self) -> &Listeners {
        &self.inner.listeners
    }

    pub(crate) fn css(&self) -> &api::css::Shared {
        &self.inner.css
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }
}

impl std::fmt::Debug for WebState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebState").field("config", &self.inner.config).finish_non_exhaustive()
    }
}
