//! Records of pushes that run elsewhere, from the callbacks of the server there.
//!
//! | module | holds |
//! |---|---|
//! | [`css`] | Tencent's callbacks, events 1 and 0, with their signature |
//! | [`srs`] | SRS: `on_publish`, `on_unpublish` |
//! | [`nginx_rtmp`] | nginx-rtmp: `on_publish`, `on_publish_done`, `on_done` |
//! | [`told`] | what each of them comes to: a start, or an end |
//! | [`field`] | how long the fields may be, and of what |

mod css;
mod field;
mod nginx_rtmp;
mod srs;
mod told;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use model::catalog::AccountId;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// What kind of server tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportKind {
    /// Tencent Cloud CSS, or whoever sends its callbacks.
    Css,
    /// SRS.
    Srs,
    /// nginx with its RTMP module.
    NginxRtmp,
}

impl ImportKind {
    fn path(self) -> &'static str {
        match self {
            Self::Css => "css",
            Self::Srs => "srs",
            Self::NginxRtmp => "nginx-rtmp",
        }
    }
}

/// Somebody who may tell of pushes that run elsewhere: `[[import]]`. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Importer {
    /// The `source` of its records.
    pub name: String,
    /// What it speaks.
    pub kind: ImportKind,
    /// Last part of its path: `/import/<kind>/<token>`.
    pub token: String,
    /// Whose records they are.
    pub account: AccountId,
    /// The callback key that signs CSS callbacks.
    #[serde(default)]
    pub key: String,
}

impl std::fmt::Debug for Importer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Importer").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Why a callback was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
    #[error("the field {0} is missing, or has a value that makes no sense")]
    Field(&'static str),
    #[error("the field {field} has {bytes} bytes; at most {most} are taken")]
    TooLong { field: &'static str, bytes: usize, most: usize },
    #[error("the field {field} holds {character:?}, which is not taken there")]
    Character { field: &'static str, character: char },
    #[error(
        "the field event_time is more than a day ahead of this server's clock, or more than 60 days behind"
    )]
    Time,
    #[error("the signature is wrong, or its time is over")]
    Signature,
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        let kind = match error {
            ImportError::Signature => Kind::Forbidden,
            _ => Kind::BadRequest,
        };
        Self::new(kind, error.to_string())
    }
}

/// `POST /import/{kind}/{token}`. The servers out there know `{"code":0}` as a yes.
pub async fn take(
    State(state): State<WebState>,
    Path((kind, token)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, Problem> {
    let importer = find(&state.config().importers, &kind, &token)
        .ok_or_else(|| Problem::new(Kind::NotFound, "there is nothing at this path"))?;
    let now = state.clock().now();
    let told = match importer.kind {
        ImportKind::Css => css::read(importer, &body, now),
        ImportKind::Srs => srs::read(importer, &body, now),
        ImportKind::NginxRtmp => nginx_rtmp::read(importer, &body, now),
    };
    let told = told.inspect_err(|error| {
        tracing::warn!(source = importer.name, %error, "a callback from elsewhere was refused");
    })?;
    if let Some(import) = told {
        state.journal().import(import).await.map_err(|error| {
            tracing::error!(source = importer.name, %error, "a push that runs elsewhere could not be recorded");
            Problem::new(Kind::Unavailable, "the record could not be stored; tell it again later")
        })?;
    }
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((json, r#"{"code":0}"#).into_response())
}

/// The importer of that token; digests are compared, so that the time it takes tells nothing of the token.
fn find<'a>(importers: &'a [Importer], kind: &str, token: &str) -> Option<&'a Importer> {
    let given = Sha256::digest(token);
    let mut found = None;
    for importer in importers {
        let same: bool = Sha256::digest(&importer.token).ct_eq(&given).into();
        if same && importer.kind.path() == kind {
            found = Some(importer);
        }
    }
    found
}
