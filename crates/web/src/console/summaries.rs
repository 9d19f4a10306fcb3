//! The summary of the last day, counted at most once in a while however many look at it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use store::{Summary, SummaryQuery};
use tokio::sync::Mutex;

use super::overview;
use crate::actions::Scope;
use crate::state::WebState;

/// How old a summary may be.
const FRESH: Duration = Duration::from_secs(2);
/// A summary that took long may be older by as many times the time that it took.
const PATIENCE: u32 = 20;

/// The newest summary of each account, and of all.
#[derive(Default)]
pub struct Summaries {
    of: std::sync::Mutex<HashMap<Scope, Place>>,
}

type Place = Arc<Mutex<Option<Kept>>>;

struct Kept {
    summary: Summary,
    until: Instant,
}

impl Summaries {
    /// The last day's ends; `None` where they cannot be read.
    pub async fn last_day(&self, state: &WebState, scope: Scope) -> Option<Summary> {
        // Whoever comes while it is counted waits for that count.
        let place = self.place(scope);
        let mut kept = place.lock().await;
        let began = state.clock().instant();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.until > began) {
            return Some(kept.summary.clone());
        }
        let reader = state.reader().clone();
        let since = overview::since(state.clock().now());
        let query = SummaryQuery { since, bucket: overview::BUCKET, account: scope.account() };
        let counted = tokio::task::spawn_blocking(move || reader.summary(query)).await;
        match counted {
            Ok(Ok(summary)) => {
                let now = state.clock().instant();
                let until = now + FRESH.max((now - began) * PATIENCE);
                *kept = Some(Kept { summary: summary.clone(), until });
                Some(summary)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the last day cannot be counted");
                None
            }
            Err(error) => {
                tracing::error!(%error, "the last day cannot be counted");
                None
            }
        }
    }

    /// Where the summary of a scope is kept. There are as many as accounts whose users come.
    fn place(&self, scope: Scope) -> Place {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(of.entry(scope).or_default())
    }
}
