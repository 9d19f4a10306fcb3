//! The pages that set things up, over a real socket: roles, form tokens, secrets shown once, and what the forms do.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

mod common;

use common::{ADMIN, Answer, DOMAIN_KEY, OTHER, PASSWORD, Server};
use model::catalog::{AccountStatus, ConflictRule, Role};

/// Every form of these pages: path and a body that it would take, without the token.
const FORMS: [(&str, &str); 20] = [
    ("/domains", "name=new.example&account=1&kind=push"),
    ("/domains/a.example/settings", "conflict=refuse&max_pushes=1&max_pushes_per_stream=1"),
    ("/domains/a.example/keys", "act=make&which=push"),
    ("/domains/a.example/keys", "act=remove&which=backup"),
    ("/domains/a.example/apps", "act=put&app=live&enabled=false"),
    ("/domains/a.example/channels", "act=put&channel=c1&enabled=true"),
    ("/domains/a.example/callbacks", "act=bind&app=*&template=1"),
    ("/domains/a.example/remove", "confirm=a.example"),
    ("/callbacks", "account=1&name=t&stream_end=http://r.example/"),
    ("/callbacks/1", "name=t&stream_end=http://r.example/"),
    ("/callbacks/1/test", "kind=end"),
    ("/callbacks/1/remove", ""),
    ("/hook", "domain=a.example&app=live&stream=test"),
    ("/hook/choose", "act=hook&url=http://192.0.2.9/&timeout_ms=500"),
    ("/settings/accounts", "act=put&id=1&status=stopped&max_pushes=1"),
    ("/settings/users", "act=add&name=eve&role=admin"),
    ("/settings/users", "act=rights&name=admin&role=viewer&account=1"),
    ("/settings/users", "act=remove&name=admin"),
    ("/settings/keys", "act=make&account=0&role=admin"),
    ("/settings/keys", "act=revoke&id=admin-key"),
];

/// Pages that only administrators see, and those that operators see too.
const ADMIN_PAGES: [&str; 4] = ["/hook", "/settings/users", "/settings/keys", "/settings/audit"];
const OPEN_PAGES: [&str; 6] =
    ["/domains", "/domains/a.example", "/callbacks", "/callbacks/log", "/settings", "/settings/accounts"];

struct Person {
    session: String,
    token: String,
}

impl Person {
    async fn admin(server: &Server) -> Self {
        Self::signed_in(server, "admin", PASSWORD).await
    }

    async fn of_role(server: &Server, name: &str, role: Role) -> Self {
        let hash = web::password::hash("a password of theirs").unwrap();
        server.store.catalog().put_user(name, &hash, role).unwrap();
        Self::signed_in(server, name, "a password of theirs").await
    }

    async fn signed_in(server: &Server, user: &str, password: &str) -> Self {
        let answer = try_sign_in(server, user, password).await;
        assert_eq!(answer.status, 303, "{user}: {}", answer.body);
        let session = answer.cookie("lastframe_session").unwrap();
        let token = server.get("/settings", &[("cookie", &session)]).await.token();
        Self { session, token }
    }

    async fn see(&self, server: &Server, path: &str) -> Answer {
        server.get(path, &[("cookie", &self.session)]).await
    }

    /// Sends a form of this session.
    async fn act(&self, server: &Server, path: &str, body: &str) -> Answer {
        let body = format!("{body}&token={}", self.token);
        server.form(path, &[("cookie", &self.session)], &body).await
    }

    /// Sends a form and gives the page that it leads to.
    async fn done(&self, server: &Server, path: &str, body: &str) -> Answer {
        let answer = self.act(server, path, body).await;
        assert_eq!(answer.status, 303, "{path} {body}: {}", answer.body);
        self.see(server, answer.header("location").unwrap()).await
    }
}

async fn try_sign_in(server: &Server, user: &str, password: &str) -> Answer {
    let (cookie, token) = server.sign_in_form(&[]).await;
    let body = format!("user={user}&password={}&token={token}", password.replace(' ', "+"));
    server.form("/sign-in", &[("cookie", &cookie)], &body).await
}

