//! From evidence to cause, detail and findings. Pure: the same evidence gives the same verdict, now and in a year.
//!
//! The rules in their order; the first that holds decides:
//!
//! 1. **No end was seen**: the journal row cannot be read (36/0), the push's task failed (5/0), the node died (11/0, but
//!    9/0 where the run's row says that it was stopping).
//! 2. **Our own act** (policy, operator, server) gives its own code. It wins over whatever the client did then: the
//!    driver keeps an act only if it came first.
//! 3. **A goodbye** (1/0, 2/0, 35/0) wins over whatever the socket said afterwards. It counts from the moment a publish
//!    was received; before that there was no stream to say goodbye to, and rule 5 names the stage. A goodbye while the
//!    authentication hook was deciding is 32/0, the row made for that.
//! 4. **A broken rule** (6/0, 7/0, 33/0, 23/0) ended the push; in the handshake of a transport below RTMP, rule 5 names
//!    the stage.
//! 5. **Before live** the stage decides (22, 25-32), however the connection ended. While admission or the journal was
//!    deciding the row is 28/0: the last step that the client had completed is createStream.
//! 6. **Live**: how the connection ended, read together with the silence before it, our probe, our own window and the
//!    timeline:
//!    - TCP gave up on our bytes, or a probe is still unacknowledged and retransmitting when the idle limit passes: 12/0
//!    - an ICMP report that the client cannot be reached: 13/0
//!    - our own window was closed at the end or in the 2 s before: 24/0
//!    - the idle limit passed: 8/0 without any media, else 20/0
//!    - reset while our probe was unacknowledged, and had had the time to be answered, and no collapse before it: 12/0
//!      `nat_lost`
//!    - reset or end of file right after the uplink had collapsed: 15/0
//!    - end of file: 3/0; reset: 4/0, `killed_while_frozen` where our probe had been acknowledged in the silence before
//!    - a write failed, and the receive side shows nothing: 14/0
//!    - the secured or datagram transport was lost: 17/0
//!    - our own host took the socket away or had no memory for it: 5/0
//!    - anything else: 0/0, with what was seen

mod before_live;
mod collapse;
mod ending;
mod factors;
mod findings;
mod live;
mod untold;
mod window;

use serde::{Deserialize, Serialize};

use crate::detail::{Detail, DetailKey};
use crate::evidence::{Close, Evidence, FaultKind, Goodbye, ProtocolFault, Stage};
use crate::table::Cause;
use crate::timeline::Sample;

use collapse::Uplink;
use ending::Ending;
use window::OwnWindow;

/// The version of the rules. Each record keeps the version that judged it; stored evidence can be judged again.
pub const VERDICT_VERSION: u16 = 2;

/// How long after `FCUnpublish` a `deleteStream` is waited for, ms.
const FC_UNPUBLISH_WAIT_MS: u64 = 2000;
/// Silence shorter than this is none: a frame comes at least as often.
const NO_SILENCE_MS: u64 = 1500;

/// Why a push ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The row of the table.
    pub cause: Cause,
    /// The finer finding under it.
    pub detail: Option<Detail>,
    /// What speaks for the cause, and for others that were considered; the cause's own finding comes first, and no
    /// other is surer.
    pub findings: Vec<Finding>,
    /// What else happened that may have led to the end, or troubled the push, the gravest first.
    pub factors: Vec<Detail>,
    /// What cannot be told from the server's side, each with the datum that would tell.
    pub untold: Vec<Detail>,
}

/// A cause that the evidence speaks for, with the signs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The cause spoken for.
    pub cause: Cause,
    /// How sure.
    pub confidence: Confidence,
    /// What speaks for it.
    pub signs_for: Vec<Detail>,
    /// What speaks against it, or cannot be told from the server's side.
    pub signs_against: Vec<Detail>,
}

