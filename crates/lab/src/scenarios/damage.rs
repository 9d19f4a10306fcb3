//! What the server keeps on disk is damaged.

use std::sync::Arc;

use cause::{Cause, DetailKey};

use super::refusal::refused;
use super::server::live_on;
use crate::error::LabError;
use crate::process;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{DOMAIN, Profile, Server, Setup};
use crate::site::{APP, Site};
use crate::trial::Trial;

const SQLITE: Needs = Needs::With(&["sqlite3"]);
/// An account that nothing belongs to, in a form that nobody can read; and its end.
const BREAK_CATALOG: &str = "insert into account values (77, 'no JSON')";
const MEND_CATALOG: &str = "delete from account where id = 77";
const BREAK_OPEN_ROWS: &str = "update open_push set connected_at = 'no time'";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "catalog_unreadable",
            Cause::CatalogUnavailable,
            DetailKey::CatalogError,
            "Pushes to a server whose stored catalog cannot be read.",
            |t| Box::pin(catalog_unreadable(t)),
        )
        .needing(SQLITE),
        Scenario::new(
            "journal_row_unreadable",
            Cause::RowUnreadable,
            DetailKey::RowError,
            "The journal's row of a push is damaged while the server is down after a crash.",
            |t| Box::pin(journal_row_unreadable(t)),
        )
        .needing(SQLITE),
    ]
}

async fn catalog_unreadable(trial: Trial) -> Result<Seen, LabError> {
    let mut server = Server::start(Setup::new(Profile::Plain)).await?;
    server.terminate().await?;
    alter(&server, BREAK_CATALOG)?;
    server.start_again().await?;
    let server = Arc::new(server);
    let site = Site::own(Arc::clone(&server))?;
    let seen = refused(&site, DOMAIN, APP, trial.stream(), trial.stream()).await?;
    // The API keys are in the catalog too: the record can be read once it is whole again.
    alter(&server, MEND_CATALOG)?;
    site.api.wait_until_open().await?;
    Ok(seen)
}

async fn journal_row_unreadable(trial: Trial) -> Result<Seen, LabError> {
    let mut server = Server::start(Setup::new(Profile::Plain)).await?;
    let client = live_on(server.rtmp(), trial.stream()).await?;
    server.kill().await?;
    alter(&server, BREAK_OPEN_ROWS)?;
    server.start_again().await?;
    Ok(Seen::stream(&Site::own(Arc::new(server))?, trial.stream()).keep(client))
}

fn alter(server: &Server, sql: &str) -> Result<(), LabError> {
    let journal = server.data().join("journal.db");
    process::run("sqlite3", ["-cmd".as_ref(), ".timeout 5000".as_ref(), journal.as_os_str(), sql.as_ref()])
}