/// The first secret that a page shows once.
fn secret(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("id=\"once-1\">").unwrap_or_else(|| panic!("{}", page.body));
    rest.split('<').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_form_without_the_sessions_token_changes_nothing() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let other = Person::of_role(&server, "other", Role::Admin).await;
    let before = server.live.catalog();
    for (path, body) in FORMS {
        for token in [String::new(), "&token=".into(), format!("&token={}", other.token)] {
            let body = format!("{body}{token}");
            let answer = server.form(path, &[("cookie", &admin.session)], &body).await;
            assert_eq!(answer.status, 403, "{path}: {}", answer.body);
        }
        let json = [("cookie", admin.session.as_str()), ("content-type", "text/plain")];
        let body = format!("{body}&token={}", admin.token);
        assert_eq!(server.send("POST", path, &json, &body).await.status, 403, "{path}: another content type");
        let strangers = server.form(path, &[], &body).await;
        assert_eq!(strangers.status, 303, "{path}");
        assert!(strangers.header("location").unwrap().starts_with("/sign-in"), "{path}");
    }
    assert_eq!(server.live.catalog().version, before.version);
    assert_eq!(server.store.catalog().all_users().unwrap().len(), 2);
}

#[tokio::test]
async fn viewers_and_operators_are_refused_what_administrators_do_and_see_no_button_for_it() {
    let server = Server::start().await;
    let viewer = Person::of_role(&server, "victor", Role::Viewer).await;
    let operator = Person::of_role(&server, "olga", Role::Operator).await;
    let before = server.live.catalog().version;
    for person in [&viewer, &operator] {
        for (path, body) in FORMS {
            let answer = person.act(&server, path, body).await;
            assert_eq!(answer.status, 403, "{path} {body}");
        }
        for path in ADMIN_PAGES {
            assert_eq!(person.see(&server, path).await.status, 403, "{path}");
        }
        for path in OPEN_PAGES {
            let page = person.see(&server, path).await;
            assert_eq!(page.status, 200, "{path}");
            for action in [
                "/keys\"",
                "/apps\"",
                "/channels\"",
                "/remove\"",
                "/test\"",
                "action=\"/domains\"",
                "action=\"/callbacks\"",
                "action=\"/settings/accounts\"",
            ] {
                assert!(
                    !page.body.contains(&format!("action=\"{action}")) && !page.body.contains(action),
                    "{path}: {action}"
                );
            }
        }
    }
    assert_eq!(viewer.see(&server, "/push").await.status, 403, "a signed URL is a right to push");
    assert!(!viewer.see(&server, "/domains").await.body.contains("/push"));
    assert_eq!(operator.see(&server, "/push").await.status, 200);
    assert_eq!(server.live.catalog().version, before);
}

#[tokio::test]
async fn a_secret_is_shown_once_and_stands_on_no_page() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let mut secrets = vec![DOMAIN_KEY.to_owned(), PASSWORD.to_owned(), "$argon2id$".to_owned()];
    for (path, body) in [
        ("/domains", "name=new.example&account=1&kind=push"),
        ("/domains/a.example/keys", "act=make&which=push"),
        ("/domains/a.example/keys", "act=make&which=backup"),
        ("/domains/a.example/keys", "act=make&which=play"),
        ("/settings/users", "act=add&name=carol&role=viewer"),
        ("/settings/users", "act=reset&name=carol"),
    ] {
        let page = admin.done(&server, path, body).await;
        assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
        secrets.push(secret(&page));
    }
    let page = admin.done(&server, "/settings/keys", "act=make&account=1&role=operator").await;
    let id = secret(&page);
    let key = server.live.catalog().api_keys[&id].clone();
    assert_eq!((key.account, key.role), (1, Role::Operator));
    assert!(page.body.contains(&key.secret));
    secrets.push(key.secret);
    let callback = "account=1&name=told&stream_end=http://93.184.216.34/&key=a-callback-key";
    let page = admin.done(&server, "/callbacks", callback).await;
    assert!(page.body.contains("told"), "{}", page.body);
    secrets.push("a-callback-key".into());
    let template = server.live.catalog().callback_templates.keys().next().copied().unwrap();
    let template = format!("/callbacks/{template}");
    let pages = ADMIN_PAGES.into_iter().chain(OPEN_PAGES);
    for path in pages.chain(["/domains/new.example", "/push", "/push?domain=new.example", &template]) {
        let page = admin.see(&server, path).await;
        assert_eq!(page.status, 200, "{path}");
        for secret in &secrets {
            assert!(!page.body.contains(secret.as_str()), "{path} shows {secret}");
        }
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        for inline in ["<script>", "<style", " style=", " onclick=", "javascript:"] {
            assert!(!page.body.contains(inline), "{path}: {inline}");
        }
    }
}

