//! What the server put on record, compared with what was done.

use std::time::Duration;

use cause::export::{count_of, judged_anew};
use cause::{Cause, DetailKey};
use model::{Clock, Code, Record, SystemClock, Timestamp};
use tokio::time::sleep;

use crate::error::LabError;
use crate::scenario::{Scenario, Seen};

const POLL: Duration = Duration::from_millis(100);
/// A second record of one push would come within this time.
const SECOND_RECORD: Duration = Duration::from_millis(1_500);
/// A node that died took its evidence along, a damaged row cannot be read, on a full disk there is no room for it, and
/// another server tells none.
const WITHOUT_EVIDENCE: [Cause; 4] =
    [Cause::NodeDied, Cause::RowUnreadable, Cause::JournalUnwritable, Cause::Imported];
/// On a busy machine an end may be detected this much later than promised; the report says how often the promise held.
const BUSY: Duration = Duration::from_secs(5);
/// A record of the lab's own servers comes within this time.
const OWN_LIMIT: Duration = Duration::from_secs(30);
/// Elsewhere idle limits may be longer: the default is 70 s.
const EXTERNAL_LIMIT: Duration = Duration::from_secs(100);

/// What is on record.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The cause.
    pub code: Code,
    /// The detail's key.
    pub detail: Option<String>,
    /// From the fault to the end of the push, ms; to the time its record could be read, on a server with another clock.
    pub detect_ms: Option<u64>,
    /// How many records there are of this push.
    pub records: usize,
    /// What the scenario itself finds wrong with it.
    pub failed: Option<String>,
}

/// Waits for the record of what was done, and a little longer for a second one. `None`: there is none.
pub async fn find(seen: &Seen, started: Timestamp) -> Result<Option<Found>, LabError> {
    let limit = if seen.site.is_own() { OWN_LIMIT } else { EXTERNAL_LIMIT };
    let clock = SystemClock;
    let from = clock.instant();
    loop {
        if !records(seen, started).await?.is_empty() {
            break;
        }
        if clock.instant().saturating_duration_since(from) >= limit {
            return Ok(None);
        }
        sleep(POLL).await;
    }
    let read_at = clock.now();
    sleep(SECOND_RECORD).await;
    let records = records(seen, started).await?;
    let Some(record) = records.last() else { return Ok(None) };
    let ended = if seen.site.is_own() { record.ended_at } else { read_at };
    let failed = match seen.failed(record) {
        Some(failed) => Some(failed),
        None => evidence_fails(seen, record).await?,
    };
    Ok(Some(Found {
        code: record.code(),
        detail: record.detail.as_ref().map(|detail| detail.key.clone()),
        detect_ms: seen.at.map(|at| ended.since(at)),
        records: records.len(),
        failed,
    }))
}

/// What is wrong with the evidence behind a record: it is judged otherwise when it is judged again, or it lacks
/// what was done.
async fn evidence_fails(seen: &Seen, record: &Record) -> Result<Option<String>, LabError> {
    let Some(evidence) = seen.site.api.export(record.id).await?.evidence else {
        let fails = !WITHOUT_EVIDENCE.iter().any(|cause| cause.code() == record.code());
        return Ok(fails.then(|| "no evidence is kept".to_owned()));
    };
    if let Some(now) = judged_anew(record, &evidence) {
        let detail = now.detail.as_ref().map_or("no detail", |detail| detail.key.as_str());
        return Ok(Some(format!("judged again from its evidence it is {} with {detail}", now.cause.code())));
    }
    if let Some(failed) = seen.evidence_failed(&evidence) {
        return Ok(Some(failed));
    }
    let missing = seen.events.iter().find(|kind| count_of(&evidence, **kind) == 0);
    Ok(missing.map(|kind| format!("no event {} ({})", kind.number(), kind.key())))
}

async fn records(seen: &Seen, started: Timestamp) -> Result<Vec<Record>, LabError> {
    let mut records = match &seen.stream {
        Some(stream) => seen.site.api.records_of(stream).await?,
        None => seen.site.api.recent_records().await?,
    };
    records.retain(|record| is_of(record, seen, started));
    Ok(records)
}

/// Whether a record is of the push that was seen. A name is used once; without one, the time has to do, unless the clock
/// is another one.
fn is_of(record: &Record, seen: &Seen, started: Timestamp) -> bool {
    seen.port.is_none_or(|port| port == record.client_port)
        && (seen.stream.is_none() || seen.stream == record.stream)
        && (seen.stream.is_some() || !seen.site.is_own() || record.ended_at >= started)
}

/// What is wrong with what is on record, if anything is.
pub fn compare(scenario: &Scenario, seen: &Seen, found: Option<&Found>) -> Option<String> {
    let Some(found) = found else { return Some("no record".to_owned()) };
    if found.records != 1 {
        return Some(format!("{} records", found.records));
    }
    let expected = scenario.cause.code();
    if found.code != expected {
        return Some(format!("{} in place of {expected}", found.code));
    }
    let wanted = scenario.detail.as_ref().map(DetailKey::as_str);
    if wanted.is_some() && wanted != found.detail.as_deref() {
        let shown = |detail: Option<&str>| detail.unwrap_or("none").to_owned();
        return Some(format!("detail {} in place of {}", shown(found.detail.as_deref()), shown(wanted)));
    }
    if let (Some(within), Some(detect_ms)) = (scenario.within, found.detect_ms) {
        let limit = within.saturating_add(BUSY);
        if u128::from(detect_ms) > limit.as_millis() {
            return Some(format!("detected after {detect_ms} ms, {within:?} promised"));
        }
    }
    if found.failed.is_some() {
        return found.failed.clone();
    }
    let told = seen.told.as_ref().filter(|told| !told.text.starts_with(&format!("[{expected}]")));
    told.map(|told| format!("the client was told `{told}`"))
}

#[cfg(test)]
mod tests;
