//! The console's watching pages over a real socket: push errors, stream keys, shared records, columns, views.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

mod common;

use common::{Answer, DOMAIN_KEY, PASSWORD, Server, fetch};
use model::catalog::Role;
use model::{Clock, FetchEnd, StreamKey, SystemClock, Timestamp};
use store::{Occurrence, PushReport, ReportedEvent, Seen};

const KEY: &str = "/streams/key?domain=a.example&app=live&stream=show";

/// Everything a page may not tell strangers about a record.
const ADDRESS: &str = "192.0.2.7";

async fn sign_in_as(server: &Server, name: &str, role: Role) -> String {
    let hash = web::password::hash(PASSWORD).unwrap();
    server.store.catalog().put_user(name, &hash, role).unwrap();
    let (cookie, token) = server.sign_in_form(&[]).await;
    let body = format!("user={name}&password={}&token={token}", PASSWORD.replace(' ', "+"));
    server.form("/sign-in", &[("cookie", &cookie)], &body).await.cookie("lastframe_session").unwrap()
}

/// What stands between two pieces of a page.
fn between<'a>(page: &'a Answer, before: &str, after: &str) -> &'a str {
    let (_, rest) = page.body.split_once(before).unwrap_or_else(|| panic!("{before} in {}", page.body));
    rest.split(after).next().unwrap()
}

