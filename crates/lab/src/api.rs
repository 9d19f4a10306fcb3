//! The server's own API, as far as the lab asks it.

use std::time::Duration;

use cause::export::Export;
use model::{PushId, Record};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::client::PATIENCE;
use crate::error::LabError;

const POLL: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_secs(10);

/// The API of one server.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    base: String,
    key: String,
}

impl Api {
    /// The API at this base URL, with a key as `id:secret`.
    pub fn new(base: &str, key: &str) -> Result<Self, LabError> {
        // The program has one provider for all TLS; whoever comes first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = base.trim_end_matches('/').to_owned();
        let client = Client::builder()
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| LabError::Api { url: base.clone(), what: cause_of(&error) })?;
        Ok(Self { client, base, key: key.to_owned() })
    }

    /// Where the API's server is, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Records of a stream name.
    pub async fn records_of(&self, stream: &str) -> Result<Vec<Record>, LabError> {
        self.records(&format!("stream={}", escaped(stream))).await
    }

    /// Records of the last minutes.
    pub async fn recent_records(&self) -> Result<Vec<Record>, LabError> {
        self.records("since=10m").await
    }

    /// A record with its evidence.
    pub async fn export(&self, id: PushId) -> Result<Export, LabError> {
        let path = format!("/api/v1/records/{id}/export");
        let answer = self.ask(Method::GET, &path, None).await?;
        serde_json::from_value(answer).map_err(|error| self.failed(&path, error.to_string()))
    }

    async fn records(&self, filter: &str) -> Result<Vec<Record>, LabError> {
        let path = format!("/api/v1/records?limit=500&{filter}");
        let mut answer = self.ask(Method::GET, &path, None).await?;
        let records = answer.get_mut("records").map(Value::take).unwrap_or_default();
        serde_json::from_value(records).map_err(|error| self.failed(&path, error.to_string()))
    }

    /// Whether a push of this stream name is live, and how many bytes it has sent.
    pub async fn live_bytes(&self, stream: &str) -> Result<Option<u64>, LabError> {
        let answer = self.ask(Method::GET, "/api/v1/pushes", None).await?;
        let pushes = answer.get("pushes").and_then(Value::as_array);
        let is_it = |push: &&Value| push.get("stream").and_then(Value::as_str) == Some(stream);
        let push = pushes.and_then(|pushes| pushes.iter().find(is_it));
        Ok(push.map(|push| push.get("bytes_in").and_then(Value::as_u64).unwrap_or(0)))
    }

    /// Drops the push of a stream.
    pub async fn drop_stream(&self, domain: &str, app: &str, stream: &str) -> Result<(), LabError> {
        self.act("drop", domain, app, stream).await
    }

    /// Forbids a stream.
    pub async fn forbid(&self, domain: &str, app: &str, stream: &str) -> Result<(), LabError> {
        self.act("forbid", domain, app, stream).await
    }

    /// Waits until the API takes the key, as it does once the catalog can be read.
    pub async fn wait_until_open(&self) -> Result<(), LabError> {
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            if self.recent_records().await.is_ok() {
                return Ok(());
            }
            sleep(POLL).await;
            waited += POLL;
        }
        Err(LabError::Late { awaited: "the API to take the key".to_owned(), limit: PATIENCE })
    }

    /// Tells what a server elsewhere tells by its hooks.
    pub async fn hook(&self, kind: &str, token: &str, body: Value) -> Result<(), LabError> {
        self.ask(Method::POST, &format!("/import/{kind}/{token}"), Some(body)).await.map(drop)
    }

    async fn act(&self, what: &str, domain: &str, app: &str, stream: &str) -> Result<(), LabError> {
        let body = json!({ "domain": domain, "app": app, "stream": stream });
        self.ask(Method::POST, &format!("/api/v1/streams/{what}"), Some(body)).await.map(drop)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, LabError> {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let failed = |error: reqwest::Error| self.failed(path, cause_of(&error));
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let answer = response.text().await.map_err(failed)?;
        if !status.is_success() {
            return Err(self.failed(path, format!("{status} {}", answer.trim())));
        }
        serde_json::from_str(&answer).map_err(|error| self.failed(path, error.to_string()))
    }

    fn failed(&self, path: &str, what: String) -> LabError {
        LabError::Api { url: format!("{}{path}", self.base), what }
    }
}

/// The innermost text; those above only say that a request failed.
fn cause_of(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(current) = next {
        text = current.to_string();
        next = current.source();
    }
    text
}

/// A value of a query string.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte))
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_query_are_escaped() {
        assert_eq!(escaped("a b&c=ü/~"), "a%20b%26c%3D%C3%BC%2F~");
    }
}
