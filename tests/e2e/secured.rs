//! RTMPS and HTTPS: the same pushes, players and pages over TLS, certificates that change, and the wrong port told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use model::Record;

use crate::support::clock::{PATIENCE, until};
use crate::support::encoder::{Encoder, probe};
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::support::{tls_front, tls_tunnel};

const CERTIFICATE: &str = include_str!("support/tls/localhost.pem");
const KEY: &str = include_str!("support/tls/localhost.key");

#[test]
fn ffmpeg_pushes_and_plays_over_tls_and_its_ends_are_told_apart() {
    if !rights::has(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let server = Setup::open().start();
    let mut encoder = Encoder::ffmpeg(&url(&server, "stopped"));
    server.wait_for_pushes(1);
    let streams = probe(&format!("rtmps://{}/live/stopped?domain={DOMAIN}", server.rtmps()));
    assert!(streams.contains("codec_name=h264") && streams.contains("width=640"), "{streams}");
    encoder.interrupt();
    encoder.wait();
    let record = server.record("stopped");
    assert_eq!((record.code().to_string().as_str(), record.protocol.as_str()), ("1/0", "rtmps"));
    assert!(record.bytes_in > 10_000 && record.video.is_some(), "{record:?}");

    let mut encoder = Encoder::ffmpeg(&url(&server, "killed"));
    server.wait_for_pushes(1);
    sleep(Duration::from_secs(1));
    encoder.kill();
    assert_eq!(server.code("killed"), "3/0");
    let shown = server.cli(&["show", &server.record("killed").id.to_string()]);
    assert!(shown.contains("TLS ended without its closing message"), "{shown}");
}

#[test]
fn gstreamer_pushes_over_tls() {
    if !rights::has(&["gst-launch-1.0"]) {
        return;
    }
    let server = Setup::open().start();
    let location = format!("location={}", url(&server, "gst"));
    let mut encoder = Encoder::gstreamer(&["rtmp2sink", &location, "tls-validation-flags=0"]);
    server.wait_for_pushes(1);
    sleep(Duration::from_secs(1));
    encoder.interrupt();
    encoder.wait();
    let record = server.record("gst");
    assert_eq!((record.code().to_string().as_str(), record.protocol.as_str()), ("1/0", "rtmps"));
}

#[test]
fn the_name_in_tls_is_the_domain_where_the_url_names_an_address() {
    let server = Setup::open().config("[node]\ndefault_domain = \"\"\n").start();
    let push = |tunnel: SocketAddr, stream: &str| {
        let mut push = Pusher::open(tunnel).unwrap();
        push.handshake().unwrap();
        push.connect("live", &format!("rtmps://{}/live", server.rtmps())).unwrap();
        push.create_stream().unwrap();
        push.publish(stream).map(|()| push)
    };
    let mut live = push(tls_tunnel::start(server.rtmps(), DOMAIN, ""), "by-name").unwrap();
    live.send_media(2_000).unwrap();
    live.delete_stream().unwrap();
    let record = server.record("by-name");
    assert_eq!((record.domain.as_deref(), record.code().to_string().as_str()), (Some(DOMAIN), "1/0"));

    // An address is no name that TLS could carry.
    assert!(push(tls_tunnel::start(server.rtmps(), "127.0.0.1", ""), "by-address").is_err());
    assert_eq!(server.code("by-address"), "18/300");
}

#[test]
fn a_load_balancer_names_the_client_before_tls_begins() {
    let server = Setup::open().config("[rtmps]\nproxy_protocol = [\"127.0.0.0/8\"]\n").start();
    let header = "PROXY TCP4 203.0.113.7 192.0.2.1 51000 1936\r\n";
    let tunnel = tls_tunnel::start(server.rtmps(), DOMAIN, header);
    let mut push = Pusher::push(tunnel, "balanced").unwrap();
    push.send_media(2_000).unwrap();
    push.delete_stream().unwrap();
    let record = server.record("balanced");
    assert_eq!((record.client_ip.to_string().as_str(), record.client_port), ("203.0.113.7", 51_000));
    assert_eq!((record.code().to_string().as_str(), record.protocol.as_str()), ("1/0", "rtmps"));
}

#[test]
fn the_wrong_port_and_a_certificate_that_is_not_trusted_are_told() {
    if !rights::has(&["curl"]) {
        return;
    }
    let server = Setup::open().start();
    let mut push = Pusher::open(server.rtmps()).unwrap();
    assert!(push.handshake().is_err());
    assert_eq!(detail(&server.record_of_code("29/0")), "plain_on_tls");

    assert!(!curl(&["-sk", &format!("https://{}/", server.rtmp())]).0);
    assert_eq!(detail(&server.record_of_code("6/0")), "tls_on_plain");

    assert!(!curl(&["-s", &format!("https://{}/", server.rtmps())]).0);
    let failed = until("the record of an untrusted certificate", PATIENCE, || {
        server.records(&["--code", "29/0"]).into_iter().find(|record| detail(record) != "plain_on_tls")
    });
    let found = failed.detail.unwrap();
    let reason = found.params["reason"].as_str().unwrap();
    assert!(found.key == "tls_handshake_failed" && reason.contains("UnknownCA"), "{found:?}");
}

#[test]
fn https_serves_pages_and_playback_in_both_versions_of_http() {
    if !rights::has(&["ffmpeg", "ffprobe", "curl"]) {
        return;
    }
    let server = Setup::first_start().start();
    let https = format!("https://{}", server.https());
    let version = |which: &str| {
        curl(&[
            "-sk",
            which,
            "-o",
            "/dev/null",
            "-w",
            "%{http_version} %{http_code}",
            &format!("{https}/healthz"),
        ])
        .1
    };
    assert_eq!(version("--http2"), "2 200");
    assert_eq!(version("--http1.1"), "1.1 200");

    // The console's cookies travel over TLS alone, also where the request itself came from this machine.
    let cookies = |base: &str| curl(&["-sk", "-D", "-", "-o", "/dev/null", &format!("{base}/sign-in")]).1;
    assert!(cookies(&https).contains("; Secure"), "{}", cookies(&https));
    assert!(!cookies(&format!("http://{}", server.http())).contains("; Secure"));

    let wrong = curl(&["-s", "-i", &format!("http://{}/", server.https())]).1;
    assert!(wrong.starts_with("HTTP/1.1 400") && wrong.contains("https://"), "{wrong}");

    let mut encoder = Encoder::ffmpeg(&server.url("watched"));
    let playlist = format!("https://localhost:{}/live/watched/index.m3u8", server.https().port());
    until("the playlist over HTTP/2", PATIENCE, || {
        let text = curl(&["-skL", "--http2", &playlist]).1;
        text.contains("#EXTM3U").then_some(())
    });
    let streams = probe(&format!("https://localhost:{}/live/watched.flv", server.https().port()));
    assert!(streams.contains("codec_name=h264"), "{streams}");
    encoder.interrupt();
    encoder.wait();
    assert!(server.printed().contains("Its certificate is self-signed"), "{}", server.printed());
}

#[test]
fn a_changed_certificate_is_taken_over_while_pushes_go_on_and_a_broken_one_is_not() {
    if !rights::has(&["curl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [cert, key] = ["server.pem", "server.key"].map(|name| folder.path().join(name));
    std::fs::write(&cert, CERTIFICATE).unwrap();
    std::fs::write(&key, KEY).unwrap();
    let config = format!("[https]\ncert = \"{}\"\nkey = \"{}\"\n", cert.display(), key.display());
    let server = Setup::open().config(&config).start();
    let trusted = |authority: &Path| {
        let url = format!("https://localhost:{}/healthz", server.https().port());
        curl(&[
            "-s",
            "--resolve",
            &format!("localhost:{}:127.0.0.1", server.https().port()),
            "--cacert",
            authority.to_str().unwrap(),
            &url,
        ])
        .0
    };
    assert!(trusted(&tls_front::authority()));
    // The RTMPS listener has none of its own, and shows the same.
    let mut push = Pusher::push(tls_tunnel::start(server.rtmps(), DOMAIN, ""), "all-the-while").unwrap();

    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let new = folder.path().join("new.pem");
    std::fs::write(&new, made.cert.pem()).unwrap();
    assert!(!trusted(&new));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    until("the new certificate", PATIENCE, || trusted(&new).then_some(()));
    assert!(!trusted(&tls_front::authority()));

    std::fs::write(&cert, "no certificate any more").unwrap();
    let told = format!("{}: it holds no certificate", cert.display());
    until("the server to tell of the broken file", PATIENCE, || {
        server.printed().contains(&told).then_some(())
    });
    assert!(trusted(&new), "the certificate of before stays");

    push.send_media(2_000).unwrap();
    push.delete_stream().unwrap();
    assert_eq!(server.code("all-the-while"), "1/0");
}

#[test]
fn mistakes_with_certificates_are_told_and_a_port_that_nobody_asked_for_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [cert, key] = ["server.pem", "other.key"].map(|name| folder.path().join(name));
    std::fs::write(&cert, CERTIFICATE).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&key, other.signing_key.serialize_pem()).unwrap();
    let config = format!("[rtmps]\ncert = \"{}\"\nkey = \"{}\"\n", cert.display(), key.display());
    let setup = Setup::first_start().config(&config);
    for output in [setup.run(&["check"]), setup.give_up()] {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("lastframe.toml:3:7: rtmps.key: "), "{said}");
        assert!(said.contains("does not belong to the certificate"), "{said}");
    }

    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let _holder = TcpListener::bind(taken).unwrap();
    let output = Setup::first_start().env("LASTFRAME_RTMPS_LISTEN", &taken.to_string()).give_up();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("rtmps.listen"), "a port that was asked for and is taken: {said}");

    // Held here, or by whoever has it already.
    let _defaults = [1936, 8443].map(|port| TcpListener::bind(("0.0.0.0", port)));
    let server =
        Setup::first_start().without("LASTFRAME_RTMPS_LISTEN").without("LASTFRAME_HTTPS_LISTEN").start();
    assert!(server.printed().contains("RTMPS is off") && server.printed().contains("HTTPS is off"));
}

