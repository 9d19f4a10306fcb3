//! The configuration: its defaults, the TOML file, and the environment over it.
//!
//! | module | holds |
//! |---|---|
//! | [`settings`] | one row per key: where it lies, what it takes |
//! | [`value`] | the kinds of values and how they are read |
//! | [`tables`] | `[[account]]`, `[[domain]]`, `[[api_key]]`, `[[relay]]` |
//! | [`certificates`] | whether the certificates of `[rtmps]` and `[https]` can be used |
//! | [`listeners`] | listeners that want one port |
//! | [`load`] | walks the file and the environment, and collects every mistake |
//! | [`mistake`] | what is wrong, where, and what to do |

pub mod advertise;
mod certificates;
mod listeners;
pub mod load;
pub mod mistake;
pub mod settings;
pub mod tables;
pub mod value;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use live::tls::CertificateFiles;
use model::Code;
use model::admission::NameRule;
use model::catalog::{Account, ApiKey, Domain};
use uuid::Uuid;
use web::import::Importer;

pub use listeners::webrtc_tcp;
pub use load::{Loaded, load, load_alone};
pub use mistake::ConfigError;

/// Everything that can be configured, with its defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[node]`
    pub node: Node,
    /// `[rtmp]`
    pub rtmp: Listener,
    /// `[rtmps]`
    pub rtmps: Secured,
    /// `[srt]`
    pub srt: Srt,
    /// `[http]`
    pub http: Http,
    /// `[webrtc]`
    pub webrtc: WebRtc,
    /// `[https]`
    pub https: Secured,
    /// `[acme]`
    pub acme: Acme,
    /// `[css]`
    pub css: Css,
    /// `[limits]`
    pub limits: Limits,
    /// `[events]`
    pub events: live::EventLimits,
    /// `[play]`
    pub play: live::PlayConfig,
    /// `[store]`
    pub store: Store,
    /// `[records]`
    pub records: Records,
    /// `[console]`
    pub console: Console,
    /// `[auth_hook]`
    pub auth_hook: AuthHook,
    /// `[callback]`
    pub callback: Callback,
    /// `[proxy]`
    pub proxy: Proxy,
    /// `[cluster]`
    pub cluster: Cluster,
    /// `[[relay]]`
    pub relays: Vec<live::relay::Rule>,
    /// `[[account]]`
    pub accounts: Vec<Account>,
    /// `[[domain]]`
    pub domains: Vec<Domain>,
    /// `[[api_key]]`
    pub api_keys: Vec<ApiKey>,
    /// `[[import]]`
    pub importers: Vec<Importer>,
}

/// `[node]`: this machine's name.
#[derive(Clone, Debug)]
pub struct Node {
    /// Fixed id; `None` keeps one in the data folder.
    pub id: Option<Uuid>,
    /// Name in records; `None` means the host name.
    pub label: Option<String>,
    /// The domain that a push to an IP address means; empty refuses it (18/300).
    pub default_domain: String,
    /// Whether `vhost=` and `domain=` in a push URL's query override its host.
    pub domain_override: bool,
}

/// A listener.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Load balancers whose PROXY header is believed.
    pub proxy_protocol: Vec<IpNet>,
}

/// A listener with TLS: `[rtmps]`, `[https]`.
#[derive(Clone, Debug)]
pub struct Secured {
    /// Where it listens; `None` for nowhere.
    pub listen: Option<SocketAddr>,
    /// Whether the configuration speaks of it: only then a port that is taken stops the start.
    pub wanted: bool,
    /// Load balancers whose PROXY header is believed; RTMPS alone.
    pub proxy_protocol: Vec<IpNet>,
    /// Its certificate; `None` for the other listener's, and a self-signed one where neither has any.
    pub cert: Option<PathBuf>,
    /// The certificate's key.
    pub key: Option<PathBuf>,
    /// Certificates for other host names.
    pub certs: Vec<CertificateFiles>,
}

impl Secured {
    fn on(port: u16) -> Self {
        Self {
            listen: Some(SocketAddr::from(([0, 0, 0, 0], port))),
            wanted: false,
            proxy_protocol: Vec::new(),
            cert: None,
            key: None,
            certs: Vec::new(),
        }
    }

