//! WHIP (RFC 9725) and WHEP: `POST /whip/{app}/{stream}` and `POST /whep/{app}/{stream}` with an offer, and the session's
//! resource, which is `/whip/{id}` or `/whep/{id}`.

use std::net::SocketAddr;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use live::{Answered, Offer, OfferError, ResourceError, ResourceKind, WhepError, WhipRefusal};
use model::{Code, PushUrl};

use crate::client::{Client, Peer};
use crate::play;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// An offer of a browser has some 10 KB.
const LARGEST_OFFER: usize = 64 << 10;
const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// What of a stream a viewer does not get, in a sentence.
const NOTE: HeaderName = HeaderName::from_static("lastframe-note");

/// `/whip/...`
pub(crate) async fn whip(State(state): State<WebState>, request: Request) -> Response {
    answer(state, ResourceKind::Whip, request).await
}

/// `/whep/...`
pub(crate) async fn whep(State(state): State<WebState>, request: Request) -> Response {
    answer(state, ResourceKind::Whep, request).await
}

async fn answer(state: WebState, kind: ResourceKind, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let rest = path.split('/').skip(2).collect::<Vec<_>>().join("/");
    let answered = match *request.method() {
        Method::POST => begin(&state, kind, &rest, request).await,
        Method::DELETE => delete(&state, kind, &rest),
        Method::PATCH => patch(&state, kind, &rest, request).await,
        Method::OPTIONS => Ok((StatusCode::NO_CONTENT, [("accept-post", SDP)]).into_response()),
        // An app may be called so, and its streams are played.
        _ => return play::serve(State(state), request).await,
    };
    let mut response = answered.unwrap_or_else(Problem::into_response);
    allow_all_origins(response.headers_mut());
    response
}

/// Pages anywhere may push and play; who may is for the signature to say.
fn allow_all_origins(headers: &mut HeaderMap) {
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, PATCH, DELETE, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Location, ETag, Accept-Patch, Lastframe-Note"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        (HeaderName::from_static("timing-allow-origin"), "*"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

async fn begin(
    state: &WebState,
    kind: ResourceKind,
    path: &str,
    request: Request,
) -> Result<Response, Problem> {
    want_type(&request, SDP)?;
    let query = with_token(request.uri().query().unwrap_or_default(), request.headers());
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let url = PushUrl::from_path(host.or_else(|| request.uri().host()), path, &query);
    let client = client(&request);
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let agent = agent.map(str::to_owned);
    let offer = Offer { url, sdp: body(request).await?, client, agent };
    let off = || Problem::new(Kind::NotFound, "WebRTC is turned off on this server");
    match kind {
        ResourceKind::Whip => match state.live().whip(offer).await.ok_or_else(off)? {
            Ok(answered) => Ok(created("whip", answered)),
            Err(refusal) => Err(refused(&refusal)),
        },
        ResourceKind::Whep => match state.live().whep(offer).await.ok_or_else(off)? {
            Ok(answered) => Ok(created("whep", answered)),
            Err(error) => Err(not_played(error)),
        },
    }
}

fn delete(state: &WebState, kind: ResourceKind, id: &str) -> Result<Response, Problem> {
    state.live().webrtc_delete(kind, id).map_err(not_changed)?;
    Ok(StatusCode::OK.into_response())
}

async fn patch(
    state: &WebState,
    kind: ResourceKind,
    id: &str,
    request: Request,
) -> Result<Response, Problem> {
    want_type(&request, FRAGMENT)?;
    let if_match = request.headers().get(header::IF_MATCH).and_then(|tag| tag.to_str().ok());
    let if_match = if_match.map(str::to_owned);
    let fragment = body(request).await?;
    state.live().webrtc_trickle(kind, id, if_match.as_deref(), &fragment).map_err(not_changed)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn want_type(request: &Request, wanted: &'static str) -> Result<(), Problem> {
    let found = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let found = found.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    match found.eq_ignore_ascii_case(wanted) {
        true => Ok(()),
        false => Err(Problem::new(Kind::UnsupportedType, format!("the body has to be {wanted}"))),
    }
}

async fn body(request: Request) -> Result<String, Problem> {
    let bytes = to_bytes(request.into_body(), LARGEST_OFFER).await;
    let bytes =
        bytes.map_err(|_| Problem::new(Kind::TooLarge, "the body is larger than 64 KiB, or was cut"))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Problem::new(Kind::BadRequest, "the body is not UTF-8"))
}

/// The query with the bearer token behind it: a token of the form `txSecret=...&txTime=...` signs as the same words in the
/// URL do, and any other is the parameter `token`, for the authentication hook.
fn with_token(query: &str, headers: &HeaderMap) -> String {
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.split_once(' '));
    let token = match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            token.trim().trim_start_matches('?')
        }
        _ => return query.to_owned(),
    };
    let name = if token.contains('=') && !token.ends_with('=') { "" } else { "token=" };
    let between = if query.is_empty() { "" } else { "&" };
    format!("{query}{between}{name}{token}")
}

