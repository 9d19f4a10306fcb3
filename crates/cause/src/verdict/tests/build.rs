//! Small builders of evidence.

use crate::Cause;
use crate::evidence::{
    Act, Close, CutMessage, Errno, Evidence, FaultClass, FaultKind, Goodbye, MediaState, Probe,
    ProtocolFault, Silence, Stage, TcpFacts, Transport,
};
use crate::timeline::Sample;
use crate::verdict::{Verdict, verdict};

/// One second of a healthy push of 1.5 Mbit/s.
pub(super) fn healthy(at_s: u32) -> Sample {
    Sample {
        at_s,
        span_s: 1,
        bytes: 190_000,
        video: 30,
        audio: 43,
        keys: u32::from(at_s.is_multiple_of(2)),
        lag_ms: 40,
        rcv_rtt_us: 50_000,
        ..Sample::default()
    }
}

/// A push that has been live for a minute over a healthy path, whose connection then ended so.
pub(super) fn live(close: Close) -> Evidence {
    let mut e = Evidence::new(Transport::Rtmp);
    e.stage = Stage::Live;
    e.close = close;
    e.lived_ms = 61_000;
    e.limits.idle_ms = 70_000;
    e.limits.path_ms = 20_000;
    e.media = MediaState {
        messages: 4380,
        video_frames: 1800,
        audio_frames: 2580,
        last_ms_ago: Some(12),
        last_video_ms_ago: Some(30),
        live_ms: 60_000,
    };
    e.silence = Silence { ms: 12, probe: Probe::None, probe_ms_ago: 0 };
    e.tcp = Some(TcpFacts {
        state: 1,
        rtt_us: 45_000,
        rcv_rtt_us: 50_000,
        rcv_wnd: 65_535,
        bytes_received: 11_400_000,
        ..TcpFacts::default()
    });
    seconds(&mut e, 60, healthy);
    e
}

/// Adds `count` seconds to the timeline, made from their number.
pub(super) fn seconds(e: &mut Evidence, count: u32, make: impl Fn(u32) -> Sample) {
    let from = e.timeline.seconds().last().map_or(0, |s| s.at_s);
    for n in 1..=count {
        e.timeline.push(Sample { at_s: from + n, span_s: 1, ..make(n) });
    }
}

/// Adds silence to the end, with a probe after three seconds of it.
pub(super) fn silent(e: &mut Evidence, count: u32, probe: Probe) {
    let lag = e.timeline.seconds().last().map_or(0, |s| s.lag_ms);
    seconds(e, count, |n| Sample { lag_ms: lag + n as i32 * 1000, rcv_rtt_us: 50_000, ..Sample::default() });
    let ms = u64::from(count) * 1000;
    let probe_ms_ago = if probe == Probe::None { 0 } else { ms - 3000 };
    e.silence = Silence { ms: if probe == Probe::Answered { probe_ms_ago } else { ms }, probe, probe_ms_ago };
    e.media.last_ms_ago = Some(ms);
    e.media.last_video_ms_ago = Some(ms);
}

/// A push whose connection ended before it was live.
pub(super) fn early(stage: Stage, close: Close) -> Evidence {
    let mut e = Evidence::new(Transport::Rtmp);
    e.stage = stage;
    e.close = close;
    e.lived_ms = 1200;
    e.limits.setup_ms = 10_000;
    e
}

pub(super) fn fault(kind: FaultKind) -> ProtocolFault {
    ProtocolFault {
        kind,
        class: FaultClass::Invalid,
        rule: "chunk_type_3_on_fresh_stream".into(),
        offset: 3073,
        chunk_stream: Some(6),
        message_type: Some(9),
        length: None,
        marker: None,
        path: String::new(),
        found: "a type-3 chunk on chunk stream 6, which has carried nothing".into(),
    }
}

pub(super) fn act(cause: Cause) -> Option<Act> {
    Some(Act { code: cause.code(), detail: None })
}

pub(super) fn cut() -> Option<CutMessage> {
    Some(CutMessage { message_type: 9, have: 812, want: 20_113 })
}

/// Every way in which the receive side can end.
pub(super) const CLOSES: [Close; 13] = [
    Close::Open,
    Close::EndOfFile,
    Close::Reset,
    Close::TimedOut,
    Close::Unreachable(Errno::EHOSTUNREACH),
    Close::Failed(Errno::EPIPE),
    Close::Failed(Errno::ENOMEM),
    Close::Failed(Errno(71)),
    Close::IdleLimit,
    Close::SetupLimit,
    Close::TransportLost,
    Close::NodeDied,
    Close::TaskFailed,
];

pub(super) const STAGES: [Stage; 11] = [
    Stage::NoBytes,
    Stage::TlsHandshake,
    Stage::SrtHandshake,
    Stage::WebrtcSetup,
    Stage::RtmpHandshake,
    Stage::BeforeConnect,
    Stage::Connected,
    Stage::StreamCreated,
    Stage::AuthHook,
    Stage::Admission,
    Stage::Live,
];

pub(super) const GOODBYES: [Goodbye; 7] = [
    Goodbye::DeleteStream,
    Goodbye::CloseStream,
    Goodbye::FcUnpublishClosed,
    Goodbye::FcUnpublishAlone,
    Goodbye::Republished,
    Goodbye::SrtShutdown,
    Goodbye::WhipDelete,
];

pub(super) fn cause_of(e: &Evidence) -> Cause {
    verdict(e).cause
}

/// The key of the verdict's detail, or nothing.
pub(super) fn detail_of(v: &Verdict) -> &str {
    v.detail.as_ref().map_or("", |detail| detail.key.as_str())
}

/// Cause and detail key together.
pub(super) fn judged(e: &Evidence) -> (Cause, String) {
    let v = verdict(e);
    let detail = detail_of(&v).to_owned();
    (v.cause, detail)
}
