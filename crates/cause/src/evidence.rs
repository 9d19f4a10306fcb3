//! What a verdict rests on. Everything here was seen or done; nothing is concluded.

mod carrier;
mod errno;
mod quality;
mod stored;
mod tls;
mod webrtc;
mod words;

use model::Code;
use serde::{Deserialize, Serialize};

use crate::black_box::BlackBox;
use crate::detail::Detail;
use crate::event::EventCount;
use crate::timeline::Timeline;

pub use carrier::{CarrierFacts, SrtFacts, TsFacts};
pub use errno::Errno;
pub use quality::{KeyFrames, MediaQuality, Offset};
pub(crate) use stored::cut;
pub use stored::{EvidenceError, MAX_EVIDENCE_BYTES};
pub use tls::{TlsFacts, TlsFailure, TlsFailureKind};
pub use webrtc::{WebRtcFacts, WebRtcStep};

/// The format version written today. A change of these types raises it, and the old format stays readable.
pub const EVIDENCE_VERSION: u16 = 4;

/// All that is known about how one push ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// [`EVIDENCE_VERSION`] at the time of writing.
    pub version: u16,
    /// What carried the push.
    pub transport: Transport,
    /// How far the push had come.
    pub stage: Stage,
    /// How the receive side ended.
    pub close: Close,
    /// The goodbye that was received first, if any.
    pub goodbye: Option<Goodbye>,
    /// Our own act that ended the push, if one did: a refusal, an order, a limit. The first wins.
    pub act: Option<Act>,
    /// The protocol rule that the client broke, if that ended the push.
    pub fault: Option<ProtocolFault>,
    /// An errno that a write of ours got before the receive side was drained.
    pub write_error: Option<Errno>,
    /// A message of which only a part had arrived.
    pub cut_message: Option<CutMessage>,
    /// The state of the media.
    pub media: MediaState,
    /// The silence before the end, and what our probe found out in it.
    pub silence: Silence,
    /// TCP facts read last before the socket was closed.
    pub tcp: Option<TcpFacts>,
    /// The address is a load balancer's leg (PROXY protocol): TCP facts describe that leg.
    pub behind_proxy: bool,
    /// What the client said about itself, and what it was seen to do.
    pub client: ClientFacts,
    /// The limits in force for this push.
    pub limits: LimitFacts,
    /// One sample a second.
    pub timeline: Timeline,
    /// Abnormalities while live, counted, with the last occurrences of each type.
    pub events: Vec<EventCount>,
    /// The last commands and media headers.
    pub black_box: BlackBox,
    /// Milliseconds from connecting (or the end of the push before it on the connection) to the end.
    pub lived_ms: u64,
    /// What a transport other than plain TCP knew of its path. Version 2 ends before it.
    pub carrier: Option<CarrierFacts>,
    /// What the media was like, of pushes that were live. Stored last, since version 3 ends before it.
    pub quality: Option<MediaQuality>,
}

/// What carries a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// RTMP over TCP.
    #[default]
    Rtmp,
    /// RTMP over TLS.
    Rtmps,
    /// MPEG-TS over SRT.
    Srt,
    /// WebRTC, set up by WHIP.
    Whip,
}

/// How far a push came, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Accepted, not one byte received.
    #[default]
    NoBytes,
    /// In the TLS handshake.
    TlsHandshake,
    /// In the SRT handshake.
    SrtHandshake,
    /// In WHIP, ICE or DTLS set-up.
    WebrtcSetup,
    /// In the RTMP handshake.
    RtmpHandshake,
    /// Handshake done, no connect command yet.
    BeforeConnect,
    /// Connected, no stream created.
    Connected,
    /// Stream created, not published.
    StreamCreated,
    /// Publish received; the authentication hook was deciding.
    AuthHook,
    /// Publish received; admission or the journal was deciding.
    Admission,
    /// Live: the client had been told `Publish.Start`.
    Live,
}

