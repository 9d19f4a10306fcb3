//! FLV over HTTP, byte for byte: whoever reads, in whatever version of HTTP and however slowly, gets the same file, and one
//! who kept the connection may ask again. That players play it is in `playback`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::support::clock::{PATIENCE, until};
use crate::support::pusher::Pusher;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

#[test]
fn every_viewer_gets_the_same_file_in_whole_chunks_however_slowly_it_reads() {
    let server = Setup::open().start();
    let mut push = Pusher::push(server.rtmp(), "same").unwrap();
    push.send_media(1_000).unwrap();
    // One reads in sips from a socket that holds little: its viewer goes on alone time and again.
    let ways = [("1.1", 64 << 10), ("1.1", 64 << 10), ("1.1", 900), ("1.0", 64 << 10), ("1.0", 900)];
    let viewers: Vec<_> =
        ways.into_iter().map(|(version, sip)| view(&server, "same", version, sip)).collect();
    wait_for_viewers(&server, "same", ways.len());
    for number in 0..200 {
        push.send_media(if number % 10 == 9 { 90_000 } else { 700 + number }).unwrap();
        sleep(Duration::from_millis(5));
    }
    push.delete_stream().unwrap();
    let files: Vec<_> = viewers.into_iter().map(|viewer| viewer.join().unwrap()).collect();
    let first = &files[0];
    assert_eq!(&first[..3], b"FLV");
    assert_eq!(videos(first), 202, "the header, and each frame");
    for (file, way) in files.iter().zip(ways) {
        assert!(file == first, "{way:?}: {} bytes of {}", file.len(), first.len());
    }
}

#[test]
fn a_connection_that_was_kept_carries_the_next_request_once_the_stream_is_over() {
    let server = Setup::open().start();
    let mut push = Pusher::push(server.rtmp(), "kept").unwrap();
    push.send_media(1_000).unwrap();
    let mut socket = BufReader::new(ask(&server, "kept", "1.1", 64 << 10));
    assert!(head(&mut socket).starts_with("HTTP/1.1 200 "));
    for _ in 0..20 {
        push.send_media(1_000).unwrap();
        sleep(Duration::from_millis(20));
    }
    push.delete_stream().unwrap();
    assert_eq!(videos(&chunks(&mut socket)), 22);
    socket.get_mut().write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert!(head(&mut socket).starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_viewer_that_leaves_is_gone_from_the_list_though_nothing_more_is_pushed() {
    let server = Setup::open().start();
    let mut push = Pusher::push(server.rtmp(), "left").unwrap();
    push.send_media(1_000).unwrap();
    let leaves = ask(&server, "left", "1.1", 64 << 10);
    let _stays = ask(&server, "left", "1.1", 64 << 10);
    wait_for_viewers(&server, "left", 2);
    for _ in 0..5 {
        push.send_media(1_000).unwrap();
        sleep(Duration::from_millis(50));
    }
    drop(leaves);
    wait_for_viewers(&server, "left", 1);
}

/// A viewer that reads so many bytes at a time, with a pause after each few. Gives the file.
fn view(server: &Server, stream: &str, version: &'static str, sip: usize) -> JoinHandle<Vec<u8>> {
    let socket = ask(server, stream, version, sip);
    std::thread::spawn(move || {
        let mut reader = BufReader::with_capacity(sip, Sips(socket, 0));
        let head = head(&mut reader);
        assert!(head.starts_with(&format!("HTTP/{version} 200 ")), "{head}");
        assert!(head.contains("access-control-allow-origin: *"), "{head}");
        match version {
            "1.1" => chunks(&mut reader),
            _ => {
                let mut all = Vec::new();
                reader.read_to_end(&mut all).unwrap();
                all
            }
        }
    })
}

/// A socket whose reader is slow where it reads little.
struct Sips(TcpStream, u32);

impl Read for Sips {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.1 += 1;
        if buffer.len() < 1_000 && self.1.is_multiple_of(8) {
            sleep(Duration::from_millis(1));
        }
        self.0.read(buffer)
    }
}

fn ask(server: &Server, stream: &str, version: &str, buffers: usize) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(buffers).unwrap();
    socket.connect(&server.http().into()).unwrap();
    let mut socket = TcpStream::from(socket);
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("GET /live/{stream}.flv HTTP/{version}\r\nHost: {DOMAIN}\r\n\r\n");
    socket.write_all(head.as_bytes()).unwrap();
    socket
}

fn head(from: &mut impl BufRead) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(from.read_line(&mut head).unwrap() > 0, "{head}");
    }
    head
}

/// The body of an answer in chunks, each of which is whole.
fn chunks(from: &mut impl BufRead) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        let size = line.strip_suffix("\r\n").and_then(|size| u64::from_str_radix(size, 16).ok());
        let size = size.unwrap_or_else(|| panic!("no size of a chunk behind {} bytes: {line:?}", all.len()));
        from.take(size).read_to_end(&mut all).unwrap();
        let mut end = [0; 2];
        from.read_exact(&mut end).unwrap();
        assert_eq!(&end, b"\r\n");
        if size == 0 {
            return all;
        }
    }
}

/// How many tags of a whole FLV file are video (Adobe FLV 10.1, annex E.3).
fn videos(file: &[u8]) -> usize {
    let (mut rest, mut count) = (&file[13..], 0);
    while !rest.is_empty() {
        let body = u32::from_be_bytes([0, rest[1], rest[2], rest[3]]) as usize;
        count += usize::from(rest[0] == 9);
        let (tag, behind) = rest.split_at(11 + body);
        assert_eq!(u32::from_be_bytes(behind[..4].try_into().unwrap()) as usize, tag.len());
        rest = &behind[4..];
    }
    count
}

fn wait_for_viewers(server: &Server, stream: &str, count: usize) {
    until(&format!("{count} viewers"), PATIENCE, || {
        let pushes = server.get("/api/v1/pushes");
        let push = pushes["pushes"].as_array()?.iter().find(|push| push["stream"] == stream)?;
        (push["viewers"] == count).then_some(())
    });
}
