//! The pages of the console that set things up, in a real browser, with real encoders and receivers.

use std::cell::RefCell;
use std::process::Command;

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::hook;
use crate::support::pusher::Pusher;
use crate::support::receiver::Receiver;
use crate::support::rights;
use crate::support::screens::{self, Care};
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

/// Whether there is a browser.
fn browser_is_there() -> bool {
    rights::has(&["chromium", "chromedriver"])
}

/// A window of the console with somebody signed in.
struct Console<'a> {
    browser: Browser,
    server: &'a Server,
}

impl<'a> Console<'a> {
    fn of_admin(server: &'a Server, language: &str) -> Self {
        let console = Self { browser: Browser::open(1280, 900, language), server };
        console.sign_in("admin", &server.console_password());
        console
    }

    fn sign_in(&self, user: &str, password: &str) {
        self.go("/settings");
        self.browser.sign_in(user, password);
        self.wait("to be signed in", || self.browser.url().ends_with("/settings"));
    }

    fn go(&self, path: &str) {
        self.browser.go(&format!("http://{}{path}", self.server.http()));
    }

    fn press(&self, selector: &str) {
        self.browser.click(&self.browser.find(selector));
    }

    /// Presses something in a part of the page that is fetched again and again: looked up and pressed in one step.
    fn press_live(&self, selector: &str) {
        let script = format!(
            "const found = document.querySelector({}); found?.click(); return found !== null",
            serde_json::json!(selector)
        );
        self.wait(selector, || self.browser.script(&script) == true);
    }

    /// Presses a button that loads a page, and waits for what the page says was done.
    fn act(&self, selector: &str) -> String {
        self.browser.script("document.querySelector('.notice')?.remove(); window.old = true");
        self.press(selector);
        self.wait("the next page", || {
            self.browser.script("return window.old !== true && document.readyState === 'complete'") == true
        });
        self.browser.text(".notice p")
    }

    fn fill(&self, selector: &str, text: &str) {
        self.browser.fill(&self.browser.find(selector), text);
    }

    fn text(&self, selector: &str) -> String {
        self.browser.text(selector)
    }

    fn has(&self, selector: &str) -> bool {
        !self.browser.find_all(selector).is_empty()
    }

    fn wait(&self, what: &str, met: impl Fn() -> bool) {
        until_true(what, PATIENCE, met);
    }

    fn pushes(&self) -> usize {
        self.server.get("/api/v1/pushes")["pushes"].as_array().map_or(0, Vec::len)
    }
}

#[test]
fn an_empty_console_leads_to_the_first_push_and_to_its_record_in_three_languages() {
    if !browser_is_there() {
        return;
    }
    let server = Setup::first_start().start();
    for (language, waiting, live, ended) in [
        ("en", "Waiting for the push", "Live", "The last push ended"),
        ("ja", "配信を待っています", "配信中", "前回の配信の終了"),
        ("zh", "正在等待推流", "推流中", "上次推流结束于"),
    ] {
        let console = Console::of_admin(&server, language);
        if language == "en" {
            console.go("/");
            console.press_live(".empty a.button[href='/push']");
            console.wait("the page", || console.browser.url().ends_with("/push"));
        }
        console.go(&format!("/push?stream=first-{language}"));
        assert_eq!(console.text(".waiting .state"), waiting);
        console.browser.script("window.sameDocument = true");
        let command = console.text("#ffmpeg");
        let mut encoder = Encoder::start(Command::new("sh").args(["-c", &format!("exec {command}")]));
        console.wait("the push to be seen", || console.text(".waiting .state") == live);
        console.wait("what it sends", || console.text(".waiting").contains("1280×720"));
        assert!(console.has(".waiting a.button[href^='/streams']"));
        encoder.interrupt();
        console.wait("its end", || console.text(".waiting").contains(ended));
        assert_eq!(
            console.browser.script("return window.sameDocument"),
            true,
            "the page was never loaded again"
        );
        assert_eq!(console.text(".waiting .chip code"), "1/0");
        console.press_live(".waiting a[href^='/records/']");
        console.wait("the record", || console.browser.url().contains("/records/"));
        assert_eq!(console.browser.complaints(), Vec::<String>::new());
    }
}

