//! What real encoders sent, recorded byte by byte (`examples/listen.rs` records more).

mod support;

use rtmp::client::Event as Heard;
use rtmp::handshake::{HandshakeKind, Scheme};
use rtmp::server::Event;
use rtmp::{ClientConfig, ClientSession, MediaKind, Stage};
use support::replay;

struct Recorded {
    bytes: &'static [u8],
    handshake: HandshakeKind,
    tc_url: &'static str,
    name: &'static str,
    flash_ver: &'static str,
    audio: usize,
    video: usize,
}

fn ffmpeg() -> Recorded {
    Recorded {
        bytes: include_bytes!("fixtures/ffmpeg-5.1.rtmp"),
        handshake: HandshakeKind::Digest(Scheme::At8),
        tc_url: "rtmp://127.0.0.1:19352/live/room",
        name: "camera1?token=abc",
        flash_ver: "FMLE/3.0 (compatible; Lavf59.27.100)",
        audio: 24,
        video: 7,
    }
}

fn rtmp2sink() -> Recorded {
    Recorded {
        bytes: include_bytes!("fixtures/rtmp2sink-1.22.rtmp"),
        handshake: HandshakeKind::Simple,
        tc_url: "rtmp://127.0.0.1:19353/live",
        name: "camera2",
        flash_ver: "LNX 10,0,32,18",
        audio: 0,
        video: 8,
    }
}

fn rtmpsink() -> Recorded {
    Recorded {
        bytes: include_bytes!("fixtures/rtmpsink-1.22.rtmp"),
        handshake: HandshakeKind::Simple,
        tc_url: "rtmp://127.0.0.1:19354/live",
        name: "camera3",
        flash_ver: "",
        audio: 0,
        video: 8,
    }
}

fn check(recorded: Recorded) {
    let (events, fault) = replay(recorded.bytes, []);
    assert_eq!(fault, None);
    assert_eq!(events[0], Event::HandshakeDone(recorded.handshake));

    let names: Vec<_> = events.iter().filter_map(Event::name).collect();
    let expected = [
        "connect",
        "releaseStream",
        "FCPublish",
        "createStream",
        "publish",
        "onMetaData",
        "FCUnpublish",
        "deleteStream",
    ];
    assert_eq!(names, expected);
    let connect = events.iter().find_map(|event| match event {
        Event::Connect(connect) => Some((&*connect.tc_url, &*connect.flash_ver)),
        _ => None,
    });
    assert_eq!(connect, Some((recorded.tc_url, recorded.flash_ver)));
    let publish = events.iter().find_map(|event| match event {
        Event::Publish(publish) => Some((publish.stream_id, &*publish.name)),
        _ => None,
    });
    assert_eq!(publish, Some((1, recorded.name)));
    assert!(matches!(events.last(), Some(Event::DeleteStream(event)) if event.stream_id == 1));

    let count = |wanted| {
        let is_wanted = |event: &&Event| matches!(event, Event::Media(media) if media.kind == wanted);
        events.iter().filter(is_wanted).count()
    };
    assert_eq!((count(MediaKind::Audio), count(MediaKind::Video)), (recorded.audio, recorded.video));

    for step in [1, 7, 1000] {
        assert_eq!(replay(recorded.bytes, std::iter::repeat(step)).0, events, "in steps of {step}");
    }
}

#[test]
fn ffmpeg_is_understood() {
    check(ffmpeg());
}

#[test]
fn gstreamers_rtmp2sink_is_understood() {
    check(rtmp2sink());
}

#[test]
fn gstreamers_rtmpsink_on_librtmp_is_understood() {
    check(rtmpsink());
}

/// What ffmpeg answers, as a server (`-listen 1`), to a client that connects, creates a stream and publishes.
#[test]
fn ffmpeg_as_a_server_is_understood() {
    let mut client = ClientSession::new(ClientConfig::new(support::noise(3)));
    client.start();
    client.connect("live", "rtmp://localhost/live", &[]);
    client.release_stream("x");
    client.fc_publish("x");
    client.create_stream();
    let mut events = Vec::new();
    for part in include_bytes!("fixtures/ffmpeg-5.1-as-server.rtmp").chunks(100) {
        client.read_buf().extend_from_slice(part);
        while let Some(event) = client.poll().unwrap() {
            events.push(event);
        }
    }
    assert!(events.iter().any(|event| matches!(event, Heard::Connected { .. })));
    assert!(events.iter().any(|event| matches!(event, Heard::StreamCreated { stream_id: 1, .. })));
    let Some(Heard::Status(status)) = events.last() else { panic!("{:?}", events.last()) };
    assert_eq!((&*status.code, &*status.description), ("NetStream.Publish.Start", "x is now published"));
    assert_eq!(client.stage(), Stage::Publishing);
}
