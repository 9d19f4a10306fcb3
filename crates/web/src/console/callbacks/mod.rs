//! Callbacks: who is told of events, and whether they heard.
//!
//! | module | holds |
//! |---|---|
//! | `list` | the templates |
//! | `template` | one template: where events go, tried out |
//! | `log` | the delivery log |

mod list;
mod log;
mod template;

use axum::Router;
use axum::routing::{get, post};
use model::catalog::CallbackUrls;
use serde::Deserialize;

use crate::callback::manage::TemplateFields;
use crate::state::WebState;

/// The routes of callbacks.
pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/callbacks", get(list::page).post(list::add))
        .route("/callbacks/log", get(log::page))
        .route("/callbacks/{id}", get(template::page).post(template::save))
        .route("/callbacks/{id}/test", post(template::test))
        .route("/callbacks/{id}/remove", post(template::remove))
}

/// The fields of a template that the console sets.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    account: u64,
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    stream_begin: String,
    #[serde(default)]
    stream_end: String,
    #[serde(default)]
    push_exception: String,
    /// Empty leaves the key as it is.
    #[serde(default)]
    key: String,
    #[serde(default)]
    no_key: bool,
}

impl Fields {
    /// What is to be changed. URLs that the console does not show stay as `urls` has them.
    fn over(self, urls: CallbackUrls) -> TemplateFields {
        let url = |text: String| text.trim().to_owned();
        let key = match (self.no_key, self.key.is_empty()) {
            (true, _) => Some(String::new()),
            (false, true) => None,
            (false, false) => Some(self.key),
        };
        TemplateFields {
            name: Some(self.name.trim().to_owned()),
            description: Some(self.description.trim().to_owned()),
            urls: Some(CallbackUrls {
                stream_begin: url(self.stream_begin),
                stream_end: url(self.stream_end),
                push_exception: url(self.push_exception),
                ..urls
            }),
            key,
        }
    }
}
