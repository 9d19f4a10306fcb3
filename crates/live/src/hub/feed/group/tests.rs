use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use rtmp::chunk::{ChunkReader, Limits};
use rtmp::message::type_id;
use socket2::SockRef;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::PlayConfig;
use crate::hub::feed::tests::{AVC_HEADER, INTER, KEY, Stage};
use crate::hub::feed::{Ended, Format, FrameKind, Headers, RTMP_CHUNK_SIZE, Served, Step, Viewer};
use crate::socket::Line;

/// Long beyond anything that happens here.
const LONG: Duration = Duration::from_secs(60);

/// What a viewer's own task has done.
#[derive(Debug, Default)]
struct Alone {
    batches: AtomicUsize,
    rests: AtomicUsize,
}

/// A viewer with its own task, and its client at the other end.
struct Playing {
    client: TcpStream,
    alone: Arc<Alone>,
    /// Has the viewer's own task send a message of its own.
    says: mpsc::UnboundedSender<u32>,
    task: JoinHandle<Viewer>,
}

/// A viewer's own task, as a connection that plays has one.
async fn play(
    mut viewer: Viewer,
    line: Line,
    format: Format,
    alone: Arc<Alone>,
    mut says: mpsc::UnboundedReceiver<u32>,
) -> Viewer {
    let (mut next_headers, mut headers): (Option<Arc<Headers>>, Option<Arc<Headers>>) = (None, None);
    loop {
        let mut outbox = VecDeque::new();
        tokio::select! {
            biased;
            said = says.recv() => {
                let Some(said) = said else { return viewer };
                outbox.extend(viewer.leave_group());
                headers = viewer.headers().cloned();
                outbox.push_back(message(said));
            }
            served = poll_fn(|cx| viewer.poll_served(cx, Some((&line, format)))) => match served {
                Served::Rest(rest) => {
                    alone.rests.fetch_add(1, Ordering::Relaxed);
                    outbox.extend(rest);
                    headers = viewer.headers().cloned();
                }
                Served::Step(Step::Headers(headers)) => next_headers = Some(headers),
                Served::Step(Step::Batch(batch)) => {
                    if let Some(next) = next_headers.take() {
                        let known = headers.as_deref();
                        format.headers(&next, known, batch.timestamp(), |piece| outbox.push_back(piece));
                        headers = Some(next);
                    }
                    alone.batches.fetch_add(1, Ordering::Relaxed);
                    format.batch(&batch, |piece| outbox.push_back(piece));
                }
                Served::Step(Step::Skipped { .. }) => {}
                Served::Step(Step::Ended(_)) => return viewer,
            },
        }
        for mut piece in outbox {
            while piece.has_remaining() {
                let slices = [std::io::IoSlice::new(&piece)];
                match poll_fn(|cx| line.poll_write(cx, &slices)).await {
                    Ok(count) => piece.advance(count),
                    Err(_) => return viewer,
                }
            }
        }
    }
}

/// An acknowledgement with this number, framed.
fn message(number: u32) -> Bytes {
    let mut out = bytes::BytesMut::new();
    let payload = number.to_be_bytes();
    rtmp::server::frame_into(0, type_id::ACKNOWLEDGEMENT, 0, &payload, RTMP_CHUNK_SIZE, &mut out);
    out.freeze()
}

impl Playing {
    /// Joins a stream over a connection whose buffers hold about so much.
    async fn join(stage: &Stage, buffers: usize) -> Self {
        Self::join_as(Format::Rtmp, stage, buffers).await
    }

    async fn join_as(format: Format, stage: &Stage, buffers: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = tokio::net::TcpSocket::new_v4().unwrap();
        SockRef::from(&client).set_recv_buffer_size(buffers).unwrap();
        let client = client.connect(listener.local_addr().unwrap()).await.unwrap();
        let server = listener.accept().await.unwrap().0;
        SockRef::from(&server).set_send_buffer_size(buffers).unwrap();
        let (alone, (says, heard)) = (Arc::<Alone>::default(), mpsc::unbounded_channel());
        let task = tokio::spawn(play(stage.watch(), Line::new(server), format, alone.clone(), heard));
        Self { client, alone, says, task }
    }

    fn batches_alone(&self) -> usize {
        self.alone.batches.load(Ordering::Relaxed)
    }
}

