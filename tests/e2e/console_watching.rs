//! The console's watching pages in a real browser: what an operator sees while pushes come, misbehave and end, and what
//! a streamer sees by a link.

use std::collections::BTreeMap;
use std::time::Duration;

use rtmp::MediaKind;
use serde_json::json;

use crate::support::axe;
use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, now, until, until_true, wall};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::screens::{self, Care};
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

/// What a page may weigh with everything it loads, bytes.
const LIGHT: u64 = 150_000;

/// A browser whose user is signed in.
pub fn signed_in(server: &Server, language: &str) -> Browser {
    let browser = Browser::open(1440, 900, language);
    browser.go(&page(server, "/causes"));
    browser.sign_in("admin", &server.console_password());
    until_true("the console", PATIENCE, || browser.url().ends_with("/causes"));
    browser
}

fn page(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.http())
}

fn key(stream: &str) -> String {
    format!("/streams/key?domain={DOMAIN}&app=live&stream={stream}")
}

fn names(browser: &Browser) -> Vec<String> {
    browser.texts("[data-row] td.stream a")
}

/// A push whose video timestamp goes back: event 1.
fn misbehave(push: &mut Pusher) {
    push.send_media(2_000).unwrap();
    let video = crate::support::media::video(false, 400);
    push.send_at(MediaKind::Video, 5_000, &video).unwrap();
    push.send_at(MediaKind::Video, 1_000, &video).unwrap();
    push.time = 5_100;
}

