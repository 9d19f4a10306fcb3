//! The configuration, handed to each part in its own terms.

use std::path::Path;

use live::{AuthHookConfig, LiveConfig};
use model::UrlKind;
use model::admission::AdmissionSettings;
use store::{IgnoreRule, StoreConfig};
use uuid::Uuid;
use web::{CallbackSettings, Door, Retention, WebConfig};

use super::ports::Addresses;
use crate::config::{Config, Ignore};

/// For the live path.
pub fn live(config: &Config) -> LiveConfig {
    let limits = &config.limits;
    LiveConfig {
        node_label: node_label(config),
        rtmp: live::ListenConfig {
            listen: config.rtmp.listen,
            proxy_protocol: config.rtmp.proxy_protocol.clone(),
        },
        webrtc: config.webrtc.listen.map(|listen| live::WebRtcConfig {
            listen,
            tcp: crate::config::webrtc_tcp(config, listen),
            public_ip: config.webrtc.public_ip.clone(),
            optional: !config.webrtc.chosen,
        }),
        srt: config.srt.listen.map(|listen| live::SrtConfig {
            listen,
            latency: config.srt.latency,
            passphrase: config.srt.passphrase.clone(),
            passphrases: config.srt.passphrases.clone(),
            peer_timeout: config.srt.peer_timeout,
            optional: !config.srt.chosen,
        }),
        limits: live::Limits {
            idle: limits.idle,
            path: limits.path,
            lag: limits.lag,
            unplayed: limits.unplayed,
            fps: limits.fps,
            message: bytes(limits.message),
            message_memory: bytes(limits.message_memory),
            pushes: limits.pushes,
            connections: limits.connections,
            connections_per_ip: limits.connections_per_ip,
            connection_rate: limits.connection_rate,
            handshake: limits.handshake,
            setup: limits.setup,
            cut_on_disable: limits.cut_on_disable,
            events: config.events,
        },
        play: config.play.clone(),
        admission: admission(config),
        auth_hook: (!config.auth_hook.url.is_empty()).then(|| AuthHookConfig {
            url: config.auth_hook.url.clone(),
            timeout: config.auth_hook.timeout,
            allow_private: config.auth_hook.allow_private,
        }),
        // What is chosen in the console is bounded as callbacks are.
        chosen_hook: reach(config),
        relays: config.relays.clone(),
        proxy: config.proxy.upstream.clone().map(|upstream| live::relay::ProxyConfig {
            upstream,
            timeout: config.proxy.timeout,
            ca: config.proxy.ca.clone(),
        }),
        pull: live::pull::PullConfig {
            idle: config.cluster.pull_idle,
            wait: config.cluster.pull_wait,
            most: config.cluster.pulls,
            ca: config.cluster.ca.clone(),
        },
        terse: limits.terse,
        strict_media: limits.strict_media,
    }
}

/// What admission goes by.
fn admission(config: &Config) -> AdmissionSettings {
    AdmissionSettings {
        default_domain: config.node.default_domain.clone(),
        names: config.limits.names,
        allow_domain_override: config.node.domain_override,
        admit_any: config.proxy.upstream.is_some() && config.proxy.admit_any,
    }
}

/// For the store.
pub fn store(config: &Config, data: &Path, node_id: Uuid) -> StoreConfig {
    let ignore = |rule: &Ignore| match rule {
        Ignore::Network(network) => IgnoreRule::Network(*network),
        Ignore::Code(code) => IgnoreRule::Code(*code),
    };
    StoreConfig {
        dir: data.to_owned(),
        keep: config.store.keep,
        keep_evidence: config.store.keep_evidence,
        fold: config.records.fold,
        ignore: config.records.ignore.iter().map(ignore).collect(),
        node_id,
        node_label: node_label(config),
        reserve_bytes: config.store.reserve,
        outbox: store::OutboxConfig { refused: config.callback.refused, flap: config.callback.flap },
        remote: config.store.remote.clone(),
        keep_history: config.callback.keep,
    }
}

/// For the web side.
pub fn web(config: &Config, at: &Addresses) -> WebConfig {
    WebConfig {
        doors: doors(config, at),
        admission: admission(config),
        retention: Retention {
            records: config.store.keep,
            evidence: config.store.keep_evidence,
            history: config.callback.keep,
        },
        trusted_proxies: config.http.trusted_proxies.clone(),
        insecure: config.http.insecure,
        default_language: config.console.default_language,
        rtmp_port: at.rtmp.port(),
        css_rate_limits: config.css.rate_limits,
        callback: callback(config),
        importers: config.importers.clone(),
        certificates: Vec::new(),
    }
}

/// Where to push and play. WHIP and playback stand here without TLS, which every encoder and player takes, also where the
/// certificate is our own.
fn doors(config: &Config, at: &Addresses) -> Vec<Door> {
    let door = |kind, port| Door { kind, port, tls: false };
    let http = at.http.port();
    let pushes = [
        Some(door(UrlKind::Rtmp, at.rtmp.port())),
        at.rtmps.map(|at| door(UrlKind::Rtmps, at.port())),
        at.srt.map(|at| door(UrlKind::Srt, at.port())),
        config.webrtc.listen.map(|_| door(UrlKind::Whip, http)),
    ];
    pushes.into_iter().flatten().chain([door(UrlKind::Flv, http), door(UrlKind::Hls, http)]).collect()
}

/// Where receivers may stand that users name.
fn reach(config: &Config) -> live::outbound::Reach {
    live::outbound::Reach {
        private: config.callback.allow_private,
        networks: config.callback.allow_networks.clone(),
    }
}

fn callback(config: &Config) -> CallbackSettings {
    let callback = &config.callback;
    CallbackSettings {
        reach: reach(config),
        timeout: callback.timeout,
        retries: u32::try_from(callback.retries).unwrap_or(u32::MAX),
        retry_every: callback.retry_every,
        per_receiver: callback.per_receiver,
        in_all: callback.in_all,
        backlog: u64::try_from(callback.backlog).unwrap_or(u64::MAX),
    }
}

/// The configured name, or the machine's own.
fn node_label(config: &Config) -> String {
    config.node.label.clone().unwrap_or_else(|| {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        match name.trim() {
            "" => "lastframe".to_owned(),
            name => name.to_owned(),
        }
    })
}

fn bytes(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