#[test]
fn a_push_key_is_rotated_without_an_outage_and_the_old_one_works_until_it_is_removed() {
    if !browser_is_there() {
        return;
    }
    let server = Setup::open().start();
    let console = Console::of_admin(&server, "en");
    let url = |stream: &str| {
        console.go(&format!("/push?domain=localhost&stream={stream}"));
        console.text("#push-url")
    };
    let (old, old_again) = (url("old"), url("old-again"));
    let mut running = Encoder::ffmpeg(&old);
    console.wait("the push", || console.pushes() == 1);

    console.go("/domains/localhost");
    let told = console.act("input[name=which][value=push] ~ button");
    assert!(told.contains("stays good"), "{told}");
    let key = console.text("#once-1");
    assert_eq!(key.len(), 32);
    console.go("/domains/localhost");
    let source = console.browser.script("return document.documentElement.outerHTML");
    assert!(!source.as_str().unwrap().contains(&key), "the key is shown once");

    let new = url("new");
    assert_ne!(new.split("txSecret=").nth(1), url("old").split("txSecret=").nth(1));
    let mut with_new = Encoder::ffmpeg(&new);
    let mut with_old = Encoder::ffmpeg(&old_again);
    console.wait("pushes with either key beside the one that went on", || console.pushes() == 3);

    console.go("/domains/localhost");
    let told = console.act("input[name=act][value=remove] ~ button.danger");
    assert!(told.contains("18/503"), "{told}");
    with_old.interrupt();
    with_old.wait();
    let mut again = Encoder::ffmpeg(&old_again);
    again.wait();
    assert_eq!(server.record_of_code("18/503").errcode, 18);
    assert_eq!(console.pushes(), 2, "what is live goes on");
    for encoder in [&mut running, &mut with_new] {
        encoder.interrupt();
        encoder.wait();
    }
    assert_eq!(server.code("new"), "1/0");
    assert_eq!(console.browser.complaints(), Vec::<String>::new());
}

