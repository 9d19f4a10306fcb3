//! What nodes of a cluster fetch and serve, without a socket.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::catalog::ConflictRule;
use model::{Clock, StreamKey, SystemClock, Timestamp};

use super::feed::{Ended, FrameKind, Step, Viewer, ViewerInfo, ViewerKind, Writer};
use super::{Hub, NotServed, Parting, Place, PullPlace, Switched, Switching};
use crate::push::{OrderSlot, PushHandle};

fn key() -> StreamKey {
    StreamKey::new("localhost", "live", "a")
}

fn who(kind: ViewerKind) -> ViewerInfo {
    ViewerInfo { kind, client: "10.0.0.9:4000".parse().unwrap(), since: Timestamp(0) }
}

/// A push that is being admitted.
fn enter(hub: &Arc<Hub>, now: Instant) -> Place {
    let client = "10.0.0.1:4000".parse().unwrap();
    let id = SystemClock.push_id();
    let handle = PushHandle::new(id, key(), 1, client, "rtmp", None, Timestamp(0), now, Arc::default());
    hub.enter(Arc::new(handle), ConflictRule::Backup, 0, now).unwrap()
}

fn frame(writer: &mut Writer, now: Instant, mark: u8) {
    let payload = Bytes::from(vec![0x17, 1, 0, 0, 0, 0, 0, 0, 1, mark]);
    writer.media(now, FrameKind::Video, 0, payload, true, true);
    writer.flush(now + Duration::from_secs(1));
}

/// A stream that is fetched from its owner, and who watches it here.
fn fetch(hub: &Arc<Hub>) -> (PullPlace, Writer, Viewer) {
    let pull = hub.enter_pull(&key());
    let fetched = pull.begin().unwrap();
    (pull, fetched, hub.watch(&key(), who(ViewerKind::Flv)).unwrap())
}

/// A push that waits, since another node owns the stream.
fn wait(hub: &Arc<Hub>, now: Instant) -> Place {
    let mut place = enter(hub, now);
    hub.stands_elsewhere(&key());
    place.take_over();
    place
}

/// The marks of the frames that a viewer gets now, and whether it is sent away.
fn seen(viewer: &mut Viewer) -> (Vec<u8>, Option<Ended>) {
    let mut marks = Vec::new();
    while let Some(step) = viewer.try_next() {
        match step {
            Step::Batch(batch) => marks.extend(batch.frames().iter().map(|frame| frame.payload[9])),
            Step::Ended(why) => return (marks, Some(why)),
            Step::Headers(_) | Step::Skipped { .. } => {}
        }
    }
    (marks, None)
}

#[test]
fn viewers_go_on_from_one_owner_to_the_next_and_what_the_first_still_sends_is_dropped() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    let pull = hub.enter_pull(&key());
    assert!(!hub.is_on(&key()), "nothing is there to play yet");
    let mut first = pull.begin().unwrap();
    let mut viewer = hub.watch(&key(), who(ViewerKind::Flv)).unwrap();
    frame(&mut first, now, 1);
    assert_eq!(seen(&mut viewer), (vec![1], None));
    pull.lose();
    frame(&mut first, now, 2);
    let mut second = pull.begin().unwrap();
    frame(&mut first, now, 3);
    frame(&mut second, now, 4);
    assert_eq!(seen(&mut viewer), (vec![4], None));
    assert!(hub.list().is_empty(), "it is no push");
    pull.end(Ended::Lost);
    assert_eq!(seen(&mut viewer), (vec![], Some(Ended::Lost)));
}

#[test]
fn a_push_that_waits_beside_a_pull_goes_on_with_its_viewers() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    let (pull, mut fetched, mut viewer) = fetch(&hub);
    frame(&mut fetched, now, 1);
    let mut place = wait(&hub, now);
    frame(place.writer(), now, 2);
    frame(&mut fetched, now, 3);
    assert_eq!(seen(&mut viewer), (vec![1, 3], None), "the push waits");
    assert!(pull.begin().is_some(), "and another owner may come before it");
    hub.stands_here(&key(), 7);
    frame(place.writer(), now, 4);
    assert_eq!(seen(&mut viewer), (vec![4], None));
    assert!(pull.begin().is_none(), "what this node carries is not fetched");
    drop(pull);
    frame(place.writer(), now, 5);
    assert_eq!(seen(&mut viewer), (vec![5], None));
}

