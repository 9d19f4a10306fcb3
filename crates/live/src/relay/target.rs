//! Where a live stream is passed on to: RTMP URLs with places for the parts of the stream key.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use model::StreamKey;
use model::mask::{MASK, mask_query};

/// The places that a URL may have.
const PLACES: [&str; 3] = ["{domain}", "{app}", "{stream}"];
/// Longer than any URL in use.
const LONGEST: usize = 4096;

/// An `rtmp://` or `rtmps://` URL in whose path and query `{domain}`, `{app}` and `{stream}` stand for the parts of the
/// stream key.
///
/// `Display` and `Debug` mask what may be a secret: the stream name, where it is written out (streaming platforms call
/// it the stream key), and secrets of the query.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    tls: bool,
    host: String,
    port: u16,
    /// App and stream name; `None` where the URL ends with the host.
    path: Option<Path>,
    query: String,
}

#[derive(Clone, PartialEq, Eq)]
struct Path {
    app: String,
    stream: String,
}

/// A URL that is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither `rtmp://` nor `rtmps://`.
    #[error("begins with neither rtmp:// nor rtmps://")]
    Scheme,
    /// User and password stand in it.
    #[error("has a user or password before the host; RTMP has no place for them")]
    User,
    /// No host, or one that cannot be.
    #[error("names no host that could be connected to")]
    Host,
    /// The port is no port.
    #[error("has a port that is no number from 1 to 65535")]
    Port,
    /// Without app or stream name.
    #[error("needs an app and a stream name, such as rtmp://host/app/{{stream}}")]
    Path,
    /// A brace that belongs to no place.
    #[error("has a brace that is none of {{domain}}, {{app}} and {{stream}}")]
    Place,
    /// Space or control characters, or too long.
    #[error("has spaces or control characters, or is longer than {LONGEST} bytes")]
    Text,
}

/// One place to connect and publish to. `Display` and `Debug` mask secrets as [`Target`] does.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether it is RTMPS.
    pub tls: bool,
    /// Name or address; an IPv6 address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The app that is said in `connect`.
    pub app: String,
    /// `tcUrl` of `connect`.
    pub tc_url: String,
    /// The name that is said in `publish`, with its query.
    pub name: String,
    /// Whether the stream name was written out in the configuration.
    name_is_secret: bool,
}

impl Target {
    /// Where this stream goes.
    pub fn endpoint(&self, key: &StreamKey) -> Endpoint {
        let fill = |text: &str| fill(text, key);
        let (app, stream) = match &self.path {
            Some(path) => (fill(&path.app), fill(&path.stream)),
            None => (key.app.clone(), key.stream.clone()),
        };
        Endpoint {
            tls: self.tls,
            host: self.host.clone(),
            port: self.port,
            tc_url: format!("{}/{app}", self.authority()),
            app,
            name: join(stream, &fill(&self.query)),
            name_is_secret: self.path.as_ref().is_some_and(|path| !has_place(&path.stream)),
        }
    }

    /// Where a push goes that is passed through: as [`Target::endpoint`], the push URL's own query behind it, and the
    /// push URL's domain in `tcUrl`, by which servers tell their virtual hosts apart.
    pub fn endpoint_through(&self, key: &StreamKey, query: &str) -> Endpoint {
        let mut endpoint = self.endpoint(key);
        endpoint.name = join(endpoint.name, query);
        let scheme = if self.tls { "rtmps" } else { "rtmp" };
        endpoint.tc_url = format!("{scheme}://{}/{}", key.domain, endpoint.app);
        endpoint
    }

    /// Where a stream is played from, as [`Target::endpoint_through`]; names are written so that the other server reads
    /// them as they are, whatever they look like.
    pub fn endpoint_to_play(&self, key: &StreamKey, query: &str) -> Endpoint {
        let written = StreamKey { app: escaped(&key.app), stream: escaped(&key.stream), ..key.clone() };
        self.endpoint_through(&written, query)
    }

    /// Whether it is RTMPS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether it names app and stream, and not the host alone.
    pub fn has_path(&self) -> bool {
        self.path.is_some()
    }

    fn authority(&self) -> String {
        authority(self.tls, &self.host, self.port)
    }
}

impl Endpoint {
    /// `host:port`, for records and logs.
    pub fn address(&self) -> String {
        host_port(&self.host, self.port)
    }

