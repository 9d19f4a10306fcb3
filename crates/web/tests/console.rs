//! The console over a real socket: sign-in, tokens, pages, languages, headers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

mod common;

use common::{ADMIN, DOMAIN_KEY, PASSWORD, Server};

#[tokio::test]
async fn strangers_are_led_to_the_sign_in_page_and_back() {
    let server = Server::start().await;
    let answer = server.get("/records?stream=a%20b", &[]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("/sign-in?next=/records%3Fstream%3Da%2520b"));
    let (cookie, token) = server.sign_in_form(&[]).await;
    let body = format!(
        "user=admin&password={}&token={token}&next=%2Frecords%3Fstream%3Da%2520b",
        PASSWORD.replace(' ', "+")
    );
    let answer = server.form("/sign-in", &[("cookie", &cookie)], &body).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/records?stream=a%20b")));
    for path in ["/", "/records", "/records/01890a5d-ac96-774b-bcce-b302099a8057", "/causes"] {
        assert_eq!(server.get(path, &[("cookie", "lastframe_session=0000")]).await.status, 303, "{path}");
    }
}

#[tokio::test]
async fn a_sign_in_link_does_not_lead_elsewhere() {
    let server = Server::start().await;
    let (cookie, token) = server.sign_in_form(&[]).await;
    let body =
        format!("user=admin&password={}&token={token}&next=%2F%2Fevil.example", PASSWORD.replace(' ', "+"));
    assert_eq!(server.form("/sign-in", &[("cookie", &cookie)], &body).await.header("location"), Some("/"));
    let answer = server.get("/language?lang=ja&back=https://evil.example", &[]).await;
    assert_eq!(answer.header("location"), Some("/"));
}

#[tokio::test]
async fn wrong_passwords_are_refused_and_then_have_to_wait() {
    let server = Server::start().await;
    let (cookie, token) = server.sign_in_form(&[]).await;
    let attempt = async |user: &str, password: &str| {
        let body = format!("user={user}&password={password}&token={token}");
        server.form("/sign-in", &[("cookie", &cookie)], &body).await
    };
    let wrong = attempt("admin", "nonsense").await;
    let nobody = attempt("nobody", "nonsense").await;
    assert_eq!((wrong.status, nobody.status), (401, 401));
    assert_eq!(wrong.body, nobody.body, "an answer does not tell whether the user exists");
    for _ in 0..8 {
        assert_eq!(attempt("admin", "nonsense").await.status, 401);
    }
    let answer = attempt("admin", &PASSWORD.replace(' ', "+")).await;
    assert_eq!(answer.status, 429, "even the right password has to wait now");
    assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn forms_without_their_token_do_nothing() {
    let server = Server::start().await;
    let (cookie, token) = server.sign_in_form(&[]).await;
    let good = format!("user=admin&password={}", PASSWORD.replace(' ', "+"));
    for (cookie, body) in [
        (cookie.as_str(), good.clone()),
        ("", format!("{good}&token={token}")),
        (cookie.as_str(), format!("{good}&token={}", "0".repeat(64))),
        ("lastframe_form=", format!("{good}&token=")),
    ] {
        let answer = server.form("/sign-in", &[("cookie", cookie)], &body).await;
        assert_eq!(answer.status, 403, "{body}");
        assert!(answer.cookie("lastframe_session").is_none());
    }
    let session = server.sign_in().await;
    assert_eq!(server.form("/sign-out", &[("cookie", &session)], "token=0000").await.status, 403);
    assert_eq!(server.get("/records", &[("cookie", &session)]).await.status, 200, "still signed in");
}

#[tokio::test]
async fn signing_out_ends_the_session_itself() {
    let server = Server::start().await;
    let session = server.sign_in().await;
    let token = server.get("/records", &[("cookie", &session)]).await.token();
    let answer = server.form("/sign-out", &[("cookie", &session)], &format!("token={token}")).await;
    assert_eq!(answer.header("location"), Some("/sign-in"));
    assert_eq!(server.get("/records", &[("cookie", &session)]).await.status, 303);
}

#[tokio::test]
async fn cookies_are_kept_from_scripts_and_other_sites() {
    let server =
        Server::start_with(web::Surface::All, |c| c.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()])
            .await;
    let proxy = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
    let (cookie, token) = server.sign_in_form(&proxy).await;
    let body = format!("user=admin&password={}&token={token}", PASSWORD.replace(' ', "+"));
    let answer = server.form("/sign-in", &[proxy[0], proxy[1], ("cookie", &cookie)], &body).await;
    let (_, set) = answer.headers.iter().find(|(_, v)| v.starts_with("lastframe_session=")).unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(set.contains(attribute), "{set}");
    }
}