/// How the receive side of the connection ended, after it was drained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    /// Still open: we ended it (see [`Evidence::act`]), or the connection went on without the push.
    #[default]
    Open,
    /// End of file: recv() returned 0.
    EndOfFile,
    /// ECONNRESET.
    Reset,
    /// ETIMEDOUT: TCP gave up on unacknowledged data or probes.
    TimedOut,
    /// EHOSTUNREACH, ENETUNREACH and kin.
    Unreachable(Errno),
    /// Another errno.
    Failed(Errno),
    /// The idle limit passed without media.
    IdleLimit,
    /// The limit for reaching the next stage passed (handshake, connect, publish).
    SetupLimit,
    /// A secured or datagram transport was lost: TLS record failure, SRT peer timeout, consent lost.
    TransportLost,
    /// The node died; the journal at the next start shows the push open.
    NodeDied,
    /// The push's task failed: panic or broken invariant.
    TaskFailed,
    /// The journal row of the push could not be read.
    Unreadable,
}

/// A client's orderly end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goodbye {
    /// `deleteStream` of the published stream.
    DeleteStream,
    /// `closeStream` of the published stream.
    CloseStream,
    /// `FCUnpublish` and then the socket closed.
    FcUnpublishClosed,
    /// `FCUnpublish`, and no `deleteStream` within two seconds.
    FcUnpublishAlone,
    /// Another name was published on the same connection after `FCUnpublish`.
    Republished,
    /// SRT SHUTDOWN.
    SrtShutdown,
    /// WHIP DELETE, or DTLS close.
    WhipDelete,
}

/// An act of ours that ended the push.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// The cause the act stands for.
    pub code: Code,
    /// What is known beyond the code.
    pub detail: Option<Detail>,
}

/// A broken protocol rule: the protocol crates' errors, as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolFault {
    /// Which of the rows about content it belongs to.
    pub kind: FaultKind,
    /// Cannot be parsed, illegal now, or unsupported.
    pub class: FaultClass,
    /// Stable name of the rule, snake case.
    pub rule: String,
    /// Byte offset in the connection.
    pub offset: u64,
    /// Chunk stream, where there was one.
    pub chunk_stream: Option<u32>,
    /// RTMP message type, where there was one.
    pub message_type: Option<u8>,
    /// Declared message length, where there was one.
    pub length: Option<u32>,
    /// The AMF marker that was found, for broken AMF.
    pub marker: Option<u8>,
    /// Names down to the field, such as `connect.commandObject.tcUrl`.
    pub path: String,
    /// What was found, in one English sentence.
    pub found: String,
}

impl ProtocolFault {
    /// A fault of a protocol that has neither the byte offsets nor the messages of RTMP.
    pub fn unplaced(kind: FaultKind, class: FaultClass, rule: &str, found: String) -> Self {
        Self {
            kind,
            class,
            rule: rule.to_owned(),
            offset: 0,
            chunk_stream: None,
            message_type: None,
            length: None,
            marker: None,
            path: String::new(),
            found,
        }
    }
}

/// Which row a protocol fault belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Handshake, chunks, messages, order of commands: 6/0.
    Protocol,
    /// A message above the limit: 7/0.
    MessageTooLarge,
    /// The AMF of a command: 33/0.
    CommandAmf,
    /// Media content, in strict mode: 23/0.
    Media,
}

/// The three ways in which a peer can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultClass {
    /// Cannot be parsed.
    Invalid,
    /// Parsed, but illegal now.
    Misbehaved,
    /// Legal, but unsupported.
    Incompatible,
}

/// A message of which only a part had arrived when the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutMessage {
    /// RTMP message type; 0 where not even the header was whole.
    pub message_type: u8,
    /// Bytes of its body that had arrived.
    pub have: u32,
    /// Bytes of its body that were announced.
    pub want: u32,
}

/// The state of a push's media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaState {
    /// Audio and video messages received.
    pub messages: u64,
    /// Video frames received.
    pub video_frames: u64,
    /// Audio frames received.
    pub audio_frames: u64,
    /// Milliseconds from the last media message to the end; `None` without media.
    pub last_ms_ago: Option<u64>,
    /// Milliseconds from the last video frame to the end.
    pub last_video_ms_ago: Option<u64>,
    /// Milliseconds from going live to the end.
    pub live_ms: u64,
}

