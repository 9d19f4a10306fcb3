//! What ends a session: one test a rule, each with the place it was found at.

mod support;

use bytes::{BufMut, BytesMut};
use rtmp::amf0::{DecodeErrorKind, Object, Value};
use rtmp::handshake::{Guess, HandshakeErrorKind};
use rtmp::message::aggregate::Truncated;
use rtmp::message::command::Command;
use rtmp::message::control::ControlError;
use rtmp::{
    Class, ClientConfig, ClientSession, Fault, MediaKind, MessageInfo, Rule, ServerConfig, ServerSession,
    Stage,
};
use support::{Pair, noise, replay};

fn fault_of(mut pair: Pair) -> Fault {
    let Err(fault) = pair.try_settle(|_, _| {}) else { panic!("no rule was broken") };
    assert_eq!(pair.server.poll(), Err(fault.clone()), "a dead session stays dead");
    fault
}

/// The fault of a server whose client, publishing, sends these bytes. Offsets count from the first of them.
fn fault_from(bytes: &[u8]) -> Fault {
    let mut pair = Pair::publishing();
    let begin = pair.server.bytes_received();
    pair.client.send_raw(bytes);
    let fault = fault_of(pair);
    assert!(fault.offset >= begin);
    assert_eq!(fault.stage, Stage::Publishing);
    fault
}

fn header(type_id: u8, length: u32) -> Vec<u8> {
    let mut bytes = BytesMut::from(&[0x05, 0, 0, 0][..]);
    bytes.put_uint(u64::from(length), 3);
    bytes.put_u8(type_id);
    bytes.put_u32_le(1);
    bytes.to_vec()
}

fn info(type_id: u8, stream_id: u32) -> MessageInfo {
    MessageInfo { offset: 0, chunk_stream: 3, type_id, length: 0, timestamp: 0, stream_id }
}

#[test]
fn a_handshake_of_something_else_says_what_it_looks_like() {
    let (_, fault) = replay(b"GET / HTTP/1.1\r\n", []);
    let fault = fault.unwrap();
    let kind = HandshakeErrorKind::BadVersion { version: b'G', guess: Guess::HttpOrTransportStream };
    assert_eq!(fault.rule, Rule::Handshake(kind));
    assert_eq!((fault.class(), fault.offset), (Class::Invalid, 0));
    assert_eq!(
        fault.to_string(),
        "handshake: version 0x47 instead of 3, looks like HTTP or an MPEG transport stream, \
         at byte 0 of the connection, in the handshake"
    );
}

#[test]
fn an_encrypted_handshake_is_incompatible_not_broken() {
    let (_, fault) = replay(&[6], []);
    assert_eq!(fault.unwrap().class(), Class::Incompatible);
}

#[test]
fn a_type_3_chunk_needs_a_header_to_repeat() {
    let fault = fault_from(&[0xc9]);
    assert_eq!(fault.rule, Rule::NothingToContinue);
    assert_eq!((fault.class(), fault.chunk_stream), (Class::Invalid, Some(9)));
}

#[test]
fn a_message_may_not_begin_inside_another_on_the_same_chunk_stream() {
    let mut bytes = header(9, 300);
    bytes.extend_from_slice(&[0; 128]);
    bytes.extend_from_slice(&header(9, 300));
    let fault = fault_from(&bytes);
    assert_eq!(fault.rule, Rule::MessageInterrupted { have: 128, want: 300 });
    assert_eq!((fault.message_type, fault.message_length), (Some(9), Some(300)));
    assert_eq!(fault.class(), Class::Invalid);
}

#[test]
fn more_than_64_chunk_streams_are_too_many() {
    let mut pair = Pair::publishing();
    for chunk_stream in 100..200 {
        let info = MessageInfo { chunk_stream, ..info(8, 1) };
        pair.client.send_chunked(&info, &[0], 128);
    }
    let fault = fault_of(pair);
    assert_eq!(fault.rule, Rule::ChunkStreams { limit: 64 });
    assert_eq!(fault.class(), Class::Misbehaved);
}

#[test]
fn half_received_messages_may_not_hold_more_than_the_limit() {
    let mut config = ServerConfig::new(noise(1));
    config.limits.partial = 50_000;
    let mut pair = Pair::with(config, ClientConfig::new(noise(2))).connect();
    pair.client.set_chunk_size(30_000);
    for chunk_stream in 10..13 {
        let mut bytes = header(9, 1_000_000);
        bytes[0] = chunk_stream;
        bytes.extend_from_slice(&[0; 30_000]);
        pair.client.send_raw(&bytes);
    }
    let fault = fault_of(pair);
    assert!(matches!(fault.rule, Rule::PartialMessages { held: 50_001.., limit: 50_000 }), "{fault}");
}

