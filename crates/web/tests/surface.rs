//! Metrics, health, assets, and what each listener offers.

mod common;

use common::{ADMIN, Server};
use web::Surface;

#[tokio::test]
async fn metrics_are_for_the_machine_itself_or_for_a_key() {
    let server = Server::start_with(Surface::All, |c| c.insecure = true).await;
    server.record("show", 1, (3, 0)).await;
    let local = server.get("/metrics", &[]).await;
    assert_eq!(local.status, 200);
    assert!(
        local.body.contains("lastframe_records_total 1") && local.body.ends_with("# EOF\n"),
        "{}",
        local.body
    );
    let remote = ("x-forwarded-for", "203.0.113.9");
    assert_eq!(server.get("/metrics", &[remote]).await.status, 401);
    let bearer = format!("Bearer {ADMIN}");
    assert_eq!(server.get("/metrics", &[remote, ("authorization", &bearer)]).await.status, 200);
}

#[tokio::test]
async fn health_and_readiness_are_told() {
    let server = Server::start().await;
    assert_eq!(server.get("/healthz", &[("x-forwarded-for", "203.0.113.9")]).await.body, "ok\n");
    let ready = server.get("/readyz", &[]).await;
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
}

#[tokio::test]
async fn a_public_listener_has_neither_console_nor_api() {
    let server = Server::start_with(Surface::Public, |_| {}).await;
    for path in ["/", "/records", "/events", "/streams", "/sign-in", "/feed", "/metrics", "/api/v1/records"] {
        let answer = server.get(path, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    assert_eq!(server.get("/healthz", &[]).await.status, 200);
    // Those with whom a record was shared come here.
    assert_eq!(server.get("/assets/style.css", &[]).await.status, 200);
    let unknown = server.get(&format!("/shared/{}", "0".repeat(64)), &[]).await;
    assert_eq!((unknown.status, unknown.header("content-type")), (404, Some("text/html; charset=utf-8")));
}

#[tokio::test]
async fn assets_are_asked_for_by_their_tag() {
    let server = Server::start().await;
    for (name, kind) in
        [("style.css", "text/css"), ("console.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
    {
        let path = format!("/assets/{name}");
        let first = server.get(&path, &[]).await;
        assert_eq!(first.status, 200);
        assert!(first.header("content-type").unwrap().starts_with(kind));
        let again = server.get(&path, &[("if-none-match", first.header("etag").unwrap())]).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""));
    }
    assert_eq!(server.get("/assets/..%2Flib.rs", &[]).await.status, 404);
}

#[tokio::test]
async fn playback_paths_answer_that_nothing_is_there() {
    let server = Server::start().await;
    for path in ["/live/test.flv", "/live/test/index.m3u8", "/whip/live/test"] {
        let answer = server.get(path, &[]).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, Some("application/problem+json")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Server::start().await;
    let long = "x".repeat(64 << 10);
    let answer = server.get("/healthz", &[("x-long", &long)]).await;
    assert!([431, 0].contains(&answer.status), "{}", answer.status);
    assert_eq!(server.get("/healthz", &[]).await.status, 200);
}
