//! Push here: the URL of a stream for each transport, how encoders want it, and what comes of it, live. This is also the
//! way that an empty console leads a newcomer to the first record.
//!
//! | module | holds |
//! |---|---|
//! | `urls` | the URLs and the fields of encoders |
//! | `qr` | QR codes |
//! | `state` | whether the push is there, and what would keep it out |

mod qr;
mod state;
mod urls;

use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use model::admission::AdmissionSettings;
use model::catalog::{Domain, DomainKind};
use model::{StreamKey, UrlKind};
use serde::Deserialize;

use super::frame::{Frame, render};
use super::show::When;
use super::visit::{Operators, Visit};
use crate::manage;
use crate::state::{Door, WebState};
use qr::Qr;
use state::Seen;
use urls::{Fields, Play, Wanted};

/// For how long URLs are good: the form's value, hours, the text's key.
const TTLS: [(&str, u64, &str); 5] = [
    ("1h", 1, "ttl-hour"),
    ("24h", 24, "ttl-day"),
    ("7d", 7 * 24, "ttl-week"),
    ("30d", 30 * 24, "ttl-month"),
    ("365d", 365 * 24, "ttl-year"),
];
const DEFAULT_TTL: &str = "24h";
const DEFAULT_APP: &str = "live";
const DEFAULT_STREAM: &str = "test";

#[derive(Template)]
#[template(path = "push.html")]
struct Page {
    f: Frame,
    domains: Vec<(String, bool)>,
    form: Params,
    kinds: Vec<(&'static str, &'static str, bool)>,
    ttls: Vec<(&'static str, String, bool)>,
    mistake: String,
    built: Option<Built>,
}

struct Built {
    url: String,
    fields: Fields,
    ffmpeg: String,
    /// ffmpeg speaks WHIP from version 8 on.
    needs_new_ffmpeg: bool,
    qr: Option<Qr>,
    /// `None` for a domain that asks for no signature.
    expires: Option<When>,
    plays: Vec<Play>,
    seen: Seen,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Params {
    domain: String,
    app: String,
    stream: String,
    kind: String,
    ttl: String,
}

/// The page. Whoever sees a signed URL can push with it, so it is for operators.
pub(super) async fn page(
    visit: Visit<Operators>,
    State(state): State<WebState>,
    headers: HeaderMap,
    Query(mut form): Query<Params>,
) -> Response {
    let (f, client) = (visit.f, visit.client);
    let mut domains = manage::domains::list(&state, f.scope());
    domains.retain(|domain| domain.kind == DomainKind::Push);
    let doors = &state.config().doors;
    fill_in(&mut form, &domains);
    let door = door(doors, &form.kind);
    let domain = domains.iter().find(|domain| domain.name == form.domain);
    let mistake = mistake(&form, domain, &state.config().admission, &f);
    let built = match (domain, door) {
        (Some(domain), Some(door)) if mistake.is_empty() => {
            let hours = TTLS.iter().find(|(value, ..)| *value == form.ttl).map_or(24, |(_, hours, _)| *hours);
            let expires = state.clock().now().plus(Duration::from_secs(hours * 3_600));
            let host = host(domain, &headers, &state.config().admission);
            let wanted = Wanted { domain, app: &form.app, stream: &form.stream, expires, host: &host };
            let url = wanted.push(door);
            let key = StreamKey::new(domain.name.clone(), form.app.clone(), form.stream.clone());
            Some(Built {
                seen: Seen::of(&state, &key, &wanted.query(), client.ip, &f).await,
                fields: Fields::of(door.kind, &url),
                ffmpeg: urls::ffmpeg(door.kind, &url),
                needs_new_ffmpeg: door.kind == UrlKind::Whip,
                qr: Qr::of(&url),
                expires: domain.auth.then(|| When::of(expires)),
                plays: wanted.plays(doors, &state.catalog()),
                url,
            })
        }
        _ => None,
    };
    let page = Page {
        domains: domains.iter().map(|d| (d.name.clone(), d.name == form.domain)).collect(),
        kinds: pushes(doors)
            .map(|door| (word(door.kind), name(door.kind), Some(door.kind) == chosen(&form)))
            .collect(),
        ttls: TTLS.into_iter().map(|(value, _, key)| (value, f.t(key), value == form.ttl)).collect(),
        mistake,
        built,
        form,
        f,
    };
    render(StatusCode::OK, &page)
}

/// What was not chosen is chosen here.
fn fill_in(form: &mut Params, domains: &[Domain]) {
    let or = |field: &mut String, default: &str| {
        if field.trim().is_empty() {
            *field = default.to_owned();
        }
    };
    let first = domains.iter().find(|d| d.enabled).or(domains.first());
    or(&mut form.domain, first.map_or("", |d| d.name.as_str()));
    or(&mut form.app, DEFAULT_APP);
    or(&mut form.stream, DEFAULT_STREAM);
    or(&mut form.ttl, DEFAULT_TTL);
    or(&mut form.kind, "rtmp");
    form.domain = form.domain.trim().to_ascii_lowercase();
    form.app = form.app.split('/').map(str::trim).filter(|s| !s.is_empty()).collect::<Vec<_>>().join("/");
    form.stream = form.stream.trim().to_owned();
}

fn mistake(form: &Params, domain: Option<&Domain>, rules: &AdmissionSettings, f: &Frame) -> String {
    if domain.is_none() {
        return if form.domain.is_empty() { f.t("push-no-domain") } else { f.t("domain-missing") };
    }
    if rules.names.check_app(&form.app).is_err() {
        return f.t("push-bad-app");
    }
    if rules.names.check_stream(&form.stream).is_err() {
        return f.t("push-bad-stream");
    }
    String::new()
}

/// The ways to push that have a listener.
fn pushes(doors: &[Door]) -> impl Iterator<Item = Door> {
    let push = |kind| matches!(kind, UrlKind::Rtmp | UrlKind::Rtmps | UrlKind::Srt | UrlKind::Whip);
    doors.iter().copied().filter(move |door| push(door.kind))
}

fn door(doors: &[Door], kind: &str) -> Option<Door> {
    let wanted = kind.parse().unwrap_or(UrlKind::Rtmp);
    pushes(doors).find(|door| door.kind == wanted).or_else(|| pushes(doors).next())
}

fn chosen(form: &Params) -> Option<UrlKind> {
    form.kind.parse().ok()
}

fn word(kind: UrlKind) -> &'static str {
    UrlKind::ALL.iter().find(|(_, known)| *known == kind).map_or("rtmp", |(word, _)| word)
}

fn name(kind: UrlKind) -> &'static str {
    match kind {
        UrlKind::Rtmp => "RTMP",
        UrlKind::Rtmps => "RTMPS",
        UrlKind::Srt => "SRT",
        UrlKind::Whip => "WebRTC (WHIP)",
        UrlKind::Flv => "HTTP-FLV",
        UrlKind::Hls => "HLS",
    }
}

