//! The console: pages for people, rendered here and complete without script. One folder a page.
//!
//! | module | holds |
//! |---|---|
//! | [`frame`] | what every page shares: language, user, navigation |
//! | [`words`] | the texts, one Fluent file per language |
//! | [`language`] | which language a reader gets |
//! | [`session`] | who is signed in, and the token that forms must carry |
//! | [`cookie`] | reading and writing cookies |
//! | [`assets`] | style and script, embedded |
//! | [`show`] | times, durations, chips: values as pages show them |
//! | [`feed`] | tells open pages that records came |
//! | [`row`] | a record as a row of a list |
//! | [`summaries`] | the last day, counted once for all who look |
//! | `sign_in`, `overview`, `streams`, `records`, `record`, `incidents`, `causes` | the pages |

pub mod assets;
mod causes;
pub mod cookie;
pub mod feed;
pub mod frame;
mod incidents;
pub mod language;
mod overview;
mod record;
mod records;
pub mod row;
pub mod session;
pub mod show;
mod sign_in;
mod streams;
pub mod summaries;
pub mod words;

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use crate::state::WebState;

/// The page at `/`, which stands beside an API and so in a route of its own.
pub fn home() -> MethodRouter<WebState> {
    get(overview::page)
}

/// The console's routes, without that of [`home`].
pub fn routes() -> Router<WebState> {
    Router::new()
        .route("/feed", get(feed::listen))
        .route("/streams", get(streams::page).post(streams::submit))
        .route("/records", get(records::page))
        .route("/records/export", get(records::file))
        .route("/records/{id}", get(record::page))
        .route("/incidents", get(incidents::page))
        .route("/causes", get(causes::page))
        .route("/sign-in", get(sign_in::page).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/language", get(language::choose))
        .route("/assets/{name}", get(assets::serve))
}