#[test]
fn a_pull_that_ends_leaves_the_viewers_to_a_push_that_waits() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    let (pull, mut fetched, mut viewer) = fetch(&hub);
    frame(&mut fetched, now, 1);
    let mut place = wait(&hub, now);
    pull.end(Ended::Lost);
    hub.sweep(now);
    hub.sweep(now + Duration::from_secs(3600));
    hub.stands_here(&key(), 7);
    frame(place.writer(), now, 2);
    assert_eq!(seen(&mut viewer), (vec![1, 2], None));
    place.leave(Parting::Over);
    assert_eq!(seen(&mut viewer), (vec![], Some(Ended::Unpublished)));
}

#[test]
fn a_push_that_waits_and_leaves_takes_nothing_from_the_viewers_of_a_pull() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    let (_pull, mut fetched, mut viewer) = fetch(&hub);
    let place = wait(&hub, now);
    place.leave(Parting::Over);
    frame(&mut fetched, now, 1);
    assert_eq!(seen(&mut viewer), (vec![1], None));
}

#[test]
fn a_stream_that_another_node_takes_over_is_fetched_for_the_same_viewers() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    let mut place = enter(&hub, now);
    hub.stands_here(&key(), 5);
    place.take_over();
    let mut viewer = hub.watch(&key(), who(ViewerKind::Flv)).unwrap();
    frame(place.writer(), now, 1);
    hub.stands_elsewhere(&key());
    let pull = hub.enter_pull(&key());
    let mut fetched = pull.begin().unwrap();
    frame(place.writer(), now, 2);
    frame(&mut fetched, now, 3);
    place.leave(Parting::Lost);
    frame(&mut fetched, now, 4);
    assert_eq!(seen(&mut viewer), (vec![1, 3, 4], None));
}

fn serve(hub: &Hub, node: &str, revision: u64) -> (Result<Viewer, NotServed>, Arc<OrderSlot>) {
    let order = Arc::default();
    (hub.serve(&key(), node, revision, &order, who(ViewerKind::Node)), order)
}

#[test]
fn a_node_is_served_by_the_leases_of_this_one_only_and_until_they_are_over() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    assert_eq!(serve(&hub, "b", 5).0.err(), Some(NotServed::NotHere));
    let mut place = enter(&hub, now);
    assert_eq!(serve(&hub, "b", 5).0.err(), Some(NotServed::NotHere), "the registry has not spoken");
    hub.stands_here(&key(), 5);
    place.take_over();
    hub.renew_tenure(&key(), 8);
    for revision in [4, 9] {
        let refused = NotServed::Revision { first: 5, newest: 8, asked: revision };
        assert_eq!(serve(&hub, "b", revision).0.err(), Some(refused));
    }
    let (served, order) = serve(&hub, "b", 6);
    let mut viewer = served.unwrap();
    let (again, order_again) = serve(&hub, "b", 8);
    let (other, order_other) = serve(&hub, "c", 5);
    assert!(again.is_ok() && other.is_ok());
    assert!(order.get().is_some(), "a node has one pull of a stream");
    assert!(order_again.get().is_none() && order_other.get().is_none());
    frame(place.writer(), now, 1);
    assert_eq!(seen(&mut viewer), (vec![1], None));
    assert!(!hub.is_watched_here(&key()), "nodes are no viewers to fetch a stream for");
    hub.stands_elsewhere(&key());
    assert!(order_again.get().is_some() && order_other.get().is_some());
    assert_eq!(serve(&hub, "b", 8).0.err(), Some(NotServed::NotHere));
    hub.stands_here(&key(), 12);
    let refused = NotServed::Revision { first: 12, newest: 12, asked: 8 };
    assert_eq!(serve(&hub, "b", 8).0.err(), Some(refused), "what was before is over");
}

#[test]
fn what_is_fetched_is_never_served() {
    let hub = Arc::new(Hub::default());
    let pull = hub.enter_pull(&key());
    let _writer = pull.begin().unwrap();
    assert_eq!(serve(&hub, "b", 5).0.err(), Some(NotServed::NotHere));
}

