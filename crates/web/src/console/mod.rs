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
//! | [`row`], [`columns`] | a record as a row of a list, and what of it is shown |
//! | [`filter_form`] | filters as the fields of a form |
//! | [`spark`] | curves that fit a row |
//! | [`summaries`] | the last day, counted once for all who look |
//! | `sign_in`, `overview`, `streams`, `stream`, `records`, `record`, `events`, `incidents`, `causes` | the pages |
//! | `domains`, `push`, `callbacks`, `hook`, `settings` | the pages that set things up |
//! | `shared` | one record for somebody without an account |

pub mod assets;
mod callbacks;
mod causes;
pub mod columns;
pub mod cookie;
mod domains;
mod events;
pub mod feed;
pub mod filter_form;
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
mod shared;
pub mod show;
mod sign_in;
pub mod spark;
mod stream;
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
        .route("/streams/key", get(stream::page))
        .route("/streams/preview", get(stream::preview))
        .route("/events", get(events::page))
        .route("/records", get(records::page))
        .route("/records/views", post(records::keep_view))
        .route("/records/export", get(records::file))
        .route("/records/{id}", get(record::page))
        .route("/records/{id}/export", get(record::export))
        .route("/records/{id}/share", post(record::share))
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
        .route("/hook/choose", post(hook::choose))
        .merge(callbacks::routes())
        .merge(settings::routes())
        .route("/sign-in", get(sign_in::page).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .merge(public())
}

/// What those may read who have no account: a record that was shared with them, and what it looks like.
pub fn public() -> Router<WebState> {
    Router::new()
        .route("/shared/{token}", get(shared::page))
        .route("/language", get(language::choose))
        .route("/assets/{name}", get(assets::serve))
}
