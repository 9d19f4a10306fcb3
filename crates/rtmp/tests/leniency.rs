//! What is let pass by rule, each with the client that needs it.

mod support;

use bytes::{BufMut, BytesMut};
use rtmp::amf0::{self, Value};
use rtmp::client::Event as Heard;
use rtmp::message::command::Command;
use rtmp::message::control::{Control, UserControl};
use rtmp::server::{Event, PublishKind};
use rtmp::{MediaKind, MessageInfo, Stage};
use support::Pair;

fn info(type_id: u8, stream_id: u32) -> MessageInfo {
    MessageInfo { offset: 0, chunk_stream: 3, type_id, length: 0, timestamp: 0, stream_id }
}

/// librtmp, and OBS with it, answers a ping on a chunk stream it has not used before, without a full header.
#[test]
fn a_type_1_chunk_on_a_fresh_chunk_stream_inherits_zeros() {
    let mut pair = Pair::publishing();
    pair.client.send_raw(&[0x4a, 0, 0, 7, 0, 0, 6, 4, 0, 7, 0, 0, 0, 9]);
    let talk = pair.settle();
    let [Event::PingResponse(ping)] = talk.server[..] else { panic!("{:?}", talk.server) };
    assert_eq!((ping.timestamp, ping.info.timestamp, ping.info.stream_id), (9, 7, 0));
}

/// Nobody is known to open a chunk stream with type 2, which leaves even the length to be inherited: a message
/// of type 0, which does not exist.
#[test]
fn a_type_2_chunk_on_a_fresh_chunk_stream_inherits_a_type_that_does_not_exist() {
    let mut pair = Pair::publishing();
    pair.client.send_raw(&[0x8a, 0, 0, 7]);
    let fault = pair.try_settle(|_, _| {}).err().expect("a fault");
    assert_eq!(fault.rule, rtmp::Rule::UnknownMessageType { found: 0 });
}

/// Every encoder has commands of its own; the server of the next version will too.
#[test]
fn unknown_commands_are_events() {
    let mut pair = Pair::connected();
    pair.client.command("_checkbw", &[Value::Null]);
    pair.client.command("FCSubscribe", &[Value::Null, "camera".into()]);
    let talk = pair.settle();
    let names: Vec<_> = talk.server.iter().map(|event| event.name().unwrap()).collect();
    assert_eq!(names, ["_checkbw", "FCSubscribe"]);
    assert!(talk.client.is_empty());
}

/// Flash Media Server's own types, which librtmp sends too.
#[test]
fn unknown_user_control_types_are_events() {
    let mut pair = Pair::connected();
    let control = Control::User(UserControl::Unknown { event: 26, body: vec![0; 5].into() });
    pair.client.control(&control);
    let talk = pair.settle();
    assert!(matches!(&talk.server[..], [Event::Control(message)] if message.control == control));
}

/// Players and many encoders leave releaseStream and FCPublish out; Flash Media Live Encoder sends both, and in
/// any order.
#[test]
fn release_stream_and_fc_publish_are_optional_and_in_any_order() {
    for order in [&[][..], &["FCPublish"], &["releaseStream"], &["FCPublish", "_checkbw", "releaseStream"]] {
        let mut pair = Pair::connected();
        pair.client.create_stream();
        for name in order {
            pair.client.command(name, &[Value::Null, "camera".into()]);
        }
        pair.client.publish(1, "camera");
        pair.settle();
        assert_eq!(pair.client.stage(), Stage::Publishing, "after {order:?}");
    }
}

/// Encoders in a hurry do not wait for Publish.Start.
#[test]
fn media_before_publish_is_answered_is_an_event() {
    let mut pair = Pair::connected();
    pair.client.create_stream();
    pair.client.publish(1, "camera");
    pair.client.send_media(1, MediaKind::Audio, 0, &[0xaf, 0, 0x12, 0x10]);
    let talk = pair.settle_by(|_, _| {});
    assert!(matches!(&talk.server[..], [.., Event::Publish(_), Event::Media(_)]), "{:?}", talk.server);
}

/// rtmp2sink of GStreamer asks for no answers, and would take them for something else.
#[test]
fn a_command_with_transaction_0_gets_no_answer() {
    let mut pair = Pair::connected();
    for name in ["releaseStream", "FCPublish", "FCUnpublish"] {
        let body = Command::encode(name, 0.0, &[Value::Null, "camera".into()]);
        pair.client.send_message(&info(20, 0), &body);
    }
    assert_eq!(pair.settle().server.len(), 3);
    pair.server.answer_fc_unpublish();
    assert!(!pair.server.has_output());
}

/// rtmp2sink of GStreamer deletes its stream by name.
#[test]
fn delete_stream_without_an_id_means_the_only_stream() {
    let mut pair = Pair::publishing();
    pair.client.command("deleteStream", &[Value::Null, "camera".into()]);
    let talk = pair.settle();
    assert!(matches!(talk.server[..], [Event::DeleteStream(event)] if event.stream_id == 1));
    assert_eq!(pair.server.stage(), Stage::Connected);
}

