//! The third-party authentication hook: a question over HTTP before a push goes live. It fails closed.
//!
//! The question is a POST with a JSON body ([`HookQuestion`]). Any 2xx answer lets the push in, unless its body is JSON
//! with a `code` that is not 0; everything else refuses it (19/0).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cause::{Detail, DetailKey};
use model::{StreamKey, stream_key::PushUrl};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::Serialize;

use crate::config::AuthHookConfig;
use crate::push::Push;

/// More of an answer is not read.
const ANSWER_LIMIT: usize = 16 * 1024;

/// A client for one hook.
#[derive(Debug)]
pub(crate) struct AuthHook {
    client: reqwest::Client,
    url: reqwest::Url,
    timeout: Duration,
}

/// What the hook is asked. `stream_param` is the push URL's query as received, since a hook may judge by it.
#[derive(Debug, Serialize)]
pub(crate) struct HookQuestion {
    action: &'static str,
    push_id: String,
    sequence: String,
    domain: String,
    app: String,
    stream: String,
    stream_param: String,
    client_ip: String,
    client_port: u16,
    protocol: &'static str,
    encoder: Option<String>,
}

/// A hook that cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum HookConfigError {
    /// Not an http or https URL.
    #[error("[auth_hook] url: `{url}` is not an http:// or https:// URL")]
    Url {
        /// What was given.
        url: String,
    },
    /// The URL names a private address and that is not allowed.
    #[error("[auth_hook] url: {ip} is a private address; set allow_private = true to use it")]
    Private {
        /// The address in the URL.
        ip: IpAddr,
    },
    /// The HTTP client could not be made.
    #[error("[auth_hook]: {0}")]
    Client(#[from] reqwest::Error),
}

impl HookQuestion {
    pub(crate) fn new(push: &Push, key: &StreamKey, url: &PushUrl) -> Self {
        Self {
            action: "publish",
            push_id: push.id.to_string(),
            sequence: push.id.sequence().to_string(),
            domain: key.domain.clone(),
            app: key.app.clone(),
            stream: key.stream.clone(),
            stream_param: url.query.clone(),
            client_ip: push.client.ip().to_string(),
            client_port: push.client.port(),
            protocol: push.transport.as_str(),
            encoder: push.encoder(),
        }
    }
}

impl AuthHook {
    pub(crate) fn new(config: &AuthHookConfig) -> Result<Self, HookConfigError> {
        let bad = || HookConfigError::Url { url: config.url.clone() };
        let url = reqwest::Url::parse(&config.url).map_err(|_| bad())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad());
        }
        // A literal address never reaches the resolver.
        let literal = url.host_str().and_then(|h| h.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        if let Some(ip) = literal.filter(|ip| !config.allow_private && !is_public(*ip)) {
            return Err(HookConfigError::Private { ip });
        }
        // The program has one provider for all TLS; whoever comes first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Resolver { allow_private: config.allow_private }))
            .connect_timeout(config.timeout)
            .build()?;
        Ok(Self { client, url, timeout: config.timeout })
    }

    /// Asks. `Err` is the detail of the refusal.
    pub(crate) async fn ask(&self, question: &HookQuestion) -> Result<(), Detail> {
        match tokio::time::timeout(self.timeout, self.exchange(question)).await {
            Ok(answer) => answer,
            Err(_) => {
                let limit = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
                Err(Detail::new(DetailKey::HookTimeout).with("limit_ms", limit))
            }
        }
    }

    async fn exchange(&self, question: &HookQuestion) -> Result<(), Detail> {
        let sent = self.client.post(self.url.clone()).json(question).send().await;
        let mut response = sent.map_err(|e| unreachable(&e))?;
        let status = response.status();
        let mut body = Vec::new();
        while body.len() < ANSWER_LIMIT {
            match response.chunk().await.map_err(|e| unreachable(&e))? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        let answer: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
        let code = answer.as_ref().and_then(|a| a.get("code")).and_then(serde_json::Value::as_i64);
        if status.is_success() && code.unwrap_or(0) == 0 {
            return Ok(());
        }
        let reason = answer.as_ref().and_then(|a| a.get("message")).and_then(serde_json::Value::as_str);
        let reason: Option<String> = reason.map(|r| r.chars().take(200).collect());
        let status = match code {
            Some(code) if code != 0 => format!("{} code {code}", status.as_u16()),
            _ => status.as_u16().to_string(),
        };
        Err(Detail::new(DetailKey::HookStatus).with("status", status).with_some("reason", reason))
    }
}

fn unreachable(error: &reqwest::Error) -> Detail {
    let mut reason = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    // The outermost text holds the URL, which may carry a secret of the operator's; the causes below do not.
    while let Some(current) = next.and_then(std::error::Error::source) {
        reason = current.to_string();
        next = Some(current);
    }
    if reason.is_empty() {
        reason = "the request failed".to_owned();
    }
    Detail::new(DetailKey::HookUnreachable).with("reason", reason)
}

/// Resolves names and leaves out addresses that may not be connected to, so that the check is made on what is used.
#[derive(Debug)]
struct Resolver {
    allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|a| allow_private || is_public(a.ip())).collect();
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
pub(crate) fn is_public(ip: IpAddr) -> bool {
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
    fn a_literal_private_address_is_refused_when_configured() {
        let config = |url: &str, allow_private| AuthHookConfig {
            url: url.to_owned(),
            timeout: Duration::from_secs(1),
            allow_private,
        };
        for url in ["http://127.0.0.1/h", "http://[::1]:80/h", "http://2130706433/h", "http://0x7f.1/h"] {
            assert!(
                matches!(AuthHook::new(&config(url, false)), Err(HookConfigError::Private { .. })),
                "{url}"
            );
            assert!(AuthHook::new(&config(url, true)).is_ok(), "{url}");
        }
        assert!(matches!(
            AuthHook::new(&config("ftp://example.com", true)),
            Err(HookConfigError::Url { .. })
        ));
    }
}
