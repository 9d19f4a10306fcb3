//! Who carries a stream, who waits and who goes, without a socket.

use std::time::Duration;

use bytes::Bytes;
use cause::DetailKey;
use model::{Clock, Code, SystemClock, Timestamp};

use super::*;
use crate::hub::feed::{FrameKind, Step, ViewerKind};

fn push(ip: &str, priority: Option<i64>, now: Instant) -> Arc<PushHandle> {
    let key = StreamKey::new("localhost", "live", "a");
    let client = format!("{ip}:4000").parse().unwrap();
    let id = SystemClock.push_id();
    let order = Arc::default();
    Arc::new(PushHandle::new(id, key, 1, client, "rtmp", priority, Timestamp(0), now, order))
}

fn start() -> Instant {
    SystemClock.instant()
}

#[test]
fn a_new_push_replaces_one_that_sends_media() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    let old = push("10.0.0.1", None, now);
    let _old_place = hub.enter(old.clone(), ConflictRule::Replace, 0, now).unwrap();
    old.media_at(now);
    let mut place = hub
        .enter(push("10.0.0.2", None, now), ConflictRule::Replace, 0, now + Duration::from_secs(1))
        .unwrap();
    assert!(old.order.get().is_none(), "nothing is taken before the newcomer is certain");
    place.take_over();
    assert_eq!(old.order.get().unwrap().code, Code::new(21, 102));
}

#[test]
fn a_push_without_media_for_three_seconds_is_replaced_as_empty() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    let old = push("10.0.0.1", None, now);
    let _old_place = hub.enter(old.clone(), ConflictRule::Replace, 0, now).unwrap();
    old.media_at(now);
    let mut place = hub
        .enter(push("10.0.0.1", None, now), ConflictRule::Replace, 0, now + Duration::from_secs(3))
        .unwrap();
    place.take_over();
    assert_eq!(old.order.get().unwrap().code, Code::new(21, 103));
}

#[test]
fn a_newcomer_that_is_refused_after_all_leaves_the_old_one_live() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    let old = push("10.0.0.1", None, now);
    let _old_place = hub.enter(old.clone(), ConflictRule::Replace, 0, now).unwrap();
    drop(hub.enter(push("10.0.0.2", None, now), ConflictRule::Replace, 0, now).unwrap());
    assert_eq!(hub.list().len(), 1);
    assert_eq!(hub.list()[0].id, old.id);
    assert!(old.order.get().is_none());
}

#[test]
fn refuse_and_backup_keep_the_live_push() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    let old = push("10.0.0.1", None, now);
    let place = hub.enter(old, ConflictRule::Backup, 2, now).unwrap();
    let refused = hub.enter(push("10.0.0.2", None, now), ConflictRule::Refuse, 0, now).unwrap_err();
    assert_eq!(refused.code, Code::new(18, 601));
    let waiting = push("10.0.0.2", None, now);
    let _backup = hub.enter(waiting.clone(), ConflictRule::Backup, 2, now).unwrap();
    let third = hub.enter(push("10.0.0.3", None, now), ConflictRule::Backup, 2, now).unwrap_err();
    assert_eq!(third.code, Code::new(18, 601));
    drop(place);
    let list = hub.list();
    assert_eq!((list[0].id, list[0].role), (waiting.id, "live"));
}

#[test]
fn priority_decides_before_the_rule() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    let old = push("10.0.0.1", Some(5), now);
    let _place = hub.enter(old.clone(), ConflictRule::Refuse, 0, now).unwrap();
    let lower = hub.enter(push("10.0.0.2", Some(4), now), ConflictRule::Replace, 0, now).unwrap_err();
    assert_eq!(lower.code, Code::new(18, 602));
    let equal = hub.enter(push("10.0.0.2", Some(5), now), ConflictRule::Refuse, 0, now).unwrap_err();
    assert_eq!(equal.code, Code::new(18, 601));
    let mut higher = hub.enter(push("10.0.0.2", Some(6), now), ConflictRule::Refuse, 0, now).unwrap();
    higher.take_over();
    assert!(old.order.get().is_some());
}

#[test]
fn a_refused_push_and_the_live_one_know_of_each_other() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    let live = push("10.0.0.1", None, now);
    let _place = hub.enter(live.clone(), ConflictRule::Refuse, 0, now).unwrap();
    let ids: Vec<_> = (0..20)
        .map(|_| {
            let other = push("10.0.0.2", None, now);
            let refused = hub.enter(other.clone(), ConflictRule::Refuse, 0, now).unwrap_err();
            let named = format!("{:?}", refused.detail.unwrap().params);
            assert!(named.contains(&live.id.to_string()), "{named}");
            other.id.to_string()
        })
        .collect();
    let contests = live.take_contests();
    assert_eq!(contests.len(), 8, "one that tries for ever does not fill the black box");
    assert!(contests.iter().zip(&ids).all(|(contest, id)| contest.text.contains(id)));
    assert!(live.take_contests().is_empty());
    let mut newer = hub.enter(push("10.0.0.3", None, now), ConflictRule::Replace, 0, now).unwrap();
    assert_eq!(newer.replaces().map(|old| old.id).collect::<Vec<_>>(), [live.id]);
    newer.take_over();
    assert!(newer.replaces().next().is_none());
}

