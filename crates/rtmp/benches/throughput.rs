//! Bytes a second through the chunk layer and a whole server session, both ways.
//!
//! `cargo bench -p rtmp`; the figures in the README come from here.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rtmp::chunk::{ChunkWriter, Headers, frame};
use rtmp::server::Event;
use rtmp::{ClientConfig, ClientSession, MediaKind, MessageInfo, ServerConfig, ServerSession};

/// Two seconds of a push of about 4 Mbit/s: a frame of video every 33 ms with a key frame a second, audio every
/// 23 ms.
fn frames() -> Vec<(MediaKind, u32, usize)> {
    let video = (0..60).map(|i| (MediaKind::Video, i * 33, if i % 30 == 0 { 90_000 } else { 12_500 }));
    let audio = (0..86).map(|i| (MediaKind::Audio, i * 23, 360));
    let mut frames: Vec<_> = video.chain(audio).collect();
    frames.sort_by_key(|(_, time, _)| *time);
    frames
}

/// A server whose client publishes, and what the client sends of media, in chunks of this size.
fn publishing(chunk_size: u32, read_buffer: usize) -> (ServerSession, Bytes) {
    let mut config = ServerConfig::new([1; 1528]);
    config.limits.read_buffer = read_buffer;
    let mut server = ServerSession::new(config);
    let mut client = ClientSession::new(ClientConfig::new([2; 1528]));
    client.start();
    client.connect("live", "rtmp://localhost/live", &[]);
    client.create_stream();
    client.publish(1, "camera");
    client.set_chunk_size(chunk_size);
    while client.has_output() || server.has_output() {
        server.read_buf().extend_from_slice(&client.output().split());
        while let Some(event) = server.poll().unwrap_or_default() {
            match event {
                Event::Connect(_) => server.accept_connect(),
                Event::Publish(publish) => server.accept_publish(publish.stream_id),
                _ => {}
            }
        }
        client.read_buf().extend_from_slice(&server.output().split());
        while let Ok(Some(_)) = client.poll() {}
    }
    let body = vec![0x5a; 100_000];
    for (kind, time, length) in frames() {
        client.send_media(1, kind, time, body.get(..length).unwrap_or_default());
    }
    (server, client.output().split().freeze())
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (chunk_size, read) in [(128, 16 << 10), (4096, 16 << 10), (8192, 16 << 10), (65_536, 64 << 10)] {
        let (mut server, media) = publishing(chunk_size, read);
        group.throughput(Throughput::Bytes(media.len() as u64));
        group.bench_function(BenchmarkId::new("session", chunk_size), |bencher| {
            bencher.iter(|| {
                let mut messages = 0;
                for part in media.chunks(read / 2) {
                    server.read_buf().extend_from_slice(part);
                    while let Ok(Some(event)) = server.poll() {
                        black_box(&event);
                        messages += 1;
                    }
                }
                assert_eq!(messages, frames().len());
            });
        });
    }
    // The least that any receiver has to do: the same bytes, copied into a buffer and nothing else.
    let (_, media) = publishing(8192, 16 << 10);
    group.throughput(Throughput::Bytes(media.len() as u64));
    group.bench_function("copy_only", |bencher| {
        let mut buffer = BytesMut::with_capacity(16 << 10);
        bencher.iter(|| {
            for part in media.chunks(8 << 10) {
                buffer.clear();
                buffer.extend_from_slice(part);
                black_box(&buffer);
            }
        });
    });
    group.finish();
}

fn serialise(criterion: &mut Criterion) {
    let body = vec![0x5a; 100_000];
    let frames = frames();
    let bytes: usize = frames.iter().map(|(_, _, length)| length).sum();
    let info = |kind: MediaKind, timestamp| MessageInfo {
        offset: 0,
        chunk_stream: 6,
        type_id: kind.type_id(),
        length: 0,
        timestamp,
        stream_id: 1,
    };
    let mut group = criterion.benchmark_group("serialise");
    group.throughput(Throughput::Bytes(bytes as u64));
    for chunk_size in [128, 8192, 65_536] {
        group.bench_function(BenchmarkId::new("writer", chunk_size), |bencher| {
            let mut writer = ChunkWriter::new(Headers::Compressed);
            writer.set_chunk_size(chunk_size);
            bencher.iter_batched_ref(
                || BytesMut::with_capacity(bytes * 2),
                |out| {
                    for (kind, time, length) in &frames {
                        writer.write(&info(*kind, *time), body.get(..*length).unwrap_or_default(), out);
                    }
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.bench_function(BenchmarkId::new("frame", 8192), |bencher| {
        bencher.iter(|| {
            for (kind, time, length) in &frames {
                black_box(frame(&info(*kind, *time), body.get(..*length).unwrap_or_default(), 8192));
            }
        });
    });
    group.finish();
}

criterion_group!(benches, parse, serialise);
criterion_main!(benches);
