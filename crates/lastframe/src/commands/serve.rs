//! `serve`: runs the server.

#[cfg(feature = "cluster")]
mod advertised;
mod cluster;
mod control;
mod greeting;
mod ports;
mod secured;
mod settings;
mod signals;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use live::Live;
use model::{Clock, SystemClock};
use store::{DataLock, Outbox, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use web::{ServerLimits, WebConfig, WebState};

use crate::cli::ServeArgs;
use crate::config::{Config, Loaded};
use crate::failure::Failure;
use crate::logging::{self, LogFormat};
use crate::setup::{configured, first_start, node_id};

use ports::Ports;
use secured::Secured;

/// Time for clients to hear why their push ended when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Runs until a signal.
pub fn run(args: &ServeArgs, loaded: Loaded, data: &Path) -> Result<(), Failure> {
    logging::start(args.log_format.unwrap_or(LogFormat::Text));
    let descriptors = crate::descriptors::raise();
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let connections = loaded.config.limits.connections;
    if descriptors < connections as u64 {
        tracing::warn!(
            descriptors,
            connections,
            "fewer files may be open than [limits] connections allows: raise the hard limit (LimitNOFILE, ulimit -Hn)"
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_park(live::pace::before_park)
        .build()
        .map_err(|e| Failure::failed(format!("cannot start the runtime: {e}")))?;
    runtime.block_on(serve(&loaded.config, data))
}

async fn serve(config: &Config, data: &Path) -> Result<(), Failure> {
    // Listened for from the start, so that a stop during recovery is an orderly one too.
    let mut signals = signals::Signals::listen()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let lock = DataLock::take(data)?;
    let live_config = settings::live(config);
    let secured = Secured::prepare(config, data, &live_config.node_label, clock.as_ref())?;
    let ports = Ports::bind(config, &live_config, &secured).await?;
    let node_id = node_id::of(data, config.node.id, clock.as_ref())?;
    let store = open(lock, config, data, node_id, &clock)?;
    let secrets = first_start::prepare(data, &store.catalog())?;
    configured::upsert(config, &store.catalog());

    let cluster =
        cluster::connect(config, &live_config.node_label, node_id, &ports.addresses, &clock).await?;
    let live = Live::start_among(ports.live, live_config, &store, Arc::clone(&clock), cluster.for_live())
        .await
        .map_err(Failure::failed)?;
    let cluster = cluster.run(&live, &store);
    cluster.once_joined(configured::share(config.clone(), live.clone()));
    let web_config =
        WebConfig { certificates: secured.shown.clone(), ..settings::web(config, &ports.addresses) };
    let state = WebState::new(web_config, live.clone(), &store, Arc::clone(&clock));
    let (stop, stopped) = watch::channel(false);
    let mut servers = Vec::new();
    for (listener, surface, tls) in ports.http {
        let router = web::router(state.clone(), surface);
        let mut stopped = stopped.clone();
        let until = async move {
            // The sender is never dropped before it has sent.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        servers.push(tokio::spawn(web::serve(listener, tls, router, ServerLimits::default(), until)));
    }
    let callbacks = tokio::spawn(callbacks(state.clone(), store.outbox(), stopped.clone()));
    let watches = watch_certificates(config, data, &secured, &state, &clock);
    let controlled =
        tokio::spawn(control::serve(data.to_owned(), live.clone(), store.journal(), stopped.clone()));
    let at = ports.addresses;
    greeting::print(secrets.as_ref(), data, &at, secured.fingerprint.as_deref(), clock.now())?;
    let [rtmps, https, srt] = [at.rtmps, at.https, at.srt].map(|addr| addr.map(tracing::field::display));
    tracing::info!(rtmp = %at.rtmp, rtmps, srt, http = %at.http, https, data = %data.display(), "ready");

    signals.next().await;
    state.begin_stop();
    tracing::info!("stopping; a second signal stops at once");
    tokio::spawn(signals.exit_at_next());
    let store = blocking(move || {
        store.stopping();
        store
    })
    .await?;
    watches.iter().for_each(JoinHandle::abort);
    live.shutdown(STOP_WITHIN).await;
    cluster.leave().await;
    let _ = stop.send(true);
    for server in servers {
        let _ = server.await;
    }
    let _ = callbacks.await;
    let _ = controlled.await;
    drop(state);
    blocking(move || store.shutdown()).await??;
    tracing::info!("stopped");
    Ok(())
}

/// Starts what looks after certificates: changed files, warnings before their end, and orders to an authority.
fn watch_certificates(
    config: &Config,
    data: &Path,
    secured: &Secured,
    state: &WebState,
    clock: &Arc<dyn Clock>,
) -> Vec<JoinHandle<()>> {
    let changes = secured.watched.iter().map(|shown| tokio::spawn(live::tls::watch(shown.clone())));
    let ends = secured.shown.iter().map(|shown| (shown.clone(), Arc::clone(clock)));
    let ends = ends.map(|(shown, clock)| tokio::spawn(live::tls::warn_of_expiry(shown, clock)));
    changes.chain(ends).chain(order_certificates(config, data, secured, state, clock)).collect()
}

/// Starts the orders to an authority, where the configuration names one's names.
#[cfg(feature = "acme")]
fn order_certificates(
    config: &Config,
    data: &Path,
    secured: &Secured,
    state: &WebState,
    clock: &Arc<dyn Clock>,
) -> Option<JoinHandle<()>> {
    let wanted = config.certificates().iter().all(Vec::is_empty) && !config.acme.names.is_empty();
    let answers = crate::acme::Answers { http: state.challenges().clone(), tls: secured.proofs.clone() };
    let orders = || crate::acme::run(config.acme.clone(), data.to_owned(), answers, Arc::clone(clock));
    wanted.then(|| tokio::spawn(orders()))
}

/// Without the feature there are none.
#[cfg(not(feature = "acme"))]
fn order_certificates(
    _: &Config,
    _: &Path,
    _: &Secured,
    _: &WebState,
    _: &Arc<dyn Clock>,
) -> Option<JoinHandle<()>> {
    None
}

/// Delivers events until the server stops; what is left then waits on disk.
async fn callbacks(state: WebState, outbox: Outbox, mut stopped: watch::Receiver<bool>) {
    let until = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(error) = web::callback::deliver::run(state, outbox, until).await {
        tracing::error!(%error, "no callback is sent; events wait in the outbox");
    }
}

/// Opens the store and gives the pushes of earlier runs their ends.
fn open(
    lock: DataLock,
    config: &Config,
    data: &Path,
    node_id: uuid::Uuid,
    clock: &Arc<dyn Clock>,
) -> Result<Store, Failure> {
    let store = Store::open(lock, settings::store(config, data, node_id), Arc::clone(clock))?;
    match store.recover() {
        Ok(found) if found == store::Recovery::default() => {}
        Ok(found) => tracing::warn!(
            died = found.died,
            stopped = found.stopped,
            unreadable = found.unreadable,
            "pushes that an earlier run left open were given their ends"
        ),
        Err(error) => {
            tracing::error!(%error, "pushes of an earlier run are given their ends as soon as there is room")
        }
    }
    Ok(store)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Failure::failed(format!("the stop failed: {e}")))
}
