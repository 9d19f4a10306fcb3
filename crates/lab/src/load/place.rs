//! Where the load goes, and under which names.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::sign::{Algorithm, signed_query};
use model::{Clock, SystemClock};
use rustls::ClientConfig;

use super::plan::{Format, Transport};
use crate::client::tls_for_anybody;
use crate::error::LabError;
use crate::target::{Address, Target};

/// Longer than any load runs.
const SIGNED_FOR: Duration = Duration::from_secs(86_400);

/// A server to push to and to play from.
#[derive(Clone, Debug)]
pub struct Place {
    over: Transport,
    push: SocketAddr,
    /// Publishers push to ports that lie this far apart, each to one of its own.
    port_step: u16,
    tls: Option<Arc<ClientConfig>>,
    play: SocketAddr,
    host: String,
    play_host: String,
    app: String,
    query: String,
    sign_key: Option<String>,
    prefix: String,
}

impl Place {
    /// A server with its own domain, where `sign_key` opens pushes.
    pub(super) fn own(
        over: Transport,
        push: SocketAddr,
        play: SocketAddr,
        host: &str,
        sign_key: &str,
    ) -> Result<Self, LabError> {
        Ok(Self {
            over,
            push,
            port_step: 0,
            tls: tls(over)?,
            play,
            host: host.to_owned(),
            play_host: host.to_owned(),
            app: "live".to_owned(),
            query: String::new(),
            sign_key: Some(sign_key.to_owned()),
            prefix: "load".to_owned(),
        })
    }

    /// Somebody's server, as `rtmp://host[:port]/app[?query]`, or the same with `rtmps` or `srt`. Players use the same
    /// address where that is RTMP; else they need `play`, as `rtmp://host[:port]/app` or, for FLV, `http://host[:port]`.
    ///
    /// # Errors
    /// [`LabError::Target`] when an URL is none, or its host has no address.
    pub fn new(
        target: &str,
        play: Option<&str>,
        format: Format,
        sign_key: Option<&str>,
        prefix: &str,
    ) -> Result<Self, LabError> {
        let over = Transport::of(target);
        let Target { address, host, app, query, .. } = Target::over(over.scheme(), over.port(), target)?;
        let (play, play_host) = match (format, play) {
            // Without players it does not matter where they would go.
            (Format::Rtmp, None) => (address, host.clone()),
            (Format::Rtmp, Some(url)) => {
                let Target { address, host, .. } = Target::new(url, "", "", None)?;
                (address, host)
            }
            (Format::Flv, Some(url)) => {
                let Address { address, host } = Address::of_http(url)?;
                (address, host)
            }
            (Format::Flv, None) => {
                let what = "playing FLV needs --play http://host[:port]";
                return Err(LabError::Target { target: target.to_owned(), what });
            }
        };
        let (sign_key, prefix) = (sign_key.map(str::to_owned), prefix.to_owned());
        let (port_step, tls) = (0, tls(over)?);
        Ok(Self { over, push: address, port_step, tls, play, host, play_host, app, query, sign_key, prefix })
    }

    /// The same place, where publisher `n` pushes to the port that lies `n` times `step` further.
    #[must_use]
    pub fn with_port_step(self, step: u16) -> Self {
        Self { port_step: step, ..self }
    }

    /// What publishers push over.
    pub(super) fn over(&self) -> Transport {
        self.over
    }

    /// Where a publisher pushes to.
    pub(super) fn push_address(&self, number: u32) -> SocketAddr {
        let further = u16::try_from(number).unwrap_or(u16::MAX).wrapping_mul(self.port_step);
        SocketAddr::new(self.push.ip(), self.push.port().wrapping_add(further))
    }

    /// How to set up TLS and for which host, where pushes are secured.
    pub(super) fn tls(&self) -> Option<(Arc<ClientConfig>, &str)> {
        Some((self.tls.clone()?, host_of(&self.host)))
    }

    pub(super) fn play_address(&self) -> SocketAddr {
        self.play
    }

    pub(super) fn app(&self) -> &str {
        &self.app
    }

