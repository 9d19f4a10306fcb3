//! Users who are tied to one account: each page shows and each form changes what is of that account alone, and what is of
//! others looks like what does not exist.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

mod common;

use std::time::Duration;

use common::{ADMIN, Answer, Server};
use model::{Clock, Record, StreamKey, SystemClock};
use store::{Occurrence, PushReport, ReportedEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What only account 2 has; none of it may stand on a page of account 1.
const OTHERS: [&str; 5] = ["b.example", "zwei", "other-key", "template-of-2", "bob"];

/// A server on which each account has a record, an event, a forbidden stream, a template and a user.
struct Two {
    server: Server,
    own: Record,
    others: Record,
    /// The number of the other account's template.
    template: u64,
    cookie: String,
    token: String,
}

impl Two {
    async fn start() -> Self {
        let server = Server::start().await;
        let own = server.record("eins", 1, (12, 0)).await;
        let others = server.record("zwei", 2, (4, 0)).await;
        report(&server, &own);
        report(&server, &others);
        let mut template = 0;
        for (account, domain, stream) in [(1, "a.example", "eins"), (2, "b.example", "zwei")] {
            let body = format!(
                "{{\"account\":{account},\"name\":\"template-of-{account}\",\
                 \"urls\":{{\"stream_end\":\"https://r{account}.example/\"}}}}"
            );
            let made = server.act("/callbacks/templates", ADMIN, &body).await;
            template = made.json()["id"].as_u64().unwrap_or_else(|| panic!("{}", made.body));
            let body = format!("{{\"domain\":\"{domain}\",\"app\":\"live\",\"stream\":\"{stream}\"}}");
            assert_eq!(server.act("/streams/forbid", ADMIN, &body).await.status, 200);
        }
        let admin = server.sign_in().await;
        let token = server.get("/settings", &[("cookie", &admin)]).await.token();
        let mut password = String::new();
        for (name, account) in [("ann", 1), ("bob", 2)] {
            let body = format!("act=add&name={name}&role=admin&account={account}&token={token}");
            server.form("/settings/users", &[("cookie", &admin)], &body).await;
            let page = server.get("/settings/users", &[("cookie", &admin)]).await;
            let shown = page.body.split_once("id=\"once-1\">").unwrap_or_else(|| panic!("{}", page.body)).1;
            if name == "ann" {
                password = shown.split('<').next().unwrap().to_owned();
            }
        }
        let (cookie, form) = server.sign_in_form(&[]).await;
        let body = format!("user=ann&password={password}&token={form}");
        let cookie = server.form("/sign-in", &[("cookie", &cookie)], &body).await;
        let cookie = cookie.cookie("lastframe_session").unwrap();
        let token = server.get("/settings", &[("cookie", &cookie)]).await.token();
        Self { server, own, others, template, cookie, token }
    }

    async fn see(&self, path: &str) -> Answer {
        self.server.get(path, &[("cookie", &self.cookie)]).await
    }

    async fn act(&self, path: &str, body: &str) -> Answer {
        let body = format!("{body}&token={}", self.token);
        self.server.form(path, &[("cookie", &self.cookie)], &body).await
    }
}

fn report(server: &Server, record: &Record) {
    let key = StreamKey::new(record.domain.clone().unwrap(), "live", record.stream.clone().unwrap());
    server.store.journal().report(PushReport {
        push: record.id,
        account: record.account.unwrap(),
        key,
        client_ip: record.client_ip,
        stream_param: None,
        at: SystemClock.now(),
        interval_ms: 5_000,
        events: vec![ReportedEvent {
            kind: 6,
            count: 1,
            occurrences: vec![Occurrence { at: SystemClock.now(), what: "seen".into(), seen: None }],
        }],
    });
}

#[tokio::test]
async fn every_page_shows_what_is_of_the_users_account_and_nothing_else() {
    let two = Two::start().await;
    let pages = [
        ("/", "eins"),
        ("/streams", "eins"),
        ("/streams/key?domain=a.example&app=live&stream=eins", "12/0"),
        ("/records", "eins"),
        ("/records?columns=account,node", "eins"),
        ("/records/export?format=csv", "eins"),
        ("/records/export?format=json", "eins"),
        ("/events", "eins"),
        ("/incidents", "Incidents"),
        ("/causes", "12/0"),
        ("/domains", "a.example"),
        ("/domains/a.example", "template-of-1"),
        ("/push", "a.example"),
        ("/push?domain=a.example", "a.example"),
        ("/callbacks", "template-of-1"),
        ("/callbacks/log", "Delivery log"),
        ("/settings", "account 1"),
        ("/settings/accounts", "1"),
        ("/settings/users", "ann"),
        ("/settings/keys", "API keys"),
        ("/settings/audit", "put_user"),
    ];
    for (path, own) in pages {
        let mut page = two.see(path).await;
        // Events are kept by a thread of their own.
        while path == "/events" && !page.body.contains("/streams/key") {
            tokio::time::sleep(Duration::from_millis(20)).await;
            page = two.see(path).await;
        }
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.to_lowercase().contains(&own.to_lowercase()), "{path}: {own} in {}", page.body);
        for other in OTHERS {
            assert!(!page.body.contains(other), "{path}: {other} in {}", page.body);
        }
        assert!(!page.body.contains(&two.others.id.to_string()), "{path}");
    }
    for path in ["/records?stream=zwei", "/records?account=2", "/events?stream=zwei", "/records?code=4%2F0"] {
        assert!(!two.see(path).await.body.contains(&two.others.id.to_string()), "{path}");
    }
    let stranger = "/streams/key?domain=b.example&app=live&stream=zwei";
    let page = two.see(stranger).await;
    assert!(
        !page.body.contains(&two.others.id.to_string()) && !page.body.contains("table class=\"forbidden\"")
    );
    assert!(!page.body.contains("4/0"), "{}", page.body);
    let causes = two.see("/causes?search=4%2F0").await;
    assert!(!causes.body.contains("?code=4/0\">1<"), "{}", causes.body);
}