/// Flash clients with object encoding 3 say their commands as AMF3 messages that hold AMF0.
#[test]
fn amf3_commands_are_commands() {
    let mut pair = Pair::connected();
    pair.client.send_message(&info(17, 0), &Command::encode_amf3("createStream", 2.0, &[Value::Null]));
    let args = [Value::Null, Value::AvmPlus(rtmp::amf3::Value::String("camera".into()))];
    pair.client.send_message(&info(17, 1), &Command::encode_amf3("publish", 3.0, &args));
    let talk = pair.settle();
    let Some(Event::Publish(publish)) = talk.server.last() else { panic!("{:?}", talk.server) };
    assert_eq!((&*publish.name, &publish.kind), ("camera", &PublishKind::Live));
}

/// Some senders leave the format byte of AMF3 messages out.
#[test]
fn an_amf3_command_without_its_format_byte_is_read_as_amf0() {
    let mut pair = Pair::connected();
    pair.client.send_message(&info(17, 0), &Command::encode("createStream", 2.0, &[Value::Null]));
    assert!(matches!(pair.settle().server[..], [Event::CreateStream(_)]));
}

/// ffmpeg, as a server, answers FCPublish with nothing but a name.
#[test]
fn a_command_of_a_name_alone_asks_for_no_answer() {
    let mut pair = Pair::connected();
    let mut body = BytesMut::new();
    amf0::encode_str("onFCPublish", &mut body);
    pair.client.send_message(&info(20, 0), &body);
    let talk = pair.settle();
    let [Event::Command(command)] = &talk.server[..] else { panic!("{:?}", talk.server) };
    assert_eq!((&*command.name, command.transaction), ("onFCPublish", 0.0));
}

/// Metadata cut off before its end marker is common, and no reason to end a push.
#[test]
fn broken_data_is_an_event_with_what_could_be_read() {
    let mut pair = Pair::publishing();
    let mut body = BytesMut::new();
    amf0::encode_str("onMetaData", &mut body);
    body.put_slice(&[8, 0, 0, 0, 1, 0, 5]);
    body.put_slice(b"width");
    amf0::encode_number(1280.0, &mut body);
    body.put_slice(&[0, 6, b'h']);
    pair.client.send_message(&info(18, 1), &body);
    let talk = pair.settle();
    let [Event::Data(data)] = &talk.server[..] else { panic!("{:?}", talk.server) };
    assert_eq!(data.name, "onMetaData");
    assert_eq!(data.values[0].field("width"), Some(Value::Number(1280.0)));
    assert!(data.broken.is_some());
    assert_eq!(data.raw, body);
}

/// Data in AMF3 messages has the format byte; what is kept for viewers does not.
#[test]
fn amf3_data_is_unwrapped_to_its_amf0() {
    let mut pair = Pair::publishing();
    let mut inner = BytesMut::new();
    amf0::encode_str("onMetaData", &mut inner);
    amf0::encode_number(1.0, &mut inner);
    let mut body = BytesMut::from(&[0][..]);
    amf0::encode_str("@setDataFrame", &mut body);
    body.extend_from_slice(&inner);
    pair.client.send_message(&info(15, 1), &body);
    let talk = pair.settle();
    let [Event::Data(data)] = &talk.server[..] else { panic!("{:?}", talk.server) };
    assert_eq!((&*data.name, data.set_data_frame, &data.raw), ("onMetaData", true, &inner.freeze()));
    assert_eq!(data.values, [Value::Number(1.0)]);
    assert_eq!(data.broken, None);
}

/// ffmpeg asks for the length before it plays, and waits for an answer.
#[test]
fn the_length_of_a_stream_is_answered_with_zero() {
    let mut pair = Pair::connected();
    pair.client.command("getStreamLength", &[Value::Null, "camera".into()]);
    let talk = pair.settle();
    let [Heard::Result(reply)] = &talk.client[..] else { panic!("{:?}", talk.client) };
    assert_eq!(reply.to.as_deref(), Some("getStreamLength"));
    assert_eq!(reply.values, [Value::Null, Value::Number(0.0)]);
}

/// Flash Media Server of old packed several frames into one message.
#[test]
fn the_parts_of_an_aggregate_arrive_as_media_with_adjusted_timestamps() {
    let mut pair = Pair::publishing();
    let mut body = BytesMut::new();
    for (kind, time, frame) in [(8_u8, 100_u64, &[0xaf, 1, 2][..]), (9, 110, &[0x17; 40])] {
        body.put_u8(kind);
        body.put_uint(frame.len() as u64, 3);
        body.put_uint(time, 3);
        body.put_slice(&[0; 4]);
        body.put_slice(frame);
        body.put_u32(frame.len() as u32 + 11);
    }
    let header = MessageInfo { timestamp: 5000, ..info(22, 1) };
    pair.client.send_message(&header, &body);
    let heard: Vec<_> = pair
        .settle()
        .server
        .into_iter()
        .map(|event| match event {
            Event::Media(media) => (media.kind, media.info.timestamp, media.payload.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(heard, [(MediaKind::Audio, 5000, 3), (MediaKind::Video, 5010, 40)]);
}