#[test]
fn a_record_damaged_on_the_way_ends_the_push_as_a_lost_transport() {
    let server = Setup::open().start();
    let damage = Damage::between(server.rtmps());
    let tunnel = tls_tunnel::start(damage.address, DOMAIN, "");
    let mut push = Pusher::push(tunnel, "damaged").unwrap();
    push.send_media(2_000).unwrap();
    damage.begin();
    until("the damage to be done", PATIENCE, || push.send_media(2_000).is_err().then_some(()));
    let record = server.record("damaged");
    assert_eq!((record.code().to_string().as_str(), detail(&record)), ("17/0", "tls_broken".to_owned()));
}

/// Passes one connection on, and changes a byte of what the client sends once it is told to.
struct Damage {
    address: SocketAddr,
    begun: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Damage {
    fn between(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let begun = std::sync::Arc::<std::sync::atomic::AtomicBool>::default();
        let damages = begun.clone();
        std::thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(server).unwrap();
            let (mut up, mut down) =
                ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client));
            std::thread::spawn(move || std::io::copy(&mut down.0, &mut down.1));
            let mut buffer = vec![0; 16 << 10];
            while let Ok(count @ 1..) = up.0.read(&mut buffer) {
                if damages.load(std::sync::atomic::Ordering::SeqCst) {
                    buffer[count - 1] ^= 1;
                }
                if up.1.write_all(&buffer[..count]).is_err() {
                    break;
                }
            }
        });
        Self { address, begun }
    }

    fn begin(&self) {
        self.begun.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

fn url(server: &Server, stream: &str) -> String {
    format!("rtmps://{}/live/{stream}?domain={DOMAIN}", server.rtmps())
}

fn detail(record: &Record) -> String {
    record.detail.as_ref().map(|detail| detail.key.clone()).unwrap_or_default()
}

/// Whether curl succeeded, and what it printed.
fn curl(args: &[&str]) -> (bool, String) {
    let output = Command::new("curl").args(["--max-time", "20"]).args(args).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}
