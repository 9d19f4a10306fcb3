//! Chromium without a window, by way of WebDriver (W3C WebDriver, as chromedriver speaks it).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::clock::{PATIENCE, until};
use super::{http, ports, signal};

/// The name under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser window. It closes with the value.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: tempfile::TempDir,
}

/// An element of the page.
#[derive(Debug)]
pub struct Element(String);

impl Browser {
    /// Opens a window of this size, asking pages for this language.
    pub fn open(width: u32, height: u32, language: &str) -> Self {
        Self::open_with(width, height, language, &[])
    }

    /// The same with more switches of Chromium.
    pub fn open_with(width: u32, height: u32, language: &str, switches: &[&str]) -> Self {
        let port = ports::free();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { driver, address, session: String::new(), _profile: profile };
        until("chromedriver", PATIENCE, || http::request(address, "GET", "/status", &[], &[]).ok());
        let mut args = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--autoplay-policy=no-user-gesture-required".to_owned(),
            "--force-device-scale-factor=1".to_owned(),
            "--use-fake-device-for-media-stream".to_owned(),
            "--use-fake-ui-for-media-stream".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", browser._profile.path().display()),
        ];
        args.extend(switches.iter().map(|switch| (*switch).to_owned()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": args, "prefs": { "intl.accept_languages": language } },
        }}});
        let opened = browser.ask("POST", "/session", &wanted);
        browser.session = opened["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    /// `kill -9` of the browser and all that belongs to it, so that nothing of it can say goodbye.
    pub fn kill(&self) {
        let profile = self._profile.path().to_string_lossy().into_owned();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let of = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
            let own = of("cmdline").windows(profile.len()).any(|part| part == profile.as_bytes());
            if own && let Some(pid) = entry.file_name().to_str().filter(|name| name.parse::<u32>().is_ok()) {
                let _ = Command::new("kill").args(["-KILL", pid]).status();
            }
        }
    }

    /// Goes to a page and waits until it is loaded.
    pub fn go(&self, url: &str) {
        self.tell("POST", "/url", &json!({ "url": url }));
    }

    /// Where the window is.
    pub fn url(&self) -> String {
        self.tell("GET", "/url", &Value::Null).as_str().unwrap().to_owned()
    }

    /// The element that a CSS selector finds, once it is there.
    pub fn find(&self, selector: &str) -> Element {
        until(&format!("{selector} on the page"), PATIENCE, || self.find_all(selector).into_iter().next())
    }

    /// All elements that a CSS selector finds now.
    pub fn find_all(&self, selector: &str) -> Vec<Element> {
        let found = self.tell("POST", "/elements", &json!({ "using": "css selector", "value": selector }));
        let element = |value: &Value| Element(value[ELEMENT].as_str().unwrap().to_owned());
        found.as_array().unwrap().iter().map(element).collect()
    }

    /// What the first element that a CSS selector finds shows, once it is there.
    pub fn text(&self, selector: &str) -> String {
        until(&format!("{selector} on the page"), PATIENCE, || self.texts(selector).into_iter().next())
    }

    /// What the elements that a CSS selector finds show now. Looked up and read in one step, so that a page that is just
    /// being left cannot take them away in between.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)";
        let body = json!({ "script": script, "args": [selector] }).to_string();
        let path = format!("/session/{}/execute/sync", self.session);
        let headers = [("Content-Type", "application/json; charset=utf-8")];
        let answer = http::request(self.address, "POST", &path, &headers, body.as_bytes()).unwrap();
        // Between two pages there is nothing to ask.
        let found = if answer.status == 200 { answer.json()["value"].take() } else { Value::Null };
        found
            .as_array()
            .into_iter()
            .flatten()
            .map(|text| text.as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Types into an element.
    pub fn fill(&self, element: &Element, text: &str) {
        self.tell("POST", &format!("/element/{}/clear", element.0), &json!({}));
        self.tell("POST", &format!("/element/{}/value", element.0), &json!({ "text": text }));
    }

    /// Fills in the console's sign-in page, which is open, and sends it off.
    pub fn sign_in(&self, user: &str, password: &str) {
        self.fill(&self.find("#user"), user);
        self.fill(&self.find("#password"), password);
        self.click(&self.find("form[action='/sign-in'] button[type=submit]"));
    }

    /// Clicks on an element.
    pub fn click(&self, element: &Element) {
        self.tell("POST", &format!("/element/{}/click", element.0), &json!({}));
    }

    /// What a piece of script returns.
    pub fn script(&self, script: &str) -> Value {
        self.tell("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What a piece of script gives to the function that is its last argument.
    pub fn wait_for_script(&self, script: &str) -> Value {
        self.tell("POST", "/timeouts", &json!({ "script": 60_000 }));
        self.tell("POST", "/execute/async", &json!({ "script": script, "args": [] }))
    }

    /// Presses keys, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
            })
            .collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.tell("POST", "/actions", &body);
    }

    /// Drags the pointer over an element, from one share of its width to another.
    pub fn drag(&self, selector: &str, from: f64, to: f64) {
        let script = format!(
            "const b = document.querySelector({}).getBoundingClientRect(); return [b.x, b.y, b.width, b.height]",
            json!(selector)
        );
        let at = self.script(&script);
        let number = |index: usize| at[index].as_f64().unwrap();
        let x = |share: f64| (number(0) + number(2) * share).round();
        let y = (number(1) + number(3) / 2.0).round();
        let to_point = |share: f64| json!({ "type": "pointerMove", "x": x(share), "y": y, "duration": 50 });
        let down = json!({ "type": "pointerDown", "button": 0 });
        let up = json!({ "type": "pointerUp", "button": 0 });
        let middle = (from + to) / 2.0;
        let actions = json!([to_point(from), down, to_point(middle), to_point(to), up]);
        let body = json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": actions }] });
        self.tell("POST", "/actions", &body);
    }

    /// Errors on the browser's own console since the last look.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.tell("POST", "/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().unwrap().iter();
        entries.filter(|entry| entry["level"] == "SEVERE").map(|entry| entry["message"].to_string()).collect()
    }

    /// Shows pages as a telephone does that is so many pixels wide; windows themselves have a least width.
    pub fn narrow(&self, width: u32) {
        self.size(width, 844);
    }

    /// Shows pages in this size, as a telephone does where it is narrow.
    pub fn size(&self, width: u32, height: u32) {
        let mobile = width < 500;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// A command of the DevTools protocol.
    pub fn cdp(&self, command: &str, params: Value) {
        self.tell("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": params }));
    }

    /// Keeps a picture of the window under `target/screens`.
    pub fn picture(&self, name: &str) {
        let folder = screens();
        std::fs::create_dir_all(&folder).unwrap();
        self.keep_picture(&folder.join(name));
    }

    /// Keeps a picture of the window in this file.
    pub fn keep_picture(&self, file: &Path) {
        let picture = self.tell("GET", "/screenshot", &Value::Null);
        std::fs::write(file, base64(picture.as_str().unwrap())).unwrap();
    }

    fn tell(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, &format!("/session/{}{path}", self.session), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("Content-Type", "application/json; charset=utf-8")];
        let answer = http::request(self.address, method, path, &headers, body.as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
        answer.json()["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        let _ = http::request(self.address, "DELETE", &path, &[], &[]);
        signal::kill(&mut self.driver);
    }
}

fn screens() -> PathBuf {
    // The test binary lies in TARGET/PROFILE/deps.
    let binary = std::env::current_exe().unwrap();
    binary.ancestors().nth(3).map_or_else(|| Path::new("target").to_owned(), Path::to_owned).join("screens")
}

/// RFC 4648, section 4.
fn base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u32> = text.bytes().filter_map(digit).map(u32::from).collect();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    for group in digits.chunks(4) {
        let joined = group.iter().fold(0, |sum, digit| sum << 6 | digit) << (6 * (4 - group.len()));
        bytes.extend_from_slice(&joined.to_be_bytes()[1..group.len()]);
    }
    bytes
}
