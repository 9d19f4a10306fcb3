//! A client and a server that get along: what each says is what the other hears.

mod support;

use rtmp::amf0::{Object, Value};
use rtmp::client::Event as Heard;
use rtmp::ertmp::{Enhancements, caps};
use rtmp::handshake::{ClientMode, HandshakeKind, Scheme};
use rtmp::message::control::{Control, UserControl};
use rtmp::server::{Event, PublishKind, PublishRejection, media_frame};
use rtmp::{ClientConfig, MediaKind, ServerConfig, Stage};
use support::{Pair, noise};

fn statuses(heard: &[Heard]) -> Vec<(&str, &str, &str)> {
    heard
        .iter()
        .filter_map(|event| match event {
            Heard::Status(status) => Some((&*status.level, &*status.code, &*status.description)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_push_from_handshake_to_goodbye() {
    let mut pair = Pair::new();
    assert!(matches!(pair.server.stage(), Stage::Handshake(_)));
    pair.client.connect("live/room", "rtmp://push.example.com/live/room", &[]);
    let talk = pair.settle();
    assert_eq!(talk.server[0], Event::HandshakeDone(HandshakeKind::Simple));
    let Event::Connect(connect) = &talk.server[1] else { panic!("no connect: {:?}", talk.server[1]) };
    assert_eq!((&*connect.app, &*connect.tc_url), ("live/room", "rtmp://push.example.com/live/room"));
    assert_eq!((pair.server.stage(), pair.client.stage()), (Stage::Connected, Stage::Connected));

    pair.client.set_chunk_size(4096);
    pair.client.release_stream("camera");
    pair.client.fc_publish("camera");
    pair.client.create_stream();
    let talk = pair.settle();
    assert!(matches!(talk.client.last(), Some(Heard::StreamCreated { stream_id: 1, .. })));
    assert_eq!(pair.server.stage(), Stage::StreamCreated);

    pair.client.publish(1, "camera?txSecret=1&txTime=2");
    let talk = pair.settle();
    let Some(Event::Publish(publish)) = talk.server.first() else { panic!("no publish") };
    assert_eq!((&*publish.name, &publish.kind), ("camera?txSecret=1&txTime=2", &PublishKind::Live));
    assert_eq!(statuses(&talk.client), [("status", "NetStream.Publish.Start", "Publishing started.")]);
    assert_eq!((pair.server.stage(), pair.client.stage()), (Stage::Publishing, Stage::Publishing));

    pair.client.send_metadata(1, Object::new().with("width", 1920.0));
    pair.client.send_media(1, MediaKind::Video, 0, &[0x17; 9000]);
    pair.client.send_media(1, MediaKind::Audio, 21, &[0xaf; 300]);
    let talk = pair.settle();
    let Event::Data(data) = &talk.server[0] else { panic!("no metadata") };
    assert_eq!((&*data.name, data.set_data_frame), ("onMetaData", true));
    assert_eq!(data.values, [Value::EcmaArray(Object::new().with("width", 1920.0))]);
    let media: Vec<_> = talk.server[1..]
        .iter()
        .map(|event| match event {
            Event::Media(media) => (media.kind, media.info.timestamp, media.payload.len()),
            other => panic!("no media: {other:?}"),
        })
        .collect();
    assert_eq!(media, [(MediaKind::Video, 0, 9000), (MediaKind::Audio, 21, 300)]);
    assert!(talk.client.is_empty(), "nothing is said while media flows: {:?}", talk.client);

    pair.client.fc_unpublish("camera");
    pair.client.delete_stream(1);
    let talk = pair.settle();
    assert!(matches!(talk.server[0], Event::FcUnpublish(_)));
    assert!(matches!(talk.server[1], Event::DeleteStream(event) if event.stream_id == 1));
    assert!(talk.client.is_empty(), "FCUnpublish is answered when the caller says so: {:?}", talk.client);
    pair.server.answer_fc_unpublish();
    assert_eq!(pair.settle().client.len(), 2);
    pair.server.answer_fc_unpublish();
    assert!(!pair.server.has_output(), "and answered once");
    assert_eq!(pair.server.stage(), Stage::Connected);
}

#[test]
fn a_play_from_request_to_end() {
    let mut pair = Pair::connected();
    pair.client.create_stream();
    pair.client.play(1, "camera");
    let talk = pair.settle();
    assert!(talk.server.iter().any(|event| matches!(event, Event::Play(play) if play.name == "camera")));
    let codes: Vec<_> = statuses(&talk.client).iter().map(|(_, code, _)| *code).collect();
    assert_eq!(codes, ["NetStream.Play.Reset", "NetStream.Play.Start"]);
    assert_eq!((pair.server.stage(), pair.client.stage()), (Stage::Playing, Stage::Playing));

    pair.server.send_media(1, MediaKind::Audio, 5, &[1; 10]);
    let shared = media_frame(1, MediaKind::Video, 6, &[2; 20_000], pair.server.chunk_size());
    pair.server.output().extend_from_slice(&shared);
    pair.server.send_media(1, MediaKind::Video, 7, &[3; 10]);
    let heard: Vec<_> = pair
        .settle()
        .client
        .into_iter()
        .map(|event| match event {
            Heard::Media(media) => (media.kind, media.info.timestamp, media.payload.to_vec()),
            other => panic!("no media: {other:?}"),
        })
        .collect();
    let expected = [
        (MediaKind::Audio, 5, vec![1; 10]),
        (MediaKind::Video, 6, vec![2; 20_000]),
        (MediaKind::Video, 7, vec![3; 10]),
    ];
    assert_eq!(heard, expected);

    pair.server.play_stop(1, "camera has stopped");
    let talk = pair.settle();
    assert!(talk.client.iter().any(|event| matches!(
        event,
        Heard::Control { control: Control::User(UserControl::StreamEof(1)), .. }
    )));
    assert_eq!(statuses(&talk.client), [("status", "NetStream.Play.UnpublishNotify", "camera has stopped")]);
}

#[test]
fn every_refusal_reaches_the_client_with_its_words() {
    let mut pair = Pair::new();
    pair.client.connect("live", "rtmp://h/live", &[]);
    let talk = pair.settle_by(|server, event| {
        if matches!(event, Event::Connect(_)) {
            server.reject_connect("[18/104] overloaded");
        }
    });
    let Some(Heard::ConnectRejected(refusal)) = talk.client.last() else { panic!("not refused") };
    assert_eq!(refusal.code, "NetConnection.Connect.Rejected");
    assert_eq!(refusal.description, "[18/104] overloaded");

    for (rejection, code) in [
        (PublishRejection::BadName, "NetStream.Publish.BadName"),
        (PublishRejection::Denied, "NetStream.Publish.Denied"),
    ] {
        let mut pair = Pair::connected();
        pair.client.create_stream();
        pair.client.publish(1, "camera");
        let talk = pair.settle_by(|server, event| {
            if let Event::Publish(publish) = event {
                server.reject_publish(publish.stream_id, rejection, "[18/503] wrong signature");
            }
        });
        assert_eq!(statuses(&talk.client), [("error", code, "[18/503] wrong signature")]);
        assert_eq!(pair.server.stage(), Stage::StreamCreated);
    }

    let mut pair = Pair::publishing();
    pair.server.cut(1, "[21/100] dropped");
    assert_eq!(statuses(&pair.settle().client), [("error", "NetStream.Publish.Failed", "[21/100] dropped")]);

    let mut pair = Pair::connected();
    pair.client.create_stream();
    pair.client.play(1, "camera");
    let talk = pair.settle_by(|server, event| {
        if let Event::Play(play) = event {
            server.reject_play(play.stream_id, rtmp::server::PlayRejection::Failed, "not allowed");
        }
    });
    assert_eq!(statuses(&talk.client), [("error", "NetStream.Play.Failed", "not allowed")]);
}

#[test]
fn the_window_the_bandwidth_and_the_chunk_size_come_before_the_result_of_connect() {
    let mut pair = Pair::new();
    pair.client.connect("live", "rtmp://h/live", &[]);
    let heard = pair.settle().client;
    let controls: Vec<_> = heard
        .iter()
        .filter_map(|event| match event {
            Heard::Control { control, .. } => Some(control.type_id()),
            _ => None,
        })
        .collect();
    assert_eq!(controls, [5, 6, 1]);
    assert!(matches!(heard.last(), Some(Heard::Connected { .. })));
    assert_eq!(pair.server.chunk_size(), 8192);
}

#[test]
fn digest_handshakes_come_through_too() {
    for scheme in [Scheme::At8, Scheme::At772] {
        let client = ClientConfig { handshake: ClientMode::Digest(scheme), ..ClientConfig::new(noise(2)) };
        let mut pair = Pair::with(ServerConfig::new(noise(1)), client);
        let talk = pair.settle();
        assert_eq!(talk.server, [Event::HandshakeDone(HandshakeKind::Digest(scheme))]);
        assert_eq!(talk.client, [Heard::HandshakeDone(HandshakeKind::Digest(scheme))]);
    }
}

#[test]
fn a_client_of_enhanced_rtmp_is_told_what_the_server_can() {
    let mut pair = Pair::new();
    let mut asked = Object::new();
    let wanted = Enhancements {
        fourcc_list: vec!["hvc1".into()],
        caps_ex: Some(caps::RECONNECT),
        ..Enhancements::default()
    };
    wanted.write(&mut asked);
    let fields: Vec<(&str, Value)> = asked.iter().map(|(name, value)| (name, value.clone())).collect();
    pair.client.connect("live", "rtmp://h/live", &fields);
    let talk = pair.settle();
    assert!(talk.server.iter().any(|event| matches!(event, Event::Connect(c) if c.enhanced == wanted)));
    let told = talk.client.iter().find_map(|event| match event {
        Heard::Connected { enhanced, .. } => Some(enhanced.clone()),
        _ => None,
    });
    assert_eq!(told, Some(Enhancements::forwarding()));

    assert!(pair.server.request_reconnect(Some("rtmp://other/live"), Some("maintenance")));
    let talk = pair.settle();
    let Some(Heard::Status(status)) = talk.client.first() else { panic!("no status") };
    assert_eq!(status.code, "NetConnection.Connect.ReconnectRequest");
    assert_eq!(status.tc_url.as_deref(), Some("rtmp://other/live"));
}

#[test]
fn a_client_of_old_is_told_nothing_of_enhanced_rtmp_nor_asked_to_reconnect() {
    let mut pair = Pair::new();
    pair.client.connect("live", "rtmp://h/live", &[]);
    let talk = pair.settle();
    let told = talk.client.iter().find_map(|event| match event {
        Heard::Connected { enhanced, .. } => Some(enhanced.clone()),
        _ => None,
    });
    assert_eq!(told, Some(Enhancements::default()));
    assert!(!pair.server.request_reconnect(None, None));
    assert!(!pair.server.has_output());
}

#[test]
fn pings_are_answered_on_both_sides_with_the_same_number() {
    let mut pair = Pair::publishing();
    pair.server.ping(4711);
    let talk = pair.settle();
    assert!(matches!(talk.server[..], [Event::PingResponse(ping)] if ping.timestamp == 4711));
    pair.client.control(&Control::User(UserControl::PingRequest(12)));
    let talk = pair.settle();
    assert!(matches!(talk.server[..], [Event::PingRequest(ping)] if ping.timestamp == 12));
    let [Heard::Control { control, .. }] = &talk.client[..] else { panic!("no answer") };
    assert_eq!(*control, Control::User(UserControl::PingResponse(12)));
}

#[test]
fn a_client_may_be_told_not_to_answer_pings() {
    let client = ClientConfig { answer_pings: false, ..ClientConfig::new(noise(2)) };
    let mut pair = Pair::with(ServerConfig::new(noise(1)), client).connect();
    pair.server.ping(1);
    assert!(pair.settle().server.is_empty());
}

#[test]
fn acknowledgements_come_as_often_as_the_window_asks_and_no_oftener() {
    let mut pair = Pair::publishing();
    for i in 0..50 {
        pair.client.send_media(1, MediaKind::Video, i, &[0; 10_000]);
    }
    assert!(pair.settle().client.is_empty(), "no window was announced");

    pair.client.control(&Control::WindowAckSize(100_000));
    let mut acknowledged = Vec::new();
    for i in 0..50 {
        pair.client.send_media(1, MediaKind::Video, i, &[0; 10_000]);
        for event in pair.settle().client {
            let Heard::Control { control: Control::Acknowledgement(bytes), .. } = event else {
                panic!("something else was said: {event:?}");
            };
            acknowledged.push(bytes);
        }
    }
    // The first one covers what came before the window was announced.
    assert_eq!(acknowledged.len(), 5);
    assert!(acknowledged[1..].windows(2).all(|pair| pair[1] - pair[0] >= 100_000));
    assert!(u64::from(acknowledged[4]) <= pair.server.bytes_received());
}

#[test]
fn a_second_publish_beside_a_live_one_is_an_event() {
    let mut pair = Pair::publishing();
    pair.client.create_stream();
    pair.client.publish(2, "other");
    let talk = pair.settle_by(|_, _| {});
    assert!(matches!(talk.server.last(), Some(Event::Publish(publish)) if publish.stream_id == 2));
    assert_eq!(pair.server.stage(), Stage::Publishing);
}

#[test]
fn what_was_cut_off_in_the_middle_of_a_message_is_known() {
    let mut pair = Pair::publishing();
    assert!(pair.server.at_boundary());
    pair.client.send_media(1, MediaKind::Video, 0, &[0; 50_000]);
    let bytes = pair.client.output().split();
    pair.server.read_buf().extend_from_slice(&bytes[..20_000]);
    assert_eq!(pair.server.poll(), Ok(None));
    let half = pair.server.mid_message().expect("a message is half received");
    assert_eq!((half.type_id, half.want), (9, 50_000));
    assert!((19_000..20_000).contains(&half.have), "{half:?}");
    assert!(pair.server.buffered() >= half.have);
    assert!(!pair.server.at_boundary());
    pair.server.read_buf().extend_from_slice(&bytes[20_000..]);
    assert!(matches!(pair.server.poll(), Ok(Some(Event::Media(_)))));
    assert_eq!((pair.server.mid_message(), pair.server.buffered()), (None, 0));
    assert!(pair.server.at_boundary());
}

#[test]
fn every_message_tells_its_place_in_the_connection() {
    let mut pair = Pair::publishing();
    let before = pair.server.bytes_received();
    assert_eq!(before, pair.sent.len() as u64);
    pair.client.send_media(1, MediaKind::Audio, 0, &[7; 100]);
    pair.client.send_media(1, MediaKind::Audio, 0, &[8; 100]);
    let talk = pair.settle();
    let offsets: Vec<_> = talk.server.iter().map(|event| event.info().unwrap().offset).collect();
    assert_eq!(offsets, [before, before + 12 + 100]);
}
