//! The detail keys: under which causes each appears, and its parameters with their units.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::unit::Unit;
use crate::table::Cause;

/// The causes under which a key appears: a list, or `any`.
macro_rules! causes_of {
    (any) => {
        &Cause::ALL
    };
    ([$($cause:ident),+]) => {
        &[$(Cause::$cause),+]
    };
}

/// The sentence on a key's parameters in its documentation.
macro_rules! params_doc {
    () => {
        "\nNo parameters."
    };
    ($($param:ident: $unit:ident),+) => {
        concat!("\nParameters:", $(" `", stringify!($param), "` ([`Unit::", stringify!($unit), "`])",)+ ".")
    };
}

/// Makes [`DetailKey`] and what is known of each key from its row.
macro_rules! detail_keys {
    ($($(#[doc = $doc:literal])+ $variant:ident = $key:literal under $causes:tt with [$($param:ident: $unit:ident),*];)+) => {
        /// A stable key of a finer finding. Its text in records and in JSON is [`DetailKey::as_str`].
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DetailKey {
            $(
                $(#[doc = $doc])+
                #[doc = params_doc!($($param: $unit),*)]
                $variant,
            )+
            /// A key that this version does not know: written by a newer one.
            Other(String),
        }

        impl DetailKey {
            /// Every key this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable key, snake case.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $key,)+
                    Self::Other(key) => key,
                }
            }

            /// The causes under which the key appears; empty for an unknown key.
            pub fn causes(&self) -> &'static [Cause] {
                match self {
                    $(Self::$variant => causes_of!($causes),)+
                    Self::Other(_) => &[],
                }
            }

            /// The key's parameters and their units. Each may be missing.
            pub fn params(&self) -> &'static [(&'static str, Unit)] {
                match self {
                    $(Self::$variant => &[$((stringify!($param), Unit::$unit)),*],)+
                    Self::Other(_) => &[],
                }
            }
        }

        impl From<Cow<'_, str>> for DetailKey {
            fn from(key: Cow<'_, str>) -> Self {
                match key.as_ref() {
                    $($key => Self::$variant,)+
                    _ => Self::Other(key.into_owned()),
                }
            }
        }
    };
}

