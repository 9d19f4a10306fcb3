//! What the live path is told at start.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use model::admission::AdmissionSettings;

use crate::outbound::Reach;

/// Configuration of the live path.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    /// The node's name in records.
    pub node_label: String,
    /// Where RTMP pushes come in.
    pub rtmp: ListenConfig,
    /// Where WebRTC comes in; `None` turns WHIP and WHEP off.
    pub webrtc: Option<WebRtcConfig>,
    /// Where SRT pushes come in; `None` for nowhere.
    pub srt: Option<SrtConfig>,
    /// Limits in force.
    pub limits: Limits,
    /// How live streams are played.
    pub play: PlayConfig,
    /// How push URLs are read and judged.
    pub admission: AdmissionSettings,
    /// The third-party authentication hook, if there is one.
    pub auth_hook: Option<AuthHookConfig>,
    /// Where a hook may stand that is chosen while the node runs.
    pub chosen_hook: Reach,
    /// By which rules live streams are passed on.
    pub relays: Vec<crate::relay::Rule>,
    /// The server behind this one, if there is one.
    pub proxy: Option<crate::relay::ProxyConfig>,
    /// How streams of other nodes are fetched, in a cluster.
    pub pull: crate::pull::PullConfig,
    /// Tell refused and cut clients the code alone, for those who fear probing.
    pub terse: bool,
    /// Cut pushes whose media cannot be parsed (23/0); otherwise it is an event.
    pub strict_media: bool,
}

/// A TCP listener.
#[derive(Clone, Debug)]
pub struct ListenConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Networks of load balancers whose PROXY header is believed, and demanded.
    pub proxy_protocol: Vec<IpNet>,
}

/// The ports of WebRTC.
#[derive(Clone, Debug)]
pub struct WebRtcConfig {
    /// Address to listen on, UDP.
    pub listen: SocketAddr,
    /// Where clients may connect that no datagram gets through for.
    pub tcp: WebRtcTcp,
    /// The addresses that clients are told to send to, where they are others than the machine's own: behind 1:1 NAT.
    pub public_ip: Vec<IpAddr>,
    /// Whether the node does without when the address is taken.
    pub optional: bool,
}

/// The TCP port of WebRTC (RFC 6544).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebRtcTcp {
    /// There is none.
    Off,
    /// That of the UDP port's number; where it is taken, the node does without.
    LikeUdp,
    /// This one.
    At(SocketAddr),
}

/// The SRT port.
#[derive(Clone)]
pub struct SrtConfig {
    /// Address to listen on, UDP.
    pub listen: SocketAddr,
    /// How long packets are held so that lost ones can be sent again; a caller that asks for more gets more.
    pub latency: Duration,
    /// What callers must encrypt with, 10 to 79 bytes; empty takes only those that do not encrypt.
    pub passphrase: String,
    /// The same for single domains, whose own it takes the place of.
    pub passphrases: HashMap<String, String>,
    /// Time without a sign of life after which a caller is lost: 17/0.
    pub peer_timeout: Duration,
    /// Whether the node does without when the address is taken.
    pub optional: bool,
}

impl std::fmt::Debug for SrtConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { listen, latency, passphrase, passphrases, peer_timeout, optional } = self;
        f.debug_struct("SrtConfig")
            .field("listen", listen)
            .field("latency", latency)
            .field("encrypted", &!passphrase.is_empty())
            .field("passphrases", &passphrases.len())
            .field("peer_timeout", peer_timeout)
            .field("optional", optional)
            .finish()
    }
}

/// Limits of the live path.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Time without media after which a live push is cut: 8/0, 20/0.
    pub idle: Duration,
    /// Time for which the path may lose everything before it counts as lost: 12/0.
    pub path: Duration,
    /// How far a push may fall behind real time: 16/0.
    pub lag: Option<Duration>,
    /// How long nobody may play a live push: 37/0.
    pub unplayed: Option<Duration>,
    /// Frames a second over 10 s: 39/0.
    pub fps: Option<f64>,
    /// Bytes of one RTMP message: 7/0.
    pub message: usize,
    /// Bytes of all half-received messages together.
    pub message_memory: usize,
    /// Pushes live at once on this node: 18/104.
    pub pushes: usize,
    /// Connections at once: 18/104.
    pub connections: usize,
    /// Connections at once from one address: 18/104; 0 means no limit.
    pub connections_per_ip: usize,
    /// New connections a second from one address: 18/104; 0 means no limit.
    pub connection_rate: u32,
    /// Time for the RTMP handshake.
    pub handshake: Duration,
    /// Time from connecting to publishing.
    pub setup: Duration,
    /// Whether a force-stopped account, a disabled domain or app cuts running pushes too.
    pub cut_on_disable: bool,
    /// From where on something is an event.
    pub events: EventLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(70),
            path: Duration::from_secs(20),
            lag: None,
            unplayed: None,
            fps: None,
            message: 4 * 1024 * 1024,
            message_memory: 512 * 1024 * 1024,
            pushes: 10_000,
            connections: 20_000,
            connections_per_ip: 10_000,
            connection_rate: 0,
            handshake: Duration::from_secs(10),
            setup: Duration::from_secs(30),
            cut_on_disable: true,
            events: EventLimits::default(),
        }
    }
}