/// How sure a finding is, the surest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Not excluded.
    Possible,
    /// One signal, or several with something against them.
    Likely,
    /// Two independent signals and nothing against them.
    Strong,
    /// Seen itself: a goodbye, an act of our own, a broken rule, a stage.
    Certain,
}

/// What the rules read out of the evidence, worked out once.
struct Seen {
    ending: Ending,
    /// The fine part of the timeline.
    seconds: Vec<Sample>,
    /// Nothing where no bytes arrived within the fine part.
    uplink: Option<Uplink>,
    /// Nothing where our window was open all the while.
    own_window: Option<OwnWindow>,
}

impl Seen {
    fn of(e: &Evidence) -> Self {
        let seconds: Vec<_> = e.timeline.seconds().collect();
        Self {
            ending: Ending::of(e),
            uplink: Uplink::of(&seconds),
            own_window: OwnWindow::last_closed(e, &seconds),
            seconds,
        }
    }
}

/// What a rule decides.
struct Ruling {
    cause: Cause,
    detail: Option<Detail>,
}

impl Ruling {
    fn new(cause: Cause) -> Self {
        Self { cause, detail: None }
    }

    fn with(cause: Cause, detail: Detail) -> Self {
        Self { cause, detail: Some(detail) }
    }
}

/// Judges how one push ended. The rules stand in the [module's](self) documentation.
pub fn verdict(evidence: &Evidence) -> Verdict {
    let seen = Seen::of(evidence);
    let Ruling { cause, detail } = no_end_seen(evidence)
        .or_else(|| own_act(evidence))
        .or_else(|| goodbye(evidence))
        .or_else(|| broken_rule(evidence))
        .or_else(|| before_live::left(evidence))
        .unwrap_or_else(|| live::ended(evidence, &seen));
    let findings = findings::of(evidence, &seen, cause);
    let factors = factors::of(evidence, &seen, cause);
    let untold = untold::of(evidence, cause, detail.as_ref());
    Verdict { cause, detail, findings, factors, untold }
}

/// Rule 1.
fn no_end_seen(e: &Evidence) -> Option<Ruling> {
    match e.close {
        Close::Unreadable => Some(Ruling::new(Cause::RowUnreadable)),
        Close::TaskFailed => {
            Some(Ruling { cause: Cause::TaskFailed, detail: act_detail(e, Cause::TaskFailed) })
        }
        Close::NodeDied if e.act.as_ref().is_none_or(|act| act.code != Cause::NodeStopped.code()) => {
            Some(Ruling { cause: Cause::NodeDied, detail: act_detail(e, Cause::NodeDied) })
        }
        _ => None,
    }
}

/// The detail that came with an act of that cause, such as a panic's text.
fn act_detail(e: &Evidence, cause: Cause) -> Option<Detail> {
    e.act.as_ref().filter(|act| act.code == cause.code()).and_then(|act| act.detail.clone())
}

/// Rule 2.
fn own_act(e: &Evidence) -> Option<Ruling> {
    let act = e.act.as_ref()?;
    Some(match Cause::from_code(act.code) {
        Some(cause) => Ruling { cause, detail: act.detail.clone().map(|detail| with_silence(e, detail)) },
        None => unexplained(e),
    })
}

/// A server that is given nothing to pass on closes without a word, as one that fails does: what the push brought tells
/// them apart.
fn with_silence(e: &Evidence, detail: Detail) -> Detail {
    let silent = e.media.last_ms_ago.filter(|ms| *ms >= NO_SILENCE_MS && e.stage == Stage::Live);
    match silent {
        Some(ms) if detail.key == DetailKey::UpstreamClosed => detail.with("silence_ms", ms),
        _ => detail,
    }
}