#[test]
fn after_three_takeovers_within_two_minutes_the_live_one_stays() {
    let (hub, mut now) = (Arc::new(Hub::default()), start());
    let mut places = Vec::new();
    let mut refused = None;
    for turn in 0..5 {
        let handle = push(if turn % 2 == 0 { "10.0.0.1" } else { "10.0.0.2" }, None, now);
        match hub.enter(handle.clone(), ConflictRule::Replace, 0, now) {
            Ok(mut place) => {
                place.take_over();
                handle.media_at(now);
                places = vec![place];
            }
            Err(act) => refused = Some((turn, act)),
        }
        now += Duration::from_secs(1);
        if let Some(place) = places.first() {
            place.handle().media_at(now);
        }
    }
    let (turn, act) = refused.expect("the fifth push is the fourth takeover");
    assert_eq!((turn, act.code), (4, Code::new(18, 601)));
    assert_eq!(act.detail.unwrap().key, DetailKey::Duel);
    let later = now + Duration::from_secs(121);
    places[0].handle().media_at(later);
    assert!(hub.enter(push("10.0.0.1", None, later), ConflictRule::Replace, 0, later).is_ok());
}

#[test]
fn a_backup_is_switched_to_and_the_live_push_waits_in_its_place() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    let (first, second) = (push("10.0.0.1", None, now), push("10.0.0.2", None, now));
    let key = first.key.clone();
    let sequences = [first.id.sequence(), second.id.sequence()];
    let _a = hub.enter(first.clone(), ConflictRule::Backup, 0, now).unwrap();
    let b = hub.enter(second.clone(), ConflictRule::Backup, 0, now).unwrap();
    let live = |hub: &Hub| hub.list().into_iter().find(|push| push.role == "live").unwrap().id;
    assert_eq!(hub.switch_to(&key, sequences[0]), Switching::Done(Switched::Already));
    assert_eq!(hub.switch_to(&key, sequences[1]), Switching::Done(Switched::Now));
    assert_eq!(live(&hub), second.id);
    assert!(first.order.get().is_none(), "nobody is ended by it");
    drop(b);
    assert_eq!(live(&hub), first.id, "who waited takes over again");
    assert_eq!(hub.switch_to(&key, sequences[1]), Switching::Done(Switched::NoSuchPush));
    assert_eq!(
        hub.switch_to(&StreamKey::new("d", "a", "s"), sequences[0]),
        Switching::Done(Switched::NoSuchPush)
    );
}

#[test]
fn an_order_reaches_backups_too_and_counts_once() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    let first = push("10.0.0.1", None, now);
    let key = first.key.clone();
    let _a = hub.enter(first, ConflictRule::Backup, 0, now).unwrap();
    let _b = hub.enter(push("10.0.0.2", None, now), ConflictRule::Backup, 0, now).unwrap();
    let dropped = Act { code: Cause::Dropped.code(), detail: None };
    assert_eq!(hub.order(&key, &dropped), 2);
    assert_eq!(hub.order(&key, &dropped), 0);
}

/// A viewer of the stream that [`push`] publishes, if there is one to watch.
fn watch(hub: &Hub) -> Result<Viewer, WatchError> {
    let client = "10.0.0.9:4000".parse().unwrap();
    hub.watch(
        &StreamKey::new("localhost", "live", "a"),
        ViewerInfo { kind: ViewerKind::Flv, client, since: Timestamp(0) },
    )
}

#[test]
fn who_comes_while_a_push_is_admitted_waits_with_it() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    assert_eq!(watch(&hub).err(), Some(WatchError::NoSuchStream));
    let mut place = hub.enter(push("10.0.0.1", None, now), ConflictRule::Replace, 0, now).unwrap();
    let mut viewer = watch(&hub).unwrap();
    assert!(viewer.try_next().is_none());
    place.take_over();
    let frame = Bytes::from_static(&[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65]);
    place.writer().media(now, FrameKind::Video, 0, frame, true, true);
    place.writer().flush(now + Duration::from_secs(1));
    let steps: Vec<_> = std::iter::from_fn(|| viewer.try_next()).collect();
    assert!(matches!(&steps[..], [Step::Headers(_), Step::Batch(_)]), "{steps:?}");
}

#[test]
fn who_came_for_a_push_that_is_refused_leaves_and_who_waits_for_any_goes_on_waiting() {
    let (hub, now) = (Arc::new(Hub::default()), start());
    let first = push("10.0.0.1", None, now);
    let place = hub.enter(first.clone(), ConflictRule::Replace, 0, now).unwrap();
    let mut came = watch(&hub).unwrap();
    let mut waits = hub.watch_for(&first.key, came.info()).unwrap();
    drop(place);
    assert!(matches!(came.try_next(), Some(Step::Ended(Ended::Unpublished))));
    assert!(waits.try_next().is_none());
    drop(came);
    let mut second = hub.enter(push("10.0.0.2", None, now), ConflictRule::Replace, 0, now).unwrap();
    let mut later = watch(&hub).unwrap();
    second.take_over();
    assert!(later.try_next().is_none(), "the refusal was before its time");
    second.leave(Parting::Over);
    for mut viewer in [waits, later] {
        assert!(matches!(viewer.try_next(), Some(Step::Ended(Ended::Unpublished))));
    }
}