#[tokio::test]
async fn a_push_key_is_changed_without_an_outage() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let page = admin.done(&server, "/domains/a.example/keys", "act=make&which=push").await;
    let fresh = secret(&page);
    let domain = server.live.catalog().domain("a.example").unwrap().clone();
    assert_eq!((domain.key, domain.backup_key.as_str()), (fresh.clone(), DOMAIN_KEY), "both are good");
    let page = admin.done(&server, "/domains/a.example/keys", "act=remove&which=backup").await;
    assert!(page.body.contains("role=\"status\""));
    let domain = server.live.catalog().domain("a.example").unwrap().clone();
    assert_eq!((domain.key, domain.backup_key.as_str()), (fresh, ""));
}

#[tokio::test]
async fn the_only_key_of_a_domain_that_checks_signatures_stays() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let mut domain = server.live.catalog().domain("a.example").unwrap().clone();
    domain.backup_key = std::mem::take(&mut domain.key);
    let by = live::OrderedBy { who: "test".into(), via: "api", from: None };
    server.live.change(live::Change::PutDomain(Box::new(domain)), &by).await.unwrap();
    let page = admin.done(&server, "/domains/a.example/keys", "act=remove&which=backup").await;
    assert!(page.body.contains("role=\"alert\"") && page.body.contains("only key"), "{}", page.body);
    assert_eq!(server.live.catalog().domain("a.example").unwrap().backup_key, DOMAIN_KEY);
}

#[tokio::test]
async fn rules_limits_and_lists_are_saved_and_a_mistake_in_a_list_loses_nothing() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let path = "/domains/a.example/settings";
    let good = "enabled=true&auth=true&conflict=backup&max_pushes=5&max_pushes_per_stream=2\
                &allow=10.0.0.0/8%0D%0A192.0.2.7&block=";
    let page = admin.done(&server, path, good).await;
    assert!(page.body.contains("10.0.0.0/8\n192.0.2.7/32</textarea>"), "{}", page.body);
    let domain = server.live.catalog().domain("a.example").unwrap().clone();
    assert_eq!((domain.conflict, domain.max_pushes, domain.allow.len()), (ConflictRule::Backup, 5, 2));
    assert!(domain.enabled && domain.auth && !domain.priority && !domain.channel_mode);

    let bad = good.replace("&block=", "&block=everybody%0D%0A198.51.100.1").replace("=5", "=6");
    let page = admin.done(&server, path, &bad).await;
    assert!(page.body.contains("role=\"alert\"") && page.body.contains("everybody"));
    assert!(page.body.contains("198.51.100.1</textarea>"), "what was typed is still there");
    assert_eq!(server.live.catalog().domain("a.example").unwrap().max_pushes, 5, "nothing was saved");
}

