//! One row per setting. The file, the environment and the reference in the documentation all follow this table.

use std::path::PathBuf;
use std::time::Duration;

use model::admission::NameRule;

use super::value::{Given, Refused, parse_duration, parse_network};
use super::{Challenge, Config, Ignore, WebRtcTcp, certificates};

/// A setting: `[section] key` in the file, `LASTFRAME_SECTION_KEY` in the environment.
pub struct Setting {
    /// The table it lies in.
    pub section: &'static str,
    /// Its key there.
    pub key: &'static str,
    /// Takes the value over.
    pub set: fn(&mut Config, Given<'_>) -> Result<(), Refused>,
}

impl Setting {
    /// Its name in the environment.
    pub fn env_name(&self) -> String {
        format!("LASTFRAME_{}_{}", self.section, self.key).to_ascii_uppercase()
    }
}

/// Every setting.
pub const SETTINGS: &[Setting] = &[
    setting("node", "id", |c, v| {
        let text = v.text()?;
        let id = text.parse().map_err(|_| {
            format!("{} is no UUID; leave it out and one is made and kept in the data folder", v.shown())
        })?;
        c.node.id = (!text.is_empty()).then_some(id);
        Ok(())
    }),
    setting("node", "label", |c, v| {
        c.node.label = Some(bounded(v, 64)?).filter(|l| !l.is_empty());
        Ok(())
    }),
    setting("node", "default_domain", |c, v| {
        c.node.default_domain = bounded(v, 253)?.to_ascii_lowercase();
        Ok(())
    }),
    setting("node", "domain_override", |c, v| put(&mut c.node.domain_override, v.boolean())),
    setting("rtmp", "listen", |c, v| put(&mut c.rtmp.listen, v.address())),
    setting("rtmp", "proxy_protocol", |c, v| put(&mut c.rtmp.proxy_protocol, v.networks())),
    setting("rtmps", "listen", |c, v| {
        c.rtmps.wanted = true;
        c.rtmps.listen = if v.text() == Ok("") { None } else { Some(v.address()?) };
        Ok(())
    }),
    setting("rtmps", "cert", |c, v| {
        c.rtmps.wanted = true;
        put(&mut c.rtmps.cert, file(v))
    }),
    setting("rtmps", "key", |c, v| {
        c.rtmps.wanted = true;
        put(&mut c.rtmps.key, file(v))
    }),
    setting("rtmps", "certs", |c, v| {
        c.rtmps.wanted = true;
        put(&mut c.rtmps.certs, certificates::read_list(v))
    }),
    setting("rtmps", "proxy_protocol", |c, v| put(&mut c.rtmps.proxy_protocol, v.networks())),
    setting("srt", "listen", |c, v| {
        c.srt.chosen = true;
        c.srt.listen = if v.text() == Ok("") { None } else { Some(v.address()?) };
        Ok(())
    }),
    setting("srt", "latency", |c, v| {
        let latency = v.duration()?;
        if !(Duration::from_millis(20)..=Duration::from_secs(10)).contains(&latency) {
            return Err(format!("{} is out of range; write a time from \"20ms\" to \"10s\"", v.shown()));
        }
        c.srt.latency = latency;
        Ok(())
    }),
    setting("srt", "passphrase", |c, v| {
        c.srt.passphrase = passphrase(v.text()?)?;
        Ok(())
    }),
    setting("srt", "passphrases", |c, v| {
        c.srt.passphrases = v.texts()?.into_iter().map(passphrase_of_domain).collect::<Result<_, _>>()?;
        Ok(())
    }),
    setting("srt", "peer_timeout", |c, v| {
        let timeout = v.duration()?;
        if !(Duration::from_secs(2)..=Duration::from_secs(60)).contains(&timeout) {
            return Err(format!("{} is out of range; write a time from \"2s\" to \"60s\"", v.shown()));
        }
        c.srt.peer_timeout = timeout;
        Ok(())
    }),
    setting("http", "listen", |c, v| put(&mut c.http.listen, v.address())),
    setting("http", "admin_listen", |c, v| {
        c.http.admin_listen = if v.text() == Ok("") { None } else { Some(v.address()?) };
        Ok(())
    }),
    setting("http", "trusted_proxies", |c, v| put(&mut c.http.trusted_proxies, v.networks())),
    setting("http", "insecure", |c, v| put(&mut c.http.insecure, v.boolean())),
    setting("webrtc", "listen", |c, v| {
        c.webrtc.listen = if v.text() == Ok("") { None } else { Some(v.address()?) };
        c.webrtc.chosen = true;
        Ok(())
    }),
    setting("webrtc", "tcp_listen", |c, v| {
        c.webrtc.tcp = Some(if v.text() == Ok("") { WebRtcTcp::Off } else { WebRtcTcp::At(v.address()?) });
        Ok(())
    }),
    setting("webrtc", "public_ip", |c, v| put(&mut c.webrtc.public_ip, v.ips())),
    setting("https", "listen", |c, v| {
        c.https.wanted = true;
        c.https.listen = if v.text() == Ok("") { None } else { Some(v.address()?) };
        Ok(())
    }),
    setting("https", "cert", |c, v| {
        c.https.wanted = true;
        put(&mut c.https.cert, file(v))
    }),
    setting("https", "key", |c, v| {
        c.https.wanted = true;
        put(&mut c.https.key, file(v))
    }),
    setting("https", "certs", |c, v| {
        c.https.wanted = true;
        put(&mut c.https.certs, certificates::read_list(v))
    }),
    setting("acme", "names", |c, v| put(&mut c.acme.names, acme_names(v))),
    setting("acme", "directory", |c, v| {
        let url = bounded(v, 1024)?;
        if !url.starts_with("https://") {
            return Err("is no directory of an authority; write its URL, which begins with https://".into());
        }
        put(&mut c.acme.directory, Ok(url))
    }),
    setting("acme", "contact", |c, v| {
        let contact: Vec<String> = v.texts()?.into_iter().map(str::to_owned).collect();
        match contact.iter().all(|contact| contact.starts_with("mailto:")) {
            true => put(&mut c.acme.contact, Ok(contact)),
            false => Err("is a list of addresses; write [\"mailto:you@example.com\"]".into()),
        }
    }),
    setting("acme", "ca", |c, v| put(&mut c.acme.ca, file(v))),
    setting("acme", "challenge", |c, v| {
        let known = [Challenge::Http01, Challenge::TlsAlpn01];
        let found = known.into_iter().find(|challenge| v.text() == Ok(challenge.name()));
        let challenge = found
            .ok_or_else(|| format!("{} is no challenge; write \"http-01\" or \"tls-alpn-01\"", v.shown()))?;
        put(&mut c.acme.challenge, Ok(challenge))
    }),
    setting("css", "rate_limits", |c, v| put(&mut c.css.rate_limits, v.boolean())),
    setting("limits", "idle", |c, v| put(&mut c.limits.idle, v.duration())),
    setting("limits", "path", |c, v| put(&mut c.limits.path, v.duration())),
    setting("limits", "unplayed", |c, v| put(&mut c.limits.unplayed, v.duration_or_off())),
    setting("limits", "lag", |c, v| put(&mut c.limits.lag, v.duration_or_off())),
    setting("limits", "message", |c, v| {
        let size = v.size()?;
        if !(64 << 10..=64 << 20).contains(&size) {
            return Err(format!("{} is out of range; write a size from \"64KiB\" to \"64MiB\"", v.shown()));
        }
        c.limits.message = size;
        Ok(())
    }),
    setting("limits", "fps", |c, v| put(&mut c.limits.fps, v.number_or_off())),
    setting("limits", "pushes", |c, v| put(&mut c.limits.pushes, v.count(10_000_000))),
    setting("limits", "connections", |c, v| put(&mut c.limits.connections, v.count(10_000_000))),
    setting("limits", "connections_per_ip", |c, v| {
        put(&mut c.limits.connections_per_ip, v.count(10_000_000))
    }),
    setting("limits", "connection_rate", |c, v| {
        put(&mut c.limits.connection_rate, v.count(1_000_000).map(|n| u32::try_from(n).unwrap_or(u32::MAX)))
    }),
    setting("limits", "handshake", |c, v| put(&mut c.limits.handshake, v.duration())),
    setting("limits", "setup", |c, v| put(&mut c.limits.setup, v.duration())),
    setting("limits", "message_memory", |c, v| put(&mut c.limits.message_memory, v.size())),
    setting("limits", "cut_on_disable", |c, v| put(&mut c.limits.cut_on_disable, v.boolean())),
    setting("limits", "names", |c, v| {
        c.limits.names = match v.text() {
            Ok("utf8") => NameRule::Utf8,
            Ok("ascii") => NameRule::Ascii,
            _ => return Err(format!("{} is no rule for names; write \"utf8\" or \"ascii\"", v.shown())),
        };
        Ok(())
    }),
    setting("limits", "terse", |c, v| put(&mut c.limits.terse, v.boolean())),
    setting("limits", "strict_media", |c, v| put(&mut c.limits.strict_media, v.boolean())),
    setting("events", "timestamp_jump", |c, v| put(&mut c.events.jump, v.duration_or_off())),
    setting("events", "chunk_size", |c, v| {
        let limit = v.number_or_off()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast from a float saturates"
        )]
        let bytes = limit.map(|bytes| bytes as u32);
        c.events.chunk_size = bytes;
        Ok(())
    }),
    setting("events", "video_gap", |c, v| put(&mut c.events.video_gap, v.duration_or_off())),
    setting("events", "audio_gap", |c, v| put(&mut c.events.audio_gap, v.duration_or_off())),
    setting("events", "audio_step", |c, v| put(&mut c.events.audio_step, v.duration_or_off())),
    setting("events", "frame_rate", |c, v| put(&mut c.events.frame_rate, v.number_or_off())),
    setting("events", "gop", |c, v| put(&mut c.events.gop, v.duration_or_off())),
    setting("play", "merge", |c, v| put(&mut c.play.merge, off_or_within(v, "10ms", "1s"))),
    setting("play", "cache", |c, v| put(&mut c.play.cache, off_or_within(v, "1s", "60s"))),
    setting("play", "cache_bytes", |c, v| put(&mut c.play.cache_bytes, v.size().map(bytes))),
    setting("play", "queue", |c, v| put(&mut c.play.queue, within(v, "1s", "60s"))),
    setting("play", "memory", |c, v| put(&mut c.play.memory, v.size().map(bytes))),
    setting("play", "viewers", |c, v| put(&mut c.play.viewers, v.count(10_000_000))),
    setting("play", "linger", |c, v| put(&mut c.play.linger, off_or_within(v, "1s", "10m"))),
    setting("play", "wait", |c, v| put(&mut c.play.wait, off_or_within(v, "1s", "10m"))),
    setting("play", "hls", |c, v| {
        c.play.hls.mode = match v.text() {
            Ok("on_request") => live::HlsMode::OnRequest,
            Ok("always") => live::HlsMode::Always,
            Ok("off") => live::HlsMode::Off,
            _ => {
                return Err(format!(
                    "{} does not fit; write \"on_request\", \"always\" or \"off\"",
                    v.shown()
                ));
            }
        };
        Ok(())
    }),
    setting("play", "hls_part", |c, v| put(&mut c.play.hls.part, within(v, "100ms", "2s"))),
    setting("play", "hls_segment", |c, v| put(&mut c.play.hls.segment, within(v, "1s", "10s"))),
    setting("play", "hls_idle", |c, v| put(&mut c.play.hls.idle, within(v, "30s", "24h"))),
    setting("play", "hls_stream_memory", |c, v| put(&mut c.play.hls.stream_memory, v.size().map(bytes))),
    setting("play", "hls_memory", |c, v| put(&mut c.play.hls.memory, v.size().map(bytes))),
    setting("store", "url", |c, v| {
        c.store.remote = match v.text()? {
            "sqlite:lastframe.db" | "sqlite:" => None,
            // What is wrong with it is said without the value, which may hold a password.
            url if url.starts_with("postgres") => {
                Some(store::Remote::parse(url).map_err(|error| error.to_string())?)
            }
            _ => {
                return Err(
                    "this names another place; write postgres://user:password@host/database, or leave the key out: \
                     records are then kept in the data folder (--data)"
                        .into(),
                );
            }
        };
        Ok(())
    }),
    setting("store", "keep", |c, v| put(&mut c.store.keep, v.duration())),
    setting("store", "keep_evidence", |c, v| put(&mut c.store.keep_evidence, v.duration())),
    setting("store", "reserve", |c, v| put(&mut c.store.reserve, v.size())),
    setting("records", "fold", |c, v| put(&mut c.records.fold, v.duration_or_off())),
    setting("records", "ignore", |c, v| {
        let read = |text: &str| {
            let network = || parse_network(text).map(Ignore::Network);
            // A code has at most one slash and only digits, which no network has.
            let code =
                || text.parse().ok().filter(|c| cause::Cause::from_code(*c).is_some()).map(Ignore::Code);
            network().or_else(code).ok_or_else(|| {
                format!("`{text}` is neither a network (\"10.0.0.0/8\") nor a code (\"22/0\")")
            })
        };
        put(&mut c.records.ignore, v.texts()?.into_iter().map(read).collect())
    }),
    setting("console", "default_language", |c, v| {
        c.console.default_language = match v.text() {
            Ok("auto") => None,
            Ok(text @ ("ja" | "en" | "zh")) => text.parse().ok(),
            _ => {
                return Err(format!(
                    "{} is no language of the console; write \"auto\", \"ja\", \"en\" or \"zh\"",
                    v.shown()
                ));
            }
        };
        Ok(())
    }),
    setting("auth_hook", "url", |c, v| {
        let url = bounded(v, 2048)?;
        if !url.is_empty() && !url.starts_with("http://") && !url.starts_with("https://") {
            return Err("is no URL to ask; write one that begins with http:// or https://".into());
        }
        c.auth_hook.url = url;
        Ok(())
    }),
    setting("auth_hook", "timeout", |c, v| put(&mut c.auth_hook.timeout, v.duration())),
    setting("proxy", "upstream", |c, v| {
        // Not repeated in the message: its query may hold a secret.
        let url = bounded(v, 4096)?;
        c.proxy.upstream = match url.as_str() {
            "" => None,
            url => {
                Some(url.parse().map_err(|error| format!("is no server to pass pushes on to: it {error}"))?)
            }
        };
        Ok(())
    }),
    setting("proxy", "admit", |c, v| {
        c.proxy.admit_any = match v.text() {
            Ok("rules") => false,
            Ok("any") => true,
            _ => return Err(format!("{} is no way to admit pushes; write \"rules\" or \"any\"", v.shown())),
        };
        Ok(())
    }),
    setting("proxy", "timeout", |c, v| put(&mut c.proxy.timeout, v.duration())),
    setting("proxy", "ca", |c, v| {
        let path = bounded(v, 4096)?;
        c.proxy.ca = if path.is_empty() { None } else { Some(super::tables::authorities(&path)?) };
        Ok(())
    }),
    setting("cluster", "nats", |c, v| {
        // Not repeated in a message: it may hold a password.
        c.cluster.servers = match v.text()? {
            "" => None,
            text => Some(servers(text)?),
        };
        Ok(())
    }),
    setting("cluster", "name", |c, v| {
        let name = bounded(v, 64)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(fits) {
            return Err(format!("{} does not fit; write letters, digits, `-` and `_`", v.shown()));
        }
        c.cluster.name = name;
        Ok(())
    }),
    setting("cluster", "credentials", |c, v| put(&mut c.cluster.credentials, file(v))),
    setting("cluster", "ca", |c, v| put(&mut c.cluster.ca, file(v))),
    setting("cluster", "cert", |c, v| put(&mut c.cluster.cert, file(v))),
    setting("cluster", "key", |c, v| put(&mut c.cluster.key, file(v))),
    setting("cluster", "lease", |c, v| put(&mut c.cluster.lease, within(v, "1s", "5m"))),
    setting("cluster", "grace", |c, v| put(&mut c.cluster.grace, within(v, "1s", "24h"))),
    setting("cluster", "replicas", |c, v| match v.count(5)? {
        replicas @ (1 | 3 | 5) => {
            c.cluster.replicas = replicas;
            Ok(())
        }
        _ => Err(format!("{} does not fit; write 1, 3 or 5", v.shown())),
    }),
    setting("cluster", "advertise", |c, v| {
        let text = bounded(v, 300)?;
        if !text.is_empty() {
            super::advertise::check(&text).map_err(|why| format!("{} {why}", v.shown()))?;
        }
        c.cluster.advertise = (!text.is_empty()).then_some(text);
        Ok(())
    }),
    setting("cluster", "pull_idle", |c, v| put(&mut c.cluster.pull_idle, within(v, "1s", "1h"))),
    setting("cluster", "pull_wait", |c, v| put(&mut c.cluster.pull_wait, within(v, "1s", "10m"))),
    setting("cluster", "pulls", |c, v| put(&mut c.cluster.pulls, v.count(1_000_000))),
    setting("auth_hook", "allow_private", |c, v| put(&mut c.auth_hook.allow_private, v.boolean())),
    setting("callback", "allow_private", |c, v| put(&mut c.callback.allow_private, v.boolean())),
    setting("callback", "allow_networks", |c, v| put(&mut c.callback.allow_networks, v.networks())),
    setting("callback", "timeout", |c, v| put(&mut c.callback.timeout, v.duration())),
    setting("callback", "retries", |c, v| put(&mut c.callback.retries, v.count(1_000))),
    setting("callback", "retry_every", |c, v| put(&mut c.callback.retry_every, v.duration())),
    setting("callback", "per_receiver", |c, v| put(&mut c.callback.per_receiver, at_least_one(v, 1_000))),
    setting("callback", "in_all", |c, v| put(&mut c.callback.in_all, at_least_one(v, 10_000))),
    setting("callback", "backlog", |c, v| put(&mut c.callback.backlog, at_least_one(v, 10_000_000))),
    setting("callback", "refused", |c, v| put(&mut c.callback.refused, v.boolean())),
    setting("callback", "flap", |c, v| {
        let flap = v.duration_or_off()?;
        // The journal holds back what waits for this; longer would be a delay and no filter.
        if flap.is_some_and(|flap| flap > std::time::Duration::from_secs(3_600)) {
            return Err(format!("{} is too long; write \"off\" or at most \"1h\"", v.shown()));
        }
        c.callback.flap = flap;
        Ok(())
    }),
    setting("callback", "keep", |c, v| put(&mut c.callback.keep, v.duration())),
];