#[test]
fn a_push_is_watched_going_live_and_its_record_comes_without_a_reload() {
    if !rights::has(&["ffmpeg", "chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    let browser = signed_in(&server, "en");
    browser.go(&page(&server, "/streams"));
    browser.script("window.sameDocument = true");
    let mut encoder = Encoder::ffmpeg(&server.open_url("camera"));
    until_true("the push on the page", PATIENCE, || names(&browser) == ["camera"]);
    until_true("its curve", PATIENCE, || !browser.find_all("tr[data-row] svg.spark path").is_empty());
    until_true("its health", PATIENCE, || browser.texts(".grade") == ["● good"]);
    // ffmpeg says in its metadata how many frames it is going to send.
    assert!(browser.text("td[data-label=fps]").contains("/ 30"), "{:?}", browser.texts("td[data-label=fps]"));
    assert_eq!(browser.script("return window.sameDocument"), true, "the page was never loaded again");

    browser.go(&page(&server, "/records"));
    browser.script("window.sameDocument = true");
    let killed = now();
    encoder.kill();
    until_true("the record", PATIENCE, || names(&browser) == ["camera"]);
    println!("the record stood on the page {:?} after the encoder was killed", killed.elapsed());
    assert_eq!(browser.script("return window.sameDocument"), true, "the page was never loaded again");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The preview that is open plays by FLV, then by HLS: frames that advance.
pub fn preview_advances(browser: &Browser) {
    let frames = || {
        let script = "const v = document.querySelector('video'); \
                      return [v.getVideoPlaybackQuality().totalVideoFrames, v.currentTime]";
        let seen = browser.script(script);
        (seen[0].as_f64().unwrap(), seen[1].as_f64().unwrap())
    };
    for by in ["flv", "hls"] {
        browser.script(&format!("document.querySelector('input[value={by}]').click()"));
        let first = until(&format!("the first frames by {by}"), 2 * PATIENCE, || {
            Some(frames()).filter(|f| f.0 > 0.0)
        });
        until_true(&format!("frames that advance by {by}"), 2 * PATIENCE, || {
            let now = frames();
            now.0 >= first.0 + 30.0 && now.1 >= first.1 + 0.5
        });
        until_true("numbers under the picture", PATIENCE, || {
            browser.text("[data-numbers]").contains("640×360")
        });
    }
}

#[test]
fn the_preview_shows_frames_that_advance_by_flv_and_by_hls() {
    if !rights::has(&["ffmpeg", "chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    let _encoder = Encoder::ffmpeg(&server.open_url("camera"));
    server.wait_for_pushes(1);
    let browser = signed_in(&server, "en");
    browser.go(&page(&server, &key("camera")));
    browser.click(&browser.find("section.now a.button"));
    until_true("the preview", PATIENCE, || browser.url().contains("/streams/preview"));
    preview_advances(&browser);
    assert!(browser.texts("[data-notice]:not([hidden])").is_empty());
    assert_eq!(screens::look(&browser, "preview", Care::Whole), Vec::<String>::new());
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn an_operator_switches_to_the_backup_forbids_until_a_time_and_shares_the_record() {
    if !rights::has(&["chromium", "chromedriver"]) {
        return;
    }
    let config = "\n[[domain]]\nname = \"backup.test\"\naccount = 7\nauth = false\nconflict = \"backup\"\n";
    let server = Setup::open().config(config).start();
    let browser = signed_in(&server, "en");
    let mut first = Pusher::push_to(server.rtmp(), "backup.test", "live", "show").unwrap();
    first.send_media(2_000).unwrap();
    let mut second = Pusher::push_to(server.rtmp(), "backup.test", "live", "show").unwrap();
    second.send_media(2_000).unwrap();
    browser.go(&page(&server, "/streams"));
    let rows = || browser.texts("tr[data-row] td.stream");
    until_true("both pushes", PATIENCE, || rows().len() == 2);
    let backup = rows().iter().position(|row| row.contains("backup\n") || row.ends_with("backup")).unwrap();
    let carrier = |row: &str| !row.contains(" backup");
    assert_eq!(rows().iter().filter(|row| carrier(row)).count(), 1, "{:?}", rows());
    let menus = browser.find_all("details.menu summary");
    browser.click(&menus[backup]);
    browser.click(&browser.find("details.menu[open] form:nth-of-type(1) button"));
    until_true("the switch", PATIENCE, || browser.text("[role=status]").contains("carries the stream now"));

    browser.go(&page(&server, "/streams/key?domain=backup.test&app=live&stream=show"));
    browser.click(&browser.find("section.now details.menu summary"));
    // A date field takes its value as people's keyboards differ, so it is set.
    browser.script(
        "const f = document.querySelector('details[open] input[name=until]'); \
         const t = new Date(Date.now() + 5 * 86400000); t.setSeconds(0, 0); \
         f.value = new Date(t - t.getTimezoneOffset() * 60000).toISOString().slice(0, 16); \
         document.querySelector('details[open] input[name=reason]').value = 'a test card'",
    );
    browser.click(&browser.find("details.menu[open] form.forbid button"));
    until_true("it is forbidden", PATIENCE, || browser.text("#stream-live .notice").contains("a test card"));
    let codes = server.codes("show", 2);
    assert_eq!(codes, ["21/101", "21/101"], "both pushes ended");
    let list = server.get("/api/v1/streams/forbidden");
    let until = model::Timestamp::parse(list["forbidden"][0]["until"].as_str().unwrap()).unwrap();
    let hours = (until.millis() - wall().millis()) / 3_600_000;
    assert!((117..=121).contains(&hours), "five days from now in the browser's zone: {list}");
    Pusher::push_to(server.rtmp(), "backup.test", "live", "show").unwrap_err().told();
    browser.click(&browser.find("#stream-live .notice button"));
    until_true("it is let in again", PATIENCE, || browser.text("[role=status]").contains("may push again"));
    Pusher::push_to(server.rtmp(), "backup.test", "live", "show").unwrap().delete_stream().unwrap();

    let id = server.records(&["--code", "21/101"])[0].id;
    browser.go(&page(&server, &format!("/records/{id}")));
    browser.click(&browser.find("#share button"));
    let link = browser.text("a.made");
    let stranger = Browser::open(1280, 900, "ja");
    stranger.go(&link);
    let told = stranger.text("main");
    assert!(told.contains("運営者がこの配信を終わらせ") && told.contains("show"), "{told}");
    let source = stranger.script("return document.documentElement.outerHTML");
    for hidden in ["127.0.0.1", "backup.test", "/records/", "/streams", "class=\"sequence\""] {
        assert!(!source.as_str().unwrap().contains(hidden), "{hidden}");
    }
    assert_eq!(stranger.complaints(), Vec::<String>::new());
    assert_eq!(screens::look(&stranger, "shared", Care::Whole), Vec::<String>::new());
    browser.go(&page(&server, &format!("/records/{id}")));
    browser.click(&browser.find("#share table.links button"));
    until_true("no links", PATIENCE, || browser.find_all("#share table.links").is_empty());
    let gone =
        http::request(server.http(), "GET", &link[link.find("/shared/").unwrap()..], &[], &[]).unwrap();
    assert_eq!(gone.status, 404);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn every_watching_page_is_whole_in_three_languages_and_has_no_serious_fault() {
    if !rights::has(&["ffmpeg", "chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    let mut cut = Encoder::ffmpeg(&server.open_url("main-stage"));
    let mut camera = Pusher::push(server.rtmp(), "camera-1").unwrap();
    misbehave(&mut camera);
    for stream in ["gate", "hall", "roof", "yard", "dock"] {
        let mut push = Pusher::push(server.rtmp(), stream).unwrap();
        push.send_media(2_000).unwrap();
        push.reset().unwrap();
    }
    Pusher::push_to(server.rtmp(), "unknown.test", "live", "lost-its-way").unwrap_err().told();
    // A curve needs some seconds.
    until_true("seconds of the live push", PATIENCE, || {
        camera.send_media(1_500).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let pushes = server.get("/api/v1/pushes");
        pushes["pushes"].as_array().unwrap().iter().any(|p| p["bytes_in"].as_u64().unwrap_or(0) > 700_000)
    });
    cut.kill();
    server.record("main-stage");
    let mut again = Encoder::ffmpeg(&server.open_url("main-stage"));
    let browser = signed_in(&server, "en");
    camera.sending(|| {
        let events = || {
            browser.go(&page(&server, "/events"));
            names(&browser).contains(&"camera-1".to_owned())
        };
        until_true("the event of the live push", PATIENCE, events);
        let record = format!("/records/{}", server.record("main-stage").id);
        let pages = BTreeMap::from([
            ("overview", "/".to_owned()),
            ("streams", "/streams".to_owned()),
            ("stream", key("main-stage")),
            ("records", "/records".to_owned()),
            ("record", record),
            ("events", "/events".to_owned()),
            ("incidents", "/incidents".to_owned()),
            ("causes", "/causes".to_owned()),
        ]);
        let stranger = Browser::open(1440, 900, "en");
        stranger.go(&page(&server, "/sign-in"));
        let mut faults = screens::look(&stranger, "sign-in", Care::Whole);
        drop(stranger);
        for language in ["ja", "zh", "en"] {
            browser.go(&page(&server, "/causes"));
            browser.click(&browser.find(&format!(".languages a[lang={language}]")));
            for (name, path) in &pages {
                browser.go(&page(&server, path));
                let title = browser.text("h1");
                assert!(!title.is_empty(), "{name}");
                let lang = browser.script("return document.documentElement.lang");
                assert!(lang.as_str().unwrap().starts_with(language), "{name}: {lang}");
                assert!(browser.find_all("[role=alert]").is_empty(), "{name}");
                let elsewhere = browser.script(
                    "return performance.getEntriesByType('resource').map(e => e.name) \
                     .filter(name => !name.startsWith(location.origin))",
                );
                assert_eq!(elsewhere, json!([]), "{name} asks nobody else");
                let care = if language == "en" { Care::Whole } else { Care::Language };
                let found = screens::look(&browser, name, care).into_iter();
                faults.extend(found.map(|fault| format!("{language}: {fault}")));
                assert_eq!(browser.complaints(), Vec::<String>::new(), "{name}");
            }
        }
        assert_eq!(faults, Vec::<String>::new());
        browser.go(&page(&server, "/incidents"));
        assert!(!browser.find_all("article.incident").is_empty(), "five resets at once are an incident");
        keys(&browser, &server);
    });
    again.interrupt();
}

#[test]
fn a_timeline_is_read_by_pointer_and_by_keys_and_looked_at_closer_and_back() {
    if !rights::has(&["ffmpeg", "chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    let mut encoder = Encoder::ffmpeg(&server.open_url("camera"));
    until_true("some seconds", PATIENCE, || {
        let pushes = server.get("/api/v1/pushes");
        let live = pushes["pushes"].as_array().unwrap();
        live.iter().any(|push| push["bytes_in"].as_u64().unwrap_or(0) > 500_000)
    });
    encoder.interrupt();
    let browser = signed_in(&server, "en");
    browser.go(&page(&server, &format!("/records/{}", server.record("camera").id)));
    browser.script("window.sameDocument = true; document.querySelector('.plot').scrollIntoView()");
    let tops = || {
        // Texts of a drawing have no `innerText`.
        let script = "return [...document.querySelectorAll('.chart text.top')].map(e => e.textContent)";
        let texts = browser.script(script);
        texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = tops();
    assert!(before[0].ends_with("kbit/s") && before[1].ends_with("fps"), "{before:?}");
    let told = browser.script("return document.querySelector('#timeline-told').textContent");
    assert!(told.as_str().unwrap().contains("Video frames: "), "{told}");

    browser.script("document.querySelector('.plot').focus()");
    browser.press("\u{e011}");
    until_true("the first second", PATIENCE, || tops()[0].starts_with("0:01  "));
    browser.press("\u{e014}");
    until_true("the second one", PATIENCE, || tops()[1].starts_with("0:02  ") && tops()[1].ends_with(" fps"));
    let heard = browser.script("return document.querySelector('[data-heard]').textContent");
    assert!(heard.as_str().unwrap().starts_with("0:02: Bitrate "), "{heard}");
    assert_eq!(browser.find_all(".chart line.cross").len(), 1);
    browser.script("document.querySelector('.plot').blur()");
    until_true("the highest values again", PATIENCE, || tops() == before);

    let end = browser.script("return Number(document.querySelector('.plot').dataset.to)").as_u64().unwrap();
    browser.drag(".plot svg.chart", 0.3, 0.7);
    until_true("a part", PATIENCE, || browser.url().contains("from="));
    let shown = || {
        let script = "const d = document.querySelector('.plot').dataset; return [+d.from, +d.to]";
        let seen = browser.script(script);
        (seen[0].as_u64().unwrap(), seen[1].as_u64().unwrap())
    };
    until_true("its curve", PATIENCE, || shown() != (0, end));
    let (from, to) = shown();
    assert!(from > 0 && to < end && from < to, "{from} to {to} of {end}");
    assert_eq!(browser.texts(".switch a[aria-current]"), [format!("0:{from:02} – 0:{to:02}")]);
    browser.script("history.back()");
    until_true("all of it", PATIENCE, || shown() == (0, end) && !browser.url().contains("from="));
    browser.script("document.querySelector('.plot').focus()");
    browser.press("\u{e011}+");
    until_true("a closer look by keys", PATIENCE, || shown().1 < end);
    until_true("the focus stays", PATIENCE, || {
        browser.script("return document.activeElement.className") == "plot"
    });
    browser.press("\u{e00c}");
    until_true("all of it by a key", PATIENCE, || shown() == (0, end));
    assert_eq!(browser.script("return window.sameDocument"), true, "the page was never loaded again");
    // The same without the script: a form that every browser sends.
    browser.go(&format!("{}?from=0:01&to=0:03", browser.url().split('?').next().unwrap()));
    assert_eq!(shown(), (1, 3));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// `?` shows the keys, `g r` goes to the records, `j` and Enter open the first, `/` goes to the search.
fn keys(browser: &Browser, server: &Server) {
    browser.go(&page(server, "/causes"));
    browser.press("?");
    until_true("the keys", PATIENCE, || !browser.find_all("dialog[open]").is_empty());
    assert_eq!(axe::serious_faults(browser), Vec::<String>::new(), "the dialog");
    browser.press("\u{e00c}");
    until_true("no keys", PATIENCE, || browser.find_all("dialog[open]").is_empty());
    browser.press("gr");
    until_true("the records", PATIENCE, || browser.url().ends_with("/records") && !names(browser).is_empty());
    browser.press("/");
    let focused = || browser.script("return document.activeElement.id");
    until_true("the search", PATIENCE, || focused() == "stream");
    browser.press("\u{e00c}");
    until_true("out of the search", PATIENCE, || focused() == "");
    browser.press("jk");
    browser.press("j");
    let chosen = browser.script("return document.querySelector('tr.current').dataset.row");
    browser.press("\u{e007}");
    until_true("the chosen record", PATIENCE, || {
        browser.url().ends_with(&format!("/records/{}", chosen.as_str().unwrap()))
    });
    browser.press("gs");
    until_true("the streams", PATIENCE, || browser.url().ends_with("/streams"));
}

#[test]
fn a_page_of_records_is_light_and_tells_how_many_are_new() {
    if !rights::has(&["chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    for number in 0..55 {
        let mut push = Pusher::push(server.rtmp(), &format!("camera-{number}")).unwrap();
        push.send_media(2_000).unwrap();
        push.delete_stream().unwrap();
    }
    until_true("all records", PATIENCE, || server.records(&[]).len() == 55);
    let browser = signed_in(&server, "en");
    // As at the first visit: what the browser has kept would weigh nothing.
    browser.cdp("Network.enable", json!({}));
    browser.cdp("Network.setCacheDisabled", json!({ "cacheDisabled": true }));
    browser.go(&page(&server, "/records"));
    assert_eq!(names(&browser).len(), 50);
    let sizes = browser.script(
        "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')] \
         .filter(e => !e.name.endsWith('/feed')).map(e => [e.name, e.encodedBodySize])",
    );
    let weight: u64 = sizes.as_array().unwrap().iter().map(|entry| entry[1].as_u64().unwrap()).sum();
    println!("the list of 50 records with everything it loads: {weight} bytes: {sizes}");
    assert!(sizes.as_array().unwrap().iter().all(|entry| entry[1] != 0), "{sizes}");
    assert!(weight < LIGHT, "{sizes}");

    browser.script("window.scrollTo(0, 600)");
    for stream in ["late-1", "late-2"] {
        let mut push = Pusher::push(server.rtmp(), stream).unwrap();
        push.send_media(2_000).unwrap();
        push.delete_stream().unwrap();
    }
    until_true("an offer", PATIENCE, || browser.texts("button.fresh") == ["2 new: show"]);
    assert_eq!(names(&browser)[0], "camera-54", "nothing moved under the reader");
    browser.click(&browser.find("button.fresh"));
    until_true("both", PATIENCE, || names(&browser)[..2] == ["late-2", "late-1"]);

    browser.script("document.querySelector('details.columns-menu').open = true");
    browser.click(&browser.find("input[name=column][value=encoder]"));
    browser.click(&browser.find("details.columns-menu button"));
    until_true("the column", PATIENCE, || browser.texts("table.records th").contains(&"Encoder".to_owned()));
    browser.script("document.querySelector('.views details').open = true");
    browser.fill(&browser.find(".views input[name=name]"), "With encoders");
    browser.click(&browser.find(".views details button"));
    until_true("the view", PATIENCE, || browser.texts(".view a") == ["With encoders"]);
    browser.go(&page(&server, "/records"));
    browser.click(&browser.find(".view a"));
    until_true("its columns", PATIENCE, || browser.texts("table.records th").contains(&"Encoder".to_owned()));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn pages_that_nobody_sees_any_more_hold_no_connection() {
    if !rights::has(&["chromium", "chromedriver"]) {
        return;
    }
    let server = Setup::open().start();
    let browser = signed_in(&server, "en");
    // A browser has six connections to a server; were one left behind by each page, it would wait for a minute.
    for round in 0..4 {
        for path in ["/", "/streams", "/records", "/events", "/incidents"] {
            browser.go(&page(&server, path));
            let waited = browser.script(
                "const n = performance.getEntriesByType('navigation')[0]; return n.requestStart - n.fetchStart",
            );
            assert!(
                waited.as_f64().unwrap() < 15_000.0,
                "{path} in round {round} waited {waited} ms for a connection"
            );
        }
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