    /// `tcUrl` of pushes.
    pub(super) fn push_url(&self) -> String {
        format!("{}://{}/{}", self.over.scheme(), self.host, self.app)
    }

    /// The stream id of a push over SRT.
    pub(super) fn stream_id(&self, number: u32) -> String {
        let (path, query) = match self.publish_name(number).split_once('?') {
            Some((name, query)) => (name.to_owned(), format!(",{}", query.replace('&', ","))),
            None => (self.publish_name(number), String::new()),
        };
        format!("#!::h={},r={}/{path}{query}", host_of(&self.host), self.app)
    }

    /// `tcUrl` of players.
    pub(super) fn play_url(&self) -> String {
        format!("rtmp://{}/{}", self.play_host, self.app)
    }

    /// Name of a stream, without a query.
    pub(super) fn stream(&self, number: u32) -> String {
        format!("{}-{number}", self.prefix)
    }

    /// What is said in `publish`.
    pub(super) fn publish_name(&self, number: u32) -> String {
        let stream = self.stream(number);
        let signature = self
            .sign_key
            .as_deref()
            .map(|key| signed_query(key, &stream, SystemClock.now().plus(SIGNED_FOR), Algorithm::Md5));
        self.with_query(stream, signature.as_deref())
    }

    /// What is said in `play`.
    pub(super) fn play_name(&self, number: u32) -> String {
        self.with_query(self.stream(number), None)
    }

    /// The request of a player over HTTP.
    pub(super) fn http_request(&self, number: u32) -> String {
        let path = self.with_query(format!("/{}/{}.flv", self.app, self.stream(number)), None);
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: lastframe-lab\r\nAccept: */*\r\n\r\n",
            self.play_host
        )
    }

    fn with_query(&self, name: String, signature: Option<&str>) -> String {
        let parts = [Some(self.query.as_str()).filter(|query| !query.is_empty()), signature];
        let query: Vec<&str> = parts.into_iter().flatten().collect();
        if query.is_empty() { name } else { format!("{name}?{}", query.join("&")) }
    }
}

/// A host without its port.
fn host_of(authority: &str) -> &str {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

fn tls(over: Transport) -> Result<Option<Arc<ClientConfig>>, LabError> {
    (over == Transport::Rtmps).then(tls_for_anybody).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_the_targets_query() {
        let place =
            Place::new("rtmp://127.0.0.1:1936/live?domain=a.test", None, Format::Rtmp, None, "x").unwrap();
        assert_eq!(place.publish_name(3), "x-3?domain=a.test");
        assert_eq!(place.push_url(), "rtmp://127.0.0.1:1936/live");
        assert_eq!(place.play_address(), place.push_address(3));
    }

    #[test]
    fn a_push_over_srt_is_named_in_its_stream_id() {
        let place = Place::new("srt://127.0.0.1:9001/live?t=1", None, Format::Rtmp, None, "x").unwrap();
        assert_eq!(place.stream_id(3), "#!::h=127.0.0.1,r=live/x-3,t=1");
        let signed = Place::new("srt://127.0.0.1/live", None, Format::Rtmp, Some("key"), "x").unwrap();
        let id = signed.stream_id(3);
        assert!(id.starts_with("#!::h=127.0.0.1,r=live/x-3,txSecret=") && id.contains(",txTime="), "{id}");
        assert_eq!(
            (signed.push_address(2).port(), signed.with_port_step(2).push_address(2).port()),
            (9000, 9004)
        );
    }

    #[test]
    fn flv_is_played_from_an_address_of_its_own() {
        let url = "rtmp://127.0.0.1/live";
        assert!(Place::new(url, None, Format::Flv, None, "x").is_err());
        assert!(Place::new(url, Some("rtmp://127.0.0.1/live"), Format::Flv, None, "x").is_err());
        let place = Place::new(url, Some("http://127.0.0.1:8080"), Format::Flv, None, "x").unwrap();
        assert_eq!(place.play_address().port(), 8080);
        assert!(place.http_request(0).starts_with("GET /live/x-0.flv HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
    }
}