#[test]
fn a_stream_that_was_lost_is_over_for_nodes_at_once_and_one_that_has_ended_says_so() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    let live = |revision| {
        let mut place = enter(&hub, now);
        hub.stands_here(&key(), revision);
        place.take_over();
        frame(place.writer(), now, 1);
        place
    };
    let place = live(5);
    let (served, order) = serve(&hub, "b", 5);
    let _viewer = served.unwrap();
    place.leave(Parting::Lost);
    assert!(order.get().is_some(), "it asks the next owner");
    let place = live(7);
    let (served, order) = serve(&hub, "b", 7);
    let mut viewer = served.unwrap();
    place.leave(Parting::Over);
    assert!(order.get().is_none());
    assert_eq!(seen(&mut viewer).1, Some(Ended::Unpublished));
}

#[test]
fn a_stream_that_a_node_has_come_by_again_is_carried_since_then_and_not_since_its_first_push() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    assert_eq!(hub.carried_since(&key()), None);
    let first = enter(&hub, now);
    assert_eq!(hub.carried_since(&key()), None, "by no lease yet");
    hub.stands_here(&key(), 5);
    hub.renew_tenure(&key(), 8);
    assert_eq!(hub.carried_since(&key()), Some(5));
    hub.stands_elsewhere(&key());
    assert_eq!(hub.carried_since(&key()), None);
    hub.stands_here(&key(), 9);
    assert_eq!(hub.carried_since(&key()), Some(9));
    first.leave(Parting::Over);
    assert_eq!(hub.carried_since(&key()), None);
}

#[test]
fn nodes_get_nothing_of_what_was_fetched_from_the_owner_before() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    let (_pull, mut fetched, mut viewer) = fetch(&hub);
    frame(&mut fetched, now, 1);
    let mut place = enter(&hub, now);
    hub.stands_here(&key(), 7);
    place.take_over();
    let mut served = serve(&hub, "b", 7).0.unwrap();
    frame(place.writer(), now, 2);
    assert_eq!(seen(&mut served), (vec![2], None));
    assert_eq!(seen(&mut viewer), (vec![1, 2], None), "who was there misses nothing");
}

#[test]
fn a_stream_is_handed_to_a_push_that_waits_here_and_taken_from_one_that_goes_on() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    let (_pull, mut fetched, mut viewer) = fetch(&hub);
    let (mut first, mut second) = (wait(&hub, now), wait(&hub, now));
    let to = second.handle().id;
    assert_eq!(hub.switch_to(&key(), to.sequence()), Switching::Waits(to));
    assert!(hub.handed_to(&key(), 7, to));
    frame(&mut fetched, now, 1);
    frame(first.writer(), now, 2);
    frame(second.writer(), now, 3);
    assert_eq!(seen(&mut viewer), (vec![3], None));
    assert_eq!(hub.switch_to(&key(), to.sequence()), Switching::Done(Switched::Already));
    assert_eq!(hub.carried_since(&key()), Some(7));

    hub.gives_way(&key());
    assert_eq!(hub.carried_since(&key()), None);
    frame(second.writer(), now, 4);
    assert_eq!(seen(&mut viewer), (vec![], None), "what it sends from now on is no more than a backup");
    assert!(!hub.is_carried(&key()), "who comes now is served by the next owner");
    assert!(first.handle().order.get().is_none() && second.handle().order.get().is_none());
    assert!(hub.list().iter().all(|push| push.role == "backup"));
    hub.sweep(now + Duration::from_secs(3600));
    hub.stands_here(&key(), 9);
    frame(second.writer(), now, 5);
    assert_eq!(seen(&mut viewer), (vec![5], None), "the same viewer");
}

#[test]
fn a_stream_that_is_handed_to_a_push_which_has_just_left_goes_to_the_next_that_waits() {
    let (hub, now) = (Arc::new(Hub::default()), SystemClock.instant());
    let (first, second) = (wait(&hub, now), wait(&hub, now));
    let gone = second.handle().id;
    second.leave(Parting::Over);
    assert!(!hub.handed_to(&key(), 7, gone));
    let live = hub.list();
    assert_eq!((live[0].id, live[0].role), (first.handle().id, "live"));
    first.leave(Parting::Over);
    assert!(!hub.handed_to(&key(), 9, gone));
    assert_eq!(hub.carried_since(&key()), None);
}
