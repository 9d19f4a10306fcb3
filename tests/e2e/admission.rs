//! Each refusal by its real condition, told to the client and put on record.

use std::net::SocketAddr;

use model::sign::{Algorithm, signed_query, tx_secret_md5};

use crate::support::clock::wall;
use crate::support::encoder::Encoder;
use crate::support::pusher::{NotLive, Pusher, Told};
use crate::support::rights;
use crate::support::setup::{DOMAIN, Setup};

const CATALOG: &str = r#"
[[account]]
id = 11
status = "stopped"
[[account]]
id = 12
status = "overdue"
[[account]]
id = 13
status = "force_stopped"

[[domain]]
name = "nobody.test"
account = 99
auth = false
[[domain]]
name = "stopped.test"
account = 11
auth = false
[[domain]]
name = "overdue.test"
account = 12
auth = false
[[domain]]
name = "force-stopped.test"
account = 13
auth = false
[[domain]]
name = "disabled.test"
account = 7
auth = false
enabled = false
[[domain]]
name = "apps.test"
account = 7
auth = false
apps = [{ name = "off", enabled = false }]
[[domain]]
name = "channels.test"
account = 7
auth = false
channel_mode = true
channels = [{ name = "on", enabled = true }, { name = "halted", enabled = false }]
[[domain]]
name = "blocked.test"
account = 7
auth = false
block = ["127.0.0.0/8"]
[[domain]]
name = "allowed.test"
account = 7
auth = false
allow = ["203.0.113.0/24"]
[[domain]]
name = "signed.test"
account = 7
key = "the-key"
backup_key = "the-other-key"
[[domain]]
name = "one.test"
account = 7
auth = false
max_pushes = 1
[[domain]]
name = "refusing.test"
account = 7
auth = false
conflict = "refuse"
[[domain]]
name = "ranked.test"
account = 7
auth = false
priority = true
"#;

#[test]
fn each_rule_of_the_catalog_refuses_with_its_own_cause_and_tells_it() {
    let server = Setup::open().config(CATALOG).start();
    let rows = [
        ("18/200", "nobody.test", "live", "no-account"),
        ("18/201", "stopped.test", "live", "account-stopped"),
        ("18/202", "overdue.test", "live", "account-overdue"),
        ("18/203", "force-stopped.test", "live", "account-force-stopped"),
        ("18/301", "unknown.test", "live", "domain-unknown"),
        ("18/302", "-bad-.test", "live", "domain-invalid"),
        ("18/303", "disabled.test", "live", "domain-disabled"),
        ("18/304", "apps.test", "off", "app-disabled"),
        ("18/306", "channels.test", "live", "channel-missing"),
        ("18/307", "channels.test", "live", "halted"),
        ("18/308", DOMAIN, "live", "stream with blanks"),
        ("18/309", DOMAIN, "app with blanks", "app-illegal"),
        ("18/400", "blocked.test", "live", "ip-blocked"),
        ("18/401", "allowed.test", "live", "ip-not-allowed"),
    ];
    for (code, domain, app, stream) in rows {
        let told = refused(server.rtmp(), domain, app, stream);
        assert!(told.text.starts_with(&format!("[{code}] ")), "{code}: {told:?}");
        let record = server.record(stream);
        assert_eq!(record.code().to_string(), code, "{record:#?}");
        assert_eq!((record.side.as_str(), record.published_at), ("policy", None));
        assert_eq!((record.domain.as_deref(), record.app.as_deref()), (Some(domain), Some(app)));
    }
    // What the rules do not refuse goes live.
    for (domain, app, stream) in [("channels.test", "live", "on"), ("apps.test", "other", "app-enabled")] {
        Pusher::push_to(server.rtmp(), domain, app, stream).unwrap().delete_stream().unwrap();
        assert_eq!(server.code(stream), "1/0");
    }
}

