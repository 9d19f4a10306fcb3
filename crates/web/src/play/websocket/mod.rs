//! FLV over WebSocket (RFC 6455): the same bytes as over HTTP, a binary message for each piece. Whoever may read the stream
//! over HTTP may do so here, from a page of any origin.
//!
//! | file | what lives there |
//! |---|---|
//! | `frames` | the framing, sans-I/O |
//! | `talk` | one viewer's connection |

mod frames;
mod talk;
#[cfg(test)]
mod tests;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use live::feed::ViewerKind;
use sha1::{Digest, Sha1};

use super::flv::Tags;
use super::{not_played, play_url, viewer};
use crate::problem::{Kind, Problem};
use crate::server::{Beside, Streaming};
use crate::state::WebState;

/// Appended to the client's key, and hashed with it (RFC 6455, 1.3).
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The one version of the protocol there is.
const VERSION: &str = "13";

/// Whether a request asks to go on as a WebSocket.
pub(super) fn is_asked_for(request: &Request) -> bool {
    has_token(request.headers(), &header::CONNECTION, "upgrade")
        && has_token(request.headers(), &header::UPGRADE, "websocket")
}

/// Answers such a request for a stream.
pub(super) async fn answer(
    state: &WebState,
    stream: &str,
    mut request: Request,
) -> Result<Response, Problem> {
    let accept = match handshake(request.headers()) {
        Handshake::Good(accept) => accept,
        Handshake::Refused(answer) => return Ok(answer),
    };
    let who = viewer(state, &request, ViewerKind::FlvWebsocket);
    let url = play_url(&request, stream);
    let streaming = request.extensions().get::<Streaming>().cloned();
    let beside = request.extensions().get::<Beside>().cloned();
    let upgrade = hyper::upgrade::on(&mut request);
    drop(request);
    let viewer = state.live().play(&url, who).await.map_err(not_played)?;
    if let Some(streaming) = streaming {
        streaming.begin();
    }
    tokio::spawn(async move {
        match upgrade.await {
            Ok(connection) => talk::play(connection, beside, Tags::new(viewer)).await,
            // The client has gone before it read the answer.
            Err(error) => tracing::debug!(%error, client = %who.client, "no WebSocket came of a request"),
        }
    });
    let mut response = (StatusCode::SWITCHING_PROTOCOLS, Body::empty()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Ok(response)
}

/// What comes of a client's handshake.
enum Handshake {
    /// It is good: the answer to its key.
    Good(HeaderValue),
    /// It is not: what the client is told.
    Refused(Response),
}

fn handshake(headers: &HeaderMap) -> Handshake {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::SEC_WEBSOCKET_VERSION).map(str::trim) != Some(VERSION) {
        let problem =
            Problem::new(Kind::BadRequest, format!("only version {VERSION} of WebSocket is spoken"));
        let version = [(header::SEC_WEBSOCKET_VERSION, VERSION)];
        return Handshake::Refused((version, problem.with_field("sec-websocket-version")).into_response());
    }
    let accept = text(header::SEC_WEBSOCKET_KEY).and_then(|key| accept(key.trim()));
    accept.map(Handshake::Good).unwrap_or_else(|| {
        let problem = Problem::new(Kind::BadRequest, "a key of 16 bytes is missing");
        Handshake::Refused(problem.with_field("sec-websocket-key").into_response())
    })
}

/// Whether a header lists a token, in any case (RFC 9110, 5.6.1).
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// The answer to a client's key; `None` if that is none (RFC 6455, 4.2).
fn accept(key: &str) -> Option<HeaderValue> {
    let bytes = BASE64_STANDARD.decode(key).ok()?;
    if bytes.len() != 16 {
        return None;
    }
    let hash = Sha1::new().chain_update(key).chain_update(MAGIC).finalize();
    HeaderValue::try_from(BASE64_STANDARD.encode(hash)).ok()
}