/// Behind a proxy the port is not known, and 0.
fn client(request: &Request) -> SocketAddr {
    let peer = request.extensions().get::<Peer>().map(|Peer(peer)| *peer);
    let ip = request.extensions().get::<Client>().map(|client| client.ip);
    match (peer, ip) {
        (Some(peer), Some(ip)) if peer.ip().to_canonical() == ip => SocketAddr::new(ip, peer.port()),
        (_, Some(ip)) => SocketAddr::new(ip, 0),
        (peer, None) => peer.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0))),
    }
}

fn created(kind: &str, answered: Answered) -> Response {
    let mut response = (StatusCode::CREATED, answered.sdp).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(SDP));
    headers.insert(HeaderName::from_static("accept-patch"), HeaderValue::from_static(FRAGMENT));
    let mut put = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    put(header::LOCATION, format!("/{kind}/{}", answered.id));
    put(header::ETAG, format!("\"{}\"", answered.tag));
    if let Some(note) = answered.note {
        put(NOTE, note);
    }
    response
}

/// A refused push as an answer: the status that fits its cause, and the cause itself.
fn refused(refusal: &WhipRefusal) -> Problem {
    let kind = match &refusal.offer {
        Some(OfferError::Broken(_)) => Kind::BadRequest,
        Some(OfferError::NoCodec { .. }) => Kind::NotAcceptable,
        None => kind_of(refusal.code),
    };
    let text = match &refusal.offer {
        Some(error) => format!("{}: {error}", refusal.text),
        None => refusal.text.clone(),
    };
    Problem::new(kind, text).with_code(refusal.code)
}

fn kind_of(code: Code) -> Kind {
    match (code.errcode, code.sub_errcode) {
        (18, 500 | 502) => Kind::Unauthorized,
        (18, 200 | 301 | 306) => Kind::NotFound,
        (18, 302 | 308 | 309) => Kind::BadRequest,
        (18, 201..=499 | 501 | 503) | (19 | 21, _) => Kind::Forbidden,
        (18, 600..) => Kind::Conflict,
        (18 | 9 | 10, _) => Kind::Unavailable,
        (31 | 32, _) => Kind::BadRequest,
        _ => Kind::Internal,
    }
}

fn not_played(error: WhepError) -> Problem {
    match error {
        WhepError::Play(error) => play::not_played(error),
        WhepError::Offer(OfferError::Broken(_)) => Problem::new(Kind::BadRequest, error.to_string()),
        WhepError::Offer(OfferError::NoCodec { .. }) | WhepError::NotCarried(_) => {
            Problem::new(Kind::NotAcceptable, error.to_string())
        }
        WhepError::NotYet => Problem::new(Kind::Unavailable, error.to_string()),
        WhepError::Internal => Problem::new(Kind::Internal, error.to_string()),
    }
}

fn not_changed(error: ResourceError) -> Problem {
    let kind = match &error {
        ResourceError::Unknown => Kind::NotFound,
        ResourceError::Ended { .. } => Kind::Gone,
        ResourceError::Mismatch => Kind::PreconditionFailed,
        ResourceError::Restart => Kind::Unprocessable,
    };
    let problem = Problem::new(kind, error.to_string());
    match error {
        ResourceError::Ended { code: Some(code), .. } => problem.with_code(code),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(query: &str, authorization: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        with_token(query, &headers)
    }

    #[test]
    fn a_bearer_token_signs_as_the_query_does() {
        assert_eq!(query("", "Bearer txSecret=ab&txTime=cd"), "txSecret=ab&txTime=cd");
        assert_eq!(query("a=b", "bearer ?txSecret=ab&txTime=cd"), "a=b&txSecret=ab&txTime=cd");
        assert_eq!(query("", "Bearer c2VjcmV0="), "token=c2VjcmV0=");
        assert_eq!(query("a=b", "Basic abc"), "a=b");
    }

    #[test]
    fn each_cause_of_refusal_has_the_status_that_fits() {
        for ((errcode, sub), kind) in [
            ((18, 502), Kind::Unauthorized),
            ((18, 503), Kind::Forbidden),
            ((18, 301), Kind::NotFound),
            ((18, 303), Kind::Forbidden),
            ((18, 308), Kind::BadRequest),
            ((18, 401), Kind::Forbidden),
            ((18, 601), Kind::Conflict),
            ((18, 103), Kind::Unavailable),
            ((19, 0), Kind::Forbidden),
            ((5, 0), Kind::Internal),
        ] {
            assert_eq!(kind_of(Code::new(errcode, sub)), kind, "{errcode}/{sub}");
        }
    }
}