/// By which name encoders reach this node: the domain's. But a domain that stands for URLs with an address, such as
/// `localhost` at the first start, is reached by the address that the reader's browser uses.
fn host(domain: &Domain, headers: &HeaderMap, rules: &AdmissionSettings) -> String {
    let seen = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let seen = match seen.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => seen.split(':').next().unwrap_or_default(),
    };
    match seen.parse::<std::net::IpAddr>() {
        Ok(ip) if domain.name == rules.default_domain && !ip.is_loopback() => ip.to_string(),
        _ => domain.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_domain_is_reached_by_the_address_in_the_browser_and_others_by_their_name() {
        let rules = AdmissionSettings::default();
        let of = |domain: &str, seen: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, header::HeaderValue::from_static(seen));
            host(&Domain::new(domain, 1, "k"), &headers, &rules)
        };
        assert_eq!(of("localhost", "192.0.2.5:8080"), "192.0.2.5");
        assert_eq!(of("localhost", "[2001:db8::5]:8080"), "2001:db8::5");
        assert_eq!(of("localhost", "127.0.0.1:8080"), "localhost");
        assert_eq!(of("localhost", "console.example"), "localhost");
        assert_eq!(of("push.example", "192.0.2.5"), "push.example");
    }

    #[test]
    fn what_was_not_chosen_is_chosen() {
        let mut off = Domain::new("a.example", 1, "k");
        off.enabled = false;
        let mut form = Params { app: " /live//eu/ ".into(), ..Params::default() };
        fill_in(&mut form, &[off, Domain::new("b.example", 1, "k")]);
        assert_eq!(
            (form.domain.as_str(), form.app.as_str(), form.stream.as_str()),
            ("b.example", "live/eu", "test")
        );
    }
}
