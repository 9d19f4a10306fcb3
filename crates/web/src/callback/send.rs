//! One request to a receiver.

use std::time::Duration;

use model::Clock;
use reqwest::{Client, StatusCode, Url, header};

/// More of an answer is neither read nor kept.
const ANSWER: usize = 1024;

/// What came of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// HTTP status; `None` without an answer.
    pub status: Option<u16>,
    /// Why the event does not count as received; `None` if it does.
    pub failure: Option<String>,
    /// The beginning of the answer's body.
    pub body: String,
    /// How long it took.
    pub took_ms: u64,
}

impl Answer {
    /// A try that came to nothing before anything was sent.
    pub fn not_sent(why: impl Into<String>) -> Self {
        Self { failure: Some(why.into()), ..Self::default() }
    }

    /// Whether the receiver has the event.
    pub fn is_received(&self) -> bool {
        self.failure.is_none()
    }
}

/// A request to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Where to.
    pub url: &'a Url,
    /// The delivery's id.
    pub delivery: &'a str,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// What is sent.
    pub body: &'a str,
}

/// Sends a request; only an answer with status 200 counts as received. Redirects are not followed.
pub async fn send(client: &Client, request: Request<'_>, timeout: Duration, clock: &dyn Clock) -> Answer {
    let began = clock.instant();
    let mut answer = match tokio::time::timeout(timeout, exchange(client, request)).await {
        Ok(answer) => answer,
        Err(_) => Answer::not_sent(format!("no answer within {} ms", timeout.as_millis())),
    };
    let took = clock.instant().saturating_duration_since(began).as_millis();
    answer.took_ms = u64::try_from(took).unwrap_or(u64::MAX);
    answer
}

async fn exchange(client: &Client, request: Request<'_>) -> Answer {
    let sent = client
        .post(request.url.clone())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("lastframe/", env!("CARGO_PKG_VERSION")))
        .header("x-lastframe-delivery", request.delivery)
        .header("x-lastframe-attempt", request.attempt)
        .body(request.body.to_owned())
        .send();
    let mut response = match sent.await {
        Ok(response) => response,
        Err(error) => return Answer::not_sent(live::outbound::why(&error)),
    };
    let status = response.status();
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(chunk.get(..ANSWER - bytes.len()).unwrap_or(&chunk));
    }
    let failure = match status {
        StatusCode::OK => None,
        other if other.is_redirection() => Some(format!("status {other}; redirects are not followed")),
        other => Some(format!("status {other}; only 200 counts as received")),
    };
    Answer {
        status: Some(status.as_u16()),
        failure,
        body: String::from_utf8_lossy(&bytes).into_owned(),
        took_ms: 0,
    }
}