const fn setting(
    section: &'static str,
    key: &'static str,
    set: fn(&mut Config, Given<'_>) -> Result<(), Refused>,
) -> Setting {
    Setting { section, key, set }
}

fn put<T>(place: &mut T, value: Result<T, Refused>) -> Result<(), Refused> {
    *place = value?;
    Ok(())
}

#[cfg(feature = "cluster")]
fn servers(text: &str) -> Result<super::Servers, Refused> {
    super::Servers::parse(text).map_err(|error| error.to_string())
}

#[cfg(not(feature = "cluster"))]
fn servers(_: &str) -> Result<super::Servers, Refused> {
    Err("needs a build with the cluster in it: build with `--features cluster`".into())
}

/// As [`within`], or `off`, which is no time at all.
fn off_or_within(v: Given<'_>, least: &str, most: &str) -> Result<Duration, Refused> {
    if v.is_off() {
        return Ok(Duration::ZERO);
    }
    within(v, least, most).map_err(|reason| format!("{reason}, or \"off\""))
}

fn bytes(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// A duration from `least` to `most`, which are written as in the file.
fn within(v: Given<'_>, least: &str, most: &str) -> Result<Duration, Refused> {
    let duration = v.duration()?;
    let bound = |text| parse_duration(text).unwrap_or_default();
    if (bound(least)..=bound(most)).contains(&duration) {
        return Ok(duration);
    }
    Err(format!("{} is out of range; write a duration from \"{least}\" to \"{most}\"", v.shown()))
}

fn at_least_one(v: Given<'_>, max: usize) -> Result<usize, Refused> {
    match v.count(max)? {
        0 => Err(format!("0 would stop all of them; write a whole number from 1 to {max}")),
        count => Ok(count),
    }
}

/// Names that an authority can be shown to be ours: no addresses, no wildcards.
fn acme_names(v: Given<'_>) -> Result<Vec<String>, Refused> {
    let names: Vec<String> = v.texts()?.into_iter().map(str::to_ascii_lowercase).collect();
    if let Some(name) = names.iter().find(|name| !model::stream_key::is_domain_name(name)) {
        return Err(format!(
            "`{name}` is no host name that an authority can prove; write it as push.example.com"
        ));
    }
    if names.len() > 100 {
        return Err("names more than the 100 that one certificate holds".into());
    }
    if !names.is_empty() && !cfg!(feature = "acme") {
        return Err("cannot be used: this program was built without the feature `acme`".into());
    }
    Ok(names)
}

/// A file, or none where the text is empty.
fn file(v: Given<'_>) -> Result<Option<PathBuf>, Refused> {
    let path = bounded(v, 4096)?;
    Ok((!path.is_empty()).then(|| path.into()))
}

fn bounded(v: Given<'_>, max: usize) -> Result<String, Refused> {
    let text = v.text()?;
    if text.len() > max || text.chars().any(char::is_control) {
        return Err(format!("is too long or has control characters; write at most {max} bytes"));
    }
    Ok(text.to_owned())
}

/// An SRT passphrase. The value itself is a secret and is not shown.
fn passphrase(text: &str) -> Result<String, Refused> {
    match text.is_empty() || ((10..=79).contains(&text.len()) && !text.contains('\0')) {
        true => Ok(text.to_owned()),
        false => {
            Err("does not fit; a passphrase has 10 to 79 bytes, and an empty one turns encryption off".into())
        }
    }
}

fn passphrase_of_domain(text: &str) -> Result<(String, String), Refused> {
    let (domain, text) =
        text.split_once(':').ok_or("names no domain; write \"push.example.com:passphrase of it\"")?;
    Ok((domain.trim().to_ascii_lowercase(), passphrase(text)?))
}
