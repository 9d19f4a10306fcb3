//! Who asks: the address behind trusted proxies, TLS or not, and what that opens.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// The other end of the connection, as the socket has it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Stands with requests that came over TLS of our own.
#[derive(Clone, Copy, Debug)]
pub struct Secured;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The asker's address; that of the proxy where the proxy is not trusted.
    pub ip: IpAddr,
    /// The request came from this machine itself, and nobody forwarded it.
    pub local: bool,
    /// The request came over TLS, ours or a trusted proxy's.
    pub tls: bool,
}

impl Client {
    /// Works out who asks from the socket, whether it is `secured` by TLS of our own, and the headers of the request.
    pub fn of(peer: IpAddr, secured: bool, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = peer.to_canonical();
        let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
        let forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
        if !is_trusted(&peer) {
            // A proxy on this machine that is not trusted must not lend its loopback address to everybody.
            return Self { ip: peer, local: peer.is_loopback() && !forwarded, tls: secured };
        }
        // The last address that is no trusted proxy: what stands left of it could be made up by the client.
        let ip = headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(','))
            .filter_map(|v| v.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical()))
            .rfind(|ip| !is_trusted(ip))
            .unwrap_or(peer);
        // What the proxy says of its own client counts, and not how it came to us.
        let tls = headers
            .get("x-forwarded-proto")
            .map_or(secured, |proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
        Self { ip, local: ip.is_loopback() && !forwarded, tls }
    }

    /// Whether secrets may travel on this connection.
    pub fn may_carry_secrets(&self, state: &WebState) -> bool {
        self.local || self.tls || state.config().insecure
    }

    /// Refuses where secrets may not travel.
    pub fn require_safe_transport(&self, state: &WebState) -> Result<(), Problem> {
        match self.may_carry_secrets(state) {
            true => Ok(()),
            false => Err(Problem::new(
                Kind::TransportTooOpen,
                "from another machine this needs TLS: come to the port of [https], put a proxy with TLS in front and \
                 name it in [http] trusted_proxies, or set [http] insecure = true in a network you trust",
            )),
        }
    }
}

/// Puts the [`Client`] into the request.
pub async fn recognise(
    State(state): State<WebState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else {
        return Err(Problem::new(Kind::Internal, "the connection has no address"));
    };
    name_host(&mut request);
    let secured = request.extensions().get::<Secured>().is_some();
    let client = Client::of(peer.ip(), secured, request.headers(), &state.config().trusted_proxies);
    request.extensions_mut().insert(client);
    Ok(next.run(request).await)
}

/// HTTP/2 names the host beside the headers (RFC 9113 section 8.3.1); all who look for it look into them.
fn name_host(request: &mut Request) {
    if request.headers().contains_key(header::HOST) {
        return;
    }
    let host = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().insert(header::HOST, host);
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts
            .extensions
            .get::<Client>()
            .copied()
            .ok_or_else(|| Problem::new(Kind::Internal, "the connection has no address"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &str)], trusted: &[&str]) -> Client {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        Client::of(peer.parse().unwrap(), false, &map, &trusted)
    }

    #[test]
    fn the_machine_itself_is_local() {
        assert!(client("127.0.0.1", &[], &[]).local);
        assert!(client("::ffff:127.0.0.1", &[], &[]).local);
        assert!(!client("192.0.2.1", &[], &[]).local);
    }

    #[test]
    fn headers_of_strangers_are_not_believed() {
        let seen =
            client("192.0.2.1", &[("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https")], &[]);
        assert_eq!(seen, Client { ip: "192.0.2.1".parse().unwrap(), local: false, tls: false });
    }

    #[test]
    fn tls_of_our_own_is_tls_unless_a_trusted_proxy_says_that_its_client_came_without() {
        let proxy: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let said = |proto: &'static str| {
            HeaderMap::from_iter([("x-forwarded-proto".parse().unwrap(), proto.parse().unwrap())])
        };
        let tls =
            |peer: &str, headers: &HeaderMap| Client::of(peer.parse().unwrap(), true, headers, &proxy).tls;
        assert!(tls("192.0.2.1", &HeaderMap::new()) && tls("192.0.2.1", &said("http")));
        assert!(tls("10.0.0.1", &HeaderMap::new()) && tls("10.0.0.1", &said("https")));
        assert!(!tls("10.0.0.1", &said("http")));
    }

    #[test]
    fn the_host_of_http_2_stands_among_the_headers() {
        let mut request = Request::builder()
            .uri("https://play.example.com:8443/live/a.flv")
            .body(Default::default())
            .unwrap();
        name_host(&mut request);
        assert_eq!(request.headers()[header::HOST], "play.example.com:8443");
    }

    #[test]
    fn an_untrusted_proxy_on_this_machine_does_not_make_everybody_local() {
        assert!(!client("127.0.0.1", &[("x-forwarded-for", "203.0.113.9")], &[]).local);
    }

    #[test]
    fn a_trusted_proxy_names_the_client_and_its_transport() {
        let headers =
            [("x-forwarded-for", "127.0.0.1, 203.0.113.9, 10.0.0.2"), ("x-forwarded-proto", "https")];
        let seen = client("10.0.0.1", &headers, &["10.0.0.0/8"]);
        assert_eq!(seen, Client { ip: "203.0.113.9".parse().unwrap(), local: false, tls: true });
    }
}
