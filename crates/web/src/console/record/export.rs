//! The record with its evidence as a file: to be sent to somebody, judged again, or replayed.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use cause::Evidence;
use cause::export::Export;
use model::PushId;

use super::{find, missing};
use crate::console::frame::SignedIn;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// The file.
pub(in crate::console) async fn file(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let Ok(id) = id.parse::<PushId>() else { return Ok(missing(f, StatusCode::NOT_FOUND, "record-missing")) };
    let Some(found) = find(&state, id, f.scope()).await? else {
        return Ok(missing(f, StatusCode::NOT_FOUND, "record-missing"));
    };
    let evidence = found.evidence.and_then(|bytes| Evidence::decode(&bytes).ok());
    let text = serde_json::to_vec_pretty(&Export::new(found.record, evidence)).map_err(|error| {
        tracing::error!(%error, %id, "a record cannot be written as JSON");
        Problem::new(Kind::Internal, "the record cannot be written; the server's log says why")
    })?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"record-{id}.json\"")),
    ];
    Ok((headers, text).into_response())
}
