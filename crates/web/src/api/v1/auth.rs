//! Bearer keys: `Authorization: Bearer <id>:<secret>`.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use live::OrderedBy;
use model::catalog::Role;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::actions::Scope;
use crate::client::Client;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// Who calls, as its key says.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key's id.
    pub id: String,
    /// What it may do.
    pub role: Role,
    /// Whose things it may see and act on.
    pub scope: Scope,
    /// Where it calls from.
    pub from: Option<IpAddr>,
}

impl Caller {
    /// The caller as the one who gives an order.
    pub fn by(&self) -> OrderedBy {
        OrderedBy { who: self.id.clone(), via: "api", from: self.from }
    }

    /// Refuses callers below `role`.
    pub fn require(&self, role: Role) -> Result<(), Problem> {
        match self.role >= role {
            true => Ok(()),
            false => Err(Problem::new(
                Kind::Forbidden,
                "this key only reads; a key with role operator or admin may do this",
            )),
        }
    }
}

/// The caller whose key the headers carry; `None` without a good key.
pub fn bearer(state: &WebState, headers: &HeaderMap) -> Option<Caller> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let (id, secret) = token.trim().split_once(':')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let catalog = state.catalog();
    let key = catalog.api_keys.get(id);
    let expected = key.map_or("", |k| k.secret.as_str());
    // Digests are compared, so that neither content nor length of the secret shows in the time it takes.
    let same: bool = Sha256::digest(expected).ct_eq(&Sha256::digest(secret)).into();
    let key = key.filter(|k| same && !k.secret.is_empty())?;
    Some(Caller { id: key.id.clone(), role: key.role, scope: Scope::of(key.account), from: None })
}

impl FromRequestParts<WebState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Self::Rejection> {
        let client = Client::from_request_parts(parts, state).await?;
        client.require_safe_transport(state)?;
        let caller = bearer(state, &parts.headers).map(|caller| Caller { from: Some(client.ip), ..caller });
        caller.ok_or_else(|| {
            Problem::new(
                Kind::Unauthorized,
                "send a key of the catalog as `Authorization: Bearer <id>:<secret>`",
            )
        })
    }
}