#[tokio::test]
async fn passwords_are_not_asked_for_in_the_clear() {
    let server = Server::start().await;
    let remote = ("x-forwarded-for", "203.0.113.9");
    let page = server.get("/sign-in", &[remote]).await;
    assert_eq!(page.status, 403);
    assert!(
        !page.body.contains("type=\"password\"") && page.body.contains("trusted_proxies"),
        "{}",
        page.body
    );
    assert_eq!(server.form("/sign-in", &[remote], "user=admin&password=x").await.status, 403);
    let session = server.sign_in().await;
    assert_eq!(server.get("/records", &[remote, ("cookie", &session)]).await.status, 303);
}

#[tokio::test]
async fn the_page_shows_a_record_with_its_cause_in_each_language() {
    let server = Server::start().await;
    let record = server.record("配信-1", 1, (18, 503)).await;
    let session = server.sign_in().await;
    for (lang, heading, html) in
        [("ja", "断流記録", "ja"), ("en", "Stream interruption records", "en"), ("zh", "断流记录", "zh-Hans")]
    {
        let page = server.get("/records", &[("cookie", &session), ("accept-language", lang)]).await;
        let errmsg = cause::Cause::SignatureWrong.errmsg(lang.parse().unwrap());
        for part in [
            &format!("<html lang=\"{html}\" data-theme=\"auto\">"),
            heading,
            "配信-1",
            "a.example",
            "192.0.2.7",
            "<code>18/503</code>",
            "side-policy",
            errmsg,
            &format!("<time datetime=\"{}\">", record.ended_at),
            &format!("/records/{}", record.id),
        ] {
            assert!(page.body.contains(part), "{lang}: {part}");
        }
        let detail = server
            .get(&format!("/records/{}", record.id), &[("cookie", &session), ("accept-language", lang)])
            .await;
        let cause = cause::Cause::SignatureWrong;
        let lang: cause::Lang = lang.parse().unwrap();
        assert!(detail.body.contains("test encoder"));
        for text in [cause.meaning(lang), cause.advice(lang)] {
            assert!(unescaped(&detail.body).contains(text), "{text}");
        }
    }
}

