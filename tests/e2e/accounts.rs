//! What belongs to one account is like nothing at all to the key of another: in every action of the CSS API, and on every
//! path of `/api/v1`.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::clock::{PATIENCE, until_true};
use crate::support::pusher::Pusher;
use crate::support::receiver::Receiver;
use crate::support::rights;
use crate::support::sdk;
use crate::support::server::Server;
use crate::support::setup::{API_KEY, DOMAIN, Setup};

const CONFIG: &str = r#"
[callback]
allow_private = true

[[account]]
id = 8

[[domain]]
name = "eight.test"
account = 8
auth = false

[[api_key]]
id = "of-eight"
secret = "the-secret-of-eight"
account = 8

[[api_key]]
id = "of-seven"
secret = "the-secret-of-seven"
account = 7
"#;
const EIGHT: &str = "of-eight:the-secret-of-eight";

/// A server on which account 7 has something of everything.
struct Stage {
    server: Server,
    receiver: Receiver,
    _live: Pusher,
    sequence: String,
    template: i64,
    record: String,
}

fn stage() -> Stage {
    let receiver = Receiver::start();
    let server = Setup::open().config(CONFIG).start();
    let urls = json!({ "stream_begin": receiver.url("/seven"), "stream_end": receiver.url("/seven") });
    let body = json!({ "account": 7, "name": "of-seven", "urls": urls, "key": "callback-key" });
    let made = server.ask("POST", "/api/v1/callbacks/templates", API_KEY, body.to_string().as_bytes());
    let template = made.json()["id"].as_i64().unwrap();
    let put = |path: &str, body: Value| {
        let answer = server.ask("PUT", path, API_KEY, body.to_string().as_bytes());
        assert!(answer.status < 300, "{path}: {}", answer.text());
    };
    put("/api/v1/callbacks/rules", json!({ "domain": DOMAIN, "app": "live", "template": template }));
    put(&format!("/api/v1/domains/{DOMAIN}/channels/seven-channel"), json!({ "enabled": true }));
    let forbidden = json!({ "domain": DOMAIN, "app": "live", "stream": "seven-forbidden" });
    server.post("/api/v1/streams/forbid", &forbidden);

    let mut ended = Pusher::push(server.rtmp(), "seven-ended").unwrap();
    ended.send_media(1_000).unwrap();
    ended.delete_stream().unwrap();
    let record = server.record("seven-ended").id.to_string();
    let mut live = Pusher::push(server.rtmp(), "seven-live").unwrap();
    live.send_media(1_000).unwrap();
    server.wait_for_pushes(1);
    let sequence = live_sequence(&server);
    assert_eq!(receiver.types("seven-live", 1), [1]);
    until_true("deliveries that were kept", PATIENCE, || {
        let kept = server.get("/api/v1/callbacks/deliveries?limit=10");
        kept["deliveries"].as_array().is_some_and(|kept| kept.len() == 3)
    });
    Stage { server, receiver, _live: live, sequence, template, record }
}

/// What nobody but account 7 may read.
const SECRETS: [&str; 5] = ["seven-", DOMAIN, "of-seven", "callback-key", "/seven"];

#[test]
fn no_action_tells_or_changes_anything_of_another_account() {
    if !rights::has(&["python3"]) {
        return;
    }
    let stage = stage();
    let before = stage.server.get("/api/v1/audit?limit=100");
    let given = json!({
        "endpoint": stage.server.http().to_string(), "id": "of-eight", "key": "the-secret-of-eight",
        "ours": "eight.test", "theirs": DOMAIN, "stream": "seven-live", "ended": "seven-ended",
        "template": stage.template, "sequence": stage.sequence, "url": stage.receiver.url("/eight"),
        "secrets": SECRETS,
    });
    let printed = sdk::run(Command::new("python3").arg(sdk::script("foreign.py")).arg(given.to_string()));
    let mut called = BTreeSet::new();
    for line in printed.lines() {
        let (action, code) = line.split_once(' ').unwrap();
        called.insert(action);
        let lists = action.starts_with("Describe") && (action.ends_with('s') || action.ends_with("List"));
        let good = lists || ["CreateLiveCallbackTemplate", "EnableOptimalSwitching"].contains(&action);
        assert_eq!(code == "good", good, "{line}");
    }
    let every: BTreeSet<&str> = web::api::css::actions::all().map(|action| action.name).collect();
    assert_eq!(called, every);
    unchanged(&stage, &before);
}

