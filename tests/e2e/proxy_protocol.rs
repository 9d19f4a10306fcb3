//! A load balancer in front, which tells the client's address in a PROXY header.

use std::io::Write;
use std::net::TcpStream;

use crate::support::pusher::Pusher;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

/// PROXY protocol v2, section 2.2: signature, command PROXY, TCP over IPv4, 12 bytes of addresses.
const V2: [u8; 28] = [
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0x00, 0x0c, 203, 0,
    113, 9, 192, 0, 2, 1, 0x1f, 0x90, 0x07, 0x8f,
];

fn behind_a_balancer() -> Server {
    Setup::open().env("LASTFRAME_RTMP_PROXY_PROTOCOL", "127.0.0.0/8").start()
}

#[test]
fn both_versions_of_the_header_give_the_client_its_address() {
    let server = behind_a_balancer();
    let headers: [(&str, &[u8], &str, u16); 3] = [
        ("v1", b"PROXY TCP4 203.0.113.7 192.0.2.1 5555 1935\r\n", "203.0.113.7", 5555),
        ("v1-ipv6", b"PROXY TCP6 2001:db8::7 2001:db8::1 5556 1935\r\n", "2001:db8::7", 5556),
        ("v2", &V2, "203.0.113.9", 8080),
    ];
    for (stream, header, ip, port) in headers {
        let mut push = through(&server, header).ready(DOMAIN, "live").unwrap();
        push.publish(stream).unwrap();
        push.send_media(1_000).unwrap();
        push.delete_stream().unwrap();
        let record = server.record(stream);
        assert_eq!(record.code().to_string(), "1/0");
        assert_eq!((record.client_ip.to_string().as_str(), record.client_port), (ip, port));
        let found = server.records(&["--ip", ip]);
        assert_eq!(found.len(), 1, "found by its address: {found:#?}");
    }
}

#[test]
fn without_the_header_nobody_gets_in_and_it_is_on_record() {
    let server = behind_a_balancer();
    let mut push = through(&server, b"");
    assert!(push.handshake().is_err());
    let records = crate::support::clock::until("a record", crate::support::clock::PATIENCE, || {
        let records = server.records(&[]);
        (!records.is_empty()).then_some(records)
    });
    assert_eq!(records.len(), 1);
    assert_ne!(records[0].code().to_string(), "0/0", "{records:#?}");
}

#[test]
fn a_header_from_anybody_else_is_not_believed() {
    let server = Setup::open().env("LASTFRAME_RTMP_PROXY_PROTOCOL", "198.51.100.0/24").start();
    let mut push = through(&server, b"PROXY TCP4 203.0.113.7 192.0.2.1 5555 1935\r\n");
    assert!(push.handshake().is_err());
    let record = server.record_of_code("6/0");
    assert!(record.client_ip.is_loopback(), "{}", record.client_ip);
}

fn through(server: &Server, header: &[u8]) -> Pusher {
    let mut socket = TcpStream::connect(server.rtmp()).unwrap();
    socket.write_all(header).unwrap();
    Pusher::over(socket).unwrap()
}
