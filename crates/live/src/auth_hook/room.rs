//! Which hook is asked: the configuration's, or one that was chosen while the node runs. What was chosen is kept in the
//! store, and outlives a restart. While it cannot be read, or may not be asked, every push is refused: a hook that is lost
//! from sight must not let everybody in.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use cause::{Detail, DetailKey};
use model::{Clock, Timestamp, mask};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{AuditEntry, CatalogStore, StoreError};
use tokio::sync::Mutex;

use super::{AuthHook, HookConfigError, HookFacts, HookQuestion, HookSample, HookTrial};
use crate::OrderedBy;
use crate::config::AuthHookConfig;
use crate::outbound::{Reach, UrlError};

/// The name of the setting.
const SETTING: &str = "auth_hook";
/// The longest URL, bytes.
const MAX_URL: usize = 2_048;
/// The times that a hook may be given.
const TIMEOUTS: std::ops::RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(30);

/// What somebody wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookChoice {
    /// What the configuration says.
    Configured,
    /// Nobody.
    Nobody,
    /// This hook.
    Hook {
        /// Its URL; `None` for that of the hook that is asked now.
        url: Option<String>,
        /// Time for its answer, 100 ms to 30 s.
        timeout: Duration,
    },
}

/// Which hook is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookState {
    /// The hook; `None` where nobody is asked.
    pub hook: Option<HookFacts>,
    /// Whether it was chosen while the node runs, and is not the configuration's.
    pub chosen: bool,
    /// Why the hook cannot be asked. All pushes are refused then.
    pub broken: Option<String>,
}

