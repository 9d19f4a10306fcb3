//! Drop, forbid, resume by form.

use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, http::StatusCode};
use live::OrderedBy;
use model::StreamKey;
use model::catalog::Role;
use serde::Deserialize;

use crate::actions::{self, Scope};
use crate::client::Client;
use crate::console::frame::SignedIn;
use crate::console::session;
use crate::problem::{Kind, Problem};
use crate::state::WebState;

#[derive(Deserialize)]
pub(in crate::console) struct Submitted {
    token: String,
    /// `drop`, `forbid`, `resume`.
    act: String,
    domain: String,
    app: String,
    stream: String,
    /// For how long a stream is forbidden.
    #[serde(default)]
    hours: u32,
    #[serde(default)]
    reason: String,
}

/// Does what the form asks, and shows the page again.
pub(in crate::console) async fn submit(
    SignedIn(f): SignedIn,
    client: Client,
    State(state): State<WebState>,
    submitted: Result<Form<Submitted>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = submitted.map_err(|e| Problem::new(Kind::BadRequest, e.body_text()))?;
    let Some(who) = f.session.as_ref().filter(|_| session::same(f.csrf(), &form.token)) else {
        return Err(Problem::new(Kind::Forbidden, "the form is not of this session; load the page again"));
    };
    if who.role < Role::Operator {
        return Err(Problem::new(Kind::Forbidden, "viewers may look, operators may act"));
    }
    let by = OrderedBy { who: who.user.clone(), via: "console", from: Some(client.ip) };
    let key = StreamKey::new(form.domain.to_ascii_lowercase(), form.app, form.stream);
    let done = match form.act.as_str() {
        "drop" => match actions::drop_stream(&state, Scope::All, &key, &by)? {
            0 => "gone",
            _ => "dropped",
        },
        "forbid" => {
            let until = (form.hours > 0)
                .then(|| state.clock().now().plus(Duration::from_secs(u64::from(form.hours) * 3_600)));
            actions::forbid(&state, Scope::All, key, until, form.reason, &by).await?;
            "forbidden"
        }
        "resume" => {
            actions::resume(&state, Scope::All, &key, &by).await?;
            "resumed"
        }
        _ => return Err(Problem::new(Kind::BadRequest, "is none of drop, forbid, resume").with_field("act")),
    };
    Ok((StatusCode::SEE_OTHER, Redirect::to(&format!("/streams?done={done}"))).into_response())
}
