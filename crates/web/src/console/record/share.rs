//! Links by which somebody without an account reads a record: made, listed, taken back.

use std::time::Duration;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use model::PushId;
use model::catalog::Role;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use store::{AuditEntry, Share};

use super::{Asked, Page, find, missing};
use crate::client::Client;
use crate::console::frame::{SignedIn, render};
use crate::console::session;
use crate::console::show::When;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// How long links may live, days.
pub(super) const DAYS: [u32; 3] = [1, 7, 30];
/// Links to one record.
const MAX_LINKS: usize = 20;

/// What the page shows of the links to its record.
#[derive(Default)]
pub(super) struct Sharing {
    pub links: Vec<Link>,
    /// The link that was made just now. It is shown this once: only its digest is kept.
    pub made: String,
    /// Whether the user may make and take back links.
    pub may_act: bool,
}

/// A link, without its token.
pub(super) struct Link {
    pub digest: String,
    pub who: String,
    pub made: When,
    pub expires: When,
}

#[derive(Deserialize)]
pub(in crate::console) struct Submitted {
    token: String,
    /// `make`, `revoke`.
    act: String,
    #[serde(default)]
    days: u32,
    #[serde(default)]
    digest: String,
}

/// The digest by which a token is known.
pub(in crate::console) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The links to a record; none where they cannot be read.
pub(super) async fn of_record(state: &WebState, id: PushId) -> Vec<Link> {
    let (catalog, now) = (state.users().clone(), state.clock().now());
    let shares = match tokio::task::spawn_blocking(move || catalog.shares(id, now)).await {
        Ok(Ok(shares)) => shares,
        Ok(Err(error)) => {
            tracing::warn!(%error, "shared links cannot be read");
            Vec::new()
        }
        Err(error) => {
            tracing::warn!(%error, "shared links cannot be read");
            Vec::new()
        }
    };
    let link = |share: Share| Link {
        digest: hex::encode(share.digest),
        who: share.who,
        made: When::of(share.created_at),
        expires: When::of(share.expires_at),
    };
    shares.into_iter().map(link).collect()
}

/// Makes a link and shows it, or takes one back.
pub(in crate::console) async fn submit(
    SignedIn(f): SignedIn,
    client: Client,
    State(state): State<WebState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    submitted: Result<Form<Submitted>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = submitted.map_err(|e| Problem::new(Kind::BadRequest, e.body_text()))?;
    let who = f.ordered(&form.token, Role::Operator)?.user.clone();
    let Ok(id) = id.parse::<PushId>() else { return Ok(missing(f, StatusCode::NOT_FOUND, "record-missing")) };
    let Some(found) = find(&state, id, f.scope()).await? else {
        return Ok(missing(f, StatusCode::NOT_FOUND, "record-missing"));
    };
    let now = state.clock().now();
    let catalog = state.users().audited(AuditEntry {
        at: now,
        who: who.clone(),
        via: "console".to_owned(),
        origin: Some(client.ip.to_string()),
        account: found.record.account,
        action: if form.act == "make" { "share" } else { "unshare" }.to_owned(),
        target: id.to_string(),
        what: serde_json::Value::Null,
    });
    match form.act.as_str() {
        "make" => {
            if !DAYS.contains(&form.days) {
                return Err(Problem::new(Kind::BadRequest, "is 1, 7 or 30").with_field("days"));
            }
            let token = session::token().map_err(|error| {
                tracing::error!(%error, "no link can be made");
                Problem::new(Kind::Internal, "no link could be made; the server's log says why")
            })?;
            let share = Share {
                digest: digest(&token),
                push: id,
                who,
                created_at: now,
                expires_at: now.plus(Duration::from_secs(u64::from(form.days) * 86_400)),
            };
            let plain = state.users().clone();
            let kept = tokio::task::spawn_blocking(move || {
                plain.delete_expired_shares(now)?;
                if plain.shares(id, now)?.len() >= MAX_LINKS {
                    return Ok(false);
                }
                catalog.put_share(&share).map(|()| true)
            });
            if !kept.await?? {
                return Err(Problem::new(
                    Kind::Conflict,
                    "there are 20 links to this record; revoke one first",
                ));
            }
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            let scheme = if client.tls { "https" } else { "http" };
            let sharing = Sharing {
                links: of_record(&state, id).await,
                made: format!("{scheme}://{host}/shared/{token}"),
                may_act: true,
            };
            Ok(render(StatusCode::OK, &Page::of(found, &Asked::default(), sharing, f)))
        }
        "revoke" => {
            let mut digest = [0; 32];
            hex::decode_to_slice(&form.digest, &mut digest).map_err(|_| {
                Problem::new(Kind::BadRequest, "is no link of this record").with_field("digest")
            })?;
            tokio::task::spawn_blocking(move || catalog.delete_share(id, digest)).await??;
            Ok((StatusCode::SEE_OTHER, Redirect::to(&format!("/records/{id}#share"))).into_response())
        }
        _ => Err(Problem::new(Kind::BadRequest, "is none of make, revoke").with_field("act")),
    }
}