#[test]
fn each_fault_of_a_signature_has_its_own_cause() {
    let server = Setup::open().config(CATALOG).start();
    let address = server.rtmp();
    let later = wall().plus(std::time::Duration::from_secs(3_600));
    let good = |key, stream| signed_query(key, stream, later, Algorithm::Md5);
    let time = format!("{:08X}", later.secs());
    let rows = [
        ("18/500", "no-time", format!("txSecret={}", tx_secret_md5("the-key", "no-time", ""))),
        (
            "18/500",
            "long-time",
            format!("txSecret={}&txTime=0{time}", tx_secret_md5("the-key", "long-time", &format!("0{time}"))),
        ),
        (
            "18/501",
            "expired",
            format!("txSecret={}&txTime=5F000000", tx_secret_md5("the-key", "expired", "5F000000")),
        ),
        ("18/502", "no-secret", format!("txTime={time}")),
        ("18/503", "wrong-key", good("another-key", "wrong-key")),
        ("18/503", "other-stream", good("the-key", "stolen")),
    ];
    for (code, stream, query) in rows {
        let told = refused(address, "signed.test", "live", &format!("{stream}?{query}"));
        assert!(told.text.starts_with(&format!("[{code}] ")), "{code}: {told:?}");
        let record = server.record(stream);
        assert_eq!(record.code().to_string(), code);
        if let Some(secret) = query.strip_prefix("txSecret=") {
            let secret = secret.split('&').next().unwrap();
            assert!(!format!("{record:?}").contains(secret), "{record:#?}");
        }
    }
    for (stream, key) in [("by-the-key", "the-key"), ("by-the-backup-key", "the-other-key")] {
        let name = format!("{stream}?{}", good(key, stream));
        Pusher::push_to(address, "signed.test", "live", &name).unwrap().delete_stream().unwrap();
        assert_eq!(server.code(stream), "1/0");
    }
    let name = format!("by-sha256?{}", signed_query("the-key", "by-sha256", later, Algorithm::Sha256));
    Pusher::push_to(address, "signed.test", "live", &name).unwrap().delete_stream().unwrap();
    assert_eq!(server.code("by-sha256"), "1/0");
}

#[test]
fn a_url_from_the_command_line_opens_a_push_of_its_stream_and_of_no_other() {
    let server = Setup::first_start().start();
    let url = server.url("printed");
    let place = format!("rtmp://localhost:{}/live/", server.rtmp().port());
    let name = url.strip_prefix(&place).unwrap_or_else(|| panic!("{place} in {url}"));
    Pusher::push_to(server.rtmp(), "localhost", "live", name).unwrap().delete_stream().unwrap();
    assert_eq!(server.code("printed"), "1/0");
    let other = name.replacen("printed", "other", 1);
    assert!(refused(server.rtmp(), "localhost", "live", &other).text.starts_with("[18/503] "));
}