/// From where on something is an event; `None` for never.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventLimits {
    /// Types 3 and 4: a timestamp further than this ahead of the one before it.
    pub jump: Option<Duration>,
    /// Type 5: a chunk size above this, bytes.
    pub chunk_size: Option<u32>,
    /// Type 6: two video frames that arrive further apart than this.
    pub video_gap: Option<Duration>,
    /// Type 7: two audio frames that arrive further apart than this.
    pub audio_gap: Option<Duration>,
    /// Type 12: timestamps of two audio frames further apart than this, and not yet a jump.
    pub audio_step: Option<Duration>,
    /// Type 15: fewer video frames a second than this, over five seconds.
    pub frame_rate: Option<f64>,
    /// Type 16: key frames further apart than this, by their timestamps.
    pub gop: Option<Duration>,
}

impl Default for EventLimits {
    fn default() -> Self {
        Self {
            jump: Some(Duration::from_secs(1)),
            chunk_size: Some(8192),
            video_gap: Some(Duration::from_secs(3)),
            audio_gap: Some(Duration::from_secs(1)),
            audio_step: Some(Duration::from_millis(300)),
            frame_rate: Some(10.0),
            gop: Some(Duration::from_secs(10)),
        }
    }
}

/// How live streams are played.
#[derive(Clone, Debug)]
pub struct PlayConfig {
    /// Frames are merged over this much media before they go out; zero sends each frame alone.
    pub merge: Duration,
    /// Media kept for a fast start, from the last key frame on; a stream with longer gaps between key frames starts
    /// slowly.
    pub cache: Duration,
    /// Bytes held for the viewers of one live stream, for the fast start and for slow viewers together.
    pub cache_bytes: usize,
    /// How far a viewer may fall behind before it skips to the next key frame.
    pub queue: Duration,
    /// Viewers at once on this node; 0 means no limit.
    pub viewers: usize,
    /// Bytes held for viewers on the whole node; above it, streams give up their fast start.
    pub memory: usize,
    /// How long viewers of a lost push wait for its reconnect.
    pub linger: Duration,
    /// How long an RTMP player waits for a stream that is not live yet.
    pub wait: Duration,
    /// HLS.
    pub hls: HlsConfig,
}

/// When HLS is packaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HlsMode {
    /// Never.
    Off,
    /// From the first request on, until nobody has asked for a while.
    #[default]
    OnRequest,
    /// As long as a stream is live.
    Always,
}

/// How live streams are packaged for HLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HlsConfig {
    /// When.
    pub mode: HlsMode,
    /// How long parts of low-latency HLS play.
    pub part: Duration,
    /// How long segments play at least; they end at key frames.
    pub segment: Duration,
    /// Packaging stops when nobody has asked for this long.
    pub idle: Duration,
    /// Bytes in the segments of one stream at most.
    pub stream_memory: usize,
    /// Bytes in the segments of all streams at most; above it, their windows shrink and no other stream is packaged.
    pub memory: usize,
}

impl Default for HlsConfig {
    fn default() -> Self {
        Self {
            mode: HlsMode::default(),
            part: Duration::from_millis(300),
            segment: Duration::from_secs(2),
            idle: Duration::from_secs(60),
            stream_memory: 64 * 1024 * 1024,
            memory: 1024 * 1024 * 1024,
        }
    }
}

impl Default for PlayConfig {
    fn default() -> Self {
        Self {
            merge: Duration::from_millis(100),
            cache: Duration::from_secs(12),
            cache_bytes: 32 * 1024 * 1024,
            queue: Duration::from_secs(6),
            viewers: 20_000,
            memory: 512 * 1024 * 1024,
            linger: Duration::from_secs(10),
            wait: Duration::from_secs(10),
            hls: HlsConfig::default(),
        }
    }
}

/// The third-party authentication hook.
#[derive(Clone, Debug)]
pub struct AuthHookConfig {
    /// Where the question is posted.
    pub url: String,
    /// Time for the answer.
    pub timeout: Duration,
    /// Whether the hook may stand on a private or loopback address.
    pub allow_private: bool,
}