#[tokio::test]
async fn what_is_of_another_account_looks_like_what_does_not_exist() {
    let two = Two::start().await;
    let (id, template) = (two.others.id, two.template);
    for path in [
        format!("/records/{id}"),
        format!("/records/{id}/export"),
        "/domains/b.example".to_owned(),
        format!("/callbacks/{template}"),
        "/streams/preview?domain=b.example&app=live&stream=zwei".to_owned(),
    ] {
        assert_eq!(two.see(&path).await.status, 404, "{path}");
    }
    assert_eq!(two.see(&format!("/records/{}", two.own.id)).await.status, 200);
    let before = two.server.live.catalog();
    for (path, body) in [
        (format!("/records/{id}/share"), "act=make&days=7"),
        ("/streams".to_owned(), "act=drop&domain=b.example&app=live&stream=zwei"),
        ("/streams".to_owned(), "act=forbid&domain=b.example&app=live&stream=new"),
        ("/streams".to_owned(), "act=resume&domain=b.example&app=live&stream=zwei"),
        ("/streams".to_owned(), "act=switch&sequence=1&domain=b.example&app=live&stream=zwei"),
    ] {
        assert_eq!(two.act(&path, body).await.status, 404, "{path} {body}");
    }
    for (path, body) in [
        ("/domains/b.example/settings".to_owned(), "conflict=refuse&max_pushes=1&max_pushes_per_stream=1"),
        ("/domains/b.example/keys".to_owned(), "act=make&which=push"),
        ("/domains/b.example/apps".to_owned(), "act=put&app=live&enabled=false"),
        ("/domains/b.example/channels".to_owned(), "act=put&channel=c1&enabled=true"),
        ("/domains/b.example/remove".to_owned(), "confirm=b.example"),
        ("/domains".to_owned(), "name=new.example&account=2&kind=push"),
        ("/callbacks".to_owned(), "account=2&name=t&stream_end=https://r.example/"),
        (format!("/callbacks/{template}"), "name=mine&stream_end=https://r.example/"),
        (format!("/callbacks/{template}/test"), "kind=end"),
        (format!("/callbacks/{template}/remove"), "a=b"),
        ("/domains/a.example/callbacks".to_owned(), &format!("act=bind&app=*&template={template}")),
        ("/settings/keys".to_owned(), "act=make&account=2&role=viewer"),
        ("/settings/keys".to_owned(), "act=make&account=0&role=viewer"),
        ("/settings/keys".to_owned(), "act=revoke&id=other-key"),
        ("/settings/users".to_owned(), "act=add&name=eve&role=viewer&account=2"),
        ("/settings/users".to_owned(), "act=add&name=eve&role=viewer&account=0"),
        ("/settings/users".to_owned(), "act=rights&name=ann&role=admin&account=0"),
        ("/settings/users".to_owned(), "act=rights&name=bob&role=viewer&account=1"),
        ("/settings/users".to_owned(), "act=reset&name=admin"),
        ("/settings/users".to_owned(), "act=remove&name=bob"),
    ] {
        let answer = two.act(&path, body).await;
        assert_eq!(answer.status, 303, "{path} {body}: {}", answer.body);
        let told = two.see(answer.header("location").unwrap()).await;
        let refused = told.body.contains("role=\"alert\"") || told.status == 404;
        assert!(refused, "{path} {body}: {}", told.body);
        assert!(!told.body.contains("id=\"once-1\""), "{path} {body}: a secret");
    }
    for (path, body) in [
        ("/hook", "domain=a.example&app=live&stream=test"),
        ("/hook/choose", "act=nobody"),
        ("/settings/accounts", "act=put&id=1&status=active&max_pushes=0"),
    ] {
        assert_eq!(two.act(path, body).await.status, 403, "{path} is for those who see all accounts");
    }
    assert_eq!(two.see("/hook").await.status, 403);
    let after = two.server.live.catalog();
    assert_eq!(after.version, before.version);
    let users = two.server.store.catalog().all_users().unwrap();
    let users: Vec<_> = users.iter().map(|u| (u.name.as_str(), u.account)).collect();
    assert_eq!(users, [("admin", 0), ("ann", 1), ("bob", 2)]);
}