#[test]
fn callbacks_and_the_hook_are_tried_out_by_a_button() {
    if !browser_is_there() {
        return;
    }
    let receiver = Receiver::start();
    let hook = hook::start(|stream| match stream {
        "welcome" => hook::Answer::Says(200, r#"{"code":0}"#),
        _ => hook::Answer::Says(403, r#"{"message":"not today"}"#),
    });
    let server = Setup::open()
        .config("[callback]\nallow_private = true\n[auth_hook]\ntimeout = \"5s\"\n")
        .env("LASTFRAME_AUTH_HOOK_URL", &hook)
        .start();
    let console = Console::of_admin(&server, "ja");
    console.go("/callbacks");
    console.fill("#name", "受信先");
    console.fill("#stream_begin", &receiver.url("/begin"));
    console.fill("#stream_end", &receiver.url("/end"));
    console.fill("#key", "a-callback-key");
    assert!(console.act("form[action='/callbacks'] button").contains("作成しました"));
    assert!(console.act("#test").contains("受け取りました"), "{}", console.text(".notice"));
    let sample = until("the sample", PATIENCE, || receiver.all().into_iter().next());
    assert_eq!((sample.path.as_str(), sample.body["event_type"].as_i64()), ("/begin", Some(1)));
    assert!(sample.body["sign"].as_str().is_some_and(|sign| sign.len() == 32), "{:?}", sample.body);

    console.go(&format!("/domains/{DOMAIN}"));
    console.act("#callbacks form.fields button");
    Pusher::push(server.rtmp(), "welcome").unwrap().delete_stream().unwrap();
    assert_eq!(receiver.types("welcome", 2), [1, 0]);
    console.wait("the deliveries", || {
        console.go("/callbacks/log?stream=welcome");
        console.browser.texts("tr[data-row]").len() == 2
    });
    assert!(console.browser.texts("tr[data-row] .state").iter().all(|text| text == "送信済み"));

    console.go("/hook");
    console.fill("#stream", "welcome");
    assert!(console.act("#test").contains("許可します"));
    assert!(console.text(".notice .facts").contains("\"test\": true"), "{}", console.text(".notice .facts"));
    console.fill("#stream", "somebody");
    assert!(console.act("#test").contains("断られます"));
    assert!(console.text(".notice .facts").contains("not today"), "{}", console.text(".notice .facts"));
    assert_eq!(console.pushes(), 0, "nothing was pushed by trying");

    let other = hook::start(|_| hook::Answer::Says(403, r#"{"message":"the other one"}"#));
    console.fill("#url", "http://127.0.0.1:1/nobody-listens");
    console.fill("#timeout_ms", "50");
    console.browser.script("document.querySelector('#timeout_ms').min = 0");
    assert!(console.act("form[action='/hook/choose'] button.primary").contains("100〜30,000"));
    console.fill("#url", &other);
    console.fill("#timeout_ms", "3000");
    assert!(console.act("form[action='/hook/choose'] button.primary").contains("この認証フックに"));
    Pusher::push(server.rtmp(), "welcome").unwrap_err().told();
    assert_eq!(server.codes("welcome", 2), ["1/0", "19/0"], "the hook that was chosen refuses");
    console.act("form[action='/hook/choose'] button.danger");
    Pusher::push(server.rtmp(), "nobody-asked").unwrap().delete_stream().unwrap();
    console.press("form[action='/hook/choose'] input[value=configured] ~ button");
    console.wait("the configuration's hook", || console.text("dl.facts").contains("5000 ms"));
    Pusher::push(server.rtmp(), "somebody").unwrap_err().told();
    console.go("/settings/audit?action=put_auth_hook");
    assert_eq!(console.browser.texts("tr[data-row]").len(), 3);
    assert_eq!(console.browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_viewer_looks_and_cannot_act() {
    if !browser_is_there() {
        return;
    }
    let server = Setup::open().start();
    let console = Console::of_admin(&server, "zh");
    console.go("/settings/users");
    console.fill("#name", "victor");
    assert!(console.act("form.fields button").contains("victor"));
    let password = console.text("#once-1");
    console.press("form[action='/sign-out'] button");
    console.wait("to be signed out", || console.browser.url().ends_with("/sign-in"));
    console.sign_in("victor", &password);
    let mut push = Pusher::push(server.rtmp(), "watched").unwrap();
    push.send_media(2_000).unwrap();
    for path in ["/streams", "/domains", &format!("/domains/{DOMAIN}"), "/callbacks", "/settings/accounts"] {
        console.go(path);
        assert!(console.has("#main"), "{path}");
        let forms = console.browser.script(
            "return [...document.querySelectorAll('form[method=post]')].filter((form) => \
             !form.action.endsWith('/sign-out') && !form.querySelector('fieldset[disabled]')).length",
        );
        assert_eq!(forms, 0, "{path} has a form");
    }
    for path in ["/push", "/hook", "/settings/users", "/settings/keys", "/settings/audit"] {
        console.go(path);
        assert_eq!(console.text("h1"), "没有权限", "{path}");
    }
    // What has no button is refused all the same.
    console.go("/settings");
    let status = console.browser.wait_for_script(&format!(
        "const done = arguments[arguments.length - 1]; const token = document.querySelector('[name=token]').value; \
         fetch('/domains/{DOMAIN}/keys', {{ method: 'POST', body: new URLSearchParams({{ token, act: 'make', which: 'push' }}) }}) \
           .then((answer) => done(answer.status));"
    ));
    assert_eq!(status, 403);
    push.delete_stream().unwrap();
}

#[test]
fn the_pages_that_set_things_up_are_open_to_everybody_and_fit_every_screen() {
    if !browser_is_there() {
        return;
    }
    let receiver = Receiver::start();
    let hook = hook::start(|_| hook::Answer::Says(200, "{}"));
    let server = Setup::first_start().config(FULL).env("LASTFRAME_AUTH_HOOK_URL", &hook).start();
    let console = Console::of_admin(&server, "en");
    let faults = RefCell::new(Vec::new());
    let look = |name: &str, care: Care| {
        faults.borrow_mut().extend(screens::look(&console.browser, name, care));
    };
    let mut push = Pusher::push_to(server.rtmp(), "open.example.com", "live", "camera-1").unwrap();
    push.send_media(2_000).unwrap();
    push.sending(|| {
        console.go("/callbacks");
        look("callbacks-empty", Care::Whole);
        console.fill("#name", "Ops pager");
        console.fill("#stream_end", &receiver.url("/lastframe?token=hidden"));
        console.fill("#key", "a-callback-key");
        console.act("form[action='/callbacks'] button");
        console.act("#test");
        let callback = console.browser.url();
        let callback = callback[callback.find("/callbacks/").unwrap()..].to_owned();
        look("callback", Care::Whole);
        console.go("/hook");
        console.act("#test");
        look("hook-asked", Care::Whole);
        console.go("/domains/push.example.com");
        console.act("input[name=which][value=push] ~ button");
        look("domain-key", Care::Whole);
        console.go("/settings/users");
        console.fill("#name", "olga@example.com");
        console.browser.script("document.querySelector('form.fields [name=account]').value = '1000000001'");
        console.act("form.fields button");
        look("user-added", Care::Whole);
        let pages = [
            ("domains", "/domains"),
            ("domain", "/domains/push.example.com"),
            ("push", "/push?domain=push.example.com&app=live&stream=camera-2"),
            ("callbacks", "/callbacks"),
            ("deliveries", "/callbacks/log"),
            ("hook", "/hook"),
            ("settings", "/settings"),
            ("users", "/settings/users"),
            ("accounts", "/settings/accounts"),
            ("api-keys", "/settings/keys"),
            ("audit", "/settings/audit"),
        ];
        for (name, path) in pages {
            console.go(path);
            look(name, Care::Whole);
        }
        for language in ["ja", "zh"] {
            console.go(&format!("/language?lang={language}&back=/domains/push.example.com"));
            look(&format!("domain-{language}"), Care::Whole);
            console.go("/push");
            look(&format!("push-{language}"), Care::Whole);
            for (name, path) in pages.into_iter().chain([("callback", callback.as_str())]) {
                console.go(path);
                look(&format!("{name} in {language}"), Care::Language);
            }
        }
    });
    assert_eq!(faults.into_inner(), Vec::<String>::new());
    push.delete_stream().unwrap();
    // Nothing of these pages comes from elsewhere.
    let hosts = console.browser.script(
        "return [...new Set(performance.getEntriesByType('resource').map((e) => new URL(e.name).host))].filter((h) => h !== location.host)",
    );
    assert_eq!(hosts, serde_json::json!([]));
    assert_eq!(console.browser.complaints(), Vec::<String>::new());
}

/// Domains of every kind, as a server has them that is in use.
const FULL: &str = r#"
[callback]
allow_private = true

[[account]]
id = 1000000001

[[account]]
id = 1000000002
status = "overdue"

[[domain]]
name = "push.example.com"
account = 1000000001
key = "0123456789abcdef0123456789abcdef"
backup_key = "fedcba9876543210fedcba9876543210"
conflict = "backup"
allow = ["10.0.0.0/8", "2001:db8::/32", "127.0.0.0/8"]
block = ["10.9.0.0/16"]
max_pushes = 200
apps = [{ name = "live", enabled = true }, { name = "rehearsal", enabled = false }]
channels = [{ name = "stage-1", enabled = true }, { name = "stage-2", enabled = false }]

[[domain]]
name = "open.example.com"
account = 1000000001
auth = false

[[domain]]
name = "play.example.com"
account = 1000000001
kind = "play"
play_auth = true
play_key = "00112233445566778899aabbccddeeff"

[[domain]]
name = "push.other-customer.example.net"
account = 1000000002
key = "0123456789abcdef0123456789abcdef"
"#;
