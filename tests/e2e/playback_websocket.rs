//! FLV over WebSocket, as the standard has it: who may open one, what comes over it, and how it ends. That a browser plays
//! it is in `playback_browser`.

use std::io::{Read, Write};
use std::net::TcpStream;

use model::sign::{Algorithm, signed_query};

use crate::support::clock::{PATIENCE, wall};
use crate::support::pusher::Pusher;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

const SAFE: &str =
    "[[domain]]\nname = \"safe.test\"\naccount = 7\nauth = false\nplay_auth = true\nplay_key = \"key\"\n";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";

const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

#[test]
fn a_websocket_carries_the_file_answers_pings_and_says_that_the_stream_has_ended() {
    let server = Setup::open().start();
    let mut push = Pusher::push(server.rtmp(), "here").unwrap();
    push.send_media(1_000).unwrap();
    let mut line = open(&server, &format!("/live/here.flv?domain={DOMAIN}"));
    let (opcode, file) = line.frame();
    assert_eq!((opcode, &file[..3]), (BINARY, &b"FLV"[..]));
    line.say(PING, b"are you there?");
    push.send_media(70_000).unwrap();
    let (mut answered, mut received) = (false, 0);
    while !answered || received < 70_000 {
        match line.frame() {
            (PONG, payload) => answered = payload == b"are you there?",
            (BINARY, payload) => received += payload.len(),
            (other, _) => panic!("a frame of kind {other:#x}"),
        }
        // What was sent last is handed out at the latest with what comes behind it.
        push.send_media(1_000).unwrap();
    }
    push.delete_stream().unwrap();
    assert_eq!(server.code("here"), "1/0");
    let goodbye = line.frames().find(|(opcode, _)| *opcode == CLOSE).expect("a goodbye").1;
    assert_eq!(goodbye, [&1000u16.to_be_bytes()[..], b"the stream has ended"].concat());
    line.say(CLOSE, &1000u16.to_be_bytes());
    assert_eq!(line.socket.read(&mut [0]).unwrap(), 0, "then the server closes");
}

#[test]
fn a_viewer_that_leaves_is_answered_and_one_that_breaks_the_rules_is_told_so() {
    let server = Setup::open().start();
    let mut push = Pusher::push(server.rtmp(), "here").unwrap();
    push.send_media(1_000).unwrap();
    let last_words = |kind: u8, payload: &[u8]| {
        let mut line = open(&server, &format!("/live/here.flv?domain={DOMAIN}"));
        line.say(kind, payload);
        let (_, goodbye) = line.frames().find(|(opcode, _)| *opcode == CLOSE).expect("a goodbye");
        goodbye.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]))
    };
    assert_eq!(last_words(CLOSE, &1001u16.to_be_bytes()), Some(1001));
    assert_eq!(last_words(CLOSE, b""), None);
    assert_eq!(last_words(0x83, b""), Some(1002), "an opcode that does not exist");
    assert_eq!(last_words(BINARY, &[0; 70_000]), Some(1009), "more than a viewer may send");
    push.delete_stream().unwrap();
    assert_eq!(server.code("here"), "1/0", "and the push never noticed");
}

#[test]
fn who_may_not_read_the_stream_over_http_may_not_over_websocket() {
    let server = Setup::open().config(SAFE).start();
    let mut safe = Pusher::push_to(server.rtmp(), "safe.test", "live", "here").unwrap();
    safe.send_media(1_000).unwrap();
    let head = |query: &str, headers: &str| {
        let (_, head) = ask(&server, &format!("/live/here.flv?domain=safe.test&{query}"), headers);
        head
    };
    let good = format!("{VERSION}{KEY}");
    let expires = wall().plus(PATIENCE);
    let signed = |key| signed_query(key, "here", expires, Algorithm::Md5);
    assert!(head(&signed("key"), &good).starts_with("HTTP/1.1 101 "));
    assert!(head("", &good).starts_with("HTTP/1.1 403 "));
    assert!(head(&signed("another"), &good).starts_with("HTTP/1.1 403 "));
    let missing = ask(&server, &format!("/live/nothing.flv?domain={DOMAIN}"), &good).1;
    assert!(missing.starts_with("HTTP/1.1 404 "), "{missing}");
    let old = head(&signed("key"), &format!("Sec-WebSocket-Version: 8\r\n{KEY}"));
    assert!(old.starts_with("HTTP/1.1 400 ") && old.contains("sec-websocket-version: 13"), "{old}");
    assert!(head(&signed("key"), VERSION).starts_with("HTTP/1.1 400 "), "without a key");
}

/// A WebSocket that is open.
struct Line {
    socket: TcpStream,
}

fn open(server: &Server, path: &str) -> Line {
    let (socket, head) = ask(server, path, &format!("{VERSION}{KEY}"));
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    // The key and its answer are those of RFC 6455, 1.3.
    assert!(head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    Line { socket }
}

/// Asks for a WebSocket, from a page of somebody else. Gives the head of the answer.
fn ask(server: &Server, path: &str, headers: &str) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(server.http()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nOrigin: https://elsewhere.example\r\nConnection: keep-alive, Upgrade\r\n\
         Upgrade: websocket\r\n{headers}\r\n",
        server.http()
    );
    socket.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    (socket, String::from_utf8(head).unwrap())
}

impl Line {
    /// The next frame: its first byte, and its payload.
    fn frame(&mut self) -> (u8, Vec<u8>) {
        let [first, short] = self.take();
        let length = match short {
            126 => usize::from(u16::from_be_bytes(self.take())),
            127 => usize::try_from(u64::from_be_bytes(self.take())).unwrap(),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.socket.read_exact(&mut payload).unwrap();
        (first, payload)
    }

    fn frames(&mut self) -> impl Iterator<Item = (u8, Vec<u8>)> {
        std::iter::from_fn(|| Some(self.frame()))
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.socket.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Says something, masked with zeros.
    fn say(&mut self, first: u8, payload: &[u8]) {
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
            medium @ 126..0x1_0000 => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(medium).unwrap().to_be_bytes());
            }
            long => {
                bytes.push(0x80 | 127);
                bytes.extend(u64::try_from(long).unwrap().to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend_from_slice(payload);
        self.socket.write_all(&bytes).unwrap();
    }
}
