//! The chunk layer: what is written is read, however it is cut, interleaved and packed.

use bytes::{BufMut, BytesMut};
use proptest::prelude::*;
use rtmp::MessageInfo;
use rtmp::chunk::{ChunkReader, ChunkWriter, Headers, Limits, frame};
use rtmp::message::Message;

fn info(chunk_stream: u32, type_id: u8, timestamp: u32) -> MessageInfo {
    MessageInfo { offset: 0, chunk_stream, type_id, length: 0, timestamp, stream_id: 1 }
}

fn read_all(reader: &mut ChunkReader) -> Vec<Message> {
    let mut messages = Vec::new();
    while let Some(message) = reader.next_message().unwrap_or_else(|error| panic!("{error}")) {
        messages.push(message);
    }
    messages
}

/// Feeds bytes as a socket would: as much as fits the read buffer, in pieces of these sizes.
fn feed(reader: &mut ChunkReader, bytes: &[u8], pieces: &[usize]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut rest = bytes;
    let mut pieces = pieces.iter().cycle();
    while !rest.is_empty() {
        let buf = reader.read_buf();
        let room = buf.capacity() - buf.len();
        let count = pieces.next().copied().unwrap_or(usize::MAX).min(room).clamp(1, rest.len());
        let (piece, after) = rest.split_at(count);
        buf.extend_from_slice(piece);
        rest = after;
        messages.extend(read_all(reader));
    }
    messages
}

fn told(messages: &[Message]) -> Vec<(u32, u8, u32, u32, Vec<u8>)> {
    let told = |Message { info, payload }: &Message| {
        assert_eq!(info.length as usize, payload.len());
        (info.chunk_stream, info.type_id, info.timestamp, info.stream_id, payload.to_vec())
    };
    messages.iter().map(told).collect()
}

/// Messages as an encoder could send them: times around the ends of both fields, lengths around the chunk size.
fn messages() -> impl Strategy<Value = Vec<(u32, u8, u32, usize)>> {
    let chunk_stream = prop_oneof![3..8_u32, Just(64), Just(319), Just(320), Just(65_599)];
    let type_id = prop_oneof![Just(8_u8), Just(9), Just(18)];
    let time =
        prop_oneof![0..2000_u32, 0x00ff_fff0..0x0100_0010_u32, u32::MAX - 10..=u32::MAX, any::<u32>(),];
    let length = prop_oneof![Just(0_usize), 1..300_usize, Just(128), Just(4096), 8000..40_000_usize];
    prop::collection::vec((chunk_stream, type_id, time, length), 1..12)
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        messages in messages(),
        chunk_size in prop_oneof![Just(1_u32), 2..300_u32, Just(4096), Just(65_536), Just(0x7fff_ffff)],
        pieces in prop::collection::vec(1..20_000_usize, 1..6),
        headers in prop_oneof![Just(Headers::Full), Just(Headers::Compressed)],
    ) {
        let mut writer = ChunkWriter::new(headers);
        let mut reader = ChunkReader::new(Limits::default());
        writer.set_chunk_size(chunk_size);
        reader.set_chunk_size(chunk_size);
        let mut wire = BytesMut::new();
        let mut expected = Vec::new();
        for (i, (chunk_stream, type_id, time, length)) in messages.into_iter().enumerate() {
            let body: Vec<u8> = (0..length).map(|n| (n * 7 + i) as u8).collect();
            writer.write(&info(chunk_stream, type_id, time), &body, &mut wire);
            expected.push((chunk_stream, type_id, time, 1, body));
        }
        let read = feed(&mut reader, &wire, &pieces);
        prop_assert_eq!(told(&read), expected);
        prop_assert!(reader.at_boundary());
        prop_assert_eq!((reader.held(), reader.position()), (0, wire.len() as u64));
    }

    #[test]
    fn any_split_gives_the_same(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        pieces in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let run = |pieces: &[usize]| {
            let mut reader = ChunkReader::new(Limits { read_buffer: 256, ..Limits::default() });
            let mut messages = Vec::new();
            let mut rest = &bytes[..];
            let mut sizes = pieces.iter().cycle();
            while !rest.is_empty() {
                let count = sizes.next().copied().unwrap_or(usize::MAX).clamp(1, rest.len());
                let (piece, after) = rest.split_at(count);
                reader.read_buf().extend_from_slice(piece);
                rest = after;
                loop {
                    match reader.next_message() {
                        Ok(Some(message)) => messages.push(message),
                        Ok(None) => break,
                        Err(error) => return (messages, Some(error)),
                    }
                }
            }
            (messages, None)
        };
        prop_assert_eq!(run(&pieces), run(&[usize::MAX]));
    }

    #[test]
    fn interleaved_chunk_streams_come_out_whole(order in prop::collection::vec(0..3_usize, 40)) {
        let bodies: Vec<Vec<u8>> = (0..3_u8).map(|n| vec![n; 1000 + 128 * usize::from(n)]).collect();
        let mut parts: Vec<Vec<Vec<u8>>> = bodies
            .iter()
            .zip(10..)
            .map(|(body, id)| chunks_of(&frame(&info(id, 9, 5), body, 128), 128))
            .collect();
        let mut wire = Vec::new();
        for stream in order.into_iter().chain((0..3).cycle().take(60)) {
            if !parts[stream].is_empty() {
                wire.extend(parts[stream].remove(0));
            }
        }
        let read = feed(&mut ChunkReader::new(Limits::default()), &wire, &[usize::MAX]);
        let mut found: Vec<_> = told(&read).into_iter().map(|(id, _, _, _, body)| (id, body)).collect();
        found.sort();
        let expected: Vec<_> = (10..).zip(bodies).collect();
        prop_assert_eq!(found, expected);
    }
}