    /// The certificates that it has of its own, the default one first.
    pub fn certificates(&self) -> Vec<CertificateFiles> {
        let own = self.cert.clone().zip(self.key.clone()).map(|(cert, key)| CertificateFiles { cert, key });
        own.into_iter().chain(self.certs.iter().cloned()).collect()
    }
}

impl Config {
    /// The certificates of the RTMPS listener and those of the HTTPS listener. One that has none takes the other's.
    pub fn certificates(&self) -> [Vec<CertificateFiles>; 2] {
        let (rtmps, https) = (self.rtmps.certificates(), self.https.certificates());
        match (rtmps.is_empty(), https.is_empty()) {
            (true, _) => [https.clone(), https],
            (_, true) => [rtmps.clone(), rtmps],
            _ => [rtmps, https],
        }
    }
}

/// `[acme]`: certificates from an authority, for listeners that have none of their own.
#[derive(Clone, Debug)]
pub struct Acme {
    /// Host names that it is to be issued for; empty for none.
    pub names: Vec<String>,
    /// Where the authority's directory lies (RFC 8555, 7.1.1).
    pub directory: String,
    /// Where the authority may write to: `mailto:...`.
    pub contact: Vec<String>,
    /// The authority of the directory's own certificate, where the system does not know it.
    pub ca: Option<PathBuf>,
    /// How the names are proven.
    pub challenge: Challenge,
}

/// How an authority is shown that a name is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// It asks over plain HTTP, on port 80 (RFC 8555, 8.3).
    Http01,
    /// It asks in a TLS handshake, on port 443 (RFC 8737).
    TlsAlpn01,
}

impl Challenge {
    /// As RFCs and configuration name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
        }
    }
}

/// `[srt]`: MPEG-TS over SRT.
#[derive(Clone)]
pub struct Srt {
    /// Where it listens (UDP); `None` takes no pushes over SRT.
    pub listen: Option<SocketAddr>,
    /// Whether somebody has chosen it: the port that nobody chose may be taken without harm.
    pub chosen: bool,
    /// How long packets are held so that lost ones can be sent again.
    pub latency: Duration,
    /// What callers must encrypt with; empty takes only those that do not encrypt.
    pub passphrase: String,
    /// The same for single domains.
    pub passphrases: HashMap<String, String>,
    /// Without a sign of life for this long a caller is lost: 17/0.
    pub peer_timeout: Duration,
}

impl std::fmt::Debug for Srt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { listen, chosen, latency, passphrase, passphrases, peer_timeout } = self;
        f.debug_struct("Srt")
            .field("listen", listen)
            .field("chosen", chosen)
            .field("latency", latency)
            .field("encrypted", &!passphrase.is_empty())
            .field("passphrases", &passphrases.len())
            .field("peer_timeout", peer_timeout)
            .finish()
    }
}

/// `[http]`: console, APIs, metrics.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where console and APIs listen instead, if they are to be kept apart.
    pub admin_listen: Option<SocketAddr>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether sign-in and APIs are open to other machines without TLS.
    pub insecure: bool,
}

/// `[webrtc]`: WHIP and WHEP.
#[derive(Clone, Debug)]
pub struct WebRtc {
    /// The UDP port of all sessions; `None` turns them off.
    pub listen: Option<SocketAddr>,
    /// Whether somebody has chosen it: the port that nobody chose may be taken without harm.
    pub chosen: bool,
    /// Where it takes TCP connections, if somebody has chosen that.
    pub tcp: Option<WebRtcTcp>,
    /// What clients are told to send to, behind 1:1 NAT.
    pub public_ip: Vec<IpAddr>,
}

/// `[webrtc] tcp_listen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebRtcTcp {
    /// No TCP connections.
    Off,
    /// Here.
    At(SocketAddr),
}

/// `[css]`.
#[derive(Clone, Debug)]
pub struct Css {
    /// Whether keys are held to the calls a second that CSS documents.
    pub rate_limits: bool,
}

