//! `/api/v1`: records, live pushes, drop, forbid, resume, causes. The description for programs is `openapi.json`.

mod auth;
mod causes;
mod pushes;
mod records;
mod streams;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{get, post};

pub use auth::{Caller, bearer};
pub use causes::CauseRow;

use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// The description of this API.
pub const OPENAPI: &str = include_str!("openapi.json");

/// The routes below `/api/v1`.
pub fn routes() -> Router<WebState> {
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/causes", get(causes::list))
        .route("/records", get(records::list))
        .route("/records/{id}", get(records::one))
        .route("/records/{id}/export", get(records::export))
        .route("/pushes", get(pushes::list))
        .route("/streams/forbidden", get(streams::forbidden))
        .route("/streams/drop", post(streams::drop_stream))
        .route("/streams/forbid", post(streams::forbid))
        .route("/streams/resume", post(streams::resume))
        .method_not_allowed_fallback(wrong_method)
        .fallback(nothing_here)
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

async fn nothing_here() -> Problem {
    Problem::new(Kind::NotFound, "there is no such path in the API; /api/v1/openapi.json lists all")
}

async fn wrong_method() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "this path has another method; /api/v1/openapi.json lists all")
}