/// The silence before the end and what our probe found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Milliseconds from the last byte received to the end.
    pub ms: u64,
    /// What became of the ping that is sent after three seconds of silence.
    pub probe: Probe,
    /// Milliseconds from the probe to the end; 0 without a probe.
    pub probe_ms_ago: u64,
}

/// What became of the probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// None was sent since the last byte.
    #[default]
    None,
    /// Sent, and not acknowledged by the peer's TCP.
    Unacknowledged,
    /// Acknowledged by the peer's TCP, not answered by the program.
    Acknowledged,
    /// Answered by the program.
    Answered,
}

/// `TCP_INFO`, as far as verdicts use it. Times in milliseconds or microseconds as named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpFacts {
    /// `tcpi_state` (1 established, 7 closed, 8 close-wait, ...).
    pub state: u8,
    /// `tcpi_rtt`; moves only while data of ours is acknowledged.
    pub rtt_us: u32,
    /// `tcpi_rcv_rtt`.
    pub rcv_rtt_us: u32,
    /// `tcpi_retransmits`: unanswered retransmissions of the oldest segment.
    pub retransmits: u8,
    /// `tcpi_probes`: unanswered keepalive or window probes.
    pub probes: u8,
    /// `tcpi_total_retrans`.
    pub total_retrans: u32,
    /// `tcpi_unacked` segments.
    pub unacked: u32,
    /// `tcpi_notsent_bytes`.
    pub notsent_bytes: u32,
    /// `tcpi_last_data_recv`, ms.
    pub last_data_recv_ms: u32,
    /// `tcpi_last_ack_recv`, ms.
    pub last_ack_recv_ms: u32,
    /// `tcpi_segs_in`.
    pub segs_in: u32,
    /// `tcpi_data_segs_in`.
    pub data_segs_in: u32,
    /// `tcpi_rcv_ooopack`.
    pub rcv_ooopack: u32,
    /// `tcpi_rcv_wnd`: the window we offer, bytes.
    pub rcv_wnd: u32,
    /// `tcpi_bytes_received`.
    pub bytes_received: u64,
    /// Data of ours sent in the last moments before the end and not acknowledged at it, bytes (SIOCOUTQ).
    pub send_queue: u32,
}

/// What the client said about itself and was seen to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFacts {
    /// `flashVer` of connect, or the user agent.
    pub agent: Option<String>,
    /// `encoder` of onMetaData.
    pub encoder: Option<String>,
    /// It has answered a ping on this connection.
    pub answered_ping: bool,
    /// It set the reconnect bit of Enhanced RTMP's capsEx.
    pub can_reconnect: bool,
    /// Handshake kind: `simple`, `digest`.
    pub handshake: Option<String>,
}

/// The limits in force; 0 means off, or not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitFacts {
    /// Idle limit.
    pub idle_ms: u64,
    /// Path limit.
    pub path_ms: u64,
    /// Lag limit.
    pub lag_ms: u64,
    /// Limit for reaching the next stage before live.
    pub setup_ms: u64,
    /// The largest message allowed, bytes.
    pub message_bytes: u64,
}

impl Evidence {
    /// What is known of TLS, where the push came over it or was meant to.
    pub fn tls(&self) -> Option<&TlsFacts> {
        self.carrier.as_ref().and_then(CarrierFacts::tls)
    }

    /// Evidence of a push of which nothing is known yet but its transport.
    pub fn new(transport: Transport) -> Self {
        Self {
            version: EVIDENCE_VERSION,
            transport,
            stage: Stage::NoBytes,
            close: Close::Open,
            goodbye: None,
            act: None,
            fault: None,
            write_error: None,
            cut_message: None,
            media: MediaState::default(),
            silence: Silence::default(),
            tcp: None,
            behind_proxy: false,
            client: ClientFacts::default(),
            limits: LimitFacts::default(),
            timeline: Timeline::default(),
            events: Vec::new(),
            black_box: BlackBox::default(),
            lived_ms: 0,
            carrier: None,
            quality: None,
        }
    }
}
