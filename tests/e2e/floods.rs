//! Whoever can send packets can send any: floods of them neither end a push nor keep a new one out, and what they leave
//! behind is bounded.

use std::io::Write;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use serde_json::Value;

use crate::support::browser::Browser;
use crate::support::players::Pages;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::support::srt_caller::{Answer, SrtCaller};
use crate::support::{alone, ports, rights};
use crate::webrtc::{connected, url};

/// Datagrams sent before the flood takes a breath, which lets the test's own encoders run on a busy machine.
const BURST: usize = 16;
const BREATH: Duration = Duration::from_millis(2);

/// Numbers that look like chance, and are the same in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// The first packet of an SRT caller, with a number of its own.
fn hello(number: u32) -> Vec<u8> {
    let words = [0x8000_0000_u32, 0, 1, 0, 4, 2, 1_000, 1_500, 8_192, 1, number, 0];
    words.iter().flat_map(|word| word.to_be_bytes()).chain([0; 16]).collect()
}

/// A data packet, or the end, of a connection that there may be.
fn forged(chance: &mut Chance) -> Vec<u8> {
    let mut packet = chance.bytes(1_332);
    packet[0] &= 0x7F;
    if chance.next().is_multiple_of(2) {
        packet.truncate(20);
        packet[..4].copy_from_slice(&0x8005_0000_u32.to_be_bytes());
    }
    packet
}

fn flood(
    to: SocketAddr,
    stop: &AtomicBool,
    sent: &AtomicU64,
    mut packet: impl FnMut(&mut Chance) -> Vec<u8>,
) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..BURST {
            sent.fetch_add(u64::from(socket.send_to(&packet(&mut chance), to).is_ok()), Ordering::Relaxed);
        }
        sleep(BREATH);
    }
}

/// Connections that begin, say something that makes no sense or nothing at all, and are left.
fn knock(to: SocketAddr, stop: &AtomicBool) {
    let mut chance = Chance(7);
    let mut left_open = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut connection) = TcpStream::connect(to) else { continue };
        let _ = connection.write_all(&chance.bytes(1_600));
        if chance.next().is_multiple_of(8) && left_open.len() < 100 {
            left_open.push(connection);
        }
        sleep(BREATH);
    }
}

/// The load generator beside the flood: its pushes over one transport.
fn pushes(server: &Server, over: &str, to: SocketAddr) -> Value {
    let target = format!("{over}://{to}/live?domain={DOMAIN}");
    let output = Command::new(env!("CARGO_BIN_EXE_lastframe"))
        .args(["lab", "load", "--publishers", "5", "--kbps", "300", "--seconds", "5", "--prefix", over])
        .args(["--target", &target, "--pid", &server.pid().to_string()])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).expect("the load's report")
}

/// A STUN message with a user name that there may be, whole or cut off.
fn check(chance: &mut Chance) -> Vec<u8> {
    let name = format!("{:016x}:abcd", chance.next());
    let mut message = vec![0, 1, 0, 28, 0x21, 0x12, 0xA4, 0x42];
    message.extend(chance.bytes(12));
    message.extend([0, 6, 0, 21]);
    message.extend(name.as_bytes());
    message.extend([0; 3]);
    message.truncate(8 + chance.next() as usize % 40);
    message
}

/// Packets of RTP, RTCP or DTLS, by their first byte, of a session that there may be.
fn of_a_session(chance: &mut Chance) -> Vec<u8> {
    let mut packet = chance.bytes(1_200);
    packet[0] = [0x80, 0x81, 20, 22, 23][chance.next() as usize % 5];
    packet
}

