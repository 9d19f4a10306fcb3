//! The server as a whole: first start, records of real connections, stops, and refusals to start.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

mod common;

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};

use common::{Server, get, lastframe, run, stderr, stdout, wait_for};

fn records(data: &std::path::Path, args: &[&str]) -> Vec<serde_json::Value> {
    let mut all = vec!["records", "--format", "json", "--lang", "en"];
    all.extend(args);
    let output = run(data, &all);
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Something that is no RTMP.
fn knock(server: &Server) {
    let mut stream = TcpStream::connect(server.rtmp).unwrap();
    stream.write_all(&[0x47; 4096]).unwrap();
    let _ = stream.shutdown(Shutdown::Write);
}

#[cfg(unix)]
#[test]
fn a_first_start_makes_its_secrets_and_says_where_they_lie() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    for part in [
        "ffmpeg -re",
        &format!("rtmp://localhost:{}/live/test?txSecret=", server.rtmp.port()),
        "secrets.toml",
    ] {
        assert!(server.greeting.contains(part), "{part}: {}", server.greeting);
    }
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    let secrets = data.join("secrets.toml");
    assert_eq!(mode(&secrets), 0o600);
    let text = std::fs::read_to_string(&secrets).unwrap();
    for line in text
        .lines()
        .filter(|l| ["password", "secret", "key"].iter().any(|k| l.starts_with(&format!("{k} ="))))
    {
        let value = line.split('"').nth(1).unwrap();
        assert!(
            value.len() >= 20 && !server.greeting.contains(value) && !server.log().contains(value),
            "{line}"
        );
    }
    assert!(get(server.http, "/readyz").ends_with("ready\n"));
    server.signal("-TERM");
    assert_eq!(server.exit_code(), Some(0));

    let again = Server::start(&data);
    assert!(again.greeting.starts_with("Lastframe is ready: pushes on 127.0.0.1:"), "{}", again.greeting);
    assert_eq!(std::fs::read_to_string(&secrets).unwrap(), text);
}

#[test]
fn what_is_no_rtmp_leaves_a_record_that_can_be_shown() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    knock(&server);
    let record = wait_for(|| records(&server.data, &[]).pop());
    assert_eq!(
        (record["errcode"].as_u64(), record["client_ip"].as_str()),
        (Some(6), Some("127.0.0.1")),
        "{record}"
    );
    assert_eq!(record["stream"], serde_json::Value::Null);
    let id = record["id"].as_str().unwrap();
    let shown = stdout(&run(&server.data, &["show", id, "--lang", "en"]));
    for part in ["6/0  client", "FINDINGS", id] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["live", "never"])), "{shown}");
    let table = stdout(&run(&server.data, &["records", "--code", "6/0", "--since", "1h"]));
    assert!(table.starts_with("ENDED") && table.contains(id), "{table}");
    let csv = stdout(&run(&server.data, &["records", "--format", "csv"]));
    assert!(csv.starts_with("id,sequence,") && csv.contains(",6/0,client,"), "{csv}");
    assert!(records(&server.data, &["--code", "1/0"]).is_empty());
    assert!(records(&server.data, &["--until", "1h"]).is_empty());
}

#[test]
fn followed_records_come_once_as_they_are_written() {
    use std::io::{BufRead, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    knock(&server);
    wait_for(|| records(&server.data, &[]).pop());
    let mut follower = lastframe(&server.data)
        .args(["records", "--follow", "--format", "json"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let code = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["errcode"].as_u64();
    assert_eq!(code(&lines.next().unwrap().unwrap()), Some(6), "what was there already");
    // Left before a byte was sent: another cause, so another record.
    drop(TcpStream::connect(server.rtmp).unwrap());
    assert_eq!(code(&lines.next().unwrap().unwrap()), Some(22), "and the new one, without the old one again");
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_url_opens_the_domain_of_the_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let output = run(
        &server.data,
        &["url", "--domain", "localhost", "--app", "live", "--stream", "a-b", "--port", "1936"],
    );
    let url = stdout(&output);
    assert!(url.starts_with("rtmp://localhost:1936/live/a-b?txSecret=") && url.contains("&txTime="), "{url}");
    // The server refuses such a name, or reads it as another one.
    for name in ["a b", "a/b", "a?b"] {
        let output = run(&server.data, &["url", "--domain", "localhost", "--app", "live", "--stream", name]);
        assert_eq!(output.status.code(), Some(2), "{name}");
    }
    let output = run(&server.data, &["url", "--domain", "nowhere", "--app", "live", "--stream", "s"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("localhost"), "{}", stderr(&output));
}

#[test]
fn a_second_server_on_the_same_folder_is_refused_and_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let output = lastframe(&server.data)
        .env("LASTFRAME_RTMP_LISTEN", "127.0.0.1:0")
        .env("LASTFRAME_SRT_LISTEN", "")
        .env("LASTFRAME_HTTP_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("in use by another process"), "{}", stderr(&output));
    assert!(get(server.http, "/readyz").ends_with("ready\n"));
}

#[test]
fn a_busy_port_is_named_with_its_key_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (busy, free, key) in [
        ("LASTFRAME_RTMP_LISTEN", "LASTFRAME_HTTP_LISTEN", "rtmp.listen"),
        ("LASTFRAME_HTTP_LISTEN", "LASTFRAME_RTMP_LISTEN", "http.listen"),
    ] {
        let data = dir.path().join(key);
        let output = lastframe(&data)
            .env("LASTFRAME_SRT_LISTEN", "")
            .env(busy, &address)
            .env(free, "127.0.0.1:0")
            .output()
            .unwrap();
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        for part in [&address, key, busy, "another program listens there"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!data.join("journal.db").exists(), "the store is not touched");
    }
}

#[test]
fn an_interrupt_stops_in_order_too() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let log = server.data.with_extension("log");
    server.signal("-INT");
    assert_eq!(server.exit_code(), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.lines().all(|l| serde_json::from_str::<serde_json::Value>(l).is_ok()), "{log}");
    assert!(log.contains("\"stopped\""), "{log}");
}

#[test]
fn configured_domains_and_keys_are_in_the_catalog() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("c.toml");
    let text = "[[domain]]\nname = \"push.example.com\"\naccount = 1000000001\nkey = \"k\"\n";
    std::fs::write(&file, text).unwrap();
    let args = [
        "--config",
        file.to_str().unwrap(),
        "url",
        "--domain",
        "push.example.com",
        "--app",
        "a",
        "--stream",
        "s",
    ];
    let url = stdout(&run(dir.path(), &args));
    let expected = model::sign::tx_secret_md5("k", "s", url.trim().rsplit('=').next().unwrap());
    assert!(url.contains(&expected), "{url}");
}