/// `[limits]`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Without media for this long a push is cut: 8/0, 20/0.
    pub idle: Duration,
    /// Unacknowledged for this long the path counts as lost: 12/0.
    pub path: Duration,
    /// This far behind real time a push is cut: 16/0.
    pub lag: Option<Duration>,
    /// Nobody plays a live push for this long: 37/0.
    pub unplayed: Option<Duration>,
    /// Largest RTMP message, bytes: 7/0.
    pub message: u64,
    /// Highest frame rate: 39/0.
    pub fps: Option<f64>,
    /// Pushes live at once: 18/104.
    pub pushes: usize,
    /// Connections at once: 18/104.
    pub connections: usize,
    /// Connections at once from one address: 18/104; 0 means no limit.
    pub connections_per_ip: usize,
    /// New connections a second from one address: 18/104; 0 means no limit.
    pub connection_rate: u32,
    /// Time for the RTMP handshake: 25/0.
    pub handshake: Duration,
    /// Time from connecting to publishing.
    pub setup: Duration,
    /// Memory for half-received messages of all pushes together, bytes.
    pub message_memory: u64,
    /// Whether disabling an account, domain or app cuts its running pushes.
    pub cut_on_disable: bool,
    /// What app and stream names may hold.
    pub names: NameRule,
    /// Whether clients are told the code alone.
    pub terse: bool,
    /// Whether media that cannot be parsed cuts the push: 23/0.
    pub strict_media: bool,
}

/// `[store]`.
#[derive(Clone, Debug)]
pub struct Store {
    /// The database of all nodes; `None`: records stay in the data folder.
    pub remote: Option<store::Remote>,
    /// How long records are kept.
    pub keep: Duration,
    /// How long their evidence is kept.
    pub keep_evidence: Duration,
    /// Disk space set aside so that live pushes still end on record when the disk is full, bytes.
    pub reserve: u64,
}

/// `[records]`.
#[derive(Clone, Debug)]
pub struct Records {
    /// Identical refusals within this time become one record.
    pub fold: Option<Duration>,
    /// Ends that leave no record, if they never named a stream.
    pub ignore: Vec<Ignore>,
}

/// One entry of `[records] ignore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignore {
    /// From these addresses.
    Network(IpNet),
    /// With this cause.
    Code(Code),
}

/// `[console]`.
#[derive(Clone, Debug)]
pub struct Console {
    /// Language for those who have not chosen one; `None` asks the browser.
    pub default_language: Option<cause::Lang>,
}

/// `[auth_hook]`: somebody else's yes or no to each push.
#[derive(Clone, Debug)]
pub struct AuthHook {
    /// Where it is asked; empty means nowhere.
    pub url: String,
    /// After this long without an answer the push is refused: 19/0.
    pub timeout: Duration,
    /// Whether it may lie on a private address.
    pub allow_private: bool,
}

/// `[callback]`: events told to others.
#[derive(Clone, Debug)]
pub struct Callback {
    /// Whether receivers may lie on private addresses.
    pub allow_private: bool,
    /// Private networks in which they may lie all the same.
    pub allow_networks: Vec<IpNet>,
    /// Time for a receiver's answer.
    pub timeout: Duration,
    /// Tries after the first one.
    pub retries: usize,
    /// Time from one try to the next.
    pub retry_every: Duration,
    /// Requests under way to one receiver.
    pub per_receiver: usize,
    /// Requests under way in all.
    pub in_all: usize,
    /// Events that wait for one template; beyond it the oldest are given up.
    pub backlog: usize,
    /// Whether the refusal of a push is told as an interruption.
    pub refused: bool,
    /// Interruptions shorter than this are not told.
    pub flap: Option<Duration>,
    /// How long deliveries and events are kept.
    pub keep: Duration,
}

/// `[proxy]`: a server behind this one, which has the last word on every push.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where pushes are passed on to; `None` keeps them here.
    pub upstream: Option<live::relay::Target>,
    /// Whether the upstream alone decides who may push.
    pub admit_any: bool,
    /// Time for it to accept a push.
    pub timeout: Duration,
    /// Certificate authorities beside the system's, for an RTMPS upstream.
    pub ca: Option<std::path::PathBuf>,
}

