//! A record in the reader's language.

use std::time::Duration;

use cause::event::EventCount;
use cause::{Cause, Detail, Evidence, Lang, Verdict};
use model::record::DetailRecord;
use model::{FetchRecord, Record};
use serde_json::{Value, json};

/// Fills in what the store leaves open because it depends on the reader: the table's message and the detail's text.
pub fn in_language(mut record: Record, lang: Lang) -> Record {
    let cause = Cause::from_code(record.code());
    record.errmsg = cause.map_or_else(String::new, |c| c.errmsg(lang).to_owned());
    record.detail = record.detail.take().map(|detail| Detail::from(&detail).to_record(lang));
    record
}

/// The same for the record of a fetch.
pub fn fetch_in_language(mut fetch: FetchRecord, lang: Lang) -> FetchRecord {
    let cause = fetch.code().and_then(Cause::from_code);
    fetch.errmsg = cause.map(|cause| cause.errmsg(lang).to_owned());
    fetch.detail = fetch.detail.take().map(|detail| Detail::from(&detail).to_record(lang));
    fetch
}

/// The events of a push as JSON, each with its name, and its last occurrences with their wall time and their text.
pub fn events(evidence: &Evidence, record: &Record, lang: Lang) -> Vec<Value> {
    let at = |ms: u32| record.connected_at.plus(Duration::from_millis(u64::from(ms)));
    let event = |event: &EventCount| {
        let recent = event.recent.iter();
        let recent =
            recent.map(|seen| json!({ "at": at(seen.at_ms), "text": seen.text(event.event(), lang) }));
        json!({
            "type": event.kind,
            "key": event.event().map(|kind| kind.key()),
            "name": event.name(lang),
            "count": event.count,
            "first_at": at(event.first_ms),
            "last_at": at(event.last_ms),
            "recent": recent.collect::<Vec<_>>(),
        })
    };
    evidence.events.iter().map(event).collect()
}

/// Details with their texts.
pub fn details(details: &[Detail], lang: Lang) -> Vec<DetailRecord> {
    details.iter().map(|detail| detail.to_record(lang)).collect()
}

/// The findings behind a verdict as JSON, each sign with its text.
pub fn findings(verdict: &Verdict, lang: Lang) -> Vec<Value> {
    verdict
        .findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.cause.code().to_string(),
                "errmsg": finding.cause.errmsg(lang),
                "confidence": finding.confidence,
                "for": details(&finding.signs_for, lang),
                "against": details(&finding.signs_against, lang),
            })
        })
        .collect()
}
