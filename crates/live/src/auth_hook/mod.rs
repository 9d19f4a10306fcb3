//! The third-party authentication hook: a question over HTTP before a push goes live. It fails closed.
//!
//! The question is a POST with a JSON body ([`HookQuestion`]). Any 2xx answer lets the push in, unless its body is JSON
//! with a `code` that is not 0; everything else refuses it (19/0).

mod room;

use std::net::SocketAddr;
use std::time::Duration;

use cause::evidence::Transport;
use cause::{Detail, DetailKey};
use model::{Clock, PushId, StreamKey, stream_key::PushUrl};
use serde::Serialize;

use crate::config::AuthHookConfig;
use crate::outbound::{Reach, UrlError, why};
use crate::push::Push;
pub(crate) use room::HookRoom;
pub use room::{HookChoice, HookChoiceError, HookState};

/// More of an answer is not read.
const ANSWER_LIMIT: usize = 16 * 1024;

/// A client for one hook.
#[derive(Debug)]
pub(crate) struct AuthHook {
    client: reqwest::Client,
    url: reqwest::Url,
    timeout: Duration,
}

/// What the hook is asked. `stream_param` is the push URL's query as received, since a hook may judge by it.
#[derive(Debug, Serialize)]
pub(crate) struct HookQuestion {
    action: &'static str,
    push_id: String,
    sequence: String,
    domain: String,
    app: String,
    stream: String,
    stream_param: String,
    client_ip: String,
    client_port: u16,
    protocol: &'static str,
    encoder: Option<String>,
    /// Nobody pushes: somebody tries the hook out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

/// A push that never was, to try the hook out with.
#[derive(Clone, Debug)]
pub struct HookSample {
    /// What is pushed to.
    pub key: StreamKey,
    /// The push URL's query.
    pub stream_param: String,
    /// Where it comes from.
    pub client: SocketAddr,
}

/// What came of trying the hook out.
#[derive(Clone, Debug)]
pub struct HookTrial {
    /// What it was asked: JSON.
    pub question: String,
    /// The status and the beginning of the body of its answer; `None` without one.
    pub answer: Option<(u16, String)>,
    /// Why the push would be refused (19/0); `None` if it would be let in.
    pub refusal: Option<Detail>,
    /// How long the answer, or the lack of one, took.
    pub took: Duration,
}

/// The hook, as it is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookFacts {
    /// Its URL; secrets in it are masked.
    pub url: String,
    /// Time for its answer.
    pub timeout: Duration,
}