#[tokio::test]
async fn a_shared_record_opens_without_a_session_and_tells_no_address() {
    let server = Server::start().await;
    let record = server.record("show", 1, (18, 503)).await;
    let session = server.sign_in().await;
    let cookie = [("cookie", session.as_str())];
    let path = format!("/records/{}", record.id);
    let token = server.get(&path, &cookie).await.token();
    let share = format!("{path}/share");
    let made = server.form(&share, &cookie, &format!("token={token}&act=make&days=7")).await;
    assert_eq!(made.status, 200);
    let link = between(&made, "class=\"mono made\" href=\"", "\"");
    let shared = &link[link.find("/shared/").unwrap()..];
    assert!(!server.get(&path, &cookie).await.body.contains(shared), "a link is shown once");

    for lang in ["en", "ja", "zh"] {
        let page = server.get(shared, &[("accept-language", lang)]).await;
        assert_eq!(page.status, 200);
        let plain = cause::Cause::SignatureWrong.plain(lang.parse().unwrap());
        assert!(page.body.contains("show") && page.body.contains(plain.what), "{lang}: {}", page.body);
        for secret in
            [ADDRESS, "40000", "node-1", "test encoder", "txSecret", "a.example", DOMAIN_KEY, "/records/"]
        {
            assert!(!page.body.contains(secret), "{lang}: {secret}");
        }
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("x-robots-tag"), Some("noindex, nofollow"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
    let signed_in = server.get(shared, &cookie).await;
    assert!(!signed_in.body.contains("sign-out"), "it looks the same to everybody");

    let listed = server.get(&path, &cookie).await;
    let digest = between(&listed, "name=\"digest\" value=\"", "\"");
    assert!(!shared.contains(digest), "what is listed does not open the record");
    assert_eq!(server.get(&format!("/shared/{digest}"), &[]).await.status, 404);
    let other = server.record("other", 1, (18, 503)).await;
    let elsewhere = format!("/records/{}/share", other.id);
    let revoke = format!("token={token}&act=revoke&digest={digest}");
    server.form(&elsewhere, &cookie, &revoke).await;
    assert_eq!(server.get(shared, &[]).await.status, 200, "a link is taken back at its own record");
    assert_eq!(server.form(&share, &cookie, &revoke).await.status, 303);
    assert_eq!(server.get(shared, &[]).await.status, 404);
    let log =
        server.store.catalog().audit_log(&store::AuditQuery { limit: 9, ..Default::default() }).unwrap();
    let actions: Vec<&str> = log.iter().map(|row| row.entry.action.as_str()).collect();
    assert_eq!(actions, ["unshare", "share"]);
    let log = format!("{log:?}");
    assert!(!log.contains(&shared[8..]));
}

#[tokio::test]
async fn links_are_made_by_operators_with_the_token_of_their_session() {
    let server = Server::start().await;
    let record = server.record("show", 1, (3, 0)).await;
    let path = format!("/records/{}/share", record.id);
    let viewer = sign_in_as(&server, "watcher", Role::Viewer).await;
    let page = server.get(&format!("/records/{}", record.id), &[("cookie", &viewer)]).await;
    assert!(!page.body.contains("value=\"make\""), "no button for those who may not");
    let token = page.token();
    let refused = server.form(&path, &[("cookie", &viewer)], &format!("token={token}&act=make&days=7")).await;
    assert_eq!(refused.status, 403);
    let admin = server.sign_in().await;
    for body in ["act=make&days=7&token=", &format!("act=make&days=7&token={token}")] {
        assert_eq!(server.form(&path, &[("cookie", &admin)], body).await.status, 403, "{body}");
    }
    let token = server.get("/records", &[("cookie", &admin)]).await.token();
    for (body, status) in [("days=400&act=make", 400), ("act=nonsense", 400), ("act=revoke&digest=zz", 400)] {
        let body = format!("{body}&token={token}");
        assert_eq!(server.form(&path, &[("cookie", &admin)], &body).await.status, status, "{body}");
    }
    assert_eq!(server.form(&path, &[], &format!("token={token}&act=make&days=7")).await.status, 303);
}

#[tokio::test]
async fn a_record_is_downloaded_as_replay_reads_it() {
    let server = Server::start().await;
    let record = server.record("show", 1, (18, 503)).await;
    let path = format!("/records/{}/export", record.id);
    assert_eq!(server.get(&path, &[]).await.status, 303);
    let session = server.sign_in().await;
    let file = server.get(&path, &[("cookie", &session)]).await;
    let name = format!("attachment; filename=\"record-{}.json\"", record.id);
    assert_eq!(file.header("content-disposition"), Some(name.as_str()));
    let export = cause::export::Export::read(&file.body).unwrap();
    assert_eq!(export.record.id, record.id);
    assert!(export.evidence.is_some());
    let unknown = format!("/records/{}/export", SystemClock.push_id());
    assert_eq!(server.get(&unknown, &[("cookie", &session)]).await.status, 404);
}

#[tokio::test]
async fn columns_are_kept_in_links_and_a_view_keeps_them() {
    let server = Server::start().await;
    for n in 0..3 {
        server.record(&format!("show-{n}"), 1, (3, 0)).await;
    }
    let session = server.sign_in().await;
    let cookie = [("cookie", session.as_str())];
    let page = server.get("/records?column=end&column=encoder&limit=2", &cookie).await;
    assert!(page.body.contains("test encoder") && !page.body.contains(ADDRESS));
    let older = between(&page, "rel=\"next\" href=\"", "\"").replace("&#38;", "&");
    assert!(older.contains("columns=end%2Cencoder"), "{older}");
    let next = server.get(&older, &cookie).await;
    assert_eq!(next.body.matches("<tr data-row=").count(), 1);
    assert!(next.body.contains("test encoder"));

    let query =
        between(&page, "name=\"act\" value=\"save\"><input type=\"hidden\" name=\"query\" value=\"", "\"");
    let query = query.replace("&#38;", "&");
    let encoded: String = query.bytes().map(|b| format!("%{b:02X}")).collect();
    let body = format!("token={}&act=save&name=My+%3Cview%3E&query={encoded}", page.token());
    let saved = server.form("/records/views", &cookie, &body).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some(format!("/records?{query}").as_str())));
    let page = server.get(&format!("/records?{query}"), &cookie).await;
    assert!(page.body.contains("My &#60;view&#62;</a>") && page.body.contains("aria-current=\"true\">My "));
    let other = sign_in_as(&server, "watcher", Role::Viewer).await;
    let theirs = server.get("/records", &[("cookie", &other)]).await;
    assert!(!theirs.body.contains("My &#60;view"), "a view is its user's own");
    assert_eq!(server.form("/records/views", &cookie, "token=0&act=save&name=a&query=").await.status, 403);
    let body = format!("token={}&act=delete&name=My+%3Cview%3E&query=", page.token());
    server.form("/records/views", &cookie, &body).await;
    assert!(!server.get("/records", &cookie).await.body.contains("My &#60;view"));
}

