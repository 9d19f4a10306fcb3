//! The console: pages for people, rendered here and complete without script. One folder a page.
//!
//! | module | holds |
//! |---|---|
//! | [`frame`] | what every page shares: language, user, navigation |
//! | [`visit`] | who may see a page and act on it |
//! | [`note`] | what an action leaves for the next page |
//! | [`wording`] | why a change did not happen |
//! | [`theme`] | light or dark |
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
//! | `domains`, `push`, `callbacks`, `hook`, `settings` | the pages that set things up |

pub mod assets;
mod callbacks;
mod causes;
pub mod cookie;
mod domains;
pub mod feed;
pub mod frame;
mod hook;
mod incidents;
pub mod language;
pub mod note;
mod overview;
mod push;
mod record;
mod records;
pub mod row;
pub mod session;
mod settings;
pub mod show;
mod sign_in;
mod streams;
pub mod summaries;
pub mod theme;
pub mod visit;
pub mod wording;
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
        .route("/domains", get(domains::page).post(domains::add))
        .route("/domains/{name}", get(domains::one))
        .route("/domains/{name}/settings", post(domains::settings))
        .route("/domains/{name}/keys", post(domains::keys))
        .route("/domains/{name}/apps", post(domains::apps))
        .route("/domains/{name}/channels", post(domains::channels))
        .route("/domains/{name}/callbacks", post(domains::callbacks))
        .route("/domains/{name}/remove", post(domains::remove))
        .route("/push", get(push::page))
        .route("/hook", get(hook::page).post(hook::submit))
        .merge(callbacks::routes())
        .merge(settings::routes())
        .route("/sign-in", get(sign_in::page).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/language", get(language::choose))
        .route("/assets/{name}", get(assets::serve))
}
