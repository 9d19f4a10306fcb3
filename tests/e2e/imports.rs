//! Pushes that run elsewhere stand among the records with their source.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::clock::{PATIENCE, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::server::Server;
use crate::support::setup::Setup;
use crate::support::{ports, rights};

const MODULE: &str = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

fn setup() -> Setup {
    let import = |name: &str, kind: &str, key: &str| {
        format!(
            "[[import]]\nname = \"{name}\"\nkind = \"{kind}\"\ntoken = \"token-of-{name}-0123\"\naccount = 7\n{key}\n"
        )
    };
    Setup::open()
        .config(&import("tencent", "css", "key = \"k\""))
        .config(&import("srs-edge", "srs", ""))
        .config(&import("nginx-edge", "nginx-rtmp", ""))
}

fn post(server: &Server, path: &str, body: &str) -> u16 {
    let headers = [("Content-Type", "application/json")];
    http::request(server.http(), "POST", path, &headers, body.as_bytes()).unwrap().status
}

#[test]
fn an_end_is_paired_with_its_start_past_a_restart() {
    let mut server = setup().start();
    let told = |action: &str, client: &str| {
        json!({ "action": action, "client_id": client, "server_id": "vid-1", "ip": "192.0.2.9",
                "vhost": "push.elsewhere.example", "app": "live", "stream": format!("s-{client}"), "param": "?token=x" })
        .to_string()
    };
    let path = "/import/srs/token-of-srs-edge-0123";
    assert_eq!(post(&server, path, &told("on_publish", "a")), 200);
    assert!(server.terminate().success());
    server.start_again();
    assert_eq!(post(&server, path, &told("on_unpublish", "a")), 200);
    assert_eq!(post(&server, path, &told("on_unpublish", "b")), 200);
    let paired = server.record("s-a");
    assert_eq!((paired.code().to_string().as_str(), paired.source.as_str()), ("34/0", "srs-edge"));
    assert!(paired.duration_ms > 0, "the start was kept: {paired:?}");
    assert_eq!(paired.stream_param.as_deref(), Some("token=***"));
    assert_eq!(server.record("s-b").duration_ms, 0, "an end without a start is a record too");
    for (path, status) in [
        ("/import/srs/wrong-token-0123456", 404),
        ("/import/css/token-of-srs-edge-0123", 404),
        ("/import/css/token-of-tencent-0123", 400),
    ] {
        assert_eq!(post(&server, path, "no json"), status, "{path}");
    }
}

#[test]
fn callbacks_of_css_are_taken_with_their_signature_alone() {
    let server = setup().start();
    let expires = crate::support::clock::wall().secs() + 600;
    let told = |sign: &str| {
        json!({ "app": "push.elsewhere.example", "appname": "live", "stream_id": "from-css", "sequence": "77",
                "event_type": 0, "event_time": expires - 600, "push_duration": "5000", "errcode": 3, "user_ip": "192.0.2.9",
                "t": expires, "sign": sign })
        .to_string()
    };
    let path = "/import/css/token-of-tencent-0123";
    assert_eq!(post(&server, path, &told(&"0".repeat(32))), 403);
    let sign = web::callback::message::sign("k", expires);
    for _ in 0..2 {
        assert_eq!(post(&server, path, &told(&sign)), 200);
    }
    let record = server.record("from-css");
    assert_eq!((record.code().to_string().as_str(), record.duration_ms), ("3/0", 5_000));
}

#[test]
fn a_body_that_is_too_large_or_none_is_refused_and_leaves_no_record() {
    let server = setup().start();
    let paths = [
        "/import/css/token-of-tencent-0123",
        "/import/srs/token-of-srs-edge-0123",
        "/import/nginx-rtmp/token-of-nginx-edge-0123",
    ];
    let large = format!("call=publish_done&clientid=1&name={}", "x".repeat(200_000));
    let deep = format!("{{\"event_type\":{}", "[".repeat(30_000));
    for path in paths {
        assert_eq!(post(&server, path, &large), 413, "{path}");
        for body in
            ["", "\u{0}", "[]", "null", "\"on_publish\"", "{\"action\":\"on_unpublish\"}", deep.as_str()]
        {
            let status = post(&server, path, body);
            // A notification of nginx of which nothing is known is one of those that are left alone.
            let wanted: &[u16] = if path.contains("nginx") { &[200] } else { &[400, 403] };
            assert!(wanted.contains(&status), "{path}: {body:.20}: {status}");
        }
    }
    assert_eq!(post(&server, paths[2], "call=publish_done&clientid=1&name="), 400);
    assert_eq!(post(&server, paths[2], "call=publish_done&name=x"), 400);
    let refused = server.printed().matches("a callback from elsewhere was refused").count();
    assert!(refused >= 14, "each is in the log, and not {refused}");
    assert_eq!(server.records(&[]).len(), 0);
}

#[test]
fn an_nginx_that_carries_a_push_tells_of_it() {
    if !rights::has(&["nginx", "ffmpeg"]) || !Path::new(MODULE).exists() {
        return;
    }
    let server = setup().start();
    let (folder, port) = (tempfile::tempdir().unwrap(), ports::free());
    let hook = format!("http://{}/import/nginx-rtmp/token-of-nginx-edge-0123", server.http());
    let config = format!(
        "load_module {MODULE}; daemon off; master_process off; pid {0}/pid; error_log {0}/log; events {{}}\n\
         rtmp {{ server {{ listen 127.0.0.1:{port}; application live {{ live on; on_publish {hook}; \
         on_publish_done {hook}; }} }} }}\n",
        folder.path().display()
    );
    std::fs::write(folder.path().join("nginx.conf"), config).unwrap();
    let mut nginx = Command::new("nginx")
        .arg("-p")
        .arg(folder.path())
        .args(["-c", "nginx.conf"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until_true("nginx to listen", PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    let mut encoder = Encoder::ffmpeg(&format!("rtmp://127.0.0.1:{port}/live/at-nginx"));
    std::thread::sleep(std::time::Duration::from_secs(2));
    encoder.kill();
    let record = server.record("at-nginx");
    let _ = nginx.kill();
    let _ = nginx.wait();
    assert_eq!((record.code().to_string().as_str(), record.source.as_str()), ("34/0", "nginx-edge"));
    assert_eq!((record.app.as_deref(), record.domain.as_deref()), (Some("live"), Some("127.0.0.1")));
    assert!(record.encoder.is_some(), "{record:?}");
}
