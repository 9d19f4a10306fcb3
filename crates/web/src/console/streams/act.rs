//! Drop, forbid, resume, switch by form.

use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, http::StatusCode};
use live::{OrderedBy, Switched};
use model::catalog::Role;
use model::{Sequence, StreamKey, Timestamp};
use serde::Deserialize;

use crate::actions;
use crate::client::Client;
use crate::console::frame::SignedIn;
use crate::console::stream;
use crate::problem::{Kind, Problem};
use crate::query::{Moment, extended};
use crate::state::WebState;

#[derive(Deserialize)]
pub(in crate::console) struct Submitted {
    token: String,
    /// `drop`, `forbid`, `resume`, `switch`.
    act: String,
    domain: String,
    app: String,
    stream: String,
    /// For how long a stream is forbidden; `until` where that is given.
    #[serde(default)]
    hours: u32,
    /// Until when it is forbidden.
    #[serde(default)]
    until: String,
    #[serde(default)]
    reason: String,
    /// The push that is to carry the stream.
    #[serde(default)]
    sequence: Option<u64>,
    /// `stream`: back to the page of the stream key.
    #[serde(default)]
    back: String,
}

/// Does what the form asks, and shows the page again.
pub(in crate::console) async fn submit(
    SignedIn(f): SignedIn,
    client: Client,
    State(state): State<WebState>,
    submitted: Result<Form<Submitted>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = submitted.map_err(|e| Problem::new(Kind::BadRequest, e.body_text()))?;
    let who = f.ordered(&form.token, Role::Operator)?;
    let by = OrderedBy { who: who.user.clone(), via: "console", from: Some(client.ip) };
    let key = StreamKey::new(form.domain.to_ascii_lowercase(), form.app.clone(), form.stream.clone());
    let back = if form.back == "stream" { stream::link(&key) } else { "/streams".to_owned() };
    let done = match form.act.as_str() {
        "drop" => match actions::drop_stream(&state, f.scope(), &key, &by).await?.outcome {
            0 => "gone",
            _ => "dropped",
        },
        "forbid" => {
            let until = form.until(state.clock().now())?;
            actions::forbid(&state, f.scope(), key, until, form.reason, &by).await?;
            "forbidden"
        }
        "resume" => {
            actions::resume(&state, f.scope(), &key, &by).await?;
            "resumed"
        }
        "switch" => {
            let to = form.sequence.map(Sequence).ok_or_else(|| {
                Problem::new(Kind::BadRequest, "name the push that is to carry the stream")
                    .with_field("sequence")
            })?;
            match actions::switch(&state, f.scope(), &key, Some(to), &by).await?.1.outcome {
                Switched::Now | Switched::Already => "switched",
                Switched::NoSuchPush => "not-waiting",
                Switched::Moved => "moved",
                Switched::Unreachable => "unreachable",
            }
        }
        _ => {
            let wrong = Problem::new(Kind::BadRequest, "is none of drop, forbid, resume, switch");
            return Err(wrong.with_field("act"));
        }
    };
    let (path, query) =
        back.split_once('?').map_or((back.as_str(), String::new()), |(p, q)| (p, format!("?{q}")));
    let to = format!("{path}{}", extended(&query, &[("done", done)]));
    Ok((StatusCode::SEE_OTHER, Redirect::to(&to)).into_response())
}

impl Submitted {
    fn until(&self, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
        match self.until.trim() {
            "" => Ok((self.hours > 0)
                .then(|| now.plus(Duration::from_secs(u64::from(self.hours).saturating_mul(3_600))))),
            text => match Moment::read(text) {
                Some(Moment::At(time)) => Ok(Some(time)),
                _ => Err(Problem::new(Kind::BadRequest, "is no time").with_field("until")),
            },
        }
    }
}