#[test]
fn floods_of_the_webrtc_port_end_no_push_keep_nobody_out_and_leave_little_behind() {
    if !rights::has(&["chromium", "chromedriver"]) {
        return;
    }
    let _alone = alone();
    let at = SocketAddr::from(([127, 0, 0, 1], ports::free()));
    let server = Setup::open().env("LASTFRAME_WEBRTC_LISTEN", &at.to_string()).start();
    let (pages, browser) = (Pages::serve(), Browser::open(800, 600, "en"));
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let (stop, sent) = (&stop, &sent);
    let rtmp = scope(|scope| {
        scope.spawn(|| flood(at, stop, sent, |chance| chance.bytes(700)));
        scope.spawn(|| flood(at, stop, sent, check));
        scope.spawn(|| flood(at, stop, sent, of_a_session));
        scope.spawn(|| knock(at, stop));
        // It is let in while the flood goes on already, and goes on as well.
        connected(&browser, &pages.webrtc("whip", &url(&server, "whip", "camera"), ""));
        server.wait_for_pushes(1);
        let rtmp = pushes(&server, "rtmp", server.rtmp());
        stop.store(true, Ordering::Relaxed);
        rtmp
    });
    assert!(sent.load(Ordering::Relaxed) > 10_000, "that was no flood: {sent:?}");
    for (what, count) in [("publishers", 5), ("lost", 0), ("refusals", 0)] {
        assert_eq!(rtmp[what], count, "{rtmp:#}");
    }
    for number in 0..5 {
        assert_eq!(server.code(&format!("rtmp-{number}")), "1/0");
    }
    assert_eq!(browser.script("return window.stop_()"), 200);
    let record = server.record("camera");
    assert_eq!((record.errcode, record.sub_errcode), (35, 0), "{record:?}");
    let grown = rtmp["server"]["most_kib"].as_u64().unwrap() - rtmp["server"]["first_kib"].as_u64().unwrap();
    assert!(grown < 64 * 1024, "{rtmp:#}");
    // What was for nobody leaves nothing.
    assert_eq!(server.records(&[]).len(), 6);
}

#[test]
fn floods_of_packets_end_no_push_keep_nobody_out_and_leave_little_behind() {
    let _alone = alone();
    let server = Setup::open().env("LASTFRAME_RECORDS_FOLD", "60s").start();
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let (stop, sent) = (&stop, &sent);
    let mut number = 0;
    let (srt, rtmp) = scope(|scope| {
        scope.spawn(|| flood(server.srt(), stop, sent, |chance| chance.bytes(700)));
        scope.spawn(|| flood(server.srt(), stop, sent, forged));
        scope.spawn(|| {
            flood(server.srt(), stop, sent, |_| {
                number += 1;
                hello(number)
            });
        });
        scope.spawn(|| knock(server.rtmp(), stop));
        // They are let in while the flood goes on already.
        let srt = scope.spawn(|| pushes(&server, "srt", server.srt()));
        let rtmp = pushes(&server, "rtmp", server.rtmp());
        let srt = srt.join().unwrap();
        let late = format!("#!::h={DOMAIN},r=live/late");
        let late = SrtCaller::call(server.srt(), &late);
        stop.store(true, Ordering::Relaxed);
        assert!(matches!(late, Answer::Accepted(_)), "{late:?}");
        (srt, rtmp)
    });
    assert!(sent.load(Ordering::Relaxed) > 10_000, "that was no flood: {sent:?}");
    for (over, report, code) in [("srt", &srt, "35/0"), ("rtmp", &rtmp, "1/0")] {
        for (what, count) in [("publishers", 5), ("lost", 0), ("refusals", 0)] {
            assert_eq!(report[what], count, "{over}: {report:#}");
        }
        for number in 0..5 {
            assert_eq!(server.code(&format!("{over}-{number}")), code);
        }
        let server = &report["server"];
        let grown = server["most_kib"].as_u64().unwrap() - server["first_kib"].as_u64().unwrap();
        assert!(grown < 64 * 1024, "{over}: {report:#}");
    }
    // Callers that never went on are one address and one code, and therefore one record.
    let left = server.records(&["--code", "30/0"]);
    assert!(left.len() <= 1, "{left:#?}");
}
