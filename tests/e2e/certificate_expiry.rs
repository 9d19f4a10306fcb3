//! Certificates that end: told before it happens and after it has, where somebody looks.

use std::path::Path;
use std::time::Duration;

use model::{Clock, SystemClock};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::support::browser::Browser;
use crate::support::clock::{PATIENCE, until_true};
use crate::support::http;
use crate::support::rights;
use crate::support::setup::Setup;

/// A listener's certificate that was made a year before `days` from today, when it ends.
fn ending_in(folder: &Path, file: &str, days: i64) -> String {
    let day = |days: i64| {
        let at = SystemClock.now();
        let shift = Duration::from_secs(days.unsigned_abs() * 86_400);
        let text = if days < 0 { at.minus(shift) } else { at.plus(shift) }.to_string();
        let part = |from: usize, to: usize| text[from..to].parse::<i32>().unwrap();
        date_time_ymd(part(0, 4), part(5, 7) as u8, part(8, 10) as u8)
    };
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (day(days - 365), day(days));
    let key = KeyPair::generate().unwrap();
    let [cert, key_file] = [".pem", ".key"].map(|ending| folder.join(format!("{file}{ending}")));
    std::fs::write(&cert, params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(&key_file, key.serialize_pem()).unwrap();
    format!("cert = {cert:?}\nkey = {key_file:?}\n")
}

#[test]
fn the_end_of_a_certificate_is_told_in_log_console_check_and_metrics() {
    if !rights::has(&["chromium", "chromedriver"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let [soon, over] = [("soon", 9), ("over", -3)].map(|(file, days)| ending_in(folder.path(), file, days));
    let setup = Setup::open().config(&format!("[rtmps]\n{soon}[https]\n{over}"));

    let checked = setup.run(&["check"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success(), "a certificate near its end is no mistake: {said}");
    assert!(said.contains("soon.pem: the certificate ends on ") && said.contains("no mistakes"), "{said}");
    assert!(said.contains("over.pem: the certificate ended on "), "{said}");

    let server = setup.start();
    until_true("the log to tell", PATIENCE, || {
        let said = server.printed();
        said.contains("a certificate ends soon certificate=\"soon.pem\"")
            && said.contains("a certificate has ended certificate=\"over.pem\"")
    });
    let metrics = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
    for file in ["soon", "over"] {
        let name = format!("lastframe_certificate_expires_timestamp_seconds{{certificate=\"{file}.pem\"}} ");
        assert!(metrics.contains(&name), "{metrics}");
    }

    let browser = Browser::open(1280, 900, "en");
    browser.go(&format!("http://{}/", server.http()));
    browser.sign_in("admin", &server.console_password());
    until_true("the console to tell", PATIENCE, || {
        let page = browser.text("body");
        page.contains("The certificate soon.pem ends on ")
            && page.contains("The certificate over.pem ended on ")
    });
}

#[test]
fn a_certificate_far_from_its_end_is_no_worry() {
    let folder = tempfile::tempdir().unwrap();
    let good = ending_in(folder.path(), "good", 60);
    let setup = Setup::open().config(&format!("[rtmps]\n{good}"));
    let said = String::from_utf8(setup.run(&["check"]).stdout).unwrap();
    assert!(!said.contains("certificate"), "{said}");
    let server = setup.start();
    let metrics = http::request(server.http(), "GET", "/metrics", &[], &[]).unwrap().text();
    assert!(metrics.contains("certificate=\"good.pem\""), "{metrics}");
    assert!(!server.printed().contains("a certificate "), "{}", server.printed());
}
