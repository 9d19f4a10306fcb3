use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use media::hls::{Packager, Settings, View};
use model::{Clock, StreamKey, SystemClock, Timestamp};

use super::error::HlsError;
use super::session::{IDLE, Sessions};
use super::stream::{Shown, Stream};
use crate::hub::feed::{Feed, MediaMemory, Seat, ViewerInfo, ViewerKind};

const AVC_HEADER: &[u8] =
    b"\x17\0\0\0\0\x01\x42\xc0\x28\xff\xe1\0\x19\x67\x42\xc0\x28\xda\x01\xe0\x08\x9f\x97\x01\x10\0\0\
    \x03\0\x10\0\0\x03\x03\xc8\xf1\x83\x2a\x01\0\x04\x68\xce\x0f\xc8";
const KEY: &[u8] = b"\x17\x01\0\0\0\0\0\0\x02\x65\x88";

/// Seconds of a stream that is nothing but key frames.
fn packaged(packager: &mut Packager, from: u32, to: u32) -> Arc<View> {
    packager.video(from * 1000, &Bytes::from_static(AVC_HEADER), 0);
    for ms in (from * 1000..to * 1000).step_by(40) {
        packager.video(ms, &Bytes::from_static(KEY), i64::from(ms));
    }
    Arc::new(packager.view().unwrap())
}

fn stream(now: Instant, node: &Arc<AtomicUsize>) -> Arc<Stream> {
    let key = StreamKey { domain: "d.test".into(), app: "live".into(), stream: "s".into() };
    Arc::new(Stream::new(key, now, node.clone()))
}

fn seat(feed: &Arc<Feed>) -> Seat {
    let client = SocketAddr::from((Ipv4Addr::LOCALHOST, 4000));
    Seat::take(feed, ViewerInfo { kind: ViewerKind::Hls, client, since: Timestamp(0) }, Arc::default())
}

fn feed() -> Arc<Feed> {
    Arc::new(Feed::new(Arc::new(MediaMemory::new(1 << 20))))
}

#[test]
fn a_player_that_asks_is_a_viewer_and_one_that_is_gone_is_none() {
    let (start, feed, sessions) = (SystemClock.instant(), feed(), Sessions::default());
    let stream = stream(start, &Arc::default());
    let token = sessions.open(&stream, seat(&feed), start).unwrap();
    let other = sessions.open(&stream, seat(&feed), start).unwrap();
    assert_eq!((token.len(), feed.viewers()), (32, 2));
    assert_ne!(token, other);

    let later = start + IDLE / 2;
    sessions.find(&token, later).unwrap().seat.sent(700);
    assert!(feed.viewer_facts().iter().any(|viewer| viewer.bytes_out == 700));
    sessions.sweep(start + IDLE + Duration::from_secs(1));
    assert_eq!(feed.viewers(), 1, "the one that asked in between");
    assert_eq!(sessions.find(&other, later).unwrap_err(), HlsError::NoSession);
    assert_eq!(sessions.find("", later).unwrap_err(), HlsError::NoSession);
    assert_eq!(stream.idle(later), Duration::ZERO);

    // A stream that ended is played to its end, and not for ever.
    stream.abandon(later);
    sessions.find(&token, later + IDLE).unwrap();
    sessions.find(&token, later + IDLE * 2).unwrap();
    sessions.sweep(later + IDLE * 2);
    assert_eq!(feed.viewers(), 1);
    sessions.find(&token, later + IDLE * 3).unwrap();
    sessions.sweep(later + IDLE * 3);
    assert_eq!(feed.viewers(), 0);
}

#[tokio::test]
async fn who_waits_for_a_part_gets_it_when_it_comes() {
    let now = SystemClock.instant();
    let node = Arc::new(AtomicUsize::new(0));
    let stream = stream(now, &node);
    let mut packager = Packager::new(Settings::default());
    let view = packaged(&mut packager, 0, 3);
    let (msn, part) = view.next_part().unwrap();
    stream.hold(packager.bytes());
    assert_eq!(node.load(Ordering::Relaxed), packager.bytes());
    stream.show(Shown::Playing(view));

    let has = move |shown: &Shown| match shown {
        Shown::Playing(view) => view.part(msn, part).ok().map(|part| part.bytes.clone()),
        _ => None,
    };
    let waiting = {
        let stream = stream.clone();
        tokio::spawn(async move { stream.wait(Duration::from_secs(60), has).await })
    };
    let never = stream.wait(Duration::from_millis(20), has).await;
    assert_eq!(never, None, "not before it is there");
    stream.show(Shown::Playing(packaged(&mut packager, 3, 4)));
    assert!(waiting.await.unwrap().is_some_and(|bytes| !bytes.is_empty()));
    drop(stream);
    assert_eq!(node.load(Ordering::Relaxed), 0, "what nobody holds is counted no more");
}

#[tokio::test]
async fn a_stream_that_ended_before_anything_came_keeps_nobody_waiting() {
    let now = SystemClock.instant();
    let stream = stream(now, &Arc::default());
    stream.abandon(now);
    let over = stream.wait(Duration::from_secs(60), |shown| matches!(shown, Shown::Over).then_some(())).await;
    assert_eq!(over, Some(()));
}