    /// The place that a target asks to reconnect to: a whole URL, or nothing for the same again. What is no URL, or
    /// would leave TLS, is not followed.
    pub fn moved(&self, tc_url: Option<&str>) -> Option<Self> {
        let Some(tc_url) = tc_url else { return Some(self.clone()) };
        let (tls, rest) = scheme(tc_url).ok()?;
        if self.tls && !tls {
            return None;
        }
        let (place, app) = rest.split_once('/').unwrap_or((rest, &self.app));
        let (host, port) = host_and_port(place, tls).ok()?;
        let app = if app.is_empty() { self.app.clone() } else { app.to_owned() };
        Some(Self { tls, host, port, app, tc_url: tc_url.to_owned(), ..self.clone() })
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(url: &str) -> Result<Self, TargetError> {
        if url.len() > LONGEST || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(TargetError::Text);
        }
        let (tls, rest) = scheme(url)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = host_and_port(place, tls)?;
        if [path, query].into_iter().any(|text| !places_are_known(text)) {
            return Err(TargetError::Place);
        }
        let path = match path.trim_matches('/').rsplit_once('/') {
            None if path.trim_matches('/').is_empty() => None,
            Some((app, stream)) => Some(Path { app: app.to_owned(), stream: stream.to_owned() }),
            None => return Err(TargetError::Path),
        };
        Ok(Self { tls, host, port, path, query: query.to_owned() })
    }
}

fn scheme(url: &str) -> Result<(bool, &str), TargetError> {
    let of = |scheme: &str| {
        url.get(..scheme.len()).filter(|s| s.eq_ignore_ascii_case(scheme)).and(url.get(scheme.len()..))
    };
    match (of("rtmp://"), of("rtmps://")) {
        (Some(rest), _) => Ok((false, rest)),
        (_, Some(rest)) => Ok((true, rest)),
        _ => Err(TargetError::Scheme),
    }
}

fn host_and_port(place: &str, tls: bool) -> Result<(String, u16), TargetError> {
    if place.contains('@') {
        return Err(TargetError::User);
    }
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(TargetError::Host)?;
            host.parse::<Ipv6Addr>().map_err(|_| TargetError::Host)?;
            (
                host,
                if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or(TargetError::Port)?) },
            )
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || host.len() > 253 || !host.chars().all(fits) {
        return Err(TargetError::Host);
    }
    let port = match port {
        None => {
            if tls {
                443
            } else {
                1935
            }
        }
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(TargetError::Port)?,
    };
    Ok((host.to_ascii_lowercase(), port))
}

fn places_are_known(text: &str) -> bool {
    let mut left = text;
    while let Some(at) = left.find(['{', '}']) {
        let Some(rest) = left.get(at..) else { return false };
        let Some(place) = PLACES.iter().find(|place| rest.starts_with(**place)) else { return false };
        left = rest.get(place.len()..).unwrap_or_default();
    }
    true
}

fn has_place(text: &str) -> bool {
    PLACES.iter().any(|place| text.contains(place))
}

/// Fills the places in one pass, so that what a stream is called is never taken for a place itself.
fn fill(text: &str, key: &StreamKey) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut left = text;
    while let Some(at) = left.find('{') {
        let (before, rest) = left.split_at(at);
        filled.push_str(before);
        let place = PLACES.iter().find(|place| rest.starts_with(**place));
        filled.push_str(match place {
            Some(&"{domain}") => &key.domain,
            Some(&"{app}") => &key.app,
            Some(_) => &key.stream,
            None => "{",
        });
        left = rest.get(place.map_or(1, |place| place.len())..).unwrap_or_default();
    }
    filled.push_str(left);
    filled
}

/// Percent-encodes what could be taken for anything but a part of a path (RFC 3986, section 2.1).
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
                written.push(char::from(byte))
            }
            _ => written.push_str(&format!("%{byte:02X}")),
        }
    }
    written
}

fn join(name: String, query: &str) -> String {
    match (query.is_empty(), name.contains('?')) {
        (true, _) => name,
        (false, false) => format!("{name}?{query}"),
        (false, true) => format!("{name}&{query}"),
    }
}

