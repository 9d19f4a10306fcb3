//! The catalog over `/api/v1`: who may change what, what is shown, and that every change stands in the audit log.

mod common;

use common::{ADMIN, Answer, OTHER, Server, VIEWER};
use model::{Clock, Record, SystemClock, Timestamp};
use serde_json::json;
use store::EndRow;

async fn send(server: &Server, method: &str, path: &str, key: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    server.send(method, &format!("/api/v1{path}"), &headers, body).await
}

#[tokio::test]
async fn a_domain_is_added_changed_and_deleted_and_its_key_is_shown_once() {
    let server = Server::start().await;
    let body = r#"{"name":"New.Example","account":1}"#;
    let made = send(&server, "POST", "/domains", ADMIN, body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(send(&server, "POST", "/domains", ADMIN, body).await.status, 409);
    let patch = r#"{"block":["203.0.113.0/24"],"max_pushes":3,"conflict":"refuse","channel_mode":true}"#;
    let changed = send(&server, "PATCH", "/domains/new.example", ADMIN, patch).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!((&changed.json()["max_pushes"], &changed.json()["conflict"]), (&json!(3), &json!("refuse")));
    let rotated = send(&server, "POST", "/domains/new.example/keys", ADMIN, r#"{"which":"push"}"#).await;
    let catalog = server.live.catalog();
    let domain = catalog.domain("new.example").unwrap();
    assert_eq!(
        (domain.backup_key.as_str(), rotated.json()["key"].as_str()),
        (key.as_str(), Some(domain.key.as_str()))
    );
    let channel = "/domains/new.example/channels/show";
    assert_eq!(send(&server, "PUT", channel, ADMIN, r#"{"enabled":true}"#).await.status, 200);
    let channels = server.api("/domains/new.example/channels", VIEWER).await.json();
    assert_eq!(channels["channels"], json!([{ "name": "show", "enabled": true }]));
    assert_eq!(send(&server, "DELETE", channel, ADMIN, "").await.status, 204);
    assert_eq!(send(&server, "DELETE", channel, ADMIN, "").await.status, 404);
    for path in ["/domains", "/domains/new.example", "/audit"] {
        let shown = server.api(path, ADMIN).await;
        assert_eq!(shown.status, 200);
        assert!(!shown.body.contains(&key) && !shown.body.contains(&domain.key), "{path} shows a key");
    }
    assert_eq!(send(&server, "DELETE", "/domains/new.example", ADMIN, "").await.status, 204);
    let log = server.api("/audit", ADMIN).await.json();
    let first = &log["entries"][0];
    assert_eq!((&first["action"], &first["target"]), (&json!("delete_domain"), &json!("new.example")));
    assert_eq!((&first["who"], &first["origin"]), (&json!("admin-key"), &json!("127.0.0.1")));
}

#[tokio::test]
async fn an_account_reaches_nothing_of_another() {
    let server = Server::start().await;
    let body = r#"{"account":1,"name":"t","urls":{"stream_end":"https://r.example/"}}"#;
    let template = send(&server, "POST", "/callbacks/templates", ADMIN, body).await.json();
    let id = template["id"].as_u64().unwrap();
    let rule = format!(r#"{{"domain":"a.example","app":"live","template":{id}}}"#);
    assert_eq!(send(&server, "PUT", "/callbacks/rules", ADMIN, &rule).await.status, 200);
    for (method, path, body) in [
        ("GET", "/domains/a.example".to_owned(), ""),
        ("PATCH", "/domains/a.example".to_owned(), "{}"),
        ("DELETE", "/domains/a.example".to_owned(), ""),
        ("POST", "/domains/a.example/keys".to_owned(), r#"{"which":"push"}"#),
        ("PUT", "/domains/a.example/channels/c".to_owned(), r#"{"enabled":true}"#),
        ("GET", "/accounts/1".to_owned(), ""),
        ("GET", format!("/callbacks/templates/{id}"), ""),
        ("PATCH", format!("/callbacks/templates/{id}"), r#"{"name":"mine"}"#),
        ("DELETE", format!("/callbacks/templates/{id}"), ""),
        ("POST", format!("/callbacks/templates/{id}/test"), r#"{"kind":"end"}"#),
        ("PUT", "/callbacks/rules".to_owned(), rule.as_str()),
        ("DELETE", "/callbacks/rules?domain=a.example&app=live".to_owned(), ""),
        ("DELETE", "/api-keys/admin-key".to_owned(), ""),
    ] {
        let answer = send(&server, method, &path, OTHER, body).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
    }
    // Its own domain, with a template that is not its own.
    let foreign = format!(r#"{{"domain":"b.example","app":"live","template":{id}}}"#);
    assert_eq!(send(&server, "PUT", "/callbacks/rules", OTHER, &foreign).await.status, 404);
    assert_eq!(
        send(&server, "POST", "/api-keys", OTHER, r#"{"role":"admin","account":0}"#).await.status,
        400
    );
    assert_eq!(send(&server, "PUT", "/accounts/2", OTHER, r#"{"status":"active"}"#).await.status, 403);
    assert_eq!(server.api("/audit", OTHER).await.json()["entries"], json!([]));
    assert_eq!(server.api("/callbacks/rules", OTHER).await.json()["rules"], json!([]));
}

#[tokio::test]
async fn viewers_read_and_change_nothing() {
    let server = Server::start().await;
    for (method, path, body) in [
        ("POST", "/domains", r#"{"name":"v.example","account":1}"#),
        ("PATCH", "/domains/a.example", "{}"),
        ("PUT", "/accounts/1", "{}"),
        ("POST", "/api-keys", r#"{"role":"admin"}"#),
        (
            "POST",
            "/callbacks/templates",
            r#"{"account":1,"name":"t","urls":{"stream_end":"https://r.example/"}}"#,
        ),
    ] {
        assert_eq!(send(&server, method, path, VIEWER, body).await.status, 403, "{method} {path}");
    }
    assert_eq!(server.api("/audit", VIEWER).await.status, 403);
    assert_eq!(server.api("/api-keys", VIEWER).await.status, 403);
}

#[tokio::test]
async fn a_key_that_was_made_works_until_it_is_deleted() {
    let server = Server::start().await;
    let made = send(&server, "POST", "/api-keys", ADMIN, r#"{"account":2,"role":"viewer"}"#).await.json();
    let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    let key = format!("{id}:{secret}");
    assert_eq!(server.api("/domains", &key).await.json()["domains"].as_array().unwrap().len(), 1);
    assert!(!server.api("/api-keys", ADMIN).await.body.contains(secret));
    assert_eq!(send(&server, "DELETE", &format!("/api-keys/{id}"), ADMIN, "").await.status, 204);
    assert_eq!(server.api("/domains", &key).await.status, 401);
    assert_eq!(send(&server, "DELETE", "/api-keys/admin-key", ADMIN, "").await.status, 409);
}

#[tokio::test]
async fn orders_to_streams_stand_in_the_audit_log() {
    let server = Server::start().await;
    let key = r#"{"domain":"a.example","app":"live","stream":"s"}"#;
    for order in ["drop", "forbid", "resume"] {
        assert_eq!(server.act(&format!("/streams/{order}"), ADMIN, key).await.status, 200);
    }
    let log = server.api("/audit", ADMIN).await.json();
    let actions: Vec<_> = log["entries"].as_array().unwrap().iter().map(|e| e["action"].clone()).collect();
    assert_eq!(actions, [json!("resume"), json!("forbid"), json!("drop")]);
    assert_eq!(log["entries"][0]["target"], "a.example/live/s");
}

#[tokio::test]
async fn what_happened_to_a_stream_is_told() {
    let server = Server::start().await;
    server.record("show", 1, (18, 503)).await;
    let path = "/diagnose?domain=a.example&app=live&stream=show";
    let answer = server.api(path, ADMIN).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    assert_eq!((told["records"].as_array().unwrap().len(), &told["gaps"]), (1, &json!([])));
    assert_eq!(server.api(path, OTHER).await.json()["records"], json!([]));
    let odd = format!("{path}&since=2030-01-01T00:00:00Z");
    assert_eq!(server.api(&odd, ADMIN).await.status, 400);
}

#[tokio::test]
async fn a_window_long_ago_is_told_whatever_happened_to_the_stream_since() {
    let server = Server::start().await;
    let like = server.record("busy", 1, (3, 0)).await;
    let now = SystemClock.now();
    let ago = |minutes: u64| now.minus(std::time::Duration::from_secs(minutes * 60));
    let put = async |ended_at: Timestamp, published_at: Option<Timestamp>| {
        let id = SystemClock.push_id();
        let record = Record { id, sequence: id.sequence(), published_at, ended_at, ..like.clone() };
        server.store.journal().refuse(EndRow { record, evidence: Vec::new(), verdict_version: 1 }).await;
        id
    };
    let within = put(ago(170), Some(ago(175))).await;
    let across = put(ago(100), Some(ago(160))).await;
    for n in 0..1_200 {
        put(ago(90).plus(std::time::Duration::from_millis(n)), None).await;
    }
    while server.store.journal().stats().waiting_refusals > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let path =
        format!("/diagnose?domain=a.example&app=live&stream=busy&since={}&until={}", ago(180), ago(150));
    let told = server.api(&path, ADMIN).await.json();
    let ids: Vec<_> = told["records"].as_array().unwrap().iter().map(|r| r["id"].clone()).collect();
    assert_eq!(ids, [json!(within.to_string()), json!(across.to_string())]);
    assert_eq!((&told["truncated"], told["gaps"].as_array().unwrap().len()), (&json!(false), 1), "{told}");
}

#[tokio::test]
async fn oversized_and_malformed_bodies_are_refused_by_a_problem_document() {
    let server = Server::start().await;
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(70_000));
    for (body, status) in
        [("{", 400), ("[]", 400), (r#"{"name":1}"#, 400), (r#"{"nmae":"x"}"#, 400), (&long, 413)]
    {
        let answer = send(&server, "POST", "/domains", ADMIN, body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    assert_eq!(send(&server, "GET", "/domains/%FF", ADMIN, "").await.status, 404);
}
