//! `/api/v1` over a real socket: keys, roles, scope, filters, paging, actions.

mod common;

use common::{ADMIN, OTHER, Server, VIEWER, fetch};
use model::FetchEnd;

#[tokio::test]
async fn without_a_good_key_nothing_is_told() {
    let server = Server::start().await;
    server.record("secret-show", 1, (18, 503)).await;
    for path in ["/records", "/pushes", "/causes", "/streams/forbidden"] {
        for key in ["", "admin-key", "admin-key:", "admin-key:wrong", "nobody:0123456789abcdef", ":"] {
            let answer = server.api(path, key).await;
            assert_eq!(answer.status, 401, "{path} with `{key}`");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            assert_eq!(answer.json()["type"], "urn:lastframe:problem:unauthorized");
            assert!(!answer.body.contains("secret-show"));
        }
        assert_eq!(server.get(&format!("/api/v1{path}"), &[]).await.status, 401);
        assert_eq!(server.api(path, VIEWER).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn records_have_the_fields_and_the_order_of_their_json() {
    let server = Server::start().await;
    let written = server.record("show", 1, (18, 503)).await;
    let answer = server.api("/records?lang=ja", ADMIN).await;
    let list = answer.json();
    let record = &list["records"][0];
    assert_eq!(record["id"], written.id.to_string());
    assert_eq!(record["errmsg"], cause::Cause::SignatureWrong.errmsg(cause::Lang::Ja));
    assert_eq!(record["video"], serde_json::Value::Null);
    let places: Vec<usize> =
        ["\"id\"", "\"sequence\"", "\"account\"", "\"stream\"", "\"errcode\"", "\"stream_param\""]
            .iter()
            .map(|field| answer.body.find(field).unwrap())
            .collect();
    assert!(places.is_sorted(), "{}", answer.body);
}

#[tokio::test]
async fn a_record_comes_with_evidence_and_findings() {
    let server = Server::start().await;
    let written = server.record("show", 1, (28, 0)).await;
    let answer = server.api(&format!("/records/{}", written.id), ADMIN).await.json();
    assert_eq!(answer["record"]["stream"], "show");
    assert_eq!(answer["evidence"]["stage"], "admission");
    assert!(!answer["findings"].as_array().unwrap().is_empty());
    for id in ["nonsense", "01890a5d-ac96-774b-bcce-b302099a8057"] {
        assert_eq!(server.api(&format!("/records/{id}"), ADMIN).await.status, 404);
    }
}

#[tokio::test]
async fn fetches_are_told_in_a_language_by_filters_and_to_their_account_alone() {
    let server = Server::start().await;
    let (over, idle) = (fetch(1, "show", FetchEnd::Over), fetch(1, "show", FetchEnd::Idle));
    for fetch in [&over, &idle, &fetch(2, "theirs", FetchEnd::Over)] {
        server.store.journal().fetch_ended(fetch.clone());
    }
    let count = async |path: &str, key| {
        let answer = server.api(path, key).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()["fetches"].as_array().unwrap().len()
    };
    while count("/fetches", ADMIN).await < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let told = server.api(&format!("/fetches/{}?lang=ja", over.id), ADMIN).await.json();
    assert_eq!(told["errmsg"], cause::Cause::ProxyToldToStop.errmsg(cause::Lang::Ja));
    assert!(told["detail"]["text"].as_str().unwrap().contains("The stream has ended"), "{told}");
    let idle = server.api(&format!("/fetches/{}", idle.id), ADMIN).await.json();
    for field in ["errcode", "sub_errcode", "errmsg", "detail"] {
        assert_eq!(idle[field], serde_json::Value::Null, "{field}");
    }
    for (query, wanted) in [
        ("domain=A.example", 2),
        ("stream=show&app=live", 2),
        ("stream=sho", 0),
        ("app=other", 0),
        ("since=2099-01-01T00:00:00.000Z", 0),
        ("until=2099-01-01T00:00:00.000Z", 3),
    ] {
        assert_eq!(count(&format!("/fetches?{query}"), ADMIN).await, wanted, "{query}");
    }
    let mut seen = Vec::new();
    let mut path = "/fetches?limit=1".to_owned();
    loop {
        let page = server.api(&path, ADMIN).await.json();
        seen.extend(page["fetches"].as_array().unwrap().iter().map(|fetch| fetch["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/fetches?limit=1&after={next}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 3);
    assert_eq!((count("/fetches", OTHER).await, count("/fetches?domain=a.example", OTHER).await), (1, 0));
    let foreign = server.api(&format!("/fetches/{}", over.id), OTHER).await;
    let missing = server.api("/fetches/01890a5d-ac96-774b-bcce-b302099a8057", OTHER).await;
    assert_eq!((foreign.status, &foreign.body), (404, &missing.body));
    for wrong in ["limit=0", "after=x", "what=ever", "lang=xx", "since=yesterday"] {
        assert_eq!(server.api(&format!("/fetches?{wrong}"), ADMIN).await.status, 400, "{wrong}");
    }
    assert_eq!(server.api("/records", ADMIN).await.json()["records"], serde_json::json!([]));
}

#[tokio::test]
async fn an_account_sees_its_own_things_alone() {
    let server = Server::start().await;
    let of_one = server.record("one", 1, (3, 0)).await;
    let of_two = server.record("two", 2, (3, 0)).await;
    let list = server.api("/records", OTHER).await.json();
    assert_eq!(list["records"].as_array().unwrap().len(), 1);
    assert_eq!(list["records"][0]["id"], of_two.id.to_string());
    assert_eq!(server.api("/records?domain=a.example", OTHER).await.json()["records"], serde_json::json!([]));
    assert_eq!(server.api(&format!("/records/{}", of_one.id), OTHER).await.status, 404);
    for path in ["/streams/drop", "/streams/forbid", "/streams/resume", "/streams/switch"] {
        let foreign = server.act(path, OTHER, r#"{"domain":"a.example","app":"live","stream":"one"}"#).await;
        let missing = server.act(path, OTHER, r#"{"domain":"c.example","app":"live","stream":"one"}"#).await;
        assert_eq!(
            (foreign.status, &foreign.body),
            (404, &missing.body),
            "a foreign domain is like none at all"
        );
    }
    assert!(server.live.catalog().forbidden.is_empty());
}

#[tokio::test]
async fn viewers_do_not_act() {
    let server = Server::start().await;
    for path in ["/streams/drop", "/streams/forbid", "/streams/resume", "/streams/switch"] {
        let answer = server.act(path, VIEWER, r#"{"domain":"a.example","app":"live","stream":"s"}"#).await;
        assert_eq!(answer.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_stream_is_forbidden_listed_and_let_in_again() {
    let server = Server::start().await;
    let key = r#"{"domain":"A.example","app":"live","stream":"s"}"#;
    let forbade = server.act("/streams/forbid", ADMIN, key).await;
    assert_eq!(forbade.status, 200, "{}", forbade.body);
    assert_eq!(forbade.json()["dropped"], 0);
    let list = server.api("/streams/forbidden", ADMIN).await.json();
    assert_eq!(list["forbidden"][0]["stream"], "s");
    assert_eq!(server.api("/streams/forbidden", OTHER).await.json()["forbidden"], serde_json::json!([]));
    assert_eq!(server.act("/streams/resume", ADMIN, key).await.json()["resumed"], true);
    assert_eq!(server.act("/streams/resume", ADMIN, key).await.json()["resumed"], false);
    assert_eq!(server.act("/streams/drop", ADMIN, key).await.json()["dropped"], 0);
}

#[tokio::test]
async fn a_switch_to_a_push_that_is_not_there_says_so() {
    let server = Server::start().await;
    for more in ["", r#","sequence":"9""#] {
        let body = format!(r#"{{"domain":"a.example","app":"live","stream":"s"{more}}}"#);
        let answer = server.act("/streams/switch", ADMIN, &body).await;
        assert_eq!((answer.status, &answer.json()["field"]), (404, &"sequence".into()), "{}", answer.body);
    }
    let body = r#"{"domain":"a.example","app":"live","stream":"s","sequence":"first"}"#;
    assert_eq!(server.act("/streams/switch", ADMIN, body).await.status, 400);
}

#[tokio::test]
async fn bodies_that_make_no_sense_are_refused() {
    let server = Server::start().await;
    for body in [
        "",
        "{",
        r#"{"domain":"a.example","app":"live"}"#,
        r#"{"domain":"a.example","app":"live","stream":"s","unitl":"2030-01-01T00:00:00Z"}"#,
        r#"{"domain":"a.example","app":"live","stream":"s","until":"2001-01-01T00:00:00Z"}"#,
        r#"{"domain":"a.example","app":"live","stream":"s","until":"2999-01-01T00:00:00Z"}"#,
        r#"{"domain":"a.example","app":"live","stream":"s","until":"soon"}"#,
    ] {
        assert_eq!(server.act("/streams/forbid", ADMIN, body).await.status, 400, "{body}");
    }
    let long = format!(r#"{{"domain":"{}","app":"a","stream":"s"}}"#, "x".repeat(100_000));
    assert_eq!(server.act("/streams/drop", ADMIN, &long).await.status, 400);
    assert!(server.live.catalog().forbidden.is_empty());
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double() {
    let server = Server::start().await;
    for n in 0..7 {
        server.record(&format!("s{n}"), 1, (3, 0)).await;
    }
    let mut seen = Vec::new();
    let mut path = "/records?limit=3".to_owned();
    loop {
        let page = server.api(&path, ADMIN).await.json();
        seen.extend(
            page["records"].as_array().unwrap().iter().map(|r| r["stream"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/records?limit=3&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["s6", "s5", "s4", "s3", "s2", "s1", "s0"]);
}

#[tokio::test]
async fn filters_narrow_and_mistakes_in_them_are_told() {
    let server = Server::start().await;
    server.record("morning-show", 1, (18, 503)).await;
    server.record("evening-show", 2, (3, 0)).await;
    let count = async |query: &str| {
        let page = server.api(&format!("/records?{query}"), ADMIN).await.json();
        page["records"].as_array().unwrap_or_else(|| panic!("{page}")).len()
    };
    for (query, expected) in [
        ("stream=morning-show", 1),
        ("stream=morning", 0),
        ("stream=morning&fuzzy=true", 1),
        ("stream=show&fuzzy=true", 2),
        ("domain=b.example", 1),
        ("app=live", 2),
        ("ip=192.0.2.0/24", 2),
        ("ip=198.51.100.0/24", 0),
        ("code=18/503", 1),
        ("code=18/503,3/0", 2),
        ("side=policy", 1),
        ("since=1h", 2),
        ("until=2001-01-01T00:00:00Z", 0),
        ("", 2),
    ] {
        assert_eq!(count(query).await, expected, "{query}");
    }
    for query in ["sream=x", "code=99/9", "since=yesterday", "limit=0", "ip=x", "after=%21", "lang=fr"] {
        let answer = server.api(&format!("/records?{query}"), ADMIN).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_description_names_every_path() {
    let server = Server::start().await;
    let description = server.get("/api/v1/openapi.json", &[]).await.json();
    let paths = description["paths"].as_object().unwrap();
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let path = format!("/api/v1{}", path.replace("{id}", "01890a5d-ac96-774b-bcce-b302099a8057"));
            let path = path.replace("{name}", "a.example").replace("{channel}", "c");
            let answer = server.send(&method.to_uppercase(), &path, &[], "").await;
            let expected = if path.ends_with("openapi.json") { 200 } else { 401 };
            assert_eq!(answer.status, expected, "{method} {path}");
        }
    }
    assert_eq!(server.api("/nothing", ADMIN).await.status, 404);
    assert_eq!(server.act("/records", ADMIN, "{}").await.status, 405);
}

#[tokio::test]
async fn keys_do_not_travel_in_the_clear_between_machines() {
    let server = Server::start().await;
    let forwarded = |extra: &[(&'static str, &'static str)]| {
        let mut headers = vec![
            ("authorization", "Bearer admin-key:0123456789abcdef-admin"),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        headers.extend(extra);
        headers
    };
    let answer = server.get("/api/v1/records", &forwarded(&[])).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["type"], "urn:lastframe:problem:transport_too_open");
    let https = forwarded(&[("x-forwarded-proto", "https")]);
    assert_eq!(server.get("/api/v1/records", &https).await.status, 403, "the proxy is not trusted");

    let proxied =
        Server::start_with(web::Surface::All, |c| c.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()])
            .await;
    assert_eq!(proxied.get("/api/v1/records", &https).await.status, 200);
    assert_eq!(proxied.get("/api/v1/records", &forwarded(&[])).await.status, 403);

    let open = Server::start_with(web::Surface::All, |c| c.insecure = true).await;
    assert_eq!(open.get("/api/v1/records", &forwarded(&[])).await.status, 200);
}