#[tokio::test]
async fn a_chosen_language_is_kept() {
    let server = Server::start().await;
    let answer = server.get("/language?lang=zh&back=/sign-in", &[("accept-language", "ja")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/sign-in")));
    let cookie = answer.cookie("lastframe_lang").unwrap();
    let page = server.get("/sign-in", &[("cookie", &cookie), ("accept-language", "ja")]).await;
    assert!(page.body.contains("登录"), "{}", page.body);
}

#[tokio::test]
async fn filters_stay_in_the_form_and_in_the_links() {
    let server = Server::start().await;
    for n in 0..3 {
        server.record(&format!("show-{n}"), 1, (3, 0)).await;
    }
    server.record("other", 1, (1, 0)).await;
    let session = server.sign_in().await;
    let page = server
        .get("/records?stream=show&match=fuzzy&code=3/0&range=24h&limit=2", &[("cookie", &session)])
        .await;
    assert_eq!(page.status, 200);
    assert_eq!(page.body.matches("<tr data-row=").count(), 2);
    assert!(page.body.contains("value=\"show\"") && page.body.contains("value=\"3/0\" selected"));
    let (_, rest) = page.body.split_once("rel=\"next\" href=\"").unwrap();
    let older = unescaped(rest.split('"').next().unwrap());
    assert!(
        older.starts_with("/records?stream=show&fuzzy=true&code=3%2F0&since=24h&limit=2&after="),
        "{older}"
    );
    let page = server.get(&older, &[("cookie", &session)]).await;
    assert_eq!(page.body.matches("<tr data-row=").count(), 1);
    assert!(page.body.contains("show-0") && !page.body.contains("rel=\"next\""));
    let page = server.get("/records?code=99/9", &[("cookie", &session)]).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("role=\"alert\""));
}

#[tokio::test]
async fn an_empty_page_says_what_would_fill_it() {
    let server = Server::start().await;
    let session = server.sign_in().await;
    let page = server.get("/records", &[("cookie", &session)]).await;
    assert!(page.body.contains("ffmpeg -re") && page.body.contains("lastframe url"));
    let page = server.get("/records?stream=nothing", &[("cookie", &session)]).await;
    assert!(page.body.contains("No record matches") && !page.body.contains("ffmpeg"));
}

#[tokio::test]
async fn what_a_client_sent_stays_text() {
    let server = Server::start().await;
    let record = server.record("<script>alert(1)</script>\"'", 1, (18, 308)).await;
    let session = server.sign_in().await;
    for path in [
        "/records".to_owned(),
        format!("/records/{}", record.id),
        "/records?stream=%22%3E%3Cscript%3E".to_owned(),
    ] {
        let page = server.get(&path, &[("cookie", &session)]).await;
        assert!(!page.body.contains("<script>alert") && !page.body.contains("\"><script>"), "{path}");
    }
}

#[tokio::test]
async fn every_page_forbids_inline_script_and_has_none() {
    let server = Server::start().await;
    let record = server.record("show", 1, (3, 0)).await;
    let session = server.sign_in().await;
    for path in
        ["/records", "/causes", "/sign-in", &format!("/records/{}", record.id), "/healthz", "/nothing"]
    {
        let page = server.get(path, &[("cookie", &session)]).await;
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        for inline in ["<script>", "<style", " style=", " onclick=", " onload=", "javascript:"] {
            assert!(!page.body.contains(inline), "{path}: {inline}");
        }
    }
}

#[tokio::test]
async fn no_secret_stands_on_any_page() {
    let server = Server::start().await;
    let record = server.record("show", 1, (18, 503)).await;
    let session = server.sign_in().await;
    let bearer = format!("Bearer {ADMIN}");
    let (_, secret) = ADMIN.split_once(':').unwrap();
    for path in [
        "/records",
        "/causes",
        "/sign-in",
        "/metrics",
        "/readyz",
        "/api/v1/records",
        "/api/v1/pushes",
        "/api/v1/streams/forbidden",
        &format!("/records/{}", record.id),
        &format!("/api/v1/records/{}", record.id),
    ] {
        let page = server.get(path, &[("cookie", &session), ("authorization", &bearer)]).await;
        for secret in [DOMAIN_KEY, secret, PASSWORD, "$argon2id$"] {
            assert!(!page.body.contains(secret), "{path}: {secret}");
        }
    }
}

#[tokio::test]
async fn causes_are_explained_and_lead_to_their_records() {
    let server = Server::start().await;
    let session = server.sign_in().await;
    let page = server.get("/causes", &[("cookie", &session)]).await;
    assert_eq!(page.body.matches("<tr id=\"c").count(), 70);
    assert!(page.body.contains("id=\"c18-503\"") && page.body.contains("href=\"/records?code=18/503\""));
}

fn unescaped(html: &str) -> String {
    html.replace("&#38;", "&").replace("&#39;", "'").replace("&#34;", "\"").replace("&amp;", "&")
}
