//! The URLs that people paste into encoders and players.

use std::fmt;
use std::net::Ipv6Addr;

use crate::clock::Timestamp;
use crate::sign::{Algorithm, signed_query};

/// How a stream is pushed or played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlKind {
    /// Push (or play) over RTMP; default port 1935.
    Rtmp,
    /// Push over RTMP in TLS; default port 443.
    Rtmps,
    /// Push MPEG-TS over SRT; port 9000 unless given.
    Srt,
    /// Push over WebRTC, set up by WHIP.
    Whip,
    /// Play over HTTP-FLV.
    Flv,
    /// Play over HLS.
    Hls,
}

impl UrlKind {
    /// The words of the command line.
    pub const ALL: [(&'static str, UrlKind); 6] = [
        ("rtmp", Self::Rtmp),
        ("rtmps", Self::Rtmps),
        ("srt", Self::Srt),
        ("whip", Self::Whip),
        ("flv", Self::Flv),
        ("hls", Self::Hls),
    ];
}

/// Text that is no kind of URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of URL: write rtmp, rtmps, srt, whip, flv or hls")]
pub struct UrlKindError(pub String);

impl std::str::FromStr for UrlKind {
    type Err = UrlKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|(word, _)| *word == text);
        found.map(|(_, kind)| *kind).ok_or_else(|| UrlKindError(text.to_owned()))
    }
}

/// A URL of one stream; `Display` writes it. RTMP and SRT URLs carry names as they are, which is what encoders send;
/// HTTP URLs percent-encode them (RFC 3986, section 2.1).
#[derive(Clone, Copy, Debug)]
pub struct StreamUrl<'a> {
    /// What it is for.
    pub kind: UrlKind,
    /// For WHIP and playback: whether it is https.
    pub tls: bool,
    /// Domain name or address to connect to.
    pub host: &'a str,
    /// Port; `None` is the scheme's default.
    pub port: Option<u16>,
    /// The app.
    pub app: &'a str,
    /// The stream.
    pub stream: &'a str,
    /// `None` leaves the URL unsigned.
    pub signature: Option<Signature<'a>>,
}

/// What a URL is signed with.
#[derive(Clone, Copy)]
pub struct Signature<'a> {
    /// The domain's push key or play key.
    pub key: &'a str,
    /// When the URL's validity ends.
    pub expires: Timestamp,
    /// The hash.
    pub algorithm: Algorithm,
}

impl fmt::Debug for Signature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl StreamUrl<'_> {
    fn query(&self) -> Option<String> {
        self.signature.map(|s| signed_query(s.key, self.stream, s.expires, s.algorithm))
    }

    fn default_port(&self) -> Option<u16> {
        match (self.kind, self.tls) {
            (UrlKind::Rtmp, _) => Some(1935),
            (UrlKind::Rtmps, _) => Some(443),
            (UrlKind::Srt, _) => None,
            (UrlKind::Whip | UrlKind::Flv | UrlKind::Hls, true) => Some(443),
            (UrlKind::Whip | UrlKind::Flv | UrlKind::Hls, false) => Some(80),
        }
    }

    fn authority(&self) -> String {
        let is_v6 = self.host.parse::<Ipv6Addr>().is_ok();
        let host = if is_v6 { format!("[{}]", self.host) } else { self.host.to_owned() };
        let port = if self.kind == UrlKind::Srt { self.port.or(Some(9000)) } else { self.port };
        match port {
            Some(port) if Some(port) != self.default_port() => format!("{host}:{port}"),
            _ => host,
        }
    }
}

impl fmt::Display for StreamUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (authority, app, stream) = (self.authority(), self.app, self.stream);
        let http = if self.tls { "https" } else { "http" };
        match self.kind {
            UrlKind::Rtmp => write!(f, "rtmp://{authority}/{app}/{stream}")?,
            UrlKind::Rtmps => write!(f, "rtmps://{authority}/{app}/{stream}")?,
            UrlKind::Srt => {
                write!(f, "srt://{authority}?streamid=#!::h={},r={app}/{stream}", self.host)?;
                return self.query().map_or(Ok(()), |query| write!(f, ",{}", query.replace('&', ",")));
            }
            UrlKind::Whip => write!(f, "{http}://{authority}/whip/{}/{}", encode(app), encode(stream))?,
            UrlKind::Flv => write!(f, "{http}://{authority}/{}/{}.flv", encode(app), encode(stream))?,
            UrlKind::Hls => write!(f, "{http}://{authority}/{}/{}/index.m3u8", encode(app), encode(stream))?,
        }
        self.query().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

/// Percent-encodes a path; `/` stays.
fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~!*()@+=:,/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: Signature<'_> = Signature {
        key: "e12c46f2612d5106e2034781ab261ca3",
        expires: Timestamp(0x5C27_1099 * 1000),
        algorithm: Algorithm::Md5,
    };
    const QUERY: &str = "txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5C271099";

    fn url(kind: UrlKind, tls: bool, port: Option<u16>) -> String {
        let (host, app, stream) = ("d.example", "live", "test");
        StreamUrl { kind, tls, host, port, app, stream, signature: Some(SIGNATURE) }.to_string()
    }

    #[test]
    fn each_kind_has_its_url() {
        let pairs = QUERY.replace('&', ",");
        assert_eq!(url(UrlKind::Rtmp, false, Some(1935)), format!("rtmp://d.example/live/test?{QUERY}"));
        assert_eq!(url(UrlKind::Rtmp, false, Some(1940)), format!("rtmp://d.example:1940/live/test?{QUERY}"));
        assert_eq!(
            url(UrlKind::Rtmps, true, Some(1936)),
            format!("rtmps://d.example:1936/live/test?{QUERY}")
        );
        let srt = format!("srt://d.example:9000?streamid=#!::h=d.example,r=live/test,{pairs}");
        assert_eq!(url(UrlKind::Srt, false, None), srt);
        assert_eq!(
            url(UrlKind::Whip, true, Some(8443)),
            format!("https://d.example:8443/whip/live/test?{QUERY}")
        );
        assert_eq!(url(UrlKind::Flv, false, Some(80)), format!("http://d.example/live/test.flv?{QUERY}"));
        let hls = format!("http://d.example:8080/live/test/index.m3u8?{QUERY}");
        assert_eq!(url(UrlKind::Hls, false, Some(8080)), hls);
    }

    #[test]
    fn http_urls_encode_names_and_rtmp_urls_do_not() {
        let url = |kind, host| {
            StreamUrl { kind, tls: false, host, port: None, app: "live/eu", stream: "日", signature: None }
                .to_string()
        };
        assert_eq!(url(UrlKind::Flv, "d.example"), "http://d.example/live/eu/%E6%97%A5.flv");
        assert_eq!(url(UrlKind::Rtmp, "2001:db8::1"), "rtmp://[2001:db8::1]/live/eu/日");
    }

    #[test]
    fn kinds_are_read_from_the_words_of_the_command_line() {
        for (word, kind) in UrlKind::ALL {
            assert_eq!(word.parse(), Ok(kind));
        }
        assert_eq!("RTMP".parse::<UrlKind>(), Err(UrlKindError("RTMP".into())));
    }
}
