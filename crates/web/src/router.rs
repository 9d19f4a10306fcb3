//! Which path leads where.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{any, get, post};

use crate::state::WebState;
use crate::{api, challenges, client, console, guard, health, import, metrics, play, webrtc};

/// Bodies of requests are forms and small JSON documents.
const MAX_BODY: usize = 64 << 10;

/// What a listener offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Everything on one listener.
    All,
    /// Console, APIs, metrics, and the playback that the console's preview needs: `[http] admin_listen`.
    Admin,
    /// Playback and shared records: everything but those, where they have a listener of their own.
    Public,
}

/// The router of one listener. It needs [`client::Peer`] in each request's extensions; [`crate::serve`] puts it there.
pub fn router(state: WebState, surface: Surface) -> Router {
    let health = Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready));
    let health = health.route("/.well-known/acme-challenge/{token}", get(challenges::answer));
    let mut router = health.route("/import/{kind}/{token}", post(import::take));
    if surface == Surface::Public {
        router = router.merge(console::public());
    } else {
        router = router
            .route("/metrics", get(metrics::scrape))
            .route("/", api::css::beside(console::home(), state.clone()))
            .nest("/api/v1", api::v1::routes())
            .merge(console::routes());
    }
    if surface != Surface::Admin {
        router = router.route("/whip/{*path}", any(webrtc::whip)).route("/whep/{*path}", any(webrtc::whep));
    }
    // Playback is beside the console too, for its preview.
    router
        .fallback(play::serve)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(guard::headers))
        .layer(middleware::from_fn_with_state(state.clone(), client::recognise))
        .with_state(state)
}
