//! What viewers see, for the operator's eyes: HTTP-FLV with mpegts.js, HLS with hls.js.

use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use model::StreamKey;
use model::sign::Algorithm;
use model::stream_url::{Signature, StreamUrl, UrlKind};

use super::{Params, link};
use crate::console::frame::{Frame, SignedIn, render};
use crate::query::extended;
use crate::state::WebState;

/// For how long the player's URLs open the stream.
const SIGNED_FOR: Duration = Duration::from_secs(6 * 3_600);
/// The page's policy, and media that scripts put together.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "preview.html")]
struct Page {
    f: Frame,
    key: StreamKey,
    live: bool,
    flv: String,
    hls: String,
    back: String,
}

#[derive(Template)]
#[template(path = "missing.html")]
struct Missing {
    f: Frame,
    title: String,
    text: String,
}

/// The page.
pub(in crate::console) async fn page(
    SignedIn(f): SignedIn,
    State(state): State<WebState>,
    Query(params): Query<Params>,
) -> Response {
    let key = params.key();
    if !f.scope().has(&state.catalog(), &key.domain) {
        let page = Missing { title: f.t("preview-title"), text: f.t("domain-missing"), f };
        return render(StatusCode::NOT_FOUND, &page);
    }
    let page = Page {
        live: state.live().is_live_somewhere(&key).await,
        flv: url(&state, &key, UrlKind::Flv),
        hls: url(&state, &key, UrlKind::Hls),
        back: link(&key),
        key,
        f,
    };
    let mut response = render(StatusCode::OK, &page);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// Where this listener plays a stream, signed where its domain asks for that.
fn url(state: &WebState, key: &StreamKey, kind: UrlKind) -> String {
    let catalog = state.catalog();
    let domain = catalog.domain(&key.domain).filter(|domain| domain.play_auth);
    let signature = domain.map(|domain| Signature {
        key: &domain.play_key,
        expires: state.clock().now().plus(SIGNED_FOR),
        algorithm: Algorithm::Md5,
    });
    let (app, stream) = (key.app.as_str(), key.stream.as_str());
    let url = StreamUrl { kind, tls: false, host: "-", port: None, app, stream, signature }.to_string();
    let path = url.strip_prefix("http://-").unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    format!("{path}{}", extended(&query, &[("domain", &key.domain)]))
}
