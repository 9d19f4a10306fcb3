//! A push URL in parts, put together from what a client sends.

use std::fmt;

use super::host::Host;
use super::params::{Params, decode};
use crate::mask;

/// Longer than any URL in use; each text a client sends is cut here, so that reading it costs a bounded amount.
const MAX_TEXT: usize = 16 * 1024;

/// What a client named: where it wants to push (or play), and with which parameters. Nothing in it is checked yet.
/// `Debug` masks secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct PushUrl {
    /// The host.
    pub host: Host,
    /// All path segments but the last, percent-decoded, `/` between them; may be empty.
    pub app: String,
    /// The last path segment, percent-decoded; may be empty.
    pub stream: String,
    /// The parameters; of equal names the publish name's wins over app's, and app's over `tcUrl`'s.
    pub params: Params,
    /// The query as received, the publish name's part first, joined with `&`. Holds secrets until masked.
    pub query: String,
}

impl PushUrl {
    /// Reads the three texts of an RTMP client: `tcUrl` and `app` of connect, and the name of publish (or play).
    ///
    /// Clients cut a URL into app and name at different slashes, ffmpeg and librtmp even inside a query, so the two
    /// are joined again before the query is cut. An empty `app` is read from `tcUrl`.
    pub fn from_rtmp(tc_url: &str, app: &str, publish_name: &str) -> Self {
        let (tc_url, app, name) = (cut(tc_url), cut(app), cut(publish_name));
        let tc = TcUrl::parse(tc_url);
        let app = if app.trim_matches('/').is_empty() { tc.path_and_query } else { app };
        let parts = Joined::new(app, undo_container_prefix(name));
        // tcUrl repeats app's query, cut where app cuts it; some phones put the whole push URL there.
        let tc_query = split_query(tc.path_and_query).1;
        let repeated = tc_query == split_query(app).1 || tc_query == parts.name_query;
        let mut query = join_queries(parts.name_query, parts.app_query);
        if !repeated {
            query = join_queries(query, tc_query.to_owned());
        }
        let mut url = Self::assemble(tc.host, &parts.path, query);
        if url.app.is_empty() && name.trim_matches('/').is_empty() {
            // `rtmp://host/live` with no stream key: what is missing is the stream.
            std::mem::swap(&mut url.app, &mut url.stream);
        }
        url
    }

    /// Reads an HTTP request: its Host header, and the path and query of its target, the path without what the
    /// server's own routes add (`/whip` in front, `.flv` or `/index.m3u8` behind).
    pub fn from_path(host: Option<&str>, path: &str, query: &str) -> Self {
        let host = host.map_or(Host::Missing, |h| Host::parse(cut(h)));
        Self::assemble(host, cut(path), cut(query).to_owned())
    }

    /// Reads an SRT stream id: `#!::h=domain,r=app/stream,txSecret=...,txTime=...`, with or without `#!::`; the
    /// form with the path in `h`; or a bare `app/stream?query`. Parameters that SRT's access control guidelines
    /// define (`h`, `r`, `m`, `s`, `t`, `u`) are kept in [`params`](Self::params) too.
    pub fn from_srt_streamid(stream_id: &str) -> Self {
        super::srt::read(cut(stream_id))
    }

    pub(super) fn assemble(host: Host, path: &str, query: String) -> Self {
        let params = Params::parse(&query);
        Self::with_params(host, path, query, params)
    }

    pub(super) fn with_params(host: Host, path: &str, query: String, params: Params) -> Self {
        let mut segments: Vec<_> = path.split('/').filter(|s| !s.is_empty()).map(decode).collect();
        let stream = segments.pop().unwrap_or_default().into_owned();
        Self { host, app: segments.join("/"), stream, params, query }
    }
}

impl fmt::Debug for PushUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushUrl")
            .field("host", &self.host)
            .field("app", &self.app)
            .field("stream", &self.stream)
            .field("query", &mask::mask_query(&self.query))
            .finish()
    }
}

/// `tcUrl` in parts.
struct TcUrl<'a> {
    host: Host,
    path_and_query: &'a str,
}

impl<'a> TcUrl<'a> {
    fn parse(url: &'a str) -> Self {
        let Some((_, rest)) = url.split_once("://") else {
            return Self { host: Host::Missing, path_and_query: "" };
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path_and_query) = rest.split_at(end);
        Self { host: Host::parse(authority), path_and_query }
    }
}

/// App and name as one path, and the queries of both.
struct Joined {
    path: String,
    name_query: String,
    app_query: String,
}

impl Joined {
    fn new(app: &str, name: &str) -> Self {
        let (app_path, app_query) = split_query(app);
        if !app_query.is_empty() && query_goes_on(app_path, app_query, name) {
            let name_query = format!("{app_query}/{name}");
            return Self { path: app_path.to_owned(), name_query, app_query: String::new() };
        }
        let (name_path, name_query) = split_query(name);
        Self {
            path: format!("{app_path}/{name_path}"),
            name_query: name_query.to_owned(),
            app_query: app_query.to_owned(),
        }
    }
}

/// Whether `name` is the rest of app's query, not a name.
///
/// ffmpeg and librtmp take app up to the second slash, so of `live/demo?from=a/b` they send app `live/demo?from=a`
/// and name `b`. But `live?vhost=d` and `demo` come from a server URL with a query of its own. What tells them
/// apart: a query after one path segment, one that ends in a domain, or a name with its own query is app's own.
fn query_goes_on(app_path: &str, app_query: &str, name: &str) -> bool {
    if name.is_empty() || name.contains('?') {
        return false;
    }
    let last_pair = app_query.rsplit('&').next().unwrap_or_default();
    let ends_in_domain = ["vhost=", "domain="].iter().any(|prefix| last_pair.starts_with(prefix));
    let segments = app_path.split('/').filter(|s| !s.is_empty()).count();
    name.contains('&') || (segments >= 2 && !ends_in_domain)
}

/// ffmpeg puts `mp4:` before a name that ends in `.mp4` or `.f4v`, a habit from playing files.
fn undo_container_prefix(name: &str) -> &str {
    match name.strip_prefix("mp4:") {
        Some(rest) if rest.ends_with(".mp4") || rest.ends_with(".f4v") => rest,
        _ => name,
    }
}

fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

fn join_queries(first: String, second: String) -> String {
    match (first.is_empty(), second.is_empty()) {
        (_, true) => first,
        (true, false) => second,
        (false, false) => format!("{first}&{second}"),
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or(text)
}