/// All messages that a client reads until its connection is closed: type, timestamp and beginning.
async fn messages(mut client: TcpStream) -> Vec<(u8, u32, Vec<u8>)> {
    let mut reader = ChunkReader::new(Limits::default());
    reader.set_chunk_size(RTMP_CHUNK_SIZE);
    let mut seen = Vec::new();
    while tokio::time::timeout(LONG, client.read_buf(reader.read_buf())).await.unwrap().unwrap() > 0 {
        while let Some(message) = reader.next_message().unwrap() {
            let beginning = message.payload[..message.payload.len().min(16)].to_vec();
            seen.push((message.info.type_id, message.info.timestamp, beginning));
        }
    }
    seen
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let waited = tokio::time::timeout(LONG, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

fn members(stage: &Stage) -> usize {
    stage.feed.groups.lock().iter().map(|group| group.size()).sum()
}

/// Every frame is a batch of its own.
fn unmerged() -> PlayConfig {
    PlayConfig { merge: Duration::ZERO, ..PlayConfig::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_who_keep_up_get_everything_and_their_own_tasks_are_left_alone() {
    let mut stage = Stage::new(unmerged());
    stage.video(0, AVC_HEADER);
    stage.video(0, KEY);
    let mut playing = Vec::new();
    for _ in 0..150 {
        playing.push(Playing::join(&stage, 1 << 18).await);
    }
    until("all are in groups", || members(&stage) == 150).await;
    assert_eq!(stage.feed.groups.lock().len(), 2, "one for each thread");
    for ms in (40..4000).step_by(40) {
        stage.video(ms, if ms % 1000 == 0 { KEY } else { INTER });
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    until("nobody was handed back", || members(&stage) == 150).await;
    stage.feed.end(Ended::Unpublished);
    for viewer in playing {
        assert_eq!(viewer.batches_alone(), 1, "the key frame that was there");
        drop(viewer.task.await.unwrap());
        let seen = messages(viewer.client).await;
        let times: Vec<_> = seen.iter().skip(1).map(|(_, time, _)| *time).collect();
        assert_eq!(seen[0].2, AVC_HEADER);
        assert_eq!(times, (0..4000).step_by(40).collect::<Vec<_>>());
    }
    until("groups end with their stream", || stage.feed.groups.lock().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_does_not_read_is_handed_back_and_holds_nobody_up() {
    let play = PlayConfig { queue: Duration::from_secs(3), ..unmerged() };
    let mut stage = Stage::new(play);
    stage.video(0, KEY);
    let slow = Playing::join(&stage, 1 << 14).await;
    let quick = Playing::join(&stage, 1 << 20).await;
    until("both are in a group", || members(&stage) == 2).await;
    let quick_reads = tokio::spawn(messages(quick.client));
    let large = Bytes::from([INTER, &[9; 20_000]].concat());
    for ms in (40..20_000).step_by(40) {
        let (now, key) = (stage.at(ms), ms % 1000 == 0);
        let payload = if key { Bytes::from_static(KEY) } else { large.clone() };
        stage.writer.media(now, FrameKind::Video, ms, payload, true, key);
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    assert!(slow.alone.rests.load(Ordering::Relaxed) >= 1, "what its socket did not take came back");
    let slow_reads = tokio::spawn(messages(slow.client));
    until("it has caught up", || members(&stage) == 2).await;
    let facts = stage.feed.viewer_facts();
    assert!(facts[0].skipped > 0 && facts[1].skipped == 0, "{facts:?}");
    stage.video(20_000, KEY);
    stage.feed.end(Ended::Unpublished);
    drop((slow.task.await.unwrap(), quick.task.await.unwrap()));
    let times = |seen: Vec<(u8, u32, Vec<u8>)>| seen.into_iter().map(|(_, time, _)| time).collect::<Vec<_>>();
    let (slow, quick) = (times(slow_reads.await.unwrap()), times(quick_reads.await.unwrap()));
    assert_eq!(quick, (0..=20_000).step_by(40).collect::<Vec<_>>());
    let skips: Vec<_> = slow.windows(2).filter(|pair| pair[1] != pair[0] + 40).collect();
    assert!(!skips.is_empty() && skips.iter().all(|pair| pair[1] % 1000 == 0), "to a key frame: {skips:?}");
    assert_eq!(slow.last(), Some(&20_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_their_own_tasks_say_between_all_clients_read_whole_messages_in_order() {
    let mut stage = Stage::new(PlayConfig { queue: Duration::from_secs(60), ..unmerged() });
    stage.video(0, KEY);
    let mut playing = Vec::new();
    for number in 0..80 {
        playing.push(Playing::join(&stage, 1 << (13 + number % 6)).await);
    }
    let (mut reads, mut says) = (Vec::new(), Vec::new());
    let mut tasks = Vec::new();
    for viewer in playing {
        reads.push(tokio::spawn(messages(viewer.client)));
        says.push(viewer.says);
        tasks.push(viewer.task);
    }
    let mut random = 0x2545_f491_u32;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize
    };
    let mut said = vec![Vec::new(); says.len()];
    let mut times = vec![0];
    for ms in (40..8000).step_by(40) {
        let key = ms % 1000 == 0;
        let payload = Bytes::from([if key { KEY } else { INTER }, &vec![9; next() % 12_000]].concat());
        stage.writer.media(stage.at(ms), FrameKind::Video, ms, payload, true, key);
        times.push(ms);
        for _ in 0..next() % 8 {
            let who = next() % says.len();
            says[who].send(ms).unwrap();
            said[who].push(ms.to_be_bytes().to_vec());
        }
        if next() % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    until("all have caught up", || members(&stage) == says.len()).await;
    stage.feed.end(Ended::Unpublished);
    for ((task, read), said) in tasks.into_iter().zip(reads).zip(said) {
        drop(task.await.unwrap());
        let (media, own): (Vec<_>, Vec<_>) =
            read.await.unwrap().into_iter().partition(|(kind, ..)| *kind == type_id::VIDEO);
        assert_eq!(media.iter().map(|(_, time, _)| *time).collect::<Vec<_>>(), times);
        assert_eq!(own.into_iter().map(|(_, _, payload)| payload).collect::<Vec<_>>(), said);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_headers_reach_members_before_the_frames_that_need_them() {
    let mut stage = Stage::new(unmerged());
    stage.video(0, AVC_HEADER);
    stage.video(0, KEY);
    let viewer = Playing::join(&stage, 1 << 18).await;
    until("it is in a group", || members(&stage) == 1).await;
    let other = Bytes::from_static(&[0x17, 0, 0, 0, 0, 1, 0x42, 0, 30]);
    stage.writer.media(stage.at(40), FrameKind::Video, 40, other.clone(), false, false);
    stage.video(40, KEY);
    until("the group has written it", || stage.feed.viewer_facts()[0].bytes_out > 0).await;
    // Handed back by its own wish, it knows them: they do not come again.
    viewer.says.send(7).unwrap();
    until("it was out of its group", || viewer.batches_alone() == 1 && members(&stage) == 1).await;
    stage.video(80, INTER);
    stage.feed.end(Ended::Unpublished);
    drop(viewer.task.await.unwrap());
    let media = |seen: Vec<(u8, u32, Vec<u8>)>| {
        let media = seen.into_iter().filter(|(kind, ..)| *kind == type_id::VIDEO);
        media.map(|(_, _, payload)| payload).collect::<Vec<_>>()
    };
    assert_eq!(
        media(messages(viewer.client).await),
        [AVC_HEADER.to_vec(), KEY.to_vec(), other.to_vec(), KEY.to_vec(), INTER.to_vec()]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_who_goes_is_disconnected_at_once_and_the_last_ends_the_group() {
    let mut stage = Stage::new(unmerged());
    stage.video(0, KEY);
    let first = Playing::join(&stage, 1 << 18).await;
    let second = Playing::join(&stage, 1 << 18).await;
    until("both are in a group", || members(&stage) == 2).await;
    // Nothing more is sent: the group's task sleeps.
    drop(first.says);
    drop(first.task.await.unwrap());
    assert_eq!(messages(first.client).await.len(), 1, "and then the end");
    assert_eq!(members(&stage), 1);
    drop(second.says);
    drop(second.task.await.unwrap());
    until("the group is gone", || stage.feed.groups.lock().is_empty()).await;
    assert_eq!(stage.feed.viewers(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn places_of_those_who_left_are_given_again_and_each_member_is_counted_for_itself() {
    let mut stage = Stage::new(unmerged());
    stage.video(0, KEY);
    let mut playing = Vec::new();
    for _ in 0..4 {
        playing.push(Playing::join(&stage, 1 << 18).await);
    }
    until("all are in a group", || members(&stage) == 4).await;
    for gone in playing.drain(..2) {
        drop(gone.says);
        drop(gone.task.await.unwrap());
    }
    stage.video(40, INTER);
    for _ in 0..2 {
        playing.push(Playing::join(&stage, 1 << 18).await);
    }
    until("all who are left are in the group", || members(&stage) == 4).await;
    let rows = || stage.feed.groups.lock()[0].door().rows.len();
    assert_eq!(rows(), 1, "nobody needed a new place");
    // What their own tasks write is counted elsewhere.
    let feed = stage.feed.clone();
    let counted = || feed.viewer_facts().iter().map(|facts| facts.bytes_out).collect::<Vec<_>>();
    until("the first two were written a frame", || counted()[1] > 0).await;
    let frame = counted()[1];
    assert_eq!(counted(), [frame, frame, 0, 0]);
    stage.video(80, INTER);
    let expected = [2 * frame, 2 * frame, frame, frame];
    until("all were written one more", || counted() == expected).await;
    // One who was out of the group in between has its count with it.
    playing[0].says.send(1).unwrap();
    stage.video(120, INTER);
    until("those who stayed were written another", || {
        counted()[1..] == expected.map(|count| count + frame)[1..]
    })
    .await;
    until("it is back", || members(&stage) == 4).await;
    assert!(counted()[0] == 2 * frame || counted()[0] == 3 * frame, "{:?}", counted());
    stage.feed.end(Ended::Unpublished);
    for viewer in playing {
        drop(viewer.task.await.unwrap());
        assert_eq!(
            messages(viewer.client).await.iter().filter(|(kind, ..)| *kind == type_id::VIDEO).count(),
            4
        );
    }
}

/// All that a client reads until its connection is closed.
async fn bytes(mut client: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    tokio::time::timeout(LONG, client.read_to_end(&mut all)).await.unwrap().unwrap();
    all
}

/// The payloads of whole chunks of HTTP/1.1, one after another.
fn of_chunks(mut rest: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let end = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        let (chunk, behind) = rest[end + 2..].split_at(size);
        all.extend_from_slice(chunk);
        rest = behind.strip_prefix(b"\r\n").unwrap();
    }
    all
}

/// The payloads of whole binary messages of WebSocket, one after another.
fn of_messages(mut rest: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while let [0x82, short, behind @ ..] = rest {
        let (size, behind) = match short {
            126 => (usize::from(u16::from_be_bytes(behind[..2].try_into().unwrap())), &behind[2..]),
            short @ 0..126 => (usize::from(*short), behind),
            _ => panic!("a message that is masked, or longer than any here"),
        };
        all.extend_from_slice(&behind[..size]);
        rest = &behind[size..];
    }
    assert!(rest.is_empty());
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_format_is_a_group_of_its_own_and_carries_the_same_tags() {
    let mut stage = Stage::new(PlayConfig { queue: Duration::from_secs(60), ..unmerged() });
    stage.video(0, AVC_HEADER);
    stage.video(0, KEY);
    let (mut tasks, mut reads, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for format in [Format::Flv, Format::FlvChunks, Format::FlvMessages] {
        for buffers in [1 << 12, 1 << 20] {
            let viewer = Playing::join_as(format, &stage, buffers).await;
            tasks.push((viewer.task, viewer.says));
            reads.push(viewer.client);
            alone.push(viewer.alone);
        }
    }
    until("all are in groups", || members(&stage) == 6).await;
    assert_eq!(stage.feed.groups.lock().len(), 3);
    let mut push = async |ms: u32| {
        let payload = Bytes::from(
            [if ms.is_multiple_of(1000) { KEY } else { INTER }, &vec![9; ms as usize % 9_000]].concat(),
        );
        stage.writer.media(stage.at(ms), FrameKind::Video, ms, payload, true, ms.is_multiple_of(1000));
        tokio::time::sleep(Duration::from_micros(200)).await;
    };
    // Nobody reads, and those whose buffers are small are handed back; then all catch up, and get the rest together.
    for ms in (40..8_000).step_by(40) {
        push(ms).await;
    }
    let rests = |which: usize| alone[which].rests.load(Ordering::Relaxed);
    assert!(rests(0) > 0 && rests(2) > 0 && rests(4) > 0, "what sockets did not take came back");
    let reads: Vec<_> = reads.into_iter().map(|client| tokio::spawn(bytes(client))).collect();
    for ms in (8_000..12_000).step_by(40) {
        push(ms).await;
    }
    until("all have caught up", || members(&stage) == 6).await;
    stage.feed.end(Ended::Unpublished);
    for (task, _says) in tasks {
        drop(task.await.unwrap());
    }
    let mut files = Vec::new();
    for read in reads {
        files.push(read.await.unwrap());
    }
    assert!(files[0].len() > 1_000_000);
    for (index, file) in files.iter().enumerate() {
        let tags = match index / 2 {
            0 => file.clone(),
            1 => of_chunks(file),
            _ => of_messages(file),
        };
        assert!(tags == files[0], "viewer {index}: {} bytes of {}", tags.len(), files[0].len());
    }
}