detail_keys! {
    // How the client closed.

    /// The connection ended between two messages: the program had time to finish what it was sending.
    AtMessageBoundary = "at_message_boundary" under [EndOfFile, Reset, UplinkCollapsed] with [];
    /// The connection ended inside a message: the program was cut off while sending. `have` and `want` are bytes.
    MidMessage = "mid_message" under [EndOfFile, Reset, UplinkCollapsed]
        with [have: Count, want: Bytes, message_type: MessageType];
    /// The reset came after silence in which our probe had been acknowledged: a frozen program was ended.
    KilledWhileFrozen = "killed_while_frozen" under [Reset] with [silence_ms: Millis, probe_ms: Millis];
    /// `FCUnpublish`, and then the socket closed.
    FcUnpublishClosed = "fc_unpublish_closed" under [CloseStream] with [];
    /// `FCUnpublish`, and no `deleteStream` within the time given for it.
    FcUnpublishAlone = "fc_unpublish_alone" under [CloseStream] with [waited_ms: Millis];
    /// After `FCUnpublish` another name was published on the same connection.
    Republished = "republished" under [CloseStream] with [stream: Text];
    /// The SRT peer sent SHUTDOWN.
    SrtShutdown = "srt_shutdown" under [TransportGoodbye] with [];
    /// The WHIP client sent DELETE or closed DTLS.
    WhipDelete = "whip_delete" under [TransportGoodbye] with [];

    // The path between encoder and server.

    /// A reset answered our probe after silence: a NAT or router on the way has forgotten the connection.
    NatLost = "nat_lost" under [PathLost] with [silence_ms: Millis];
    /// Our own bytes stayed unacknowledged until TCP gave up.
    PathLost = "path_lost" under [PathLost]
        with [silence_ms: Millis, unacked_ms: Millis, unacked_bytes: Bytes, retransmits: Count];
    /// The encoder's packets still arrived, as retransmissions, but ours no longer reached it.
    PathOneWay = "path_one_way" under [PathLost] with [unacked_ms: Millis, segments: Count];
    /// A router or host on the way reported that the encoder cannot be reached.
    IcmpUnreachable = "icmp_unreachable" under [Unreachable] with [errno: Errno];
    /// A write failed, and the receive side had nothing to say about it.
    SendFailed = "send_failed" under [SendFailed] with [errno: Errno];
    /// The uplink collapsed: the push fell behind real time and the network shows why. As a detail of 15/0, and as a
    /// finding elsewhere.
    Collapse = "collapse" under any
        with [drift_ms: Millis, window_ms: Millis, rcv_rtt_ms: Millis, baseline_ms: Millis, trickle_percent: Count, segments: Count, video_gone_ms: Millis];
    /// How far behind real time the push was when it was cut.
    LagLimit = "lag_limit" under [LagLimit] with [lag_ms: Millis, limit_ms: Millis];
    /// A TLS record could not be authenticated or read.
    TlsBroken = "tls_broken" under [TransportLost] with [reason: Sentence];
    /// The SRT peer was silent for its time limit.
    PeerTimeout = "peer_timeout" under [TransportLost] with [silence_ms: Millis];
    /// ICE consent was no longer renewed, or DTLS was lost.
    ConsentLost = "consent_lost" under [TransportLost] with [silence_ms: Millis];
    /// The peer's host reported that nobody listens on its UDP port any more.
    PeerPortClosed = "peer_port_closed" under [Reset, TransportLost] with [];

    // Silence and limits of media.

    /// No media, but the program answered our ping: its encoder has stalled.
    EncoderStalled = "encoder_stalled" under [NeverSentMedia, MediaStopped] with [silence_ms: Millis, limit_ms: Millis];
    /// No media; the host acknowledged our ping, but the program, which had answered before, did not.
    EncoderFrozen = "encoder_frozen" under [NeverSentMedia, MediaStopped] with [silence_ms: Millis, limit_ms: Millis];
    /// No media; the host acknowledged our ping. The program has never answered one, so its state is not known.
    HostAlive = "host_alive" under [NeverSentMedia, MediaStopped] with [silence_ms: Millis, limit_ms: Millis];
    /// Bytes still arrived, but no audio or video in them.
    DataWithoutMedia = "data_without_media" under [NeverSentMedia, MediaStopped] with [silence_ms: Millis, limit_ms: Millis];
    /// The limit for being played that passed.
    UnplayedFor = "unplayed_for" under [Unplayed] with [limit_ms: Millis];
    /// The frame rate that was measured, frames a second.
    FrameRate = "frame_rate" under [FrameRateLimit] with [fps: Rate, limit: Rate, window_ms: Millis];

    // Before a push was live.

    /// The limit for reaching the next stage passed: the server closed the connection.
    SetupLimit = "setup_limit" under [LeftBeforeFirstByte, LeftInRtmpHandshake, LeftBeforeConnect, LeftAfterConnect,
        LeftBeforePublish, LeftInTlsHandshake, LeftInSrtHandshake, LeftInWebrtcSetup, LeftInAuthHook]
        with [limit_ms: Millis];
    /// The client left on its own, or its connection failed.
    SetupClosed = "setup_closed" under [LeftBeforeFirstByte, LeftInRtmpHandshake, LeftBeforeConnect, LeftAfterConnect,
        LeftBeforePublish, LeftInTlsHandshake, LeftInSrtHandshake, LeftInWebrtcSetup, LeftInAuthHook]
        with [close: Word, after_ms: Millis];
    /// WebRTC: no check of a path has reached this server.
    WebrtcNoPath = "webrtc_no_path" under [LeftInWebrtcSetup] with [limit_ms: Millis];
    /// WebRTC: a path was found, and DTLS was not finished on it.
    WebrtcNoDtls = "webrtc_no_dtls" under [LeftInWebrtcSetup] with [after_ms: Millis, checks: Count];
    /// WebRTC: the offer could not be answered.
    WebrtcOffer = "webrtc_offer" under [LeftInWebrtcSetup] with [found: Sentence];

    /// The client left once it had seen the server's certificate, and gave no reason.
    TlsLeft = "tls_left" under [LeftInTlsHandshake] with [close: Word, after_ms: Millis];
    /// The TLS handshake failed: an alert of the client's, or bytes that nobody can agree to. `version` where the server
    /// had answered already.
    TlsHandshakeFailed = "tls_handshake_failed" under [LeftInTlsHandshake] with [reason: Sentence, version: Text];
    /// The port expects TLS, and the first bytes are plain RTMP.
    PlainOnTls = "plain_on_tls" under [LeftInTlsHandshake] with [];

    // What the client sent.

    /// A protocol or media rule was broken: `rule` is its stable name, `found` what was seen, in English.
    Rule = "rule" under [ProtocolBroken, MessageTooLarge, MediaBroken, AmfBroken, LeftInSrtHandshake]
        with [rule: Text, class: Word, offset: Offset, message_type: MessageType, length: Bytes, chunk_stream: Count, path: Text, found: Sentence];
    /// The port expects plain RTMP, and the first bytes are TLS.
    TlsOnPlain = "tls_on_plain" under [ProtocolBroken] with [];
    /// A message was larger than allowed.
    MessageLimit = "message_limit" under [MessageTooLarge]
        with [size: Bytes, limit: Bytes, message_type: MessageType, offset: Offset];
    /// The messages that had arrived in part filled the memory that all pushes share for them.
    MessageBudget = "message_budget" under [MessageTooLarge] with [size: Bytes, limit: Bytes];
    /// An AMF value began with a marker that is illegal there.
    AmfMarker = "amf_marker" under [AmfBroken] with [marker: Marker, offset: Offset, path: Text, rule: Text];
    /// A second publish beside a live one on the same connection.
    SecondPublish = "second_publish" under [ProtocolBroken] with [live: Text];

    // This server.

    /// The task panicked; `reason` is the panic's text.
    TaskPanic = "task_panic" under [TaskFailed] with [reason: Sentence];
    /// The push was given up without an end.
    DroppedUnclosed = "dropped_unclosed" under [TaskFailed] with [];
    /// We offered no room to receive: the server read too slowly. As a detail of 24/0, and as a finding elsewhere.
    OwnWindowClosed = "own_window_closed" under any with [before_ms: Millis, closed_ms: Millis];
    /// A part of the live pipeline failed: `hub`, `muxer`, `relay`.
    PipelinePart = "pipeline_part" under [PipelineFailed] with [part: Word, reason: Sentence];
    /// The journal still showed the push open at the next start.
    RecoveredAtStart = "recovered_at_start" under [NodeStopped, NodeDied] with [last_seen: Time, recovered_at: Time];
    /// The server that the push was passed on to ordered the stop.
    UpstreamOrder = "upstream_order" under [ProxyToldToStop] with [address: Text, said: Sentence];
    /// The server that the push was to be passed on to refused it; `said` is its answer, `step` how far it had come.
    UpstreamRefused = "upstream_refused" under [ProxyToldToStop] with [address: Text, said: Sentence, step: Word];
    /// The server that the push was passed on to ended the connection without a word; `silence_ms` is how long the push
    /// had brought it no media by then, where that was long: servers give up a publisher that is silent.
    UpstreamClosed = "upstream_closed" under [ProxyToldToStop]
        with [address: Text, close: Word, step: Word, silence_ms: Millis];
    /// The server that the push was to be passed on to could not be reached.
    UpstreamUnreachable = "upstream_unreachable" under [ProxyToldToStop] with [address: Text, reason: Sentence];
    /// The server that the push was passed on to answered nothing, or took nothing, for too long.
    UpstreamSilent = "upstream_silent" under [ProxyToldToStop] with [address: Text, step: Word, limit_ms: Millis];
    /// What the server that the push was passed on to sent is no RTMP.
    UpstreamBroken = "upstream_broken" under [ProxyToldToStop] with [address: Text, reason: Sentence];
    /// An operator drains this node, or has drained it.
    Drain = "drain" under [NodeStopped, ProxyToldToStop, Overload] with [];
    /// Why the catalog was not available.
    CatalogError = "catalog_error" under [CatalogUnavailable] with [reason: Sentence];
    /// What was wrong with the stream registry.
    RegistryError = "registry_error" under [RegistryUnreachable, RegistryConflict] with [reason: Sentence, waited_ms: Millis];
    /// The disk of the journal was full.
    DiskFull = "disk_full" under [JournalUnwritable] with [];
    /// The journal failed; `reason` is the store's text.
    StoreError = "store_error" under [JournalUnwritable] with [reason: Sentence];
    /// The journal did not answer in time.
    JournalSlow = "journal_slow" under [JournalUnwritable] with [limit_ms: Millis];
    /// What was above its limit: `connections`, `pushes`, `memory`, `files`, `cpu`, `rate`.
    OverloadOf = "overload_of" under [Overload] with [of: Word, have: Count, limit: Count];
    /// How ownership of the stream was lost.
    LeaseLost = "lease_lost" under [OwnershipLost] with [reason: Sentence];

    // Refusals of admission: keys and parameters as `model::Refusal` gives them.

    /// The account that the domain names as its owner.
    AccountUnknown = "account_unknown" under [AccountUnknown] with [account: Text, domain: Text];
    /// The account that is stopped.
    AccountStopped = "account_stopped" under [AccountStopped] with [account: Text];
    /// The account that is in arrears.
    AccountOverdue = "account_overdue" under [AccountOverdue] with [account: Text];
    /// The account that is force-stopped.
    AccountForceStopped = "account_force_stopped" under [AccountForceStopped] with [account: Text];
    /// The address that the push URL names.
    AddressInUrl = "ip_in_url" under [PushByIp] with [ip: Text];
    /// The domain that is not in the catalog.
    DomainUnknown = "domain_unknown" under [DomainUnknown] with [domain: Text];
    /// The domain is for playing; pushes to it are refused.
    DomainForPlaying = "domain_for_playing" under [DomainUnknown] with [domain: Text];
    /// What stood in the place of a domain name.
    DomainInvalid = "domain_invalid" under [DomainInvalid] with [domain: Text];
    /// The push URL names no domain.
    DomainMissing = "domain_missing" under [DomainInvalid] with [];
    /// The domain that is disabled.
    DomainDisabled = "domain_disabled" under [DomainDisabled] with [domain: Text];
    /// The app that is disabled.
    AppDisabled = "app_disabled" under [AppDisabled] with [domain: Text, app: Text];
    /// Since when and until when the stream is forbidden, by whom, and why.
    ForbiddenUntil = "forbidden" under [StreamForbidden, Forbidden]
        with [since: Time, until: Time, who: Text, reason: Sentence];
    /// The channel that does not exist.
    ChannelMissing = "channel_missing" under [ChannelMissing] with [stream: Text];
    /// The channel that is stopped.
    ChannelStopped = "channel_stopped" under [ChannelStopped] with [stream: Text];
    /// What is wrong with the stream name: `empty`, `too_long`, `character`, `dot_segment`.
    StreamNameIllegal = "stream_name_illegal" under [StreamNameIllegal]
        with [fault: Word, bytes: Bytes, found: Text, position: Position];
    /// What is wrong with the app: `empty`, `too_long`, `character`, `dot_segment`.
    AppNameIllegal = "app_name_illegal" under [AppNameIllegal]
        with [fault: Word, bytes: Bytes, found: Text, position: Position];
    /// The address, and the entry of the blocklist that covers it.
    IpBlocked = "ip_blocked" under [IpBlocked] with [ip: Text, network: Text];
    /// The address, and how many entries the allowlist has.
    IpNotListed = "ip_not_listed" under [IpNotAllowed] with [ip: Text, networks: Count];
    /// The push URL has no `txTime`.
    TimeMissing = "time_missing" under [ExpiryMissing] with [];
    /// The `txTime` that is not exactly 8 hexadecimal digits.
    TimeMalformed = "time_malformed" under [ExpiryMissing] with [found: Text];
    /// When the push URL expired. Where the push before it of the same stream had gone live with the URL still good:
    /// how long ago that one ended, and its code; or since when it is live, where it has not ended yet.
    ExpiredAt = "expired" under [Expired] with [at: Time, ended_ms: Millis, last_code: Text, live_since: Time];
    /// The push URL has no `txSecret`.
    SecretMissing = "secret_missing" under [SignatureMissing] with [];
    /// The domain asks for a signature but has no key.
    SecretWithoutKey = "secret_without_key" under [SignatureWrong] with [];
    /// The `txSecret` has the length of no hash; `length` in characters.
    SecretLength = "secret_length" under [SignatureWrong] with [length: Count];
    /// The `txSecret` is right but for its capital letters.
    SecretUpperCase = "secret_upper_case" under [SignatureWrong] with [];
    /// The signature was made over the app and the stream name.
    SecretForPath = "secret_for_path" under [SignatureWrong] with [];
    /// The signature was made over `txTime` in the other letter case.
    SecretForTimeCase = "secret_for_time_case" under [SignatureWrong] with [];
    /// The signature fits neither key.
    SecretMismatch = "secret_mismatch" under [SignatureWrong] with [];

    // Limits, other pushes of the stream, hook, and people.

    /// Which limit was reached: `account`, `domain`, `stream`, `node`.
    LimitOf = "limit_of" under [TooManyPushes, TooManyPushesOfStream] with [scope: Word, have: Count, limit: Count];
    /// The push that is live under this stream key, which the conflict rule keeps.
    AlreadyLive = "already_live" under [TooManyPushesOfStream] with [address: Text, push: Text, live_ms: Millis];
    /// Two sources keep taking the stream from each other; the one that is live stays.
    Duel = "duel" under [TooManyPushesOfStream] with [live: Text, refused: Text, push: Text, takeovers: Count, window_ms: Millis];
    /// The two priorities.
    PriorityBelow = "priority_below" under [PriorityLower] with [priority: Text, live_priority: Text, push: Text];
    /// The account, domain or app was turned off while the push was live.
    CutWhileLive = "cut_while_live" under [AccountStopped, AccountOverdue, AccountForceStopped, DomainDisabled, AppDisabled, IpBlocked]
        with [];
    /// The hook answered no: its HTTP status and its reason.
    HookStatus = "hook_status" under [HookRefused] with [status: Text, reason: Sentence];
    /// The hook did not answer in time.
    HookTimeout = "hook_timeout" under [HookRefused] with [limit_ms: Millis];
    /// The hook could not be reached, or its answer could not be read.
    HookUnreachable = "hook_unreachable" under [HookRefused] with [reason: Sentence];
    /// The push that took over.
    ReplacedBy = "replaced_by" under [TakenOver, TakenOverEmpty] with [address: Text, push: Text, silence_ms: Millis];
    /// Finding: this push had taken over from another one.
    ReplacedOf = "replaced_of" under any with [address: Text, push: Text];
    /// Who asked, and by which way: `console`, `api`, `css_api`, `signal`.
    OrderedBy = "ordered_by" under [NodeStopped, ProxyToldToStop, Dropped, Forbidden] with [who: Text, via: Word, reason: Sentence];
    /// Where a record was imported from.
    ImportedFrom = "imported_from" under [Imported] with [source: Text];
    /// Why the journal row could not be read.
    RowError = "row_error" under [RowUnreadable] with [reason: Sentence];
    /// What was seen of an end that no row explains.
    Unexplained = "unexplained" under [Unknown] with [close: Word, stage: Word, errno: Errno];

    // Findings: signs for or against a cause.

    /// A goodbye was received.
    GoodbyeReceived = "goodbye_received" under any with [command: Text];
    /// No goodbye was received.
    NoGoodbye = "no_goodbye" under any with [];
    /// What the socket said after the goodbye; it does not count.
    CloseAfterGoodbye = "close_after_goodbye" under any with [close: Word];
    /// Our own act came first; what the client did then is its reaction.
    OwnActFirst = "own_act_first" under any with [close: Word];
    /// How the receive side ended.
    SocketEnded = "socket_ended" under any with [close: Word, errno: Errno];
    /// How far the push had come.
    StageReached = "stage_reached" under any with [stage: Word];
    /// The last command that was received.
    LastCommand = "last_command" under any with [command: Text, before_ms: Millis];
    /// Media flowed until the end.
    MediaUntilEnd = "media_until_end" under any with [last_ms: Millis];
    /// No media had arrived for this long.
    NoMediaFor = "no_media_for" under any with [silence_ms: Millis];
    /// Not a byte had arrived for this long.
    SilenceBefore = "silence_before" under any with [silence_ms: Millis];
    /// There was no silence before the end.
    NoSilence = "no_silence" under any with [silence_ms: Millis];
    /// Our probe was sent and never acknowledged by the peer's TCP.
    ProbeUnacknowledged = "probe_unacknowledged" under any with [probe_ms: Millis, retransmits: Count];
    /// Our probe was acknowledged by the peer's TCP, not answered by the program.
    ProbeAcknowledged = "probe_acknowledged" under any with [probe_ms: Millis];
    /// Our probe was answered by the program.
    ProbeAnswered = "probe_answered" under any with [probe_ms: Millis];
    /// The client has never answered a ping, as some encoders never do: no answer says nothing of it.
    NeverAnsweredPing = "never_answered_ping" under any with [];
    /// The client is known for a habit that looks like a fault.
    ClientHabit = "client_habit" under any with [client: Text, habit: Word];
    /// The receive round-trip time rose far above its own baseline.
    RttRisen = "rtt_risen" under any with [rcv_rtt_ms: Millis, baseline_ms: Millis];
    /// The receive round-trip time stayed at its baseline.
    RttFlat = "rtt_flat" under any with [rcv_rtt_ms: Millis, baseline_ms: Millis];
    /// The push fell behind real time.
    DriftGrew = "drift_grew" under any with [drift_ms: Millis, window_ms: Millis];
    /// The push kept up with real time.
    DriftSteady = "drift_steady" under any with [drift_ms: Millis, window_ms: Millis];
    /// Segments arrived out of order, as behind lost packets.
    OutOfOrder = "out_of_order" under any with [segments: Count, window_ms: Millis];
    /// Video was gone while audio went on, as encoders drop it on a narrow uplink.
    VideoGone = "video_gone" under any with [video_gone_ms: Millis];
    /// The encoder fell behind real time while the network was calm: it is overloaded.
    EncoderSlow = "encoder_slow" under any with [fps: Rate, drift_ms: Millis, window_ms: Millis];
    /// A write of ours failed as well.
    WriteFailed = "write_failed" under any with [errno: Errno];
    /// The path had been suspect before, and the push had resumed.
    PathSuspectBefore = "path_suspect_before" under any with [times: Count];
    /// TLS ended with its closing message: the program closed the connection itself.
    CloseNotify = "close_notify" under any with [];
    /// TLS ended without its closing message.
    NoCloseNotify = "no_close_notify" under any with [];
    /// The rule that was broken is one that nothing else explains: the bytes themselves are the proof.
    BytesProve = "bytes_prove" under any with [offset: Offset];

    // Findings: what else happened, whatever the cause.

    /// Events of one type happened while the push was live.
    EventsSeen = "events_seen" under any with [event: Event, times: Count, last_ms: Millis];
    /// The push was far behind real time when it ended.
    BehindAtEnd = "behind_at_end" under any with [lag_ms: Millis];

    // Findings: what cannot be told from here, and which datum would tell.

    /// A person, or a script, a schedule, the end of a file.
    UntoldPersonOrScript = "untold_person_or_script" under any with [];
    /// The program, or a device that closes connections in its name.
    UntoldCloser = "untold_closer" under any with [];
    /// A crash on Windows, a kill, or a device on the way.
    UntoldResetSender = "untold_reset_sender" under any with [];
    /// A person, a kill, or the network during a congestion.
    UntoldStopInCongestion = "untold_stop_in_congestion" under any with [];
    /// A frozen program, or a source that gives nothing.
    UntoldFrozenOrSource = "untold_frozen_or_source" under any with [];
    /// Why the encoder, which is alive, sends no media.
    UntoldSource = "untold_source" under any with [];
    /// The encoder's machine, its link, or a network on the way.
    UntoldWherePathBroke = "untold_where_path_broke" under any with [];
    /// Why the router forgot the connection.
    UntoldRouter = "untold_router" under any with [];
    /// Why this server did not read.
    UntoldOwnLoad = "untold_own_load" under any with [];
    /// What ended this node.
    UntoldNodeEnd = "untold_node_end" under any with [];
    /// An encoder that gave up, or a check or scan.
    UntoldWhoLeft = "untold_who_left" under any with [];
    /// The same encoder come back, or another one.
    UntoldSameEncoder = "untold_same_encoder" under any with [];
    /// The encoder, or a device that altered its bytes.
    UntoldWhoBroke = "untold_who_broke" under any with [];

    // Health: what was measured, whatever the cause.

    /// It was live for too short a time to be graded.
    HealthTooShort = "health_too_short" under any with [live_ms: Millis, needed_ms: Millis];
    /// What was sent.
    HealthCodecs = "health_codecs" under any with [video: Text, audio: Text];
    /// As `health_codecs`, and many players do not play it.
    HealthUncommonCodec = "health_uncommon_codec" under any with [video: Text, audio: Text];
    /// No picture came.
    HealthNoVideo = "health_no_video" under any with [audio: Text];
    /// No sound came.
    HealthNoAudio = "health_no_audio" under any with [video: Text];
    /// The bitrate, and what the encoder promised.
    HealthBitrate = "health_bitrate" under any with [kbps: Count, expected_kbps: Count];
    /// The lowest five seconds, and the usual bitrate.
    HealthSteadiness = "health_steadiness" under any with [least_kbps: Count, usual_kbps: Count];
    /// The frame rate as it arrived, and what the encoder or the timestamps promised.
    HealthFrameRate = "health_frame_rate" under any with [fps: Rate, expected_fps: Rate];
    /// How far key frames were apart.
    HealthKeyFrames = "health_key_frames" under any with [mean_ms: Millis, shortest_ms: Millis, longest_ms: Millis];
    /// One key frame came, and no other.
    HealthOneKeyFrame = "health_one_key_frame" under any with [live_ms: Millis];
    /// How far sound and picture were apart at most, and how far that changed from the first second to the last.
    HealthOffset = "health_offset" under any with [widest_ms: Millis, drift_ms: Millis];
    /// The furthest behind real time.
    HealthLag = "health_lag" under any with [worst_ms: Millis];
    /// Timestamps that jumped or went back.
    HealthTimestamps = "health_timestamps" under any with [times: Count];
    /// Times without sound or picture.
    HealthGaps = "health_gaps" under any with [times: Count];
    /// Media that could not be parsed.
    HealthBroken = "health_broken" under any with [times: Count];
    /// The round-trip time, and the share of packets lost (over TCP: that came out of order).
    HealthPath = "health_path" under any with [rtt_ms: Millis, lost_percent: Rate];

    // Findings: what makes the signs themselves weaker.

    /// A person who stops, or a kill, during congestion looks the same from the server.
    StopLooksSame = "stop_looks_same" under any with [];
    /// The encoder and a device on the way send the same reset.
    ResetSenderUnknown = "reset_sender_unknown" under any with [];
    /// The address is a load balancer's: TCP facts describe the way to it, not to the encoder.
    BehindProxy = "behind_proxy" under any with [];
    /// No TCP facts could be read.
    NoTcpFacts = "no_tcp_facts" under any with [];
}

impl From<String> for DetailKey {
    fn from(key: String) -> Self {
        Cow::<str>::Owned(key).into()
    }
}

impl From<&str> for DetailKey {
    fn from(key: &str) -> Self {
        Cow::Borrowed(key).into()
    }
}

impl fmt::Display for DetailKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for DetailKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DetailKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer).map(Self::from)
    }
}
