//! Who may see a page and who may act on it, held by the handlers' own signatures: [`Visit`] opens a page to a role,
//! [`Act`] takes a form from it. Whoever may not gets 403 from either, whatever the page showed.

use std::marker::PhantomData;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use live::OrderedBy;
use model::catalog::Role;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::frame::{Frame, SignedIn, render};
use super::{cookie, session};
use crate::client::Client;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// What something asks of those who come.
pub trait Needs: Send + Sync {
    /// The least role.
    const ROLE: Role;
    /// Whether it concerns all accounts, so that a user who is tied to one is not let in.
    const ALL_ACCOUNTS: bool = false;
}

/// Everybody who is signed in.
#[derive(Debug)]
pub struct Anybody;
/// Those who act on streams.
#[derive(Debug)]
pub struct Operators;
/// Those who change what is set up.
#[derive(Debug)]
pub struct Admins;

/// Those who change what concerns all accounts.
#[derive(Debug)]
pub struct NodeAdmins;

impl Needs for Anybody {
    const ROLE: Role = Role::Viewer;
}
impl Needs for Operators {
    const ROLE: Role = Role::Operator;
}
impl Needs for Admins {
    const ROLE: Role = Role::Admin;
}
impl Needs for NodeAdmins {
    const ROLE: Role = Role::Admin;
    const ALL_ACCOUNTS: bool = true;
}

/// A look at a page by somebody who may look.
pub struct Visit<N> {
    /// The page's frame.
    pub f: Frame,
    /// Who asks.
    pub client: Client,
    needs: PhantomData<N>,
}

/// A form of this session, sent by somebody who may act.
pub struct Act<N, T> {
    /// The frame of the page to come.
    pub f: Frame,
    /// Who acts.
    pub by: OrderedBy,
    /// Where from.
    pub client: Client,
    /// The cookie's value of the session.
    pub session: String,
    /// What was filled in.
    pub form: T,
    needs: PhantomData<N>,
}

#[derive(Template)]
#[template(path = "denied.html")]
struct Denied {
    f: Frame,
    text: String,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
}

/// The frame of a signed-in user who is what it takes.
async fn admit<N: Needs>(parts: &mut Parts, state: &WebState) -> Result<Frame, Response> {
    let SignedIn(f) = SignedIn::from_request_parts(parts, state).await?;
    if f.role() >= N::ROLE && (f.sees_all() || !N::ALL_ACCOUNTS) {
        return Ok(f);
    }
    let text = f.t(match N::ROLE {
        Role::Admin if N::ALL_ACCOUNTS => "denied-all-accounts",
        Role::Admin => "denied-admin",
        Role::Operator | Role::Viewer => "denied-operator",
    });
    Err(render(StatusCode::FORBIDDEN, &Denied { f, text }))
}

impl<N: Needs> FromRequestParts<WebState> for Visit<N> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Self::Rejection> {
        let f = admit::<N>(parts, state).await?;
        let client = Client::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        Ok(Self { f, client, needs: PhantomData })
    }
}

impl<N: Needs, T: DeserializeOwned> FromRequest<WebState> for Act<N, T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let f = admit::<N>(&mut parts, state).await?;
        let client =
            Client::from_request_parts(&mut parts, state).await.map_err(IntoResponse::into_response)?;
        let session = cookie::read(&parts.headers, session::COOKIE).unwrap_or_default().to_owned();
        let is_form = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        let bytes = Bytes::from_request(Request::from_parts(parts, body), state)
            .await
            .map_err(|error| Problem::new(Kind::TooLarge, error.body_text()).into_response())?;
        let token: Token = read(&bytes).map_err(IntoResponse::into_response)?;
        if !is_form || !session::same(f.csrf(), &token.token) {
            let text = "the form is not of this session; load the page again";
            return Err(Problem::new(Kind::Forbidden, text).into_response());
        }
        let by = OrderedBy { who: f.user().to_owned(), via: "console", from: Some(client.ip) };
        let form = read(&bytes).map_err(IntoResponse::into_response)?;
        Ok(Self { by, client, session, form, f, needs: PhantomData })
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_urlencoded::from_bytes(body).map_err(|error| Problem::new(Kind::BadRequest, error.to_string()))
}
