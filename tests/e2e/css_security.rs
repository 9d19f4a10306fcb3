//! Calls of the CSS API that nobody honest makes are refused, and each refusal is in the log.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::json;

use crate::support::clock::{PATIENCE, until_true};
use crate::support::rights;
use crate::support::sdk;
use crate::support::setup::Setup;

const CONFIG: &str = r#"
[[account]]
id = 8

[[domain]]
name = "foreign.test"
account = 8
auth = false

[[api_key]]
id = "css"
secret = "the-secret-of-this-key"
account = 7
"#;

#[test]
fn smuggled_replayed_oversized_and_foreign_calls_are_refused_and_logged() {
    if !rights::has(&["python3"]) {
        return;
    }
    let server = Setup::open().config(CONFIG).start();
    let given = json!({ "endpoint": server.http().to_string(), "id": "css", "key": "the-secret-of-this-key",
                        "foreign": "foreign.test" });
    let printed = sdk::run(Command::new("python3").arg(sdk::script("security.py")).arg(given.to_string()));
    let mut codes: BTreeMap<&str, &str> = BTreeMap::new();
    for line in printed.lines() {
        let (case, code) = line.rsplit_once(' ').unwrap();
        codes.insert(case, code);
    }
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for (case, code) in &codes {
        let kind = case.split(':').next().unwrap();
        let wanted = match kind {
            "honest" | "first-use" => "good",
            "twice" | "query-beside-body" => "InvalidRequest",
            "parameter-twice" | "no-json" => "InvalidParameter",
            "other-host" | "other-body" | "other-secret" | "other-parameter" | "replay" => {
                "AuthFailure.SignatureFailure"
            }
            "oversized" => "RequestSizeLimitExceeded",
            "cross-account" => "ResourceNotFound.DomainNotExist",
            "cross-account-change" => "ResourceNotFound.DomainNotExist",
            "inside" => "InvalidParameter.UrlNotSafe",
            other => panic!("a case that is not known: {other}"),
        };
        assert_eq!(*code, wanted, "{case}: {printed}");
        if wanted != "good" {
            *refused.entry(wanted).or_default() += 1;
        }
    }
    assert!(codes.len() > 30, "{printed}");
    until_true("every refusal in the log", PATIENCE, || {
        let log = server.printed();
        let lines = |code: &str| {
            let told = log.lines().filter(|line| line.contains("CSS call "));
            told.filter(|line| line.contains(&format!("\"{code}\"")) && line.contains("127.0.0.1")).count()
        };
        refused.iter().all(|(code, count)| lines(code) >= *count)
    });
    for secret in ["the-secret-of-this-key", "Signature="] {
        assert!(!server.printed().contains(secret), "{secret} was logged");
    }
    let audit = server.get("/api/v1/audit?limit=100").to_string();
    assert!(!audit.contains("foreign.test\",\"what"), "nothing was changed: {audit}");
}