#[test]
fn signatures_are_written_nowhere() {
    let mut server = Setup::open().config(CATALOG).start();
    let later = wall().plus(std::time::Duration::from_secs(3_600));
    let mut secrets = Vec::new();
    for (stream, key) in [("kept-secret", "the-key"), ("kept-secret-too", "not-the-key")] {
        let query = signed_query(key, stream, later, Algorithm::Md5);
        secrets.push(query["txSecret=".len()..].split('&').next().unwrap().to_owned());
        if let Ok(push) = Pusher::push_to(server.rtmp(), "signed.test", "live", &format!("{stream}?{query}"))
        {
            push.delete_stream().unwrap();
        }
        let id = server.record(stream).id.to_string();
        let shown = server.get(&format!("/api/v1/records/{id}")).to_string() + &server.cli(&["show", &id]);
        assert!(secrets.iter().all(|secret| !shown.contains(secret.as_str())), "{shown}");
    }
    assert!(server.terminate().success());
    let mut looked_at = 0;
    let mut folders = vec![server.data().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            // The socket for orders holds nothing.
            if !entry.file_type().unwrap().is_file() {
                continue;
            }
            let bytes = std::fs::read(entry.path()).unwrap();
            let holds = |secret: &String| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            // The reserve is large and holds nothing.
            if entry.file_name() != "reserve" {
                assert!(!secrets.iter().any(holds), "{}", entry.path().display());
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 3, "{looked_at} files");
    assert!(secrets.iter().all(|secret| !server.printed().contains(secret.as_str())));
}

#[test]
fn limits_of_domain_stream_key_and_priority_refuse_the_newcomer_and_spare_the_live_push() {
    let server = Setup::open().config(CATALOG).start();
    let address = server.rtmp();

    let first = live(address, "one.test", "only-one");
    assert!(refused(address, "one.test", "live", "one-too-many").text.starts_with("[18/600] "));
    assert_eq!(server.code("one-too-many"), "18/600");
    first.delete_stream().unwrap();
    assert_eq!(server.code("only-one"), "1/0");
    live(address, "one.test", "next-one").delete_stream().unwrap();

    let first = live(address, "refusing.test", "taken");
    let told = refused(address, "refusing.test", "live", "taken");
    assert_eq!(told.code, "NetStream.Publish.BadName");
    assert!(told.text.starts_with("[18/601] "), "{told:?}");
    first.delete_stream().unwrap();
    assert_eq!(server.codes("taken", 2), ["1/0", "18/601"]);

    let mut first = live(address, "ranked.test", "ranked?priority=5");
    // A push without media for three seconds would be replaced as empty.
    let higher = first.sending(|| {
        assert!(refused(address, "ranked.test", "live", "ranked?priority=4").text.starts_with("[18/602] "));
        live(address, "ranked.test", "ranked?priority=6")
    });
    let told = first.wait_for_cut();
    assert!(told.text.starts_with("[21/102]"), "{told:?}");
    higher.delete_stream().unwrap();
    assert_eq!(server.codes("ranked", 3), ["1/0", "18/602", "21/102"]);
}

#[test]
fn without_a_default_domain_an_address_is_no_domain() {
    let server = Setup::open().config("[node]\ndefault_domain = \"\"\n").start();
    assert!(refused(server.rtmp(), "127.0.0.1", "live", "by-address").text.starts_with("[18/300] "));
    assert_eq!(server.code("by-address"), "18/300");
    let name = format!("by-parameter?domain={DOMAIN}");
    Pusher::push_to(server.rtmp(), "127.0.0.1", "live", &name).unwrap().delete_stream().unwrap();
    assert_eq!(server.code("by-parameter"), "1/0");
}

#[test]
fn an_overloaded_node_says_so() {
    let server = Setup::open().config("[limits]\npushes = 1\nconnections = 3\n").start();
    let first = live(server.rtmp(), DOMAIN, "within");
    assert!(refused(server.rtmp(), DOMAIN, "live", "one-push-too-many").text.starts_with("[18/104] "));
    assert_eq!(server.code("one-push-too-many"), "18/104");

    let idle: Vec<_> = (0..2).map(|_| Pusher::open(server.rtmp()).unwrap()).collect();
    let mut above = Pusher::open(server.rtmp()).unwrap();
    above.handshake().unwrap();
    let told = above.connect("live", "rtmp://push.test/live").unwrap_err().told();
    assert_eq!(told.code, "NetConnection.Connect.Rejected");
    assert!(told.text.starts_with("[18/104] "), "{told:?}");
    drop(idle);
    first.delete_stream().unwrap();
    assert_eq!(server.code("within"), "1/0");
}

#[test]
fn a_terse_node_tells_the_code_alone() {
    let server = Setup::open().config("[limits]\nterse = true\n").start();
    assert_eq!(refused(server.rtmp(), "unknown.test", "live", "terse").text, "[18/301]");
}

#[test]
fn ffmpeg_prints_why_it_was_refused() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().config(CATALOG).start();
    let url = format!(
        "rtmp://{}/live/guessed?domain=signed.test&txTime=7FFFFFFF&txSecret={}",
        server.rtmp(),
        "0".repeat(32)
    );
    let mut encoder = Encoder::ffmpeg(&url);
    assert!(!encoder.wait().success());
    assert_eq!(server.code("guessed"), "18/503");
    let printed = encoder.printed();
    assert!(printed.contains("[18/503]"), "{printed}");
}

fn live(address: SocketAddr, domain: &str, name: &str) -> Pusher {
    let mut push = Pusher::push_to(address, domain, "live", name).unwrap();
    push.send_media(1_000).unwrap();
    push
}

fn refused(address: SocketAddr, domain: &str, app: &str, name: &str) -> Told {
    match Pusher::push_to(address, domain, app, name) {
        Ok(_) => panic!("{domain}/{app}/{name} went live"),
        Err(why @ NotLive::Refused(_)) => why.told(),
        Err(NotLive::Lost(error)) => panic!("{domain}/{app}/{name} was not told why: {error}"),
    }
}