#[tokio::test]
async fn apps_channels_and_accounts_are_switched() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    admin
        .done(&server, "/domains/a.example/apps", "act=put&app=/live//eu/&enabled=false&conflict=refuse")
        .await;
    let app = server.live.catalog().domain("a.example").unwrap().app("live/eu").cloned().unwrap();
    assert!(!app.enabled && app.conflict == Some(ConflictRule::Refuse));
    admin.done(&server, "/domains/a.example/apps", "act=remove&app=live/eu").await;
    admin.done(&server, "/domains/a.example/channels", "act=put&channel=c1&enabled=true").await;
    let domain = server.live.catalog().domain("a.example").unwrap().clone();
    assert!(domain.apps.is_empty() && domain.channels[0].name == "c1" && domain.channels[0].enabled);
    let page = admin.done(&server, "/domains/a.example/channels", "act=remove&channel=none").await;
    assert!(page.body.contains("role=\"alert\""));
    admin.done(&server, "/settings/accounts", "act=put&id=1&status=force_stopped&max_pushes=9").await;
    let account = server.live.catalog().accounts[&1].clone();
    assert_eq!((account.status, account.max_pushes), (AccountStatus::ForceStopped, 9));
    let page = admin.done(&server, "/settings/accounts", "act=remove&id=1").await;
    assert!(page.body.contains("role=\"alert\""), "it owns a domain");
    let page = admin.done(&server, "/settings/accounts", "act=add&id=2&status=stopped").await;
    assert!(page.body.contains("role=\"alert\""), "it is there already");
    assert_eq!(server.live.catalog().accounts[&2].status, AccountStatus::Active);
}

#[tokio::test]
async fn a_domain_goes_only_when_its_name_is_typed() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let page = admin.done(&server, "/domains/a.example/remove", "confirm=b.example").await;
    assert!(page.body.contains("role=\"alert\"") && server.live.catalog().domain("a.example").is_some());
    admin.done(&server, "/domains/a.example/remove", "confirm=A.example").await;
    assert!(server.live.catalog().domain("a.example").is_none());
    assert_eq!(admin.see(&server, "/domains/a.example").await.status, 404);
    assert_eq!(admin.see(&server, "/domains/a%0d%0ab").await.status, 404);
    assert_eq!(admin.act(&server, "/domains/a%0d%0ab/keys", "act=make&which=push").await.status, 303);
}

#[tokio::test]
async fn the_last_administrator_stays_and_whoever_goes_is_signed_out() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    for body in ["act=remove&name=admin", "act=rights&name=admin&role=viewer"] {
        let page = admin.done(&server, "/settings/users", body).await;
        assert!(page.body.contains("role=\"alert\"") && page.body.contains("last administrator"), "{body}");
    }
    let second = Person::of_role(&server, "second", Role::Admin).await;
    admin.done(&server, "/settings/users", "act=rights&name=second&role=viewer").await;
    assert_eq!(second.see(&server, "/settings").await.status, 303, "a new role ends the sessions of the old");
    let viewer = Person::signed_in(&server, "second", "a password of theirs").await;
    assert_eq!(viewer.see(&server, "/settings/users").await.status, 403);
    admin.done(&server, "/settings/users", "act=remove&name=second").await;
    assert_eq!(viewer.see(&server, "/settings").await.status, 303);
    assert_eq!(try_sign_in(&server, "second", "a password of theirs").await.status, 401);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_needs_the_present_one() {
    let server = Server::start().await;
    let (here, elsewhere) = (Person::admin(&server).await, Person::admin(&server).await);
    let new = "an even longer password".replace(' ', "+");
    let change = |present: &str, new: &str, again: &str| format!("present={present}&new={new}&again={again}");
    let present = PASSWORD.replace(' ', "+");
    for body in
        [change("wrong", &new, &new), change(&present, &new, "other"), change(&present, "short", "short")]
    {
        let page = here.done(&server, "/settings/password", &body).await;
        assert!(page.body.contains("role=\"alert\""), "{body}");
    }
    assert_eq!(elsewhere.see(&server, "/settings").await.status, 200, "nothing has changed so far");
    let page = here.done(&server, "/settings/password", &change(&present, &new, &new)).await;
    assert!(page.body.contains("role=\"status\""), "{}", page.body);
    assert_eq!(elsewhere.see(&server, "/settings").await.status, 303);
    assert_eq!(try_sign_in(&server, "admin", PASSWORD).await.status, 401);
    assert_eq!(try_sign_in(&server, "admin", "an even longer password").await.status, 303);
}

