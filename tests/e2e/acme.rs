//! Certificates from an ACME authority: ordered, proven, shown, renewed under a live push, and kept while the authority is
//! away. The authority is Pebble, Let's Encrypt's own test server; names are resolved by its companion.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::pusher::Pusher;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};
use crate::support::{http, ports, rights, signal, tls_tunnel};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/support/tls");
/// So short that a renewal is due within the test.
const VALID_SECONDS: u32 = 24;

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        signal::kill(&mut self.0);
    }
}

/// The authority at this port, and what resolves names for it. It asks for proofs at these ports.
fn authority(folder: &Path, port: u16, http: u16, https: u16) -> [Running; 2] {
    let dns = ports::free();
    let [none, management] = [String::new(), format!("127.0.0.1:{}", ports::free())];
    let names = Command::new("pebble-challtestsrv")
        .args(["-dns01", &format!("127.0.0.1:{dns}"), "-management", &management, "-defaultIPv6", ""])
        .args(["-http01", &none, "-https01", &none, "-tlsalpn01", &none])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let config = folder.join("pebble.json");
    let settings = json!({ "pebble": {
        "listenAddress": format!("127.0.0.1:{port}"),
        "managementListenAddress": format!("127.0.0.1:{}", ports::free()),
        "certificate": format!("{FOLDER}/localhost.pem"),
        "privateKey": format!("{FOLDER}/localhost.key"),
        "httpPort": http,
        "tlsPort": https,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": false,
        "certificateValidityPeriod": VALID_SECONDS,
    }});
    std::fs::write(&config, settings.to_string()).unwrap();
    let said = std::fs::File::create(folder.join("pebble.log")).unwrap();
    let authority = Command::new("pebble")
        .args(["-config", config.to_str().unwrap(), "-dnsserver", &format!("127.0.0.1:{dns}")])
        .env("PEBBLE_VA_NOSLEEP", "1")
        .stdout(said.try_clone().unwrap())
        .stderr(said)
        .spawn()
        .unwrap();
    until_true("the authority", PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    [Running(authority), Running(names)]
}

/// The configuration that orders from it.
fn ordering(port: u16, names: &[&str], challenge: &str) -> String {
    format!(
        "[acme]\nnames = {names:?}\ndirectory = \"https://localhost:{port}/dir\"\nca = \"{FOLDER}/authority.pem\"\nchallenge = \"{challenge}\"\n"
    )
}

/// Issuer and serial number of the certificate that a listener shows.
fn shown(address: SocketAddr) -> String {
    asked(address, &format!("-servername {DOMAIN}"), "-issuer -serial")
}

/// What `openssl x509` says of the certificate that this client is shown; empty where no TLS comes about.
fn asked(address: SocketAddr, client: &str, what: &str) -> String {
    let script = format!(
        "openssl s_client -connect {address} {client} </dev/null 2>/dev/null | openssl x509 -noout {what} 2>/dev/null"
    );
    String::from_utf8(Command::new("sh").args(["-c", &script]).output().unwrap().stdout).unwrap()
}

fn orders(server: &Server, outcome: &str) -> u64 {
    let text = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
    let line = format!("lastframe_acme_orders_total{{outcome=\"{outcome}\"}} ");
    text.lines().find_map(|found| found.strip_prefix(&line)?.parse().ok()).unwrap()
}

#[test]
fn a_certificate_is_ordered_shown_renewed_under_a_push_and_kept_while_the_authority_is_away() {
    if !cfg!(feature = "acme") || !rights::has(&["pebble", "pebble-challtestsrv", "openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = ports::free();
    let setup = Setup::open();
    let [authority, _names] = authority(folder.path(), port, setup.http_port, setup.https_port);
    let server = setup.config(&ordering(port, &[DOMAIN], "http-01")).start();
    let first = until("a certificate of the authority on both listeners", 2 * PATIENCE, || {
        let [rtmps, https] = [server.rtmps(), server.https()].map(shown);
        (rtmps.contains("Pebble") && rtmps == https).then_some(rtmps)
    });
    for file in ["account.json", "certificate.key", "certificate.pem"] {
        let kept = std::fs::metadata(server.data().join("acme").join(file)).unwrap();
        assert_eq!(kept.permissions().mode() & 0o777, 0o600, "{file}");
    }
    let metrics = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
    let expires = "lastframe_certificate_expires_timestamp_seconds{certificate=\"certificate.pem\"} 1";
    assert!(metrics.contains(expires), "{metrics}");

    let tunnel = tls_tunnel::start(server.rtmps(), DOMAIN, "");
    let mut push = Pusher::push(tunnel, "through-renewal").unwrap();
    push.send_media(2_000).unwrap();
    let second = until("a renewed certificate", 3 * PATIENCE, || {
        push.send_media(2_000).unwrap();
        Some(shown(server.rtmps())).filter(|now| now.contains("Pebble") && *now != first)
    });
    drop(authority);
    until_true("an order that failed", 4 * PATIENCE, || {
        push.send_media(2_000).unwrap();
        orders(&server, "failed") > 0
    });
    let last = shown(server.rtmps());
    assert!(last.contains("Pebble"), "{last} after {second}");
    push.delete_stream().unwrap();
    assert_eq!(server.code("through-renewal"), "1/0");
}

#[test]
fn names_are_proven_in_tls_alone_where_that_is_configured() {
    if !cfg!(feature = "acme") || !rights::has(&["pebble", "pebble-challtestsrv", "openssl", "curl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = ports::free();
    let setup = Setup::open();
    // Where it would ask by HTTP-01 nobody listens.
    let _running = authority(folder.path(), port, ports::free(), setup.https_port);
    let other = "other.example.com";
    let server = setup.config(&ordering(port, &[DOMAIN, other], "tls-alpn-01")).start();
    until_true("a certificate of the authority on both listeners", 2 * PATIENCE, || {
        let [rtmps, https] = [server.rtmps(), server.https()].map(shown);
        rtmps.contains("Pebble") && rtmps == https
    });
    let names = asked(server.https(), &format!("-servername {other}"), "-ext subjectAltName");
    assert!(names.contains(DOMAIN) && names.contains(other), "{names}");

    // A listener that could prove names speaks both versions of HTTP, and takes no proof's protocol out of an order.
    for (version, said) in [("--http2", "2 200"), ("--http1.1", "1.1 200")] {
        let url = format!("https://{}/healthz", server.https());
        let written = ["-sk", version, "-o", "/dev/null", "-w", "%{http_version} %{http_code}", &url];
        assert_eq!(
            String::from_utf8(Command::new("curl").args(written).output().unwrap().stdout).unwrap(),
            said
        );
    }
    assert_eq!(asked(server.https(), "-servername nobody.example.com -alpn acme-tls/1", "-serial"), "");
    assert_eq!(orders(&server, "failed"), 0);
}

#[test]
fn an_authority_that_finds_no_proof_in_tls_says_so_and_the_server_tells() {
    if !cfg!(feature = "acme") || !rights::has(&["pebble", "pebble-challtestsrv"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = ports::free();
    let setup = Setup::open();
    // The authority asks for the proof where plain HTTP is spoken.
    let _running = authority(folder.path(), port, setup.http_port, setup.http_port);
    let server = setup.config(&ordering(port, &[DOMAIN], "tls-alpn-01")).start();
    until_true("an order that failed", 2 * PATIENCE, || orders(&server, "failed") > 0);
    until_true("the reason in the log", PATIENCE, || {
        server.printed().contains("no certificate was issued") && server.printed().contains("tls-alpn-01")
    });
}