#[test]
fn a_message_type_that_does_not_exist_is_refused_at_its_header() {
    for found in [0, 7, 10, 14, 21, 23, 255] {
        let fault = fault_from(&header(found, 16_000_000));
        assert_eq!(fault.rule, Rule::UnknownMessageType { found });
        assert_eq!(fault.class(), Class::Invalid);
    }
}

#[test]
fn a_control_message_of_another_length_is_refused_at_its_header() {
    let fault = fault_from(&header(1, 5));
    let error = ControlError::Length { name: "Set Chunk Size", expected: 4, found: 5 };
    assert_eq!(fault.rule, Rule::Control(error));
}

#[test]
fn a_chunk_size_of_zero_is_refused() {
    let mut bytes = header(1, 4);
    bytes.extend_from_slice(&[0; 4]);
    assert_eq!(fault_from(&bytes).rule, Rule::Control(ControlError::ChunkSize(0)));
}

#[test]
fn media_and_data_may_not_come_before_connect() {
    for type_id in [8, 9, 15, 16, 18, 19, 22] {
        let mut pair = Pair::new();
        pair.settle();
        pair.client.send_raw(&header(type_id, 10));
        let fault = fault_of(pair);
        assert_eq!(fault.rule, Rule::MediaBeforeConnect);
        assert_eq!(fault.stage, Stage::BeforeConnect);
        assert_eq!(fault.offset, 1 + 2 * 1536);
    }
}

#[test]
fn a_message_over_the_limit_is_refused_at_its_header() {
    let fault = fault_from(&header(9, (4 << 20) + 1));
    assert_eq!(fault.rule, Rule::MessageTooLarge { length: (4 << 20) + 1, limit: 4 << 20 });
    assert!(fault.is_too_large());
    assert_eq!(fault.class(), Class::Misbehaved);
}

#[test]
fn a_message_of_just_the_limit_is_not() {
    let mut pair = Pair::publishing();
    pair.client.send_media(1, MediaKind::Video, 0, &vec![0; 4 << 20]);
    assert_eq!(pair.settle().server.len(), 1);
}

#[test]
fn a_command_over_its_limit_is_not_a_message_over_the_limit() {
    let fault = fault_from(&header(20, 100_000));
    assert_eq!(fault.rule, Rule::CommandTooLarge { length: 100_000, limit: 64 << 10 });
    assert!(!fault.is_too_large());
}

#[test]
fn the_broken_amf_of_a_command_tells_marker_byte_and_path() {
    let object = Value::Object(Object::new().with("app", "live").with("tcUrl", "rtmp://h/live"));
    let body = Command::encode("connect", 1.0, &[object]);
    let mut pair = Pair::new();
    pair.settle();
    pair.client.send_message(&info(20, 0), &body[..body.len() - 6]);
    let fault = fault_of(pair);
    let amf = fault.amf().expect("AMF is at fault");
    assert_eq!((amf.marker, &amf.kind), (Some(2), &DecodeErrorKind::UnexpectedEnd { needed: 13, have: 10 }));
    assert_eq!(fault.path().as_deref(), Some("command[2].tcUrl"));
    assert_eq!(
        fault.to_string(),
        "AMF0 broken at byte 42 in command[2].tcUrl (marker 0x02): 13 bytes needed, 10 left, \
         at byte 3073 of the connection, chunk stream 3, command message (type 20) of 52 bytes, before connect"
    );
    assert_eq!(fault.class(), Class::Invalid);
}

#[test]
fn amf_that_is_legal_and_unknown_is_incompatible() {
    let mut body = BytesMut::from(&Command::encode("hello", 1.0, &[])[..]);
    body.put_slice(&[0x04]);
    let mut pair = Pair::connected();
    pair.client.send_message(&info(20, 0), &body);
    assert_eq!(fault_of(pair).class(), Class::Incompatible);
}

#[test]
fn a_command_without_name_or_transaction_is_refused() {
    for (body, missing) in [(&[5][..], "a name"), (&[2, 0, 1, b'x', 5], "a transaction id")] {
        let mut pair = Pair::connected();
        pair.client.send_message(&info(20, 0), body);
        let fault = fault_of(pair);
        assert_eq!(fault.rule, Rule::CommandShape { missing });
        assert_eq!(fault.amf(), None);
    }
}