#[test]
fn no_path_tells_or_changes_anything_of_another_account() {
    let stage = stage();
    let server = &stage.server;
    let before = server.get("/api/v1/audit?limit=100");
    let description = server.get("/api/v1/openapi.json");
    let mut asked = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            let (url, body) = (filled(path, &stage), body(path, &stage).to_string());
            let body = if ["get", "delete"].contains(&method.as_str()) { "" } else { &body };
            let answer = server.ask(&method.to_uppercase(), &url, EIGHT, body.as_bytes());
            let text = answer.text();
            asked += 1;
            if path != "/openapi.json" {
                let told = SECRETS.iter().find(|secret| text.contains(**secret));
                assert_eq!(told, None, "{method} {url}: {text}");
            }
            let change = method != "get" && answer.status < 300;
            // A key of its own account is the one thing that such a body makes.
            assert!(!change || path == "/api-keys", "{method} {url}: {} {text}", answer.status);
            assert!(answer.status < 500, "{method} {url}: {} {text}", answer.status);
        }
    }
    assert!(asked > 35, "{asked}");
    unchanged(&stage, &before);
}

/// A path with the names of account 7 in it.
fn filled(path: &str, stage: &Stage) -> String {
    let id = match path.split('/').nth(1) {
        Some("records") => stage.record.clone(),
        Some("callbacks") => stage.template.to_string(),
        Some("accounts") => "7".to_owned(),
        _ => "of-seven".to_owned(),
    };
    let path = path.replace("{id}", &id).replace("{name}", DOMAIN).replace("{channel}", "seven-channel");
    let query = match path.as_str() {
        "/diagnose" => format!("?domain={DOMAIN}&app=live&stream=seven-ended"),
        "/callbacks/rules" => format!("?domain={DOMAIN}&app=live"),
        _ => String::new(),
    };
    format!("/api/v1{path}{query}")
}

/// A body that the key of account 7 could send there.
fn body(path: &str, stage: &Stage) -> Value {
    let urls = json!({ "stream_end": stage.receiver.url("/eight") });
    match path {
        "/streams/drop" | "/streams/forbid" | "/streams/resume" => {
            json!({ "domain": DOMAIN, "app": "live", "stream": "seven-live" })
        }
        "/callbacks/templates" => json!({ "account": 7, "name": "theirs", "urls": urls }),
        "/callbacks/templates/{id}" => json!({ "name": "mine" }),
        "/callbacks/templates/{id}/test" => json!({ "kind": "end" }),
        "/callbacks/rules" => json!({ "domain": DOMAIN, "app": "live", "template": stage.template }),
        "/accounts/{id}" => json!({ "status": "stopped" }),
        "/domains" => json!({ "name": "new.test", "account": 7 }),
        "/domains/{name}" => json!({ "enabled": false }),
        "/domains/{name}/keys" => json!({ "which": "push" }),
        "/domains/{name}/channels/{channel}" => json!({ "enabled": false }),
        "/api-keys" => json!({ "role": "viewer" }),
        _ => json!({}),
    }
}

/// Whatever was tried, what account 7 has is as it was.
fn unchanged(stage: &Stage, before: &Value) {
    let of_seven = |audit: &Value| -> Vec<Value> {
        let entries = audit["entries"].as_array().unwrap().iter();
        entries.filter(|entry| entry["who"] != "of-eight").cloned().collect()
    };
    let after = stage.server.get("/api/v1/audit?limit=100");
    assert_eq!(of_seven(&after), of_seven(before));
    for entry in after["entries"].as_array().unwrap().iter().filter(|entry| entry["who"] == "of-eight") {
        assert_eq!(entry["account"], 8, "{entry}");
    }
    assert_eq!(live_sequence(&stage.server), stage.sequence);
}

fn live_sequence(server: &Server) -> String {
    server.get("/api/v1/pushes")["pushes"][0]["sequence"].as_str().unwrap().to_owned()
}
