//! What cannot be told from the server's side, and which datum would tell: for every cause that more than one thing can
//! lie behind.

use crate::detail::{Detail, DetailKey};
use crate::evidence::{Evidence, Probe};
use crate::table::Cause;

pub(super) fn of(e: &Evidence, cause: Cause, detail: Option<&Detail>) -> Vec<Detail> {
    use DetailKey as D;
    let key = match cause {
        Cause::DeleteStream | Cause::CloseStream | Cause::TransportGoodbye => D::UntoldPersonOrScript,
        Cause::EndOfFile => D::UntoldCloser,
        Cause::Reset => D::UntoldResetSender,
        Cause::UplinkCollapsed => D::UntoldStopInCongestion,
        Cause::PathLost if detail.is_some_and(|detail| detail.key == D::NatLost) => D::UntoldRouter,
        Cause::PathLost | Cause::Unreachable | Cause::SendFailed | Cause::TransportLost => {
            D::UntoldWherePathBroke
        }
        Cause::NeverSentMedia | Cause::MediaStopped if e.silence.probe == Probe::Answered => D::UntoldSource,
        Cause::NeverSentMedia | Cause::MediaStopped => D::UntoldFrozenOrSource,
        Cause::PipelineFailed if detail.is_some_and(|detail| detail.key == D::OwnWindowClosed) => {
            D::UntoldOwnLoad
        }
        Cause::NodeDied => D::UntoldNodeEnd,
        Cause::TakenOver | Cause::TakenOverEmpty => D::UntoldSameEncoder,
        Cause::ProtocolBroken | Cause::AmfBroken | Cause::MediaBroken => D::UntoldWhoBroke,
        Cause::LeftBeforeFirstByte
        | Cause::LeftInRtmpHandshake
        | Cause::LeftBeforeConnect
        | Cause::LeftAfterConnect
        | Cause::LeftBeforePublish
        | Cause::LeftInTlsHandshake
        | Cause::LeftInSrtHandshake
        | Cause::LeftInWebrtcSetup => D::UntoldWhoLeft,
        _ => return Vec::new(),
    };
    vec![key.into()]
}