fn host_port(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn authority(tls: bool, host: &str, port: u16) -> String {
    let (scheme, standard) = if tls { ("rtmps", 443) } else { ("rtmp", 1935) };
    let place = host_port(host, port);
    let place =
        if port == standard { place.strip_suffix(&format!(":{port}")).unwrap_or(&place) } else { &place };
    format!("{scheme}://{place}")
}

fn masked_name(name: &str, is_secret: bool) -> String {
    let (stream, query) = name.split_once('?').unwrap_or((name, ""));
    let stream = if is_secret { MASK } else { stream };
    join(stream.to_owned(), &mask_query(query))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority())?;
        if let Some(Path { app, stream }) = &self.path {
            let name = join(stream.clone(), &self.query);
            write!(f, "/{app}/{}", masked_name(&name, !has_place(stream)))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = masked_name(&self.name, self.name_is_secret);
        write!(f, "{}/{}/{name}", authority(self.tls, &self.host, self.port), self.app)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> StreamKey {
        StreamKey::new("push.example.com", "live/a", "cam-1")
    }

    fn target(url: &str) -> Target {
        url.parse().unwrap_or_else(|e| panic!("{url}: {e}"))
    }

    #[test]
    fn places_are_filled_with_the_parts_of_the_stream_key() {
        let endpoint = target("rtmp://origin:1936/{app}/{stream}?from={domain}").endpoint(&key());
        assert_eq!((endpoint.tls, endpoint.address().as_str()), (false, "origin:1936"));
        assert_eq!(
            (endpoint.app.as_str(), endpoint.name.as_str()),
            ("live/a", "cam-1?from=push.example.com")
        );
        assert_eq!(endpoint.tc_url, "rtmp://origin:1936/live/a");
        let endpoint = target("rtmps://[::1]/x/{stream}-hd").endpoint(&key());
        assert_eq!((endpoint.host.as_str(), endpoint.port, endpoint.tls), ("::1", 443, true));
        assert_eq!((endpoint.name.as_str(), endpoint.tc_url.as_str()), ("cam-1-hd", "rtmps://[::1]/x"));
    }

    #[test]
    fn a_name_that_looks_like_a_place_is_not_filled_again() {
        let key = StreamKey::new("d", "{stream}", "s");
        assert_eq!(target("rtmp://h/{app}/{stream}").endpoint(&key).app, "{stream}");
    }

    #[test]
    fn a_push_that_is_passed_through_keeps_its_query_and_its_domain() {
        let endpoint = target("rtmp://10.0.0.2").endpoint_through(&key(), "token=t&a=1");
        assert_eq!((endpoint.app.as_str(), endpoint.name.as_str()), ("live/a", "cam-1?token=t&a=1"));
        assert_eq!(endpoint.tc_url, "rtmp://push.example.com/live/a");
        let endpoint = target("rtmp://10.0.0.2/in/{stream}?k=v").endpoint_through(&key(), "a=1");
        assert_eq!((endpoint.app.as_str(), endpoint.name.as_str()), ("in", "cam-1?k=v&a=1"));
    }

    #[test]
    fn what_is_no_target_is_told() {
        for (url, error) in [
            ("http://host/a/b", TargetError::Scheme),
            ("rtmp:/host/a/b", TargetError::Scheme),
            ("rtmp://user:password@host/a/b", TargetError::User),
            ("rtmp:///a/b", TargetError::Host),
            ("rtmp://[::1/a/b", TargetError::Host),
            ("rtmp://ho st/a/b", TargetError::Text),
            ("rtmp://host:0/a/b", TargetError::Port),
            ("rtmp://host:99999/a/b", TargetError::Port),
            ("rtmp://host/app", TargetError::Path),
            ("rtmp://host/a/{name}", TargetError::Place),
            ("rtmp://host/a/b?x=}", TargetError::Place),
        ] {
            assert_eq!(url.parse::<Target>(), Err(error), "{url}");
        }
    }

    #[test]
    fn secrets_are_masked_where_a_target_is_shown() {
        let platform = target("rtmps://live.example.com/app2/abcd-efgh?token=t0p&backup=1");
        assert_eq!(platform.to_string(), "rtmps://live.example.com/app2/***?token=***&backup=1");
        let endpoint = platform.endpoint(&key());
        assert_eq!(endpoint.to_string(), platform.to_string());
        assert!(!format!("{platform:?} {endpoint:?}").contains("efgh"));
        let open = target("rtmp://host/{app}/{stream}");
        assert_eq!(open.to_string(), "rtmp://host/{app}/{stream}");
        assert_eq!(open.endpoint(&key()).to_string(), "rtmp://host/live/a/cam-1");
    }

    #[test]
    fn a_reconnect_request_is_followed_but_never_out_of_tls() {
        let plain = target("rtmp://one/live/{stream}").endpoint(&key());
        assert_eq!(plain.moved(None), Some(plain.clone()));
        let moved = plain.moved(Some("rtmp://two:1940/live2")).unwrap();
        assert_eq!(
            (moved.address().as_str(), moved.app.as_str(), moved.name.as_str()),
            ("two:1940", "live2", "cam-1")
        );
        assert_eq!(plain.moved(Some("rtmp://two")).unwrap().app, "live");
        assert_eq!(plain.moved(Some("http://two/live")), None);
        let secure = target("rtmps://one/live/{stream}").endpoint(&key());
        assert_eq!(secure.moved(Some("rtmp://two/live")), None);
        assert!(secure.moved(Some("rtmps://two/live")).is_some());
    }

    proptest! {
        #[test]
        fn any_text_is_a_target_or_an_error(text in "(rtmps?://)?[a-z\\[\\]{}:/?@=. ]{0,40}") {
            if let Ok(target) = text.parse::<Target>() {
                let _ = (target.to_string(), target.endpoint(&key()).moved(Some(&text)));
            }
        }
    }
}