#[tokio::test]
async fn a_user_of_an_account_does_there_what_the_role_says() {
    let two = Two::start().await;
    for (path, body) in [
        ("/streams", "act=forbid&domain=a.example&app=live&stream=new"),
        ("/streams", "act=resume&domain=a.example&app=live&stream=eins"),
        ("/domains/a.example/keys", "act=make&which=backup"),
        ("/domains", "name=more.example&account=1&kind=push"),
        ("/settings/keys", "act=make&account=1&role=viewer"),
        ("/settings/users", "act=add&name=eve&role=viewer&account=1"),
        ("/settings/users", "act=rights&name=eve&role=operator&account=1"),
    ] {
        let answer = two.act(path, body).await;
        assert_eq!(answer.status, 303, "{path} {body}: {}", answer.body);
        let told = two.see(answer.header("location").unwrap()).await;
        assert!(told.status == 200 && !told.body.contains("role=\"alert\""), "{path} {body}: {}", told.body);
    }
    let catalog = two.server.live.catalog();
    assert!(catalog.domain("more.example").is_some_and(|domain| domain.account == 1));
    assert_eq!(two.server.store.catalog().user("eve").unwrap().unwrap().account, 1);
    let log = two.see("/settings/audit").await.body;
    assert!(log.contains("more.example") && log.contains("eve"), "{log}");
}

#[tokio::test]
async fn another_account_ends_the_users_sessions_and_the_last_administrator_of_all_stays_one() {
    let two = Two::start().await;
    let admin = two.server.sign_in().await;
    let token = two.server.get("/settings", &[("cookie", &admin)]).await.token();
    let act = async |body: &str| {
        let body = format!("{body}&token={token}");
        two.server.form("/settings/users", &[("cookie", &admin)], &body).await;
        two.server.get("/settings/users", &[("cookie", &admin)]).await
    };
    let page = act("act=rights&name=ann&role=admin&account=2").await;
    assert!(!page.body.contains("role=\"alert\""), "{}", page.body);
    assert_eq!(two.see("/records").await.status, 303, "the session of another account's time has ended");
    for body in ["act=rights&name=admin&role=admin&account=1", "act=rights&name=admin&role=viewer&account=0"]
    {
        assert!(act(body).await.body.contains("role=\"alert\""), "{body}");
    }
    let nowhere = act("act=rights&name=ann&role=admin&account=9").await;
    assert!(nowhere.body.contains("role=\"alert\""), "there is no account 9");
}

#[tokio::test]
async fn the_feed_does_not_even_tell_that_something_of_another_account_ended() {
    let two = Two::start().await;
    let mut feed = TcpStream::connect(two.server.http).await.unwrap();
    let request = format!("GET /feed HTTP/1.1\r\nhost: x\r\ncookie: {}\r\n\r\n", two.cookie);
    feed.write_all(request.as_bytes()).await.unwrap();
    let mut heard = String::new();
    let mut bytes = [0; 4_096];
    while !heard.contains("\r\n\r\n") {
        let n = feed.read(&mut bytes).await.unwrap();
        heard.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
    two.server.record("zwei-again", 2, (4, 0)).await;
    let quiet = tokio::time::timeout(Duration::from_millis(800), feed.read(&mut bytes)).await;
    assert!(quiet.is_err(), "{:?}", String::from_utf8_lossy(&bytes));
    two.server.record("eins-again", 1, (4, 0)).await;
    while !heard.contains("event: record") {
        let n = feed.read(&mut bytes).await.unwrap();
        assert!(n > 0, "{heard}");
        heard.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
}