/// Why a choice was not taken; nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum HookChoiceError {
    /// The URL may not be asked.
    #[error("the URL {0}")]
    Url(#[from] UrlError),
    /// The URL is longer than 2048 bytes, or there is none to keep.
    #[error("the URL must have 1 to {MAX_URL} bytes")]
    Length,
    /// The time is too short or too long.
    #[error("the timeout must be 100 ms to 30 s")]
    Timeout,
    /// The HTTP client could not be made.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The store did not take it.
    #[error("the choice was not stored: {0}")]
    Store(#[from] StoreError),
    /// The work was given up because the node is stopping.
    #[error("the node is stopping")]
    Stopping,
}

/// A choice as the store keeps it. An empty URL asks nobody.
#[derive(Serialize, Deserialize)]
struct Stored {
    url: String,
    timeout_ms: u64,
}

enum InUse {
    Configured(Option<Arc<AuthHook>>),
    Chosen(Option<Arc<AuthHook>>),
    /// A choice that cannot be read, or may not be asked by now.
    Broken {
        why: String,
        /// Reading it again may help.
        unread: bool,
    },
}

/// The hook in use, and the way to choose another.
pub(crate) struct HookRoom {
    in_use: ArcSwap<InUse>,
    configured: Option<Arc<AuthHook>>,
    reach: Reach,
    store: CatalogStore,
    /// Choices come one after another.
    choosing: Mutex<()>,
}

impl HookRoom {
    /// The configured hook, or the one that was chosen before the last stop. Blocks on the disk. `reach` bounds what can be
    /// chosen.
    pub(crate) fn load(
        config: Option<&AuthHookConfig>,
        reach: Reach,
        store: CatalogStore,
    ) -> Result<Self, HookConfigError> {
        let configured = config.map(AuthHook::new).transpose()?.map(Arc::new);
        let in_use = ArcSwap::from_pointee(InUse::Configured(configured.clone()));
        let room = Self { in_use, configured, reach, store, choosing: Mutex::new(()) };
        room.read();
        Ok(room)
    }

    /// Reads what was chosen.
    fn read(&self) {
        let in_use = match self.store.setting(SETTING) {
            Ok(None) => InUse::Configured(self.configured.clone()),
            Ok(Some(text)) => match self.stored(&text) {
                Ok(hook) => InUse::Chosen(hook),
                Err(why) => InUse::Broken { why, unread: false },
            },
            Err(error) => InUse::Broken { why: error.to_string(), unread: true },
        };
        if let InUse::Broken { why, .. } = &in_use {
            tracing::error!(why, "the authentication hook cannot be asked; pushes are refused");
        }
        self.in_use.store(Arc::new(in_use));
    }

    fn stored(&self, text: &str) -> Result<Option<Arc<AuthHook>>, String> {
        let stored: Stored = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if stored.url.is_empty() {
            return Ok(None);
        }
        let hook = AuthHook::within(&self.reach, &stored.url, Duration::from_millis(stored.timeout_ms));
        hook.map(|hook| Some(Arc::new(hook))).map_err(|error| error.to_string())
    }

    /// Reads the choice again if it could not be read before.
    pub(crate) async fn mend(self: &Arc<Self>) {
        if !matches!(**self.in_use.load(), InUse::Broken { unread: true, .. }) {
            return;
        }
        let _one_at_a_time = self.choosing.lock().await;
        let room = Arc::clone(self);
        if let Err(error) = tokio::task::spawn_blocking(move || room.read()).await {
            tracing::debug!(%error, "the hook's setting was not read");
        }
    }

    /// The one to ask now; `None` where nobody is.
    pub(crate) fn now(&self) -> Option<Asked> {
        match &**self.in_use.load() {
            InUse::Configured(hook) | InUse::Chosen(hook) => hook.clone().map(Asked::Hook),
            InUse::Broken { why, .. } => Some(Asked::Broken(why.clone())),
        }
    }

    /// Which hook is asked.
    pub(crate) fn state(&self) -> HookState {
        let facts = |hook: &Option<Arc<AuthHook>>| hook.as_deref().map(AuthHook::facts);
        match &**self.in_use.load() {
            InUse::Configured(hook) => HookState { hook: facts(hook), ..HookState::default() },
            InUse::Chosen(hook) => HookState { hook: facts(hook), chosen: true, broken: None },
            InUse::Broken { why, .. } => HookState { hook: None, chosen: true, broken: Some(why.clone()) },
        }
    }

    /// Takes a choice: durable with its entry in the audit log, then in use. Pushes that are being decided about go on with
    /// the hook that they asked.
    pub(crate) async fn choose(
        self: &Arc<Self>,
        choice: HookChoice,
        by: &OrderedBy,
        now: Timestamp,
    ) -> Result<(), HookChoiceError> {
        let _one_at_a_time = self.choosing.lock().await;
        let (in_use, stored) = self.decide(choice)?;
        let store = self.store.audited(entry(&self.state(), &in_use, by, now));
        let kept = tokio::task::spawn_blocking(move || match stored {
            Some(text) => store.put_setting(SETTING, &text),
            None => store.delete_setting(SETTING).map(drop),
        });
        kept.await.map_err(|_| HookChoiceError::Stopping)??;
        self.in_use.store(Arc::new(in_use));
        Ok(())
    }

    /// What a choice puts into use, and what is kept of it.
    fn decide(&self, choice: HookChoice) -> Result<(InUse, Option<String>), HookChoiceError> {
        let (url, timeout) = match choice {
            HookChoice::Configured => return Ok((InUse::Configured(self.configured.clone()), None)),
            HookChoice::Nobody => (String::new(), Duration::ZERO),
            HookChoice::Hook { url, timeout } => {
                let url = url.or_else(|| match &**self.in_use.load() {
                    InUse::Configured(hook) | InUse::Chosen(hook) => hook.as_ref().map(|h| h.url.to_string()),
                    InUse::Broken { .. } => None,
                });
                let url = url.filter(|url| (1..=MAX_URL).contains(&url.len()));
                (url.ok_or(HookChoiceError::Length)?, timeout)
            }
        };
        let hook = match url.is_empty() {
            true => None,
            false if !TIMEOUTS.contains(&timeout) => return Err(HookChoiceError::Timeout),
            false => match AuthHook::within(&self.reach, &url, timeout) {
                Ok(hook) => Some(Arc::new(hook)),
                Err(HookConfigError::Url(error)) => return Err(error.into()),
                Err(HookConfigError::Client(error)) => return Err(error.into()),
            },
        };
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let stored = serde_json::to_string(&Stored { url, timeout_ms }).ok();
        Ok((InUse::Chosen(hook), stored))
    }
}

/// Who is asked about one push.
pub(crate) enum Asked {
    /// A hook.
    Hook(Arc<AuthHook>),
    /// One that cannot be asked: a push is refused.
    Broken(String),
}

impl Asked {
    /// Asks. `Err` is the detail of the refusal.
    pub(crate) async fn ask(&self, question: &HookQuestion) -> Result<(), Detail> {
        match self {
            Self::Hook(hook) => hook.ask(question).await,
            Self::Broken(why) => Err(Detail::new(DetailKey::HookUnreachable).with("reason", why.as_str())),
        }
    }

    /// Asks about a push that never was.
    pub(crate) async fn try_out(&self, sample: &HookSample, clock: &dyn Clock) -> HookTrial {
        match self {
            Self::Hook(hook) => hook.try_out(sample, clock).await,
            Self::Broken(why) => HookTrial {
                question: String::new(),
                answer: None,
                refusal: Some(Detail::new(DetailKey::HookUnreachable).with("reason", why.as_str())),
                took: Duration::ZERO,
            },
        }
    }
}

fn entry(before: &HookState, after: &InUse, by: &OrderedBy, now: Timestamp) -> AuditEntry {
    let (after, origin) = match after {
        InUse::Configured(hook) => (hook.as_deref().map(AuthHook::facts), "configuration"),
        InUse::Chosen(hook) => (hook.as_deref().map(AuthHook::facts), "chosen"),
        InUse::Broken { .. } => (None, "chosen"),
    };
    let was = if before.chosen { "chosen" } else { "configuration" };
    let url = |facts: Option<&HookFacts>| facts.map_or(Value::Null, |f| mask::mask_text(&f.url).into());
    let timeout = |facts: Option<&HookFacts>| facts.map(|f| f.timeout.as_millis().to_string());
    AuditEntry {
        at: now,
        who: by.who.clone(),
        via: by.via.to_owned(),
        origin: by.from.map(|ip| ip.to_string()),
        account: None,
        action: "put_auth_hook".to_owned(),
        target: SETTING.to_owned(),
        what: json!({
            "origin": { "before": was, "after": origin },
            "url": { "before": url(before.hook.as_ref()), "after": url(after.as_ref()) },
            "timeout_ms": { "before": timeout(before.hook.as_ref()), "after": timeout(after.as_ref()) },
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::SystemClock;
    use store::{AuditQuery, DataLock, Store, StoreConfig};

    use super::*;

    fn open(dir: &std::path::Path) -> Store {
        let config = StoreConfig {
            dir: dir.to_owned(),
            keep: Duration::from_secs(86_400),
            keep_evidence: Duration::from_secs(86_400),
            fold: None,
            ignore: Vec::new(),
            node_id: uuid::Uuid::from_u128(1),
            node_label: "node-1".into(),
            reserve_bytes: 0,
            outbox: store::OutboxConfig::default(),
            remote: None,
            keep_history: StoreConfig::KEEP_HISTORY,
        };
        Store::open(DataLock::take(dir).unwrap(), config, Arc::new(SystemClock)).unwrap()
    }

    fn room(store: &Store, private: bool) -> Arc<HookRoom> {
        let configured = AuthHookConfig {
            url: "https://configured.example/ask".into(),
            timeout: Duration::from_secs(2),
            allow_private: false,
        };
        let reach = Reach { private, networks: Vec::new() };
        Arc::new(HookRoom::load(Some(&configured), reach, store.catalog()).unwrap())
    }

    async fn choose(room: &Arc<HookRoom>, choice: HookChoice) -> Result<(), HookChoiceError> {
        let by = OrderedBy { who: "admin".into(), via: "console", from: None };
        room.choose(choice, &by, SystemClock.now()).await
    }

    fn hook(url: Option<&str>, ms: u64) -> HookChoice {
        HookChoice::Hook { url: url.map(str::to_owned), timeout: Duration::from_millis(ms) }
    }

    fn url(room: &HookRoom) -> Option<String> {
        room.state().hook.map(|hook| hook.url)
    }

    #[tokio::test]
    async fn what_was_chosen_outlives_a_restart_until_the_configuration_is_gone_back_to() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let now = room(&store, false);
        assert_eq!(url(&now).as_deref(), Some("https://configured.example/ask"));
        choose(&now, hook(Some("https://other.example/ask?token=SECRET"), 900)).await.unwrap();
        for room in [&now, &room(&store, false)] {
            let state = room.state();
            assert!(state.chosen && state.broken.is_none());
            let hook = state.hook.unwrap();
            assert!(hook.url.starts_with("https://other.example/ask") && !hook.url.contains("SECRET"));
            assert_eq!(hook.timeout, Duration::from_millis(900));
        }
        choose(&now, hook(None, 500)).await.unwrap();
        assert!(url(&now).unwrap().starts_with("https://other.example/ask"), "the URL stays as it is");
        choose(&now, HookChoice::Nobody).await.unwrap();
        assert!(now.now().is_none() && room(&store, false).now().is_none());
        choose(&now, HookChoice::Configured).await.unwrap();
        assert_eq!(url(&room(&store, false)).as_deref(), Some("https://configured.example/ask"));
        let log = store.catalog().audit_log(&AuditQuery { limit: 9, ..AuditQuery::default() }).unwrap();
        assert_eq!(log.len(), 4);
        assert!(!format!("{log:?}").contains("SECRET"));
    }

    #[tokio::test]
    async fn what_may_not_be_asked_is_not_taken() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let room = room(&store, false);
        for private in
            ["http://127.0.0.1/h", "http://[::1]/h", "http://169.254.169.254/latest", "http://0x7f.1/"]
        {
            let refused = choose(&room, hook(Some(private), 500)).await;
            assert!(matches!(refused, Err(HookChoiceError::Url(UrlError::Private { .. }))), "{private}");
        }
        for (url, ms) in
            [("ftp://a.example", 500), ("", 500), ("https://a.example", 99), ("https://a.example", 30_001)]
        {
            assert!(choose(&room, hook(Some(url), ms)).await.is_err(), "{url} {ms}");
        }
        assert!(!room.state().chosen);
    }

    #[tokio::test]
    async fn a_choice_that_may_no_longer_be_asked_refuses_everybody() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        choose(&room(&store, true), hook(Some("http://127.0.0.1:9/h"), 500)).await.unwrap();
        let after = room(&store, false);
        assert!(after.state().broken.is_some());
        let key = model::StreamKey::new("a.example", "live", "s");
        let client = std::net::SocketAddr::from(([192, 0, 2, 1], 1));
        let sample = HookSample { key, stream_param: String::new(), client };
        let trial = after.now().unwrap().try_out(&sample, &SystemClock).await;
        assert!(trial.refusal.is_some() && trial.answer.is_none());
        store.catalog().put_setting(SETTING, "no JSON").unwrap();
        assert!(room(&store, true).state().broken.is_some());
        choose(&after, HookChoice::Configured).await.unwrap();
        assert!(room(&store, false).state().broken.is_none());
    }
}