#[tokio::test]
async fn guessing_the_present_password_is_slowed_down() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let body = "present=wrong&new=an+even+longer+password&again=an+even+longer+password";
    let mut last = String::new();
    for _ in 0..11 {
        last = admin.done(&server, "/settings/password", body).await.body;
    }
    assert!(last.contains("Too many failed attempts"), "{last}");
}

#[tokio::test]
async fn a_user_that_was_added_signs_in_with_the_password_that_was_shown() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let page = admin.done(&server, "/settings/users", "act=add&name=carol&role=operator").await;
    let carol = Person::signed_in(&server, "carol", &secret(&page)).await;
    assert_eq!(carol.see(&server, "/push").await.status, 200);
    for name in ["carol", "", "a+b", "%3Cscript%3E"] {
        let page = admin.done(&server, "/settings/users", &format!("act=add&name={name}&role=viewer")).await;
        assert!(page.body.contains("role=\"alert\"") && !page.body.contains("<script>"), "{name}");
    }
}

#[tokio::test]
async fn what_the_console_changes_stands_in_the_audit_log_with_who_and_without_secrets() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let fresh = secret(&admin.done(&server, "/domains/a.example/keys", "act=make&which=push").await);
    admin.done(&server, "/settings/users", "act=add&name=carol&role=viewer").await;
    let page = admin.see(&server, "/settings/audit").await;
    for part in ["put_domain", "a.example", "put_user", "carol", "127.0.0.1", "console"] {
        assert!(page.body.contains(part), "{part}");
    }
    assert!(!page.body.contains(&fresh) && !page.body.contains(DOMAIN_KEY));
    let filtered = admin.see(&server, "/settings/audit?who=admin&action=put_user&target=car").await;
    assert_eq!(filtered.body.matches("<tr data-row>").count(), 1, "{}", filtered.body);
    let none = admin.see(&server, "/settings/audit?who=nobody").await;
    assert_eq!(none.body.matches("<tr data-row>").count(), 0);
    let api = server.api("/audit?action=put_user", ADMIN).await.json();
    assert_eq!(api["entries"].as_array().unwrap().len(), 1);
    let other = server.api("/audit", OTHER).await.json();
    assert!(other["entries"].as_array().unwrap().is_empty(), "an account's key sees nothing of others");
}

#[tokio::test]
async fn a_theme_is_kept_and_only_one_of_three() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let answer = admin.act(&server, "/settings/theme", "theme=dark").await;
    let cookies = format!("{}; {}", admin.session, answer.cookie("lastframe_theme").unwrap());
    assert!(server.get("/settings", &[("cookie", &cookies)]).await.body.contains("data-theme=\"dark\""));
    let cookies = format!("{}; lastframe_theme=\"><script>", admin.session);
    assert!(server.get("/settings", &[("cookie", &cookies)]).await.body.contains("data-theme=\"auto\""));
}

#[tokio::test]
async fn the_push_page_makes_urls_that_admission_takes_and_says_what_stands_against_them() {
    let server = Server::start().await;
    let admin = Person::admin(&server).await;
    let page = admin.see(&server, "/push?domain=a.example&app=live&stream=show&ttl=1h").await;
    let port = server.live.rtmp_addr().port();
    assert!(page.body.contains(&format!("rtmp://a.example:{port}/live/show?txSecret=")), "{}", page.body);
    assert!(page.body.contains("<svg class=\"qr\"") && !page.body.contains("refusal"));
    let evil = admin.see(&server, "/push?stream=%22%3E%3Cscript%3E&app=live").await;
    assert!(evil.body.contains("role=\"alert\"") && !evil.body.contains("\"><script>"));
    admin.done(&server, "/domains/a.example/apps", "act=put&app=live&enabled=false").await;
    let page = admin.see(&server, "/push?domain=a.example&app=live&stream=show").await;
    assert!(page.body.contains("class=\"refusal\"") && page.body.contains("18/304"), "{}", page.body);
}
