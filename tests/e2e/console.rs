//! The console in a real browser.

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until_true};
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::setup::Setup;

#[test]
fn a_person_signs_in_finds_the_record_and_reads_it_in_three_languages() {
    if !rights::has(&["chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    for stream in ["camera-1", "camera-2"] {
        let mut push = Pusher::push(server.rtmp(), stream).unwrap();
        push.send_media(2_000).unwrap();
        push.delete_stream().unwrap();
    }
    Pusher::push(server.rtmp(), "cut-short").unwrap().reset().unwrap();
    // What ends within one millisecond has no order.
    server.record("cut-short");
    Pusher::push_to(server.rtmp(), "unknown.test", "live", "lost-its-way").unwrap_err().told();
    server.record("lost-its-way");

    let browser = Browser::open(1280, 900, "en");
    let page = |path: &str| format!("http://{}{path}", server.http());
    browser.go(&page("/records"));
    browser.picture("sign-in.png");
    browser.sign_in("admin", "not the password");
    assert!(!browser.text("[role=alert]").is_empty());
    // The browser itself complains about the status of the refusal.
    browser.complaints();
    browser.sign_in("admin", &server.console_password());
    until_true("the records", PATIENCE, || browser.url().contains("/records"));
    until_true("rows", PATIENCE, || !rows(&browser).is_empty());

    assert_eq!(rows(&browser), ["lost-its-way", "cut-short", "camera-2", "camera-1"], "newest first");
    let causes = texts(&browser, "tr[data-row] .chip code");
    assert_eq!(causes, ["18/301", "4/0", "1/0", "1/0"]);
    browser.picture("records-en.png");

    browser.fill(&browser.find("#stream"), "camera-2");
    browser.click(&browser.find("form.filters button[type=submit]"));
    until_true("one row", PATIENCE, || rows(&browser) == ["camera-2"]);
    assert!(browser.url().contains("stream=camera-2"), "the filter stands in the address: {}", browser.url());
    browser.go(&page("/records?stream=camera&match=fuzzy"));
    assert_eq!(rows(&browser), ["camera-2", "camera-1"]);
    browser.go(&page("/records?code=4%2F0"));
    assert_eq!(rows(&browser), ["cut-short"]);

    for (language, title) in [("ja", "断流記録"), ("zh", "断流记录"), ("en", "Stream interruption records")]
    {
        browser.go(&page("/records"));
        browser.click(&browser.find(&format!(".languages a[lang={language}]")));
        until_true(title, PATIENCE, || browser.text("h1") == title);
        assert_eq!(
            browser.script("return document.documentElement.lang").as_str().unwrap().split('-').next(),
            Some(language)
        );
        browser.picture(&format!("records-{language}.png"));
    }

    until_true("the last language", PATIENCE, || rows(&browser).len() == 4);
    browser.click(&browser.find("tr[data-row] td.stream a"));
    until_true("the record's page", PATIENCE, || browser.text("main").contains("18/301"));
    browser.picture("record-en.png");
    browser.go(&page("/causes"));
    browser.find("#main");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_console_fits_a_telephone_and_says_what_to_do_when_there_is_nothing_yet() {
    if !rights::has(&["chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    let browser = Browser::open(500, 844, "ja");
    browser.go(&format!("http://{}/records", server.http()));
    browser.narrow(390);
    browser.sign_in("admin", &server.console_password());
    until_true("the records", PATIENCE, || browser.url().contains("/records"));
    until_true("the browser asked for Japanese", PATIENCE, || browser.text("h1") == "断流記録");
    assert!(browser.text(".empty").contains("lastframe url"), "a hint for the first push");
    browser.picture("empty-390.png");

    let mut push =
        Pusher::push(server.rtmp(), "a-camera-with-a-name-that-is-longer-than-a-telephone-is-wide").unwrap();
    push.send_media(2_000).unwrap();
    push.delete_stream().unwrap();
    until_true("the row", PATIENCE, || {
        browser.go(&format!("http://{}/records", server.http()));
        !rows(&browser).is_empty()
    });
    let wide = browser.script("return document.documentElement.scrollWidth").as_u64().unwrap();
    assert!(wide <= 390, "the page is {wide} pixels wide");
    browser.picture("records-390.png");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn what_happens_is_seen_without_loading_the_page_again() {
    if !rights::has(&["chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    let browser = Browser::open(1280, 900, "en");
    let page = |path: &str| format!("http://{}{path}", server.http());
    browser.go(&page("/streams"));
    browser.sign_in("admin", &server.console_password());
    until_true("the streams", PATIENCE, || browser.text(".empty").contains("Nobody is live"));
    browser.script("window.sameDocument = true");

    let mut push = Pusher::push(server.rtmp(), "watched").unwrap();
    push.send_media(2_000).unwrap();
    until_true("the live push", PATIENCE, || texts(&browser, "tr[data-row] td.stream a") == ["watched"]);
    browser.picture("streams-en.png");
    assert_eq!(browser.script("return window.sameDocument"), true, "the page was never loaded again");

    browser.go(&page("/"));
    until_true("one is live", PATIENCE, || browser.text(".tile .value") == "1");
    browser.script("window.sameDocument = true");
    push.reset().unwrap();
    until_true("the record", PATIENCE, || rows(&browser) == ["watched"]);
    assert_eq!(browser.script("return window.sameDocument"), true, "the page was never loaded again");
    browser.picture("overview-en.png");

    let mut push = Pusher::push(server.rtmp(), "unwanted").unwrap();
    push.send_media(2_000).unwrap();
    browser.go(&page("/streams"));
    until_true("the live push", PATIENCE, || texts(&browser, "tr[data-row] td.stream a") == ["unwanted"]);
    browser.click(&browser.find("details.menu summary"));
    browser.fill(&browser.find("input[name=reason]"), "a test card");
    browser.click(&browser.find("details.menu form:nth-of-type(2) button"));
    until_true("it is forbidden", PATIENCE, || browser.text("table.forbidden").contains("a test card"));
    assert_eq!(server.record("unwanted").errcode, 21);
    Pusher::push(server.rtmp(), "unwanted").unwrap_err().told();
    browser.click(&browser.find("table.forbidden button"));
    until_true("it is let in again", PATIENCE, || browser.text("[role=status]").contains("may push again"));
    Pusher::push(server.rtmp(), "unwanted").unwrap().delete_stream().unwrap();

    let id = server.record("watched").id;
    browser.go(&page(&format!("/records/{id}")));
    assert!(browser.text("main").contains("Black box"));
    assert!(texts(&browser, "table.sequence b").contains(&"publish".to_owned()));
    browser.picture("record-watched-en.png");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

fn rows(browser: &Browser) -> Vec<String> {
    texts(browser, "tr[data-row] td.stream a")
}

fn texts(browser: &Browser, selector: &str) -> Vec<String> {
    browser.texts(selector)
}