/// Rule 3.
fn goodbye(e: &Evidence) -> Option<Ruling> {
    let goodbye = e.goodbye.filter(|_| goodbye_counts(e))?;
    Some(match goodbye {
        Goodbye::DeleteStream => Ruling::new(Cause::DeleteStream),
        Goodbye::CloseStream => Ruling::new(Cause::CloseStream),
        Goodbye::FcUnpublishClosed => {
            Ruling::with(Cause::CloseStream, Detail::new(DetailKey::FcUnpublishClosed))
        }
        Goodbye::FcUnpublishAlone => Ruling::with(
            Cause::CloseStream,
            Detail::new(DetailKey::FcUnpublishAlone).with("waited_ms", FC_UNPUBLISH_WAIT_MS),
        ),
        Goodbye::Republished => Ruling::with(Cause::CloseStream, Detail::new(DetailKey::Republished)),
        Goodbye::SrtShutdown => Ruling::with(Cause::TransportGoodbye, Detail::new(DetailKey::SrtShutdown)),
        Goodbye::WhipDelete => Ruling::with(Cause::TransportGoodbye, Detail::new(DetailKey::WhipDelete)),
    })
}

/// Whether there was a publish to say goodbye to, and no row of its own for leaving just then.
fn goodbye_counts(e: &Evidence) -> bool {
    matches!(e.stage, Stage::Admission | Stage::Live)
}

/// Rule 4.
fn broken_rule(e: &Evidence) -> Option<Ruling> {
    let fault = e.fault.as_ref()?;
    match fault.kind {
        FaultKind::Protocol if below_rtmp(e.stage) => None,
        FaultKind::Protocol => Some(Ruling::with(Cause::ProtocolBroken, rule_detail(fault))),
        FaultKind::MessageTooLarge => Some(Ruling::with(Cause::MessageTooLarge, size_detail(e, fault))),
        FaultKind::CommandAmf => Some(Ruling::with(Cause::AmfBroken, amf_detail(fault))),
        FaultKind::Media => Some(Ruling::with(Cause::MediaBroken, rule_detail(fault))),
    }
}

fn below_rtmp(stage: Stage) -> bool {
    matches!(stage, Stage::TlsHandshake | Stage::SrtHandshake | Stage::WebrtcSetup)
}

/// The rule of a fault that is no broken RTMP but TLS on a plain port.
pub const TLS_ON_PLAIN: &str = "tls_on_plain";

fn rule_detail(fault: &ProtocolFault) -> Detail {
    if fault.rule == TLS_ON_PLAIN {
        return DetailKey::TlsOnPlain.into();
    }
    Detail::new(DetailKey::Rule)
        .with("rule", fault.rule.as_str())
        .with("class", fault.class.as_str())
        .with("offset", fault.offset)
        .with_some("chunk_stream", fault.chunk_stream)
        .with_some("message_type", fault.message_type)
        .with_some("length", fault.length)
        .with_some("path", (!fault.path.is_empty()).then_some(fault.path.as_str()))
        .with("found", fault.found.as_str())
}

fn size_detail(e: &Evidence, fault: &ProtocolFault) -> Detail {
    let Some(size) = fault.length else { return rule_detail(fault) };
    let limit = e.limits.message_bytes;
    Detail::new(DetailKey::MessageLimit)
        .with("size", size)
        .with_some("limit", (limit > 0).then_some(limit))
        .with_some("message_type", fault.message_type)
        .with("offset", fault.offset)
}

fn amf_detail(fault: &ProtocolFault) -> Detail {
    let Some(marker) = fault.marker else { return rule_detail(fault) };
    Detail::new(DetailKey::AmfMarker)
        .with("marker", marker)
        .with("offset", fault.offset)
        .with_some("path", (!fault.path.is_empty()).then_some(fault.path.as_str()))
        .with("rule", fault.rule.as_str())
}

/// 0/0: what was seen of an end that no row explains.
fn unexplained(e: &Evidence) -> Ruling {
    let errno = e.close.errno().or(e.write_error);
    let detail = Detail::new(DetailKey::Unexplained)
        .with("close", e.close.as_str())
        .with("stage", e.stage.as_str())
        .with_some("errno", errno.map(|errno| errno.0));
    Ruling::with(Cause::Unknown, detail)
}

#[cfg(test)]
mod tests;
