//! Requests that leave the process on somebody's word: the authentication hook, callbacks. The address that is really
//! connected to is checked, whatever name or spelling led to it; redirects are not followed, and no proxy of the
//! environment is used.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url};

/// Which addresses may be connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Every address, private ones too.
    pub private: bool,
    /// Beside public addresses, those of these networks.
    pub networks: Vec<IpNet>,
}

/// A URL that may not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It cannot be read.
    #[error("is no URL")]
    Unreadable,
    /// It is for another protocol.
    #[error("is no http:// or https:// URL")]
    Scheme,
    /// It names no host.
    #[error("names no host")]
    NoHost,
    /// It names an address that is not public.
    #[error("{ip} is a private address")]
    Private {
        /// The address.
        ip: IpAddr,
    },
}

impl Reach {
    /// Whether this address may be connected to. IPv4 inside IPv6 is judged as IPv4.
    pub fn allows(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.private || is_public(ip) || self.networks.iter().any(|network| network.contains(&ip))
    }

    /// Reads a URL, and refuses it where it could never be asked. An address in it never reaches the resolver, so it
    /// is judged here.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn check_url(&self, text: &str) -> Result<Url, UrlError> {
        let url = Url::parse(text).map_err(|_| UrlError::Unreadable)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme);
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(UrlError::NoHost)?;
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) if !self.allows(ip) => Err(UrlError::Private { ip }),
            _ => Ok(url),
        }
    }

    /// A client that keeps to these addresses.
    ///
    /// # Errors
    /// What keeps it from being made.
    pub fn client(&self, connect_within: Duration) -> Result<Client, reqwest::Error> {
        // The program has one provider for all TLS; whoever comes first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Resolver { reach: self.clone() }))
            .connect_timeout(connect_within)
            .build()
    }
}

/// Why a request failed, without its URL, which may carry a secret: the innermost cause in words.
pub fn why(error: &reqwest::Error) -> String {
    let mut reason = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    // The outermost text holds the URL; the causes below do not.
    while let Some(current) = next.and_then(std::error::Error::source) {
        reason = current.to_string();
        next = Some(current);
    }
    if reason.is_empty() {
        reason = "the request failed".to_owned();
    }
    reason
}

/// Resolves names and leaves out addresses that may not be connected to, so that the check is made on what is used.
#[derive(Debug)]
struct Resolver {
    reach: Reach,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|a| reach.allows(a.ip())).collect();
            if allowed.is_empty() {
                return Err(
                    "the name has no public address (set allow_private = true to use private ones)".into()
                );
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public internet. IPv4 inside IPv6 is judged as IPv4.
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && v4.octets()[2] == 0)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            let first = segments[0];
            // 64:ff9b::/96 and 2002::/16 carry an IPv4 address that a gateway would connect to.
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || first & 0xffc0 == 0xfec0
                || first == 0x2002
                || (first == 0x64 && segments[1] == 0xff9b)
                || (first == 0x2001 && segments[1] == 0xdb8)
                || segments[..6] == [0; 6])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_in_every_spelling() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "fd00::1",
            "fe80::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "224.0.0.1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "203.0.114.1", "2606:4700::1111"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_url_is_judged_by_the_address_it_spells() {
        let (outside, inside) = (Reach::default(), Reach { private: true, networks: Vec::new() });
        for url in [
            "http://127.0.0.1/h",
            "http://[::1]:80/h",
            "http://2130706433/h",
            "http://0x7f.1/h",
            "http://[::ffff:10.0.0.1]/h",
            "http://017700000001/h",
            "http://user@127.0.0.1:8080/h",
        ] {
            assert!(matches!(outside.check_url(url), Err(UrlError::Private { .. })), "{url}");
            assert!(inside.check_url(url).is_ok(), "{url}");
        }
        assert_eq!(inside.check_url("file:///etc/passwd"), Err(UrlError::Scheme));
        assert_eq!(inside.check_url("no url"), Err(UrlError::Unreadable));
        let network = Reach { private: false, networks: vec!["10.0.0.0/8".parse().unwrap()] };
        assert!(network.check_url("http://10.1.2.3/").is_ok());
        assert!(network.check_url("http://192.168.0.1/").is_err());
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let client = Reach::default().client(Duration::from_secs(5)).unwrap();
        let error = client.get(&url).send().await.unwrap_err();
        assert!(why(&error).contains("no public address"), "{}", why(&error));
        let accepted = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
        assert!(accepted.is_err(), "somebody connected");
    }
}
