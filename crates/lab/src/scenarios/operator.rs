//! What an operator asks for by the API.

use cause::{Cause, DetailKey};

use super::refusal::refused;
use crate::client::PATIENCE;
use crate::error::LabError;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{Dropped, Forbidden, StreamForbidden};
    use DetailKey as D;
    vec![
        Scenario::new("dropped", Dropped, D::OrderedBy, "An operator drops the live stream.", |t| {
            Box::pin(cut(t, false))
        })
        .needing(Needs::Own),
        Scenario::new("forbidden_while_live", Forbidden, None, "An operator forbids the live stream.", |t| {
            Box::pin(cut(t, true))
        })
        .needing(Needs::Own),
        Scenario::new(
            "stream_forbidden",
            StreamForbidden,
            D::ForbiddenUntil,
            "Pushes a stream that an operator has forbidden.",
            |t| Box::pin(stream_forbidden(t)),
        )
        .needing(Needs::Own),
    ]
}

async fn cut(trial: Trial, forbid: bool) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let mut client = site.live(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream()).now();
    if forbid {
        site.api.forbid(&site.host, &site.app, trial.stream()).await?;
    } else {
        site.api.drop_stream(&site.host, &site.app, trial.stream()).await?;
    }
    Ok(seen.told(client.wait_for_cut(PATIENCE).await?))
}

async fn stream_forbidden(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    site.api.forbid(&site.host, &site.app, trial.stream()).await?;
    refused(&site, &site.host, &site.app, trial.stream(), trial.stream()).await
}
