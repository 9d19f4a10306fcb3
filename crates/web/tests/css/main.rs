//! The API of Tencent Cloud CSS: signatures, parameters, accounts, and what the actions do. The official clients are
//! held against the built program in the end-to-end scenarios; here stands what they would never send.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod actions;
#[path = "../common/mod.rs"]
mod common;
mod signatures;

use common::{Answer, Server};
use model::catalog::{ApiKey, Role};
use model::{Clock, SystemClock};
use serde_json::{Value, json};

/// A client that signs by the written rules (TC3-HMAC-SHA256), and lets its tests change everything.
struct Client {
    id: String,
    secret: String,
    action: String,
    body: String,
    timestamp: i64,
    service: String,
    signed_host: Option<String>,
    signed_headers: String,
    headers: Vec<(String, String)>,
    tamper: fn(String) -> String,
}

/// Keys of the two accounts, and one for all, each as id and secret.
const ONE: (&str, &str) = ("key-of-one", "secret-of-one");
const TWO: (&str, &str) = ("other-key", "0123456789abcdef-other");
const ALL: (&str, &str) = ("admin-key", "0123456789abcdef-admin");
const READS: (&str, &str) = ("viewer-key", "0123456789abcdef-viewer");

fn call(key: (&str, &str), action: &str, params: Value) -> Client {
    Client {
        id: key.0.to_owned(),
        secret: key.1.to_owned(),
        action: action.to_owned(),
        body: params.to_string(),
        timestamp: SystemClock.now().secs(),
        service: "live".to_owned(),
        signed_host: None,
        signed_headers: "content-type;host".to_owned(),
        headers: Vec::new(),
        tamper: |authorization| authorization,
    }
}

impl Client {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn authorization(&self, host: &str) -> String {
        let date = {
            let time = model::Timestamp(self.timestamp * 1000).to_string();
            time.split('T').next().unwrap().to_owned()
        };
        let host = self.signed_host.as_deref().unwrap_or(host);
        let lines: String = self
            .signed_headers
            .split(';')
            .map(|name| {
                let value = match name {
                    "host" => host.to_owned(),
                    "content-type" => "application/json".to_owned(),
                    "x-tc-action" => self.action.clone(),
                    other => self.headers.iter().find(|(n, _)| n == other).unwrap().1.clone(),
                };
                format!("{name}:{value}\n")
            })
            .collect();
        let unsigned = self.headers.iter().any(|(name, _)| name == "x-tc-content-sha256");
        let payload = if unsigned { "UNSIGNED-PAYLOAD" } else { &self.body };
        let canonical =
            format!("POST\n/\n\n{lines}\n{}\n{}", self.signed_headers, sha256(payload.as_bytes()));
        let scope = format!("{date}/{}/tc3_request", self.service);
        let text = format!("TC3-HMAC-SHA256\n{}\n{scope}\n{}", self.timestamp, sha256(canonical.as_bytes()));
        let mut key = format!("TC3{}", self.secret).into_bytes();
        for part in [&date, &self.service, "tc3_request"] {
            key = hmac(&key, part.as_bytes());
        }
        let signature = hex::encode(hmac(&key, text.as_bytes()));
        (self.tamper)(format!(
            "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
            self.id, self.signed_headers
        ))
    }

    async fn send(&self, server: &Server) -> Value {
        let authorization = self.authorization(&server.http.to_string());
        let timestamp = self.timestamp.to_string();
        let mut headers = vec![
            ("content-type", "application/json"),
            ("authorization", &authorization),
            ("x-tc-action", &self.action),
            ("x-tc-version", "2018-08-01"),
            ("x-tc-timestamp", &timestamp),
        ];
        headers.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        response(&server.send("POST", "/", &headers, &self.body).await)
    }

    async fn good(&self, server: &Server) -> Value {
        let response = self.send(server).await;
        assert!(response.get("Error").is_none(), "{}: {response}", self.action);
        response
    }

    async fn code(&self, server: &Server) -> String {
        let response = self.send(server).await;
        response["Error"]["Code"].as_str().unwrap_or_else(|| panic!("no error: {response}")).to_owned()
    }
}

/// What every answer is: HTTP 200, exactly `application/json`, with a request id.
fn response(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let response = answer.json()["Response"].clone();
    assert_eq!(response["RequestId"].as_str().map(str::len), Some(36), "{response}");
    response
}

fn sha256(text: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(text))
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    use hmac::{KeyInit, Mac};
    hmac::Hmac::<sha2::Sha256>::new_from_slice(key)
        .unwrap()
        .chain_update(text)
        .finalize()
        .into_bytes()
        .to_vec()
}

fn hmac_sha1(key: &[u8], text: &[u8]) -> Vec<u8> {
    use hmac::{KeyInit, Mac};
    hmac::Hmac::<sha1::Sha1>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

async fn start() -> Server {
    let server = Server::start_with(web::Surface::All, |config| config.css_rate_limits = false).await;
    let key = ApiKey { id: ONE.0.into(), secret: ONE.1.into(), account: 1, role: Role::Admin };
    server.live.change(live::Change::PutApiKey(key), &by()).await.unwrap();
    server
}

fn by() -> live::OrderedBy {
    live::OrderedBy { who: "test".into(), via: "api", from: None }
}

fn domain(name: &str) -> Value {
    json!({ "DomainName": name })
}

fn stream(domain: &str, stream: &str) -> Value {
    json!({ "DomainName": domain, "AppName": "live", "StreamName": stream })
}
