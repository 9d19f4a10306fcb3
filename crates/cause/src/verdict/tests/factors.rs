//! What else happened, and what cannot be told.

use super::build::*;
use crate::Cause;
use crate::detail::DetailKey;
use crate::event::{EventCount, EventKind};
use crate::evidence::{Close, Evidence, FaultKind, Goodbye, Probe, Stage};
use crate::timeline::Sample;
use crate::verdict::verdict;

fn stopped() -> Evidence {
    let mut e = live(Close::EndOfFile);
    e.goodbye = Some(Goodbye::DeleteStream);
    e
}

fn factors(e: &Evidence) -> Vec<DetailKey> {
    verdict(e).factors.into_iter().map(|factor| factor.key).collect()
}

fn untold(e: &Evidence) -> Vec<DetailKey> {
    verdict(e).untold.into_iter().map(|note| note.key).collect()
}

#[test]
fn a_clean_stop_of_a_healthy_push_has_no_factors() {
    assert_eq!(factors(&stopped()), []);
}

#[test]
fn a_clean_stop_after_trouble_tells_the_trouble_the_gravest_first() {
    let mut e = stopped();
    seconds(&mut e, 12, |n| Sample {
        bytes: 40_000,
        video: 8,
        audio: 43,
        lag_ms: 40 + n as i32 * 600,
        rcv_rtt_us: 400_000,
        trickle_ms: 900,
        wnd_closed: n == 2,
        ..Sample::default()
    });
    for (kind, count) in [(EventKind::VideoGap, 2), (EventKind::VideoJump, 9)] {
        e.events.push(EventCount { kind: kind.number(), count, last_ms: 60_000, ..EventCount::default() });
    }
    let found = factors(&e);
    assert_eq!(found.first(), Some(&DetailKey::OwnWindowClosed));
    assert_eq!(found.get(1), Some(&DetailKey::DriftGrew));
    assert!(found.contains(&DetailKey::BehindAtEnd), "{found:?}");
    let v = verdict(&e);
    assert_eq!(v.cause, Cause::DeleteStream);
    let events: Vec<_> = v.factors.iter().filter(|f| f.key == DetailKey::EventsSeen).collect();
    assert_eq!((&events[0].params["event"], &events[0].params["times"]), (&3.into(), &9.into()));
}

#[test]
fn an_overloaded_encoder_is_a_factor_of_a_clean_stop() {
    let mut e = stopped();
    let slow = |n| Sample { video: 13, lag_ms: 40 + n as i32 * 550, ..healthy(n) };
    seconds(&mut e, 12, slow);
    assert!(factors(&e).contains(&DetailKey::EncoderSlow), "{:?}", factors(&e));
}

#[test]
fn what_lies_behind_an_end_is_said_to_be_untold_where_more_than_one_thing_can() {
    use DetailKey as D;
    assert_eq!(untold(&stopped()), [D::UntoldPersonOrScript]);
    assert_eq!(untold(&live(Close::EndOfFile)), [D::UntoldCloser]);
    assert_eq!(untold(&live(Close::Reset)), [D::UntoldResetSender]);
    assert_eq!(untold(&live(Close::TimedOut)), [D::UntoldWherePathBroke]);
    assert_eq!(untold(&live(Close::NodeDied)), [D::UntoldNodeEnd]);
    assert_eq!(untold(&early(Stage::RtmpHandshake, Close::EndOfFile)), [D::UntoldWhoLeft]);
    let mut e = live(Close::Open);
    e.act = act(Cause::TakenOver);
    assert_eq!(untold(&e), [D::UntoldSameEncoder]);
    e.act = act(Cause::Dropped);
    assert_eq!(untold(&e), []);
    let mut e = live(Close::Open);
    e.fault = Some(fault(FaultKind::CommandAmf));
    assert_eq!(untold(&e), [D::UntoldWhoBroke]);
    for (probe, note) in [(Probe::Answered, D::UntoldSource), (Probe::Acknowledged, D::UntoldFrozenOrSource)]
    {
        let mut e = live(Close::IdleLimit);
        silent(&mut e, 70, probe);
        assert_eq!((cause_of(&e), untold(&e)), (Cause::MediaStopped, vec![note]));
    }
    let mut e = live(Close::Reset);
    silent(&mut e, 6, Probe::Unacknowledged);
    assert_eq!((cause_of(&e), untold(&e)), (Cause::PathLost, vec![D::UntoldRouter]));
}
