//! Queries over the records of all nodes: the database's answer and this node's own, put together. Own records that are
//! not shipped yet are in it thereby, and where both know a record, this node's word about its own push stands. When the
//! database does not answer, this node's records are the answer, and it says so.

use std::collections::{HashMap, HashSet};

use model::{PushId, Timestamp};

use super::filter::Filter;
use super::query::{Cursor, tie};
use super::{ListQuery, Listing, Page, Reader, RecordQuery, Summary, SummaryQuery, WithEvidence, page};
use crate::error::StoreError;
use crate::remote::{Database, RemoteFault};

impl Reader {
    pub(super) fn query_everywhere(
        &self,
        everywhere: &Database,
        query: &RecordQuery,
    ) -> Result<Page, StoreError> {
        let limit = query.page_size();
        let (below, from) = query.span();
        let mut found = self.find(query)?;
        let here_only = match everywhere.find(&Filter::of(query), below, from, limit + 1) {
            Ok(mut more) => {
                let own: HashSet<PushId> = found.records.iter().map(|(_, stored)| stored.record.id).collect();
                more.records.retain(|(_, stored)| !own.contains(&stored.record.id));
                found.records.extend(more.records);
                found.stopped = found.stopped.max(more.stopped);
                false
            }
            Err(fault) => alone(&fault),
        };
        Ok(Page { here_only, ..page(found, limit) })
    }

    pub(super) fn list_everywhere(
        &self,
        everywhere: &Database,
        query: &ListQuery,
    ) -> Result<Listing, StoreError> {
        let (filter, (below, from)) = (query.filter(), query.span());
        let since = Timestamp(from.ended_at);
        let unshipped = self.lend(|connections| connections.unshipped_since(&self.inner.dir, since))?;
        let keys = everywhere.keys(&filter, query.first(), below, from, query.count_to, &unshipped);
        let (mut keys, missing) = match keys {
            Ok(found) => found,
            Err(fault) => {
                let here_only = alone(&fault);
                return Ok(Listing { here_only, ..self.list_here(query)? });
            }
        };
        let mut own = HashMap::new();
        for id in missing {
            let Some((record, _)) = self.get_here(id)? else { continue };
            let at = Cursor { ended_at: record.ended_at.millis(), tie: tie(id) };
            if at < below && at >= from && filter.matches(&record) {
                keys.push((at, id));
                own.insert(id, record);
            }
        }
        keys.sort_unstable();
        if !query.ascending {
            keys.reverse();
        }
        keys.truncate(query.count_to);
        let page: Vec<PushId> = keys.iter().skip(query.skip).take(query.take).map(|(_, id)| *id).collect();
        let away: Vec<PushId> = page.iter().filter(|id| !own.contains_key(id)).copied().collect();
        if !away.is_empty() {
            let records = everywhere.records(&away)?.into_iter().map(|stored| stored.record);
            own.extend(records.map(|record| (record.id, record)));
        }
        let records = page.iter().filter_map(|id| own.remove(id)).collect();
        Ok(Listing { records, total: keys.len(), here_only: false })
    }

    pub(super) fn get_everywhere(
        &self,
        everywhere: &Database,
        id: PushId,
        here: Option<WithEvidence>,
    ) -> Result<Option<WithEvidence>, StoreError> {
        match here {
            Some((record, Some(evidence))) => Ok(Some((record, Some(evidence)))),
            // Its evidence may be older than what this node keeps.
            Some((record, None)) => {
                let evidence = everywhere.get(id).ok().flatten().and_then(|(_, evidence)| evidence);
                Ok(Some((record, evidence)))
            }
            // Not to be told from one that is nowhere, so the failure is the answer.
            None => Ok(everywhere.get(id)?),
        }
    }

    pub(super) fn count_everywhere(
        &self,
        everywhere: &Database,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let unshipped = self.lend(|connections| connections.unshipped_since(&self.inner.dir, since))?;
        let (count, missing) = everywhere.count_since(since, &unshipped)?;
        Ok(count.saturating_add(missing.len() as u64))
    }

    pub(super) fn summary_everywhere(
        &self,
        everywhere: &Database,
        query: SummaryQuery,
    ) -> Result<Summary, StoreError> {
        // Read before the database is: what is shipped in between is then counted there.
        let unshipped = self.lend(|connections| connections.unshipped_since(&self.inner.dir, query.since))?;
        match everywhere.summary(query, &unshipped) {
            Ok((mut counted, missing)) => {
                self.lend(|connections| {
                    for id in missing {
                        let stored = connections.get(&self.inner.dir, id)?;
                        if let Some(stored) = stored.filter(|stored| query.covers(stored.record.account)) {
                            counted.add_record(query.bucket_ms(), stored.record);
                        }
                    }
                    Ok(())
                })?;
                Ok(counted.finish())
            }
            Err(fault) => {
                let here_only = alone(&fault);
                Ok(Summary { here_only, ..self.summary_here(query)? })
            }
        }
    }
}

/// The answer is this node's alone.
fn alone(fault: &RemoteFault) -> bool {
    tracing::debug!(%fault, "the database of all nodes does not answer: this node's own records are shown");
    true
}
