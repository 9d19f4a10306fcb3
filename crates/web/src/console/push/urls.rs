//! The URLs of one stream: where to push it, how encoders want it written, where to play it.

use model::catalog::{Catalog, Domain};
use model::sign::{Algorithm, signed_query};
use model::stream_url::Signature;
use model::{StreamUrl, Timestamp, UrlKind};

use crate::manage::keys::{signs_plays, signs_pushes};
use crate::state::Door;

/// What the URLs are to be for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub domain: &'a Domain,
    pub app: &'a str,
    pub stream: &'a str,
    pub expires: Timestamp,
    /// Name or address by which encoders reach this node.
    pub host: &'a str,
}

/// A URL to play from.
#[derive(Debug)]
pub(super) struct Play {
    pub name: &'static str,
    pub url: String,
}

impl Wanted<'_> {
    fn url(&self, door: Door, host: &str, key: Option<&str>) -> String {
        let signature = key.map(|key| Signature { key, expires: self.expires, algorithm: Algorithm::Md5 });
        StreamUrl {
            kind: door.kind,
            tls: door.tls,
            host,
            port: Some(door.port),
            app: self.app,
            stream: self.stream,
            signature,
        }
        .to_string()
    }

    /// The query that signs a push; empty where none is asked for.
    pub fn query(&self) -> String {
        let key = signs_pushes(self.domain);
        let query = key.map(|key| signed_query(key, self.stream, self.expires, Algorithm::Md5));
        query.unwrap_or_default()
    }

    /// Where to push.
    pub fn push(&self, door: Door) -> String {
        self.url(door, self.host, signs_pushes(self.domain))
    }

    /// Where to play: from the domain itself, or from a play domain of the account where there is one.
    pub fn plays(&self, doors: &[Door], catalog: &Catalog) -> Vec<Play> {
        let mut of_account: Vec<&Domain> = catalog
            .domains
            .values()
            .filter(|d| d.account == self.domain.account && d.enabled)
            .filter(|d| d.kind == model::catalog::DomainKind::Play)
            .collect();
        of_account.sort_by(|a, b| a.name.cmp(&b.name));
        let domain = of_account.first().copied().unwrap_or(self.domain);
        let host = if domain.name == self.domain.name { self.host } else { &domain.name };
        let play = |(kind, name)| {
            let door = doors.iter().filter(|door| door.kind == kind).max_by_key(|door| door.tls)?;
            Some(Play { name, url: self.url(*door, host, signs_plays(domain)) })
        };
        let kinds = [(UrlKind::Hls, "HLS"), (UrlKind::Flv, "HTTP-FLV"), (UrlKind::Rtmp, "RTMP")];
        kinds.into_iter().filter_map(play).collect()
    }
}

/// A push URL as encoders ask for it: OBS and phones want server and key apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub server: String,
    /// Empty where the server field holds everything.
    pub key: String,
}

impl Fields {
    /// The fields of a push URL.
    pub fn of(kind: UrlKind, url: &str) -> Self {
        let whole = || Self { server: url.to_owned(), key: String::new() };
        if !matches!(kind, UrlKind::Rtmp | UrlKind::Rtmps) {
            return whole();
        }
        let path = url.split('?').next().unwrap_or(url);
        match path.rfind('/').and_then(|slash| Some((url.get(..slash)?, url.get(slash + 1..)?))) {
            Some((server, key)) => Self { server: server.to_owned(), key: key.to_owned() },
            None => whole(),
        }
    }
}

/// The command that pushes a test picture.
pub(super) fn ffmpeg(kind: UrlKind, url: &str) -> String {
    let source = "ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine \\\n  \
                  -c:v libx264 -preset veryfast -tune zerolatency -g 60 -pix_fmt yuv420p";
    let (audio, format) = match kind {
        UrlKind::Srt => ("aac", "mpegts"),
        UrlKind::Whip => ("libopus -ar 48000 -ac 2", "whip"),
        _ => ("aac", "flv"),
    };
    // Between single quotes a shell reads nothing; legal names and signatures hold none.
    let url = url.replace('\'', "%27");
    format!("{source} \\\n  -c:a {audio} -f {format} '{url}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_get_server_and_key_apart() {
        let fields = Fields::of(UrlKind::Rtmp, "rtmp://d.example:1940/live/eu/test?txSecret=a/b&txTime=1");
        assert_eq!(fields.server, "rtmp://d.example:1940/live/eu");
        assert_eq!(fields.key, "test?txSecret=a/b&txTime=1");
        let whole = Fields::of(UrlKind::Whip, "https://d.example/whip/live/test");
        assert_eq!((whole.server.as_str(), whole.key.as_str()), ("https://d.example/whip/live/test", ""));
    }

    #[test]
    fn urls_are_signed_by_the_domain_and_played_from_the_accounts_play_domain() {
        let mut catalog = Catalog::default();
        let push = Domain::new("push.example", 1, "KEY");
        let mut play = Domain::new("play.example", 1, "");
        play.kind = model::catalog::DomainKind::Play;
        for domain in [&push, &play] {
            catalog.domains.insert(domain.name.clone(), domain.clone());
        }
        let (app, stream, expires) = ("live", "test", Timestamp(0x6000_0000_i64 * 1_000));
        let wanted = Wanted { domain: &push, app, stream, expires, host: "push.example" };
        let rtmp = Door { kind: UrlKind::Rtmp, port: 1935, tls: false };
        let hls = Door { kind: UrlKind::Hls, port: 80, tls: false };
        let url = wanted.push(rtmp);
        assert!(url.starts_with("rtmp://push.example/live/test?txSecret=") && !url.contains("KEY"), "{url}");
        let plays = wanted.plays(&[rtmp, hls], &catalog);
        assert_eq!(plays[0].url, "http://play.example/live/test/index.m3u8");
        assert!(ffmpeg(UrlKind::Rtmp, &url).ends_with(&format!("-f flv '{url}'")));
    }
}
