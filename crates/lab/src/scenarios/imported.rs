//! Pushes that run on another server, which tells of them by its hooks.

use std::sync::Arc;

use cause::Cause;
use serde_json::json;

use crate::error::LabError;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{DOMAIN, IMPORT_TOKEN, Profile, Server, Setup};
use crate::site::{APP, Site};
use crate::trial::Trial;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "told_by_another_server",
            Cause::Imported,
            None,
            "A server elsewhere tells by its hooks that a push began and ended, and no reason.",
            |t| Box::pin(told_by_another_server(t)),
        )
        .needing(Needs::Own),
    ]
}

async fn told_by_another_server(trial: Trial) -> Result<Seen, LabError> {
    let site = Site::own(Arc::new(Server::start(Setup::new(Profile::Importing)).await?))?;
    let told = |action: &str| {
        json!({ "action": action, "client_id": "a", "server_id": "elsewhere", "ip": "192.0.2.9", "vhost": DOMAIN,
                "app": APP, "stream": trial.stream(), "param": "" })
    };
    site.api.hook("srs", IMPORT_TOKEN, told("on_publish")).await?;
    let seen = Seen::stream(&site, trial.stream()).now();
    site.api.hook("srs", IMPORT_TOKEN, told("on_unpublish")).await?;
    Ok(seen)
}