/// A hook that cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum HookConfigError {
    /// Its URL may not be asked.
    #[error("[auth_hook] url: {0}; set allow_private = true to use a private address")]
    Url(#[from] UrlError),
    /// The HTTP client could not be made.
    #[error("[auth_hook]: {0}")]
    Client(#[from] reqwest::Error),
}

impl HookQuestion {
    pub(crate) fn new(push: &Push, key: &StreamKey, url: &PushUrl) -> Self {
        Self {
            action: "publish",
            push_id: push.id.to_string(),
            sequence: push.id.sequence().to_string(),
            domain: key.domain.clone(),
            app: key.app.clone(),
            stream: key.stream.clone(),
            stream_param: url.query.clone(),
            client_ip: push.client.ip().to_string(),
            client_port: push.client.port(),
            protocol: push.transport.as_str(),
            encoder: push.encoder(),
            test: false,
        }
    }

    fn sample(sample: &HookSample, id: PushId) -> Self {
        Self {
            action: "publish",
            push_id: id.to_string(),
            sequence: id.sequence().to_string(),
            domain: sample.key.domain.clone(),
            app: sample.key.app.clone(),
            stream: sample.key.stream.clone(),
            stream_param: sample.stream_param.clone(),
            client_ip: sample.client.ip().to_string(),
            client_port: sample.client.port(),
            protocol: Transport::Rtmp.as_str(),
            encoder: None,
            test: true,
        }
    }
}

impl AuthHook {
    pub(crate) fn new(config: &AuthHookConfig) -> Result<Self, HookConfigError> {
        let reach = Reach { private: config.allow_private, networks: Vec::new() };
        Self::within(&reach, &config.url, config.timeout)
    }

    /// A hook that stands where `reach` allows it.
    fn within(reach: &Reach, url: &str, timeout: Duration) -> Result<Self, HookConfigError> {
        let url = reach.check_url(url)?;
        let client = reach.client(timeout)?;
        Ok(Self { client, url, timeout })
    }

    /// How it is set up.
    pub(crate) fn facts(&self) -> HookFacts {
        HookFacts { url: model::mask::mask_text(self.url.as_str()), timeout: self.timeout }
    }

    /// Asks. `Err` is the detail of the refusal.
    pub(crate) async fn ask(&self, question: &HookQuestion) -> Result<(), Detail> {
        match tokio::time::timeout(self.timeout, self.exchange(question)).await {
            Ok(answer) => answer.and_then(|answer| answer.judge()),
            Err(_) => Err(self.timed_out()),
        }
    }

    /// Asks about a push that never was.
    pub(crate) async fn try_out(&self, sample: &HookSample, clock: &dyn Clock) -> HookTrial {
        let question = HookQuestion::sample(sample, clock.push_id());
        let began = clock.instant();
        let asked = tokio::time::timeout(self.timeout, self.exchange(&question)).await;
        let took = clock.instant().saturating_duration_since(began);
        let asked = asked.unwrap_or_else(|_| Err(self.timed_out()));
        let refusal = match &asked {
            Ok(answer) => answer.judge().err(),
            Err(detail) => Some(detail.clone()),
        };
        HookTrial {
            question: serde_json::to_string_pretty(&question).unwrap_or_default(),
            answer: asked.ok().map(|a| (a.status.as_u16(), String::from_utf8_lossy(&a.body).into_owned())),
            refusal,
            took,
        }
    }

    fn timed_out(&self) -> Detail {
        let limit = u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX);
        Detail::new(DetailKey::HookTimeout).with("limit_ms", limit)
    }

    async fn exchange(&self, question: &HookQuestion) -> Result<Answer, Detail> {
        let sent = self.client.post(self.url.clone()).json(question).send().await;
        let mut response = sent.map_err(|e| unreachable(&e))?;
        let status = response.status();
        let mut body = Vec::new();
        while body.len() < ANSWER_LIMIT {
            match response.chunk().await.map_err(|e| unreachable(&e))? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        Ok(Answer { status, body })
    }
}

/// What the hook answered.
struct Answer {
    status: reqwest::StatusCode,
    body: Vec<u8>,
}

impl Answer {
    /// Whether it lets the push in. `Err` is the detail of the refusal.
    fn judge(&self) -> Result<(), Detail> {
        let answer: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        let code = answer.as_ref().and_then(|a| a.get("code")).and_then(serde_json::Value::as_i64);
        if self.status.is_success() && code.unwrap_or(0) == 0 {
            return Ok(());
        }
        let reason = answer.as_ref().and_then(|a| a.get("message")).and_then(serde_json::Value::as_str);
        let reason: Option<String> = reason.map(|r| r.chars().take(200).collect());
        let status = match code {
            Some(code) if code != 0 => format!("{} code {code}", self.status.as_u16()),
            _ => self.status.as_u16().to_string(),
        };
        Err(Detail::new(DetailKey::HookStatus).with("status", status).with_some("reason", reason))
    }
}

fn unreachable(error: &reqwest::Error) -> Detail {
    Detail::new(DetailKey::HookUnreachable).with("reason", why(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_private_address_is_refused_when_configured() {
        let config = |url: &str, allow_private| AuthHookConfig {
            url: url.to_owned(),
            timeout: Duration::from_secs(1),
            allow_private,
        };
        for url in ["http://127.0.0.1/h", "http://[::1]:80/h", "http://2130706433/h", "http://0x7f.1/h"] {
            assert!(
                matches!(
                    AuthHook::new(&config(url, false)),
                    Err(HookConfigError::Url(UrlError::Private { .. }))
                ),
                "{url}"
            );
            assert!(AuthHook::new(&config(url, true)).is_ok(), "{url}");
        }
        assert!(matches!(
            AuthHook::new(&config("ftp://example.com", true)),
            Err(HookConfigError::Url(UrlError::Scheme))
        ));
    }
}
