//! Stable words, as they stand in JSON and in details.

use super::{Close, Errno, FaultClass, Goodbye, Stage, Transport};

impl Transport {
    /// The record's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Rtmps => "rtmps",
            Self::Srt => "srt",
            Self::Whip => "whip",
        }
    }
}

impl Stage {
    /// The stable word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoBytes => "no_bytes",
            Self::TlsHandshake => "tls_handshake",
            Self::SrtHandshake => "srt_handshake",
            Self::WebrtcSetup => "webrtc_setup",
            Self::RtmpHandshake => "rtmp_handshake",
            Self::BeforeConnect => "before_connect",
            Self::Connected => "connected",
            Self::StreamCreated => "stream_created",
            Self::AuthHook => "auth_hook",
            Self::Admission => "admission",
            Self::Live => "live",
        }
    }
}

impl Close {
    /// The stable word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::EndOfFile => "end_of_file",
            Self::Reset => "reset",
            Self::TimedOut => "timed_out",
            Self::Unreachable(_) => "unreachable",
            Self::Failed(_) => "failed",
            Self::IdleLimit => "idle_limit",
            Self::SetupLimit => "setup_limit",
            Self::TransportLost => "transport_lost",
            Self::NodeDied => "node_died",
            Self::TaskFailed => "task_failed",
            Self::Unreadable => "unreadable",
        }
    }

    /// The errno in it, where there is one.
    pub fn errno(self) -> Option<Errno> {
        match self {
            Self::Unreachable(errno) | Self::Failed(errno) => Some(errno),
            _ => None,
        }
    }
}

impl Goodbye {
    /// The command or message on the wire that says it.
    pub fn command(self) -> &'static str {
        match self {
            Self::DeleteStream => "deleteStream",
            Self::CloseStream => "closeStream",
            Self::FcUnpublishClosed | Self::FcUnpublishAlone | Self::Republished => "FCUnpublish",
            Self::SrtShutdown => "SHUTDOWN",
            Self::WhipDelete => "DELETE",
        }
    }
}

impl FaultClass {
    /// The stable word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Misbehaved => "misbehaved",
            Self::Incompatible => "incompatible",
        }
    }
}