/// The chunks of one message with a one-byte basic header and no extended timestamp.
fn chunks_of(wire: &[u8], chunk_size: usize) -> Vec<Vec<u8>> {
    let (first, rest) = wire.split_at(wire.len().min(12 + chunk_size));
    let rest = rest.chunks(1 + chunk_size).map(<[u8]>::to_vec);
    std::iter::once(first.to_vec()).chain(rest).collect()
}

/// A type-0 header with an extended timestamp, on chunk stream 6.
fn extended(time: u32, length: u32, body: &[u8]) -> BytesMut {
    let mut wire = BytesMut::from(&[6, 0xff, 0xff, 0xff][..]);
    wire.put_uint(u64::from(length), 3);
    wire.put_u8(9);
    wire.put_u32_le(1);
    wire.put_u32(time);
    wire.put_slice(body);
    wire
}

#[test]
fn type_3_chunks_may_repeat_the_extended_timestamp_or_not() {
    let time = 0x0123_4567_u32;
    let repeated = [&[0xc6][..], &time.to_be_bytes()].concat();
    for continuation in [&repeated[..], &[0xc6]] {
        let mut wire = extended(time, 300, &[1; 128]);
        for length in [128, 44] {
            wire.put_slice(continuation);
            wire.put_bytes(2, length);
        }
        for piece in [1, 2, 5, usize::MAX] {
            let read = feed(&mut ChunkReader::new(Limits::default()), &wire, &[piece]);
            let body = [vec![1; 128], vec![2; 172]].concat();
            assert_eq!(told(&read), [(6, 9, time, 1, body)]);
        }
    }
}

#[test]
fn a_type_3_chunk_that_ends_soon_is_not_waited_for_in_vain() {
    // One byte of body is left, and the peer does not repeat: waiting for four would never end.
    let mut wire = extended(0x0123_4567, 129, &[1; 128]);
    wire.put_slice(&[0xc6, 2]);
    let read = feed(&mut ChunkReader::new(Limits::default()), &wire, &[usize::MAX]);
    assert_eq!(read.len(), 1);
}

#[test]
fn a_type_3_chunk_that_begins_a_message_adds_the_last_field_again() {
    let mut wire = BytesMut::new();
    wire.put_slice(&[6, 0, 0, 40, 0, 0, 1, 9, 1, 0, 0, 0, 0xaa]);
    wire.put_slice(&[0xc6, 0xbb]);
    wire.put_slice(&[0x86, 0, 0, 10, 0xcc]);
    wire.put_slice(&[0xc6, 0xdd]);
    let read = feed(&mut ChunkReader::new(Limits::default()), &wire, &[usize::MAX]);
    let times: Vec<_> = read.iter().map(|message| message.info.timestamp).collect();
    assert_eq!(times, [40, 80, 90, 100]);
}