#[tokio::test]
async fn how_fetches_of_a_stream_ended_stands_on_its_page_in_the_readers_language() {
    let server = Server::start().await;
    let session = server.sign_in().await;
    let page = async |lang: &str| {
        let path = "/streams/key?domain=a.example&app=live&stream=show";
        server.get(path, &[("cookie", &session), ("accept-language", lang)]).await.body
    };
    assert!(!page("en").await.contains("Fetched by"), "there is no table where there is nothing");
    for why in [FetchEnd::Over, FetchEnd::Idle] {
        server.store.journal().fetch_ended(fetch(1, "show", why));
    }
    server.store.journal().fetch_ended(fetch(1, "other", FetchEnd::Over));
    while page("en").await.matches("<tr data-row=").count() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for (lang, over, idle) in [
        ("en", "The stream had ended", "Nobody watched any more"),
        ("ja", "ストリームが終了しました", "視聴者がいなくなりました"),
        ("zh", "流已结束", "已无人观看"),
    ] {
        let body = page(lang).await;
        assert_eq!(body.matches("<tr data-row=").count(), 2, "{lang}: {body}");
        for part in [over, idle, "east:1935", "The stream has ended", ">10/0<"] {
            assert!(body.contains(part), "{lang}: {part} in {body}");
        }
        assert_eq!(body.matches(">10/0<").count(), 1, "{lang}: what the node ended itself has no cause");
    }
    assert!(!server.get("/records", &[("cookie", &session)]).await.body.contains("<tr data-row="));
}