#[test]
fn connect_is_the_first_command() {
    let mut pair = Pair::new();
    pair.client.create_stream();
    let fault = fault_of(pair);
    assert_eq!(fault.rule, Rule::CommandBeforeConnect { name: "createStream".into() });
    assert_eq!(fault.class(), Class::Misbehaved);
}

#[test]
fn connect_comes_once() {
    let mut pair = Pair::connected();
    pair.client.connect("live", "rtmp://h/live", &[]);
    assert_eq!(fault_of(pair).rule, Rule::ConnectTwice);
}

#[test]
fn connect_needs_a_command_object_with_an_app() {
    let mut pair = Pair::new();
    pair.client.command("connect", &[Value::Null]);
    let rule = Rule::MissingArgument { command: "connect", argument: "a command object" };
    assert_eq!(fault_of(pair).rule, rule);
}

#[test]
fn publish_and_play_need_a_stream_that_was_created() {
    for stream_id in [0, 1, 7] {
        let mut pair = Pair::connected();
        pair.client.publish(stream_id, "camera");
        assert_eq!(fault_of(pair).rule, Rule::NoSuchStream { command: "publish", stream_id });
        let mut pair = Pair::connected();
        pair.client.play(stream_id, "camera");
        assert_eq!(fault_of(pair).rule, Rule::NoSuchStream { command: "play", stream_id });
    }
}

#[test]
fn publish_and_play_need_a_name() {
    for command in ["publish", "play"] {
        let mut pair = Pair::connected();
        pair.client.create_stream();
        pair.client.stream_command(1, command, &[Value::Null]);
        assert_eq!(fault_of(pair).rule, Rule::MissingArgument { command, argument: "a stream name" });
    }
}

#[test]
fn message_streams_are_limited_and_deleted_ones_do_not_count() {
    let mut pair = Pair::connected();
    for _ in 0..100 {
        pair.client.create_stream();
        pair.client.delete_stream(1);
    }
    pair.settle();
    for _ in 0..17 {
        pair.client.create_stream();
    }
    assert_eq!(fault_of(pair).rule, Rule::MessageStreams { limit: 16 });
}

#[test]
fn an_aggregate_has_to_hold_its_parts() {
    let mut bytes = header(22, 13);
    bytes.extend_from_slice(&[9, 0, 0, 50, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
    let fault = fault_from(&bytes);
    assert_eq!(fault.rule, Rule::Aggregate(Truncated { at: 0, needed: 61, have: 13 }));
    assert_eq!(fault.message_type, Some(22));
}

#[test]
fn an_aggregate_holds_no_commands() {
    let mut bytes = header(22, 12);
    bytes.extend_from_slice(&[20, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(fault_from(&bytes).rule, Rule::AggregatePart { found: 20 });
}

#[test]
fn random_bytes_behind_the_handshake_are_never_a_message_over_the_limit() {
    let mut pair = Pair::new();
    pair.settle();
    let handshake = pair.sent.clone();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut faults = 0;
    for _ in 0..300 {
        let mut bytes = handshake.clone();
        for _ in 0..4096 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.push((state >> 32) as u8);
        }
        let (_, fault) = replay(&bytes, []);
        if let Some(fault) = fault {
            assert!(!fault.is_too_large(), "{fault}");
            assert!(fault.offset >= handshake.len() as u64, "{fault}");
            faults += 1;
        }
    }
    assert!(faults > 290, "only {faults} of 300 were noticed within 4 KiB");
}

#[test]
fn a_server_that_breaks_the_rules_is_at_fault_too() {
    let mut pair = Pair::connected();
    pair.server.output().extend_from_slice(&header(1, 9));
    let fault = pair.try_settle(|_, _| {}).err().expect("a fault");
    assert_eq!(fault.stage, Stage::Connected);

    let mut client = ClientSession::new(ClientConfig::new(noise(2)));
    client.read_buf().extend_from_slice(b"HTTP/1.1 400 Bad Request");
    assert_eq!(client.poll().unwrap_err().class(), Class::Invalid);
}

#[test]
fn a_peer_that_does_not_read_cannot_make_us_hoard_answers() {
    let mut pair = Pair::publishing();
    let ping = rtmp::message::control::Control::User(rtmp::message::control::UserControl::PingRequest(1));
    for _ in 0..20_000 {
        pair.client.control(&ping);
    }
    let bytes = pair.client.output().split();
    let server: &mut ServerSession = &mut pair.server;
    server.read_buf().extend_from_slice(&bytes);
    while server.poll().unwrap().is_some() {}
    assert!(server.output().len() < 66_000, "{}", server.output().len());
}
