//! Playback: `/{app}/{stream}` with the ending of a format. The app may have several segments, so these paths are told
//! by their ends, behind all others.
//!
//! | file | what lives there |
//! |---|---|
//! | `flv` | FLV without end over HTTP |
//! | `hls` | HLS: playlists, segments and parts |
//! | `pieces` | answers of pieces that lie in memory |
//! | `websocket` | FLV without end over WebSocket |

mod flv;
mod hls;
mod pieces;
mod websocket;

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use live::feed::{ViewerInfo, ViewerKind};
use live::{PlayError, WatchError};
use model::{PlayRefusal, PushUrl};

use crate::client::{Client, Peer};
use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// Answers what no other path has taken.
pub(crate) async fn serve(State(state): State<WebState>, request: Request) -> Response {
    if let Some(stream) = request.uri().path().strip_suffix(".flv").map(str::to_owned) {
        let over_websocket = websocket::is_asked_for(&request);
        return answer(request, async |request| match over_websocket {
            true => websocket::answer(&state, &stream, request).await,
            false => flv::answer(&state, &stream, request).await,
        })
        .await;
    }
    let path = request.uri().path().to_owned();
    if let Some(target) = hls::Target::of(&path) {
        return answer(request, async |request| hls::answer(&state, target, &request).await).await;
    }
    Problem::new(Kind::NotFound, "there is nothing at this path").into_response()
}

/// Answers a request for playback by its method, with the headers that let players on any page have it.
async fn answer(request: Request, get: impl AsyncFnOnce(Request) -> Result<Response, Problem>) -> Response {
    let answered = match *request.method() {
        Method::GET | Method::HEAD => get(request).await,
        Method::OPTIONS => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(Problem::new(Kind::MethodNotAllowed, "playback is read with GET")),
    };
    let mut response = answered.unwrap_or_else(Problem::into_response);
    allow_all_origins(response.headers_mut());
    response
}

/// Players on any page may play; who may is for the signature to say.
fn allow_all_origins(headers: &mut HeaderMap) {
    let fixed: [(HeaderName, &str); 7] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Range"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Content-Length, Content-Range, Date"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        // Players measure how what they load comes.
        (HeaderName::from_static("timing-allow-origin"), "*"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The play URL of a request, of which `stream` is the path without the format's ending.
fn play_url(request: &Request, stream: &str) -> PushUrl {
    // HTTP/2 has the host in the URI.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().host());
    PushUrl::from_path(host, stream, request.uri().query().unwrap_or_default())
}

/// Who plays. Behind a proxy the port is not known, and 0.
fn viewer(state: &WebState, request: &Request, kind: ViewerKind) -> ViewerInfo {
    let peer = request.extensions().get::<Peer>().map(|Peer(peer)| *peer);
    let ip = request.extensions().get::<Client>().map(|client| client.ip);
    let client = match (peer, ip) {
        (Some(peer), Some(ip)) if peer.ip().to_canonical() == ip => SocketAddr::new(ip, peer.port()),
        (_, Some(ip)) => SocketAddr::new(ip, 0),
        (peer, None) => peer.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0))),
    };
    ViewerInfo { kind, client, since: state.clock().now() }
}

/// A play URL that is not good, as an answer.
pub(crate) fn refused(refusal: PlayRefusal) -> Problem {
    let kind = match &refusal {
        PlayRefusal::CatalogUnavailable => Kind::Unavailable,
        refusal if refusal.is_forbidden() => Kind::Forbidden,
        _ => Kind::NotFound,
    };
    Problem::new(kind, refusal.to_string())
}

/// A stream that cannot be watched, as an answer.
pub(crate) fn not_watched(error: WatchError) -> Problem {
    let kind = match error {
        WatchError::NoSuchStream => Kind::NotFound,
        WatchError::TooMany => Kind::Unavailable,
    };
    Problem::new(kind, error.to_string())
}

/// A stream that is not played, as an answer.
pub(crate) fn not_played(error: PlayError) -> Problem {
    match error {
        PlayError::Refused(refusal) => refused(refusal),
        PlayError::Watch(error) => not_watched(error),
    }
}