#[tokio::test]
async fn push_errors_are_told_in_the_readers_language_and_filtered() {
    let server = Server::start().await;
    let session = server.sign_in().await;
    let empty = server.get("/events", &[("cookie", &session)]).await;
    assert!(empty.body.contains("Nothing unusual"), "{}", empty.body);
    let reported = |kind, value| ReportedEvent {
        kind,
        count: 3,
        occurrences: vec![Occurrence {
            at: Timestamp(9),
            what: "told in English".into(),
            seen: Some(Seen { value: Some(value), timestamp: None, text: String::new() }),
        }],
    };
    for stream in ["show", "other"] {
        server.store.journal().report(PushReport {
            push: SystemClock.push_id(),
            account: 1,
            key: StreamKey::new("a.example", "live", stream),
            client_ip: ADDRESS.parse().unwrap(),
            stream_param: None,
            at: SystemClock.now(),
            interval_ms: 5_000,
            events: vec![reported(6, 3_210), reported(16, 12_000)],
        });
    }
    let page = async |path: &str, lang: &str| {
        server.get(path, &[("cookie", &session), ("accept-language", lang)]).await.body
    };
    while !page("/events", "en").await.contains(">other<") {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(page("/events", "en").await.matches("<tr data-row=").count(), 4);
    for (lang, name) in
        [("en", "Video frames arrived"), ("ja", "映像フレームの到着間隔"), ("zh", "视频帧到达间隔")]
    {
        let body = page("/events?kind=6&stream=show", lang).await;
        assert_eq!(body.matches("<tr data-row=").count(), 1, "{lang}");
        assert!(
            body.contains(name) && body.contains("3.2") && !body.contains("told in English"),
            "{lang}: {body}"
        );
        assert!(
            body.contains("/streams/key?domain=a.example&#38;app=live&#38;stream=show"),
            "{lang}: {body}"
        );
    }
    assert_eq!(page("/events?stream=SHO&match=fuzzy", "en").await.matches("<tr data-row=").count(), 2);
    assert!(page("/events?stream=nothing", "en").await.contains("No event matches"));
    assert!(page(KEY, "en").await.contains("Video frames arrived"), "the page of the stream key has them");
}

#[tokio::test]
async fn a_stream_key_has_a_page_from_which_it_is_forbidden_until_a_time_and_let_in_again() {
    let server = Server::start().await;
    server.record("show", 1, (18, 503)).await;
    let session = server.sign_in().await;
    let cookie = [("cookie", session.as_str())];
    let page = server.get(KEY, &cookie).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("not live now") && page.body.contains("18/503"));
    let token = page.token();
    let form = |more: &str| format!("token={token}&domain=a.example&app=live&stream=show&back=stream&{more}");
    let wrong = server.form("/streams", &cookie, &form("act=forbid&until=yesterday")).await;
    assert_eq!(wrong.status, 400);
    let past = server.form("/streams", &cookie, &form("act=forbid&until=2020-01-01T00:00:00Z")).await;
    assert_eq!(past.status, 400);
    let far = SystemClock.now().plus(std::time::Duration::from_secs(3 * 86_400 + 17));
    let body =
        form(&format!("act=forbid&hours=1&until={}&reason=a+rest", far.to_string().replace(':', "%3A")));
    let done = server.form("/streams", &cookie, &body).await;
    assert_eq!((done.status, done.header("location")), (303, Some(format!("{KEY}&done=forbidden").as_str())));
    let page = server.get(KEY, &cookie).await;
    assert!(page.body.contains("forbidden until") && page.body.contains("(a rest)"), "{}", page.body);
    assert!(page.body.contains(&far.to_string()), "a time that is given wins over hours");
    let done = server.form("/streams", &cookie, &form("act=resume")).await;
    assert_eq!(done.header("location"), Some(format!("{KEY}&done=resumed").as_str()));
    assert!(!server.get(KEY, &cookie).await.body.contains("forbidden until"));
    let gone = server.form("/streams", &cookie, &form("act=switch&sequence=9")).await;
    assert_eq!(gone.header("location"), Some(format!("{KEY}&done=not-waiting").as_str()));
    let page = server.get(&format!("{KEY}&done=not-waiting"), &cookie).await;
    assert!(page.body.contains("neither carries the stream nor waits"));
}

#[tokio::test]
async fn only_the_preview_may_play_media_and_its_urls_are_signed_where_that_is_asked_for() {
    let server = Server::start().await;
    let session = server.sign_in().await;
    let cookie = [("cookie", session.as_str())];
    let path = "/streams/preview?domain=a.example&app=live&stream=show";
    let page = server.get(path, &cookie).await;
    assert!(page.header("content-security-policy").unwrap().contains("media-src 'self' blob:"));
    assert!(page.body.contains("data-flv=\"/live/show.flv?domain=a.example\""), "{}", page.body);
    assert!(page.body.contains("data-hls=\"/live/show/index.m3u8?domain=a.example\""));
    let key = server.get(KEY, &cookie).await;
    assert!(!key.header("content-security-policy").unwrap().contains("blob:"));
    assert!(
        !key.body.contains("mpegts") && !key.body.contains("preview.js"),
        "players load with the preview alone"
    );
    assert_eq!(server.get(path, &[]).await.status, 303);
    let mut domain = model::catalog::Domain::new("a.example", 1, DOMAIN_KEY);
    (domain.play_auth, domain.play_key) = (true, "the-key-of-players".into());
    let by = live::OrderedBy { who: "test".into(), via: "console", from: None };
    server.live.change(live::Change::PutDomain(Box::new(domain)), &by).await.unwrap();
    let page = server.get(path, &cookie).await;
    assert!(page.body.contains("/live/show.flv?txSecret=") && !page.body.contains("the-key-of-players"));
}