/// `[cluster]`: other nodes, met over NATS.
#[derive(Clone, Debug)]
#[cfg_attr(
    not(feature = "cluster"),
    allow(dead_code, reason = "checked in every build, used in one with a cluster")
)]
pub struct Cluster {
    /// Where NATS is; `None`: this node stands alone.
    pub servers: Option<Servers>,
    /// What the names of buckets and subjects begin with.
    pub name: String,
    /// A file of NATS credentials.
    pub credentials: Option<PathBuf>,
    /// Certificate authorities beside the system's.
    pub ca: Option<PathBuf>,
    /// This node's own certificate for NATS.
    pub cert: Option<PathBuf>,
    /// The key of that certificate.
    pub key: Option<PathBuf>,
    /// Without a heartbeat for this long a node counts as dead.
    pub lease: Duration,
    /// Cut off for this long, a node ends its pushes: 38/0.
    pub grace: Duration,
    /// How many servers of NATS keep each bucket.
    pub replicas: usize,
    /// Where other nodes fetch streams from this one: `host:port`, or `rtmps://host:port`.
    pub advertise: Option<String>,
    /// Without a viewer for this long a stream of another node is no longer fetched.
    pub pull_idle: Duration,
    /// How long viewers of such a stream wait for a new owner.
    pub pull_wait: Duration,
    /// Streams of other nodes that are fetched at once.
    pub pulls: usize,
}

/// The servers of NATS, in a build that has it.
#[cfg(feature = "cluster")]
pub type Servers = cluster::Servers;
/// In its place, in a build that has none: there is no value of it.
#[cfg(not(feature = "cluster"))]
pub type Servers = std::convert::Infallible;

impl Default for Config {
    fn default() -> Self {
        let any = |port| SocketAddr::from(([0, 0, 0, 0], port));
        Self {
            node: Node { id: None, label: None, default_domain: "localhost".into(), domain_override: true },
            rtmp: Listener { listen: any(1935), proxy_protocol: Vec::new() },
            rtmps: Secured::on(1936),
            https: Secured::on(8443),
            srt: Srt {
                listen: Some(any(9000)),
                chosen: false,
                latency: Duration::from_millis(120),
                passphrase: String::new(),
                passphrases: HashMap::new(),
                peer_timeout: Duration::from_secs(5),
            },
            http: Http {
                listen: any(8080),
                admin_listen: None,
                trusted_proxies: Vec::new(),
                insecure: false,
            },
            webrtc: WebRtc { listen: Some(any(8000)), chosen: false, tcp: None, public_ip: Vec::new() },
            acme: Acme {
                names: Vec::new(),
                directory: "https://acme-v02.api.letsencrypt.org/directory".to_owned(),
                contact: Vec::new(),
                ca: None,
                challenge: Challenge::Http01,
            },
            css: Css { rate_limits: true },
            limits: Limits {
                idle: Duration::from_secs(70),
                path: Duration::from_secs(20),
                lag: None,
                unplayed: None,
                message: 4 << 20,
                fps: None,
                pushes: 10_000,
                connections: 20_000,
                connections_per_ip: 10_000,
                connection_rate: 0,
                handshake: Duration::from_secs(10),
                setup: Duration::from_secs(30),
                message_memory: 512 << 20,
                cut_on_disable: true,
                names: NameRule::Utf8,
                terse: false,
                strict_media: false,
            },
            events: live::EventLimits::default(),
            play: live::PlayConfig::default(),
            store: Store {
                remote: None,
                keep: Duration::from_secs(30 * 86_400),
                keep_evidence: Duration::from_secs(7 * 86_400),
                reserve: 64 << 20,
            },
            records: Records { fold: Some(Duration::from_secs(60)), ignore: Vec::new() },
            console: Console { default_language: None },
            auth_hook: AuthHook { url: String::new(), timeout: Duration::from_secs(2), allow_private: true },
            callback: Callback {
                allow_private: false,
                allow_networks: Vec::new(),
                timeout: Duration::from_secs(20),
                retries: 12,
                retry_every: Duration::from_secs(60),
                per_receiver: 8,
                in_all: 128,
                backlog: 10_000,
                refused: false,
                flap: None,
                keep: Duration::from_secs(7 * 86_400),
            },
            proxy: Proxy { upstream: None, admit_any: false, timeout: Duration::from_secs(5), ca: None },
            cluster: Cluster {
                servers: None,
                name: "lastframe".into(),
                credentials: None,
                ca: None,
                cert: None,
                key: None,
                lease: Duration::from_secs(5),
                grace: Duration::from_secs(30),
                replicas: 1,
                advertise: None,
                pull_idle: live::pull::PullConfig::default().idle,
                pull_wait: live::pull::PullConfig::default().wait,
                pulls: live::pull::PullConfig::default().most,
            },
            relays: Vec::new(),
            accounts: Vec::new(),
            domains: Vec::new(),
            api_keys: Vec::new(),
            importers: Vec::new(),
        }
    }
}
