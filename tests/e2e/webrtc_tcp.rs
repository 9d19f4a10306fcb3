//! WebRTC for clients that no datagram gets through for: a real browser pushes and plays over TCP, and its ends are judged by
//! what TCP says of them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use model::Record;

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until_true};
use crate::support::http;
use crate::support::players::Pages;
use crate::support::ports;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::webrtc::{OFFER, advances, connected, post, url};

fn is_there() -> bool {
    rights::has(&["chromium", "chromedriver"])
}

/// A server with a WebRTC port of a number that is known: the same for UDP and TCP.
fn server() -> (Server, SocketAddr) {
    let at = SocketAddr::from(([127, 0, 0, 1], ports::free()));
    (Setup::open().env("LASTFRAME_WEBRTC_LISTEN", &at.to_string()).start(), at)
}

fn told(server: &Server, record: &Record) -> String {
    server.cli(&["show", &record.id.to_string()])
}

#[test]
fn a_browser_pushes_and_another_sees_it_over_tcp() {
    if !is_there() {
        return;
    }
    let ((server, _), pages) = (server(), Pages::serve());
    let (pusher, viewer) = (Browser::open(800, 600, "en"), Browser::open(800, 600, "en"));
    connected(&pusher, &pages.webrtc_over_tcp("whip", &url(&server, "whip", "camera")));
    server.wait_for_pushes(1);
    until_true("the stream's codecs", 2 * PATIENCE, || {
        let path = format!("/live/camera/index.m3u8?domain={DOMAIN}");
        http::request(server.http(), "GET", &path, &[], &[]).unwrap().status == 200
    });
    connected(&viewer, &pages.webrtc_over_tcp("whep", &url(&server, "whep", "camera")));
    advances(&viewer, 60.0);
    // What was closed by DTLS has said goodbye, though the connection ends right behind it.
    pusher.script("window.hang_up()");
    let record = server.record("camera");
    assert_eq!((record.errcode, record.sub_errcode), (35, 0), "{record:?}");
    let shown = told(&server, &record);
    assert!(shown.contains("connected over TCP") && shown.contains(" 0 lost"), "{shown}");
}

#[test]
fn of_a_killed_browser_over_tcp_the_end_of_its_connection_tells() {
    if !is_there() {
        return;
    }
    let ((server, _), pages) = (server(), Pages::serve());
    let browser = Browser::open(800, 600, "en");
    connected(&browser, &pages.webrtc_over_tcp("whip", &url(&server, "whip", "killed")));
    server.wait_for_pushes(1);
    browser.kill();
    let record = server.record_within("killed", 2 * PATIENCE);
    // A kernel that has bytes of ours which the browser had not read resets.
    assert!(["3/0", "4/0"].contains(&record.code().to_string().as_str()), "{record:?}");
    assert_ne!(record.detail.as_ref().map(|detail| detail.key.as_str()), Some("peer_port_closed"));
    assert!(told(&server, &record).contains("connected over TCP"));
}

#[test]
fn connections_that_say_nothing_of_use_are_closed_and_harm_nobody() {
    let (server, at) = server();
    let answer = post(&server, "whip", "camera", "", OFFER);
    let tcp = answer.text().lines().find(|line| line.contains("tcptype passive")).map(str::to_owned);
    assert!(tcp.as_ref().is_some_and(|line| line.contains(&format!(" 127.0.0.1 {} ", at.port()))), "{tcp:?}");
    let fragment =
        answer.text().lines().find_map(|line| line.strip_prefix("a=ice-ufrag:").map(str::to_owned));
    // For the session by its name, but without its password.
    let user = format!("{}:abcd", fragment.unwrap());
    let mut check = vec![0, 1, 0, 4 + user.len() as u8];
    check.extend([0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 6, 0, user.len() as u8]);
    check.extend(user.as_bytes());
    check.resize(check.len().next_multiple_of(4), 0);
    let size = check.len() - 20;
    check[3] = size as u8;
    let framed = [&(check.len() as u16).to_be_bytes()[..], &check].concat();
    for wrong in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01", b"\0\x04\x80\x60\0\0", &framed]
    {
        let mut connection = TcpStream::connect(at).unwrap();
        connection.set_read_timeout(Some(2 * PATIENCE)).unwrap();
        connection.write_all(wrong).unwrap();
        let end = connection.read(&mut [0; 64]);
        let is_reset = |error: &std::io::Error| error.kind() == std::io::ErrorKind::ConnectionReset;
        assert!(matches!(end, Ok(0)) || end.as_ref().is_err_and(is_reset), "{wrong:?}: {end:?}");
    }
    // So many from one address that say nothing: the next is closed at once.
    let silent: Vec<TcpStream> = (0..40).map(|_| TcpStream::connect(at).unwrap()).collect();
    let closed = |mut connection: &TcpStream| {
        connection.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        matches!(connection.read(&mut [0; 1]), Ok(0))
    };
    until_true("those that are too many to be closed", PATIENCE, || silent.iter().any(closed));
}
