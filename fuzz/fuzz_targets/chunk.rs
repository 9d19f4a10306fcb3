//! Any bytes as chunks: no panic, limits kept, the same messages wherever the bytes are split, and what was read
//! reads the same when written again.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use rtmp::chunk::{ChunkReader, ChunkWriter, Error, Headers, Limits};
use rtmp::message::Message;

const LIMITS: Limits =
    Limits { message: 4096, command: 1024, partial: 16_384, chunk_streams: 8, read_buffer: 512 };

fn read(pieces: &[&[u8]], chunk_size: u32) -> (Vec<Message>, Option<Error>) {
    let mut reader = ChunkReader::new(LIMITS);
    reader.set_chunk_size(chunk_size);
    let mut messages = Vec::new();
    for piece in pieces {
        for part in piece.chunks(256) {
            reader.read_buf().extend_from_slice(part);
            loop {
                match reader.next_message() {
                    Ok(Some(message)) => messages.push(message),
                    Ok(None) => break,
                    Err(error) => return (messages, Some(error)),
                }
            }
            assert!(reader.held() <= LIMITS.partial);
        }
    }
    (messages, None)
}

fn written(messages: &[Message], headers: Headers) -> BytesMut {
    let mut writer = ChunkWriter::new(headers);
    writer.set_chunk_size(256);
    let mut out = BytesMut::new();
    messages.iter().for_each(|message| writer.write(&message.info, &message.payload, &mut out));
    out
}

fn said(messages: &[Message]) -> Vec<(u32, u8, u32, u32, &[u8])> {
    let said = |message: &'_ Message| {
        let info = message.info;
        (info.chunk_stream, info.type_id, info.timestamp, info.stream_id)
    };
    messages
        .iter()
        .map(|message| {
            let (chunk_stream, type_id, timestamp, stream_id) = said(message);
            (chunk_stream, type_id, timestamp, stream_id, &message.payload[..])
        })
        .collect()
}

fuzz_target!(|input: (u16, u8, &[u8])| {
    let (split, chunk_size, bytes) = input;
    let chunk_size = u32::from(chunk_size) * 4 + 1;
    let whole = read(&[bytes], chunk_size);
    let (before, after) = bytes.split_at(usize::from(split).min(bytes.len()));
    assert_eq!(read(&[before, after], chunk_size), whole);

    for headers in [Headers::Full, Headers::Compressed] {
        let (again, error) = read(&[&written(&whole.0, headers)], 256);
        assert_eq!(error, None);
        assert_eq!(said(&again), said(&whole.0));
    }
});
