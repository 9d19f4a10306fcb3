//! The API of Tencent Cloud CSS (product `live`, version 2018-08-01), so that its SDKs and tools work against this
//! server. `docs/css-compatibility.md` says what is like there, what differs, and why.
//!
//! | module | holds |
//! |---|---|
//! | [`request`] | a request taken apart: JSON, forms, queries |
//! | [`auth`] | TC3-HMAC-SHA256 and the older signatures, clock, replays |
//! | [`schema`] | the parameters of an action as a table, and requests held against it |
//! | [`call`] | one call, and what all actions use |
//! | [`change`] | changes of the catalog |
//! | [`actions`] | the actions, a file a family |
//! | [`rate`] | calls a second |
//! | [`error`] | the error codes |
//! | [`time`] | UTC and Beijing time |
//!
//! Whatever happens, the answer is HTTP 200 with exactly `application/json`: the official clients look for errors
//! nowhere else.

pub mod actions;
pub mod auth;
pub mod call;
pub mod change;
mod convert;
pub mod error;
pub mod rate;
pub mod request;
pub mod schema;
pub mod time;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use serde_json::{Value, json};

use crate::client::Client;
use crate::state::WebState;

use self::call::{Action, Call};
use self::error::{Code, CssError};
use self::request::value::shown;
use self::request::{Raw, Wanted};
use self::schema::Args;

/// The largest body, bytes. No action needs a hundredth of it.
const MAX_BODY: usize = 256 << 10;
/// Time for a body to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(20);

/// What the calls share.
#[derive(Debug, Default)]
pub struct Shared {
    replays: auth::replay::Replays,
    rates: rate::Rates,
}

/// The route of `/`: this API, and for people the page that `home` has there.
pub fn beside(home: MethodRouter<WebState>, state: WebState) -> MethodRouter<WebState> {
    home.layer(middleware::from_fn_with_state(state, ask_or_browse)).post(call).fallback(call)
}

/// `GET /`: a call where it names an action, else a person.
async fn ask_or_browse(state: State<WebState>, request: Request, home: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let asks = request.headers().contains_key("x-tc-action")
        || query.split('&').any(|pair| pair.starts_with("Action="));
    match asks {
        true => call(state, request).await,
        false => home.run(request).await,
    }
}

/// Answers a call.
async fn call(State(state): State<WebState>, request: Request) -> Response {
    let request_id = request_id();
    let (mut parts, body) = request.into_parts();
    let client = Client::from_request_parts(&mut parts, &()).await;
    let mut trace = Trace::default();
    let answered = match client {
        Err(problem) => Err(problem.into()),
        Ok(client) => {
            trace.client = Some(client.ip);
            let head = Raw {
                method: parts.method,
                query: parts.uri.query().unwrap_or_default().to_owned(),
                headers: parts.headers,
                body: axum::body::Bytes::new(),
            };
            handle(&state, client, head, body, &mut trace).await
        }
    };
    let mut response = match answered {
        Ok(fields) => fields,
        Err(error) => {
            trace.tell(&error, &request_id);
            json!({ "Error": { "Code": error.code.as_str(), "Message": error.message } })
        }
    };
    if let Some(fields) = response.as_object_mut() {
        fields.insert("RequestId".to_owned(), request_id.into());
    }
    let body = json!({ "Response": response }).to_string();
    (StatusCode::OK, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// What the log says of a call that was refused.
#[derive(Debug, Default)]
struct Trace {
    client: Option<std::net::IpAddr>,
    action: String,
    secret_id: String,
}

impl Trace {
    /// Signatures and parameters stay out of the log; what is told is cut and has no control characters.
    fn tell(&self, error: &CssError, request_id: &str) {
        let (client, action, secret_id) = (self.client, &self.action, &self.secret_id);
        let (code, message) = (error.code.as_str(), &error.message);
        match error.code.concerns_security() {
            true => {
                tracing::warn!(code, message, ?client, action, secret_id, request_id, "CSS call refused")
            }
            false => {
                tracing::info!(code, message, ?client, action, secret_id, request_id, "CSS call failed")
            }
        }
    }
}

async fn handle(
    state: &WebState,
    client: Client,
    mut raw: Raw,
    body: Body,
    trace: &mut Trace,
) -> Result<Value, CssError> {
    client.require_safe_transport(state)?;
    if raw.method != Method::GET && raw.method != Method::POST {
        return Err(CssError::new(Code::UnsupportedProtocol, "Only GET and POST are supported."));
    }
    raw.body = match tokio::time::timeout(BODY_WITHIN, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let message = format!("The body is not whole, or larger than {MAX_BODY} bytes.");
            return Err(CssError::new(Code::RequestSizeLimitExceeded, message));
        }
        Err(_) => return Err(CssError::new(Code::InvalidRequest, "The body did not arrive in time.")),
    };
    let wanted = Wanted::read(&raw)?;
    (trace.action, trace.secret_id) = (shown(&wanted.action), shown(wanted.secret_id()));
    let caller = auth::authenticate(state, &client, &raw, &wanted)?;
    let action = actions::find(&wanted.action).ok_or_else(|| {
        let message = format!("The action `{}` is invalid or not found.", shown(&wanted.action));
        CssError::new(Code::InvalidAction, message)
    })?;
    admit(state, &caller, action)?;
    let args = Args::read(action.params, &wanted.params, wanted.typed)?;
    let call = Call { state: state.clone(), caller, args, lang: wanted.lang };
    call.check_account(&state.catalog())?;
    (action.run)(call).await
}

/// Refuses calls above the action's rate, and callers below its role.
fn admit(state: &WebState, caller: &crate::api::v1::Caller, action: &Action) -> Result<(), CssError> {
    let now = state.clock().instant();
    if state.config().css_rate_limits && !state.css().rates.admit(&caller.id, action.name, action.rate, now) {
        let message = format!(
            "Your current request rate exceeds the limit of {} calls a second for `{}`.",
            action.rate, action.name
        );
        return Err(CssError::new(Code::RequestLimitExceeded, message));
    }
    if caller.role < action.role {
        let message = format!("This key's role may not call `{}`.", action.name);
        return Err(CssError::new(Code::UnauthorizedOperation, message));
    }
    Ok(())
}

/// An id that nobody can guess, in the form of a UUID.
fn request_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness it is an id that is not unique, which is no reason to refuse a call.
    let _ = getrandom::fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