#[test]
fn an_aborted_message_is_forgotten_and_its_header_is_not() {
    let mut reader = ChunkReader::new(Limits::default());
    let first = chunks_of(&frame(&info(6, 9, 5), &[1; 300], 128), 128);
    reader.read_buf().extend_from_slice(&first[0]);
    assert!(read_all(&mut reader).is_empty());
    assert!(reader.held() > 0);
    assert!(reader.abort(6));
    assert!(!reader.abort(6));
    assert_eq!((reader.held(), reader.mid_message()), (0, None));
    for part in chunks_of(&frame(&info(6, 9, 5), &[2; 300], 128), 128) {
        let count = if part[0] == 6 { 12 } else { 1 };
        reader.read_buf().extend_from_slice(&[0xc6]);
        reader.read_buf().extend_from_slice(&part[count..]);
    }
    // The header's timestamp, which is its delta as well, has been added once more.
    assert_eq!(told(&read_all(&mut reader)), [(6, 9, 10, 1, vec![2; 300])]);
}

#[test]
fn a_chunk_size_may_change_in_the_middle_of_a_message() {
    let mut reader = ChunkReader::new(Limits::default());
    let first = chunks_of(&frame(&info(6, 9, 5), &[1; 1000], 128), 128);
    reader.read_buf().extend_from_slice(&first[0]);
    assert!(read_all(&mut reader).is_empty());
    reader.set_chunk_size(5000);
    reader.read_buf().extend_from_slice(&[0xc6]);
    reader.read_buf().extend_from_slice(&[1; 872]);
    assert_eq!(told(&read_all(&mut reader)), [(6, 9, 5, 1, vec![1; 1000])]);
}

#[test]
fn a_large_body_in_one_chunk_is_handed_on_without_a_copy() {
    let mut reader = ChunkReader::new(Limits::default());
    reader.set_chunk_size(65_536);
    let wire = frame(&info(6, 9, 5), &[1; 12_000], 65_536);
    let buf = reader.read_buf();
    buf.extend_from_slice(&wire);
    let body_at = buf.as_ptr() as usize + wire.len() - 12_000;
    let read = read_all(&mut reader);
    assert_eq!(read[0].payload.as_ptr() as usize, body_at);
}

#[test]
fn a_small_body_does_not_keep_the_read_buffer() {
    let mut reader = ChunkReader::new(Limits::default());
    reader.set_chunk_size(65_536);
    let wire = frame(&info(6, 9, 5), &[1; 5000], 65_536);
    let mut kept = Vec::new();
    let mut places = std::collections::HashSet::new();
    for _ in 0..100 {
        let buf = reader.read_buf();
        places.insert(buf.as_ptr() as usize / (16 << 10));
        buf.extend_from_slice(&wire);
        kept.extend(read_all(&mut reader));
    }
    assert_eq!(kept.len(), 100);
    assert!(places.len() <= 4, "the read buffer is used again, not replaced: {} places", places.len());
}

#[test]
fn the_read_buffer_stays_small_whatever_is_announced() {
    let mut reader = ChunkReader::new(Limits::default());
    reader.set_chunk_size(0x00ff_ffff);
    let wire = frame(&info(6, 9, 5), &vec![1; 3 << 20], 0x00ff_ffff);
    let mut largest = 0;
    let mut read = Vec::new();
    for piece in wire.chunks(8000) {
        let buf = reader.read_buf();
        largest = largest.max(buf.capacity());
        buf.extend_from_slice(piece);
        read.extend(read_all(&mut reader));
    }
    assert_eq!(read[0].payload.len(), 3 << 20);
    assert!(largest <= 32 << 10, "{largest}");
}

#[test]
fn encoders_headers_are_left_out_where_they_say_nothing_new() {
    let mut writer = ChunkWriter::new(Headers::Compressed);
    let mut sizes = Vec::new();
    for (time, body) in [(0, 10), (20, 10), (40, 10), (60, 10), (60, 12), (50, 12)] {
        let mut wire = BytesMut::new();
        writer.write(&info(4, 8, time), &vec![0; body], &mut wire);
        sizes.push(wire.len() - body);
    }
    assert_eq!(sizes, [12, 4, 1, 1, 8, 12]);
}
