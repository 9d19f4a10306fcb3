//! Incidents: what do these ends have in common?

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use model::{Record, Timestamp};
use store::{Cursor, Reader, RecordQuery, StoreError};

use super::frame::{Frame, SignedIn, render};
use super::show::{Chip, When, grouped};
use crate::actions::Scope;
use crate::incidents::{Incident, Kind, find};
use crate::query::link;
use crate::state::WebState;

/// What the page looks back on.
const SPAN: Duration = Duration::from_secs(24 * 3_600);
/// Records that are looked at, newest first.
const MAX_RECORDS: usize = 20_000;
const PAGE: usize = 1_000;
/// Incidents that are shown.
const SHOWN: usize = 50;

#[derive(Template)]
#[template(path = "incidents.html")]
struct Page {
    f: Frame,
    rows: Vec<Row>,
    /// How many ends were looked at, where there are more; empty for all.
    looked_at: String,
    mistake: String,
}

struct Row {
    headline: String,
    /// `certain`, `likely`: how sure the headline is.
    confidence: String,
    since: When,
    until: When,
    facts: Vec<String>,
    causes: Vec<(Chip, usize)>,
    link: String,
}

/// The page.
pub(super) async fn page(SignedIn(f): SignedIn, State(state): State<WebState>) -> Response {
    let since = state.clock().now().minus(SPAN);
    let (reader, scope) = (state.reader().clone(), f.scope());
    let read = move || {
        let (records, all) = read(&reader, since, scope)?;
        let looked_at = if all { String::new() } else { grouped(records.len() as u64) };
        Ok::<_, StoreError>((find(&records), looked_at))
    };
    let found = tokio::task::spawn_blocking(read).await;
    let ((incidents, looked_at), mistake) = match found {
        Ok(Ok(found)) => (found, String::new()),
        Ok(Err(error)) => {
            tracing::error!(%error, "the records cannot be read");
            (Default::default(), f.t("records-unreadable"))
        }
        Err(error) => {
            tracing::error!(%error, "the records cannot be read");
            (Default::default(), f.t("records-unreadable"))
        }
    };
    let rows = incidents.into_iter().take(SHOWN).map(|incident| Row::of(incident, &f)).collect();
    render(StatusCode::OK, &Page { rows, looked_at, mistake, f })
}

/// The newest ends, and whether these are all.
fn read(reader: &Reader, since: Timestamp, scope: Scope) -> Result<(Vec<Record>, bool), StoreError> {
    let mut records = Vec::new();
    let mut after: Option<Cursor> = None;
    while records.len() < MAX_RECORDS {
        let account = scope.account();
        let query = RecordQuery { account, since: Some(since), limit: PAGE, after, ..RecordQuery::default() };
        let page = reader.query(&query)?;
        records.extend(page.records);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok((records, after.is_none()))
}

impl Row {
    fn of(incident: Incident, f: &Frame) -> Self {
        let words = f.words();
        let ends = grouped(incident.ends as u64);
        let (headline, confidence) = match (&incident.duel, incident.shared.first()) {
            (Some(duel), _) => {
                let addresses: Vec<String> = duel.addresses.iter().map(ToString::to_string).collect();
                let values = [("key", duel.key.clone()), ("addresses", addresses.join(", "))];
                (words.with("incident-duel", &values), f.t("confidence-certain"))
            }
            (None, Some(shared)) => {
                let values =
                    [("count", shared.count.to_string()), ("ends", ends), ("value", shared.value.clone())];
                let key = match shared.kind {
                    Kind::Network => "incident-network",
                    Kind::Node => "incident-node",
                    Kind::Encoder => "incident-encoder",
                    Kind::Domain => "incident-domain",
                    Kind::Cause => "incident-cause",
                };
                let sure =
                    if shared.is_strong(incident.ends) { "confidence-strong" } else { "confidence-likely" };
                (words.with(key, &values), f.t(sure))
            }
            (None, None) => {
                let values = [("ends", ends), ("streams", grouped(incident.streams as u64))];
                (words.with("incident-nothing", &values), f.t("confidence-possible"))
            }
        };
        let facts = incident
            .shared
            .iter()
            .map(|shared| {
                let share = shared.count * 100 / incident.ends.max(1);
                let values = [("value", shared.value.clone()), ("share", share.to_string())];
                match shared.elsewhere {
                    Some(percent) => words.with(
                        "incident-against",
                        &[
                            ("value", shared.value.clone()),
                            ("share", share.to_string()),
                            ("elsewhere", percent.to_string()),
                        ],
                    ),
                    None => words.with("incident-alone", &values),
                }
            })
            .collect();
        // A network narrows the list to what the incident is about.
        let network = incident.shared.iter().find(|shared| shared.kind == Kind::Network);
        let (since, until) = (incident.since.to_string(), Timestamp(incident.until.millis() + 1).to_string());
        let mut filters = vec![("since", since.as_str()), ("until", until.as_str())];
        if let Some(network) = network {
            filters.push(("ip", &network.value));
        }
        Self {
            link: link(&filters),
            since: When::of(incident.since),
            until: When::of(incident.until),
            causes: incident.causes.into_iter().map(|(code, n)| (Chip::of(code, f.lang), n)).collect(),
            headline,
            confidence,
            facts,
        }
    }
}
