//! What an operator does to streams: drop, forbid, resume, switch to a backup. The console and the APIs both act through here.

use std::time::Duration;

use live::cluster::Everywhere;
use live::{OrderedBy, Switched};
use model::Catalog;
use model::catalog::AccountId;
use model::{Sequence, StreamKey, Timestamp};

use crate::problem::{Kind, Problem};
use crate::state::WebState;

/// How long a stream is forbidden when nobody says how long.
pub const FORBID_FOR: Duration = Duration::from_secs(7 * 86_400);
/// The longest time for which a stream can be forbidden.
pub const FORBID_AT_MOST: Duration = Duration::from_secs(90 * 86_400);
/// The longest reason that is kept, bytes.
const MAX_REASON: usize = 2048;

/// Ends the push that carries `key`: 21/100. Gives the number of pushes told to end, backups and those on other nodes
/// included.
pub async fn drop_stream(
    state: &WebState,
    scope: Scope,
    key: &StreamKey,
    by: &OrderedBy,
) -> Result<Everywhere<usize>, Problem> {
    scope.check(state, &key.domain)?;
    let told = state.live().drop_stream(key, by).await;
    let pushes = told.outcome;
    tracing::info!(stream = %key, told = pushes, silent = ?told.silent, who = by.who, via = by.via, "stream dropped");
    Ok(told)
}

/// Forbids `key` until a time, and ends the push that carries it: 21/101.
pub async fn forbid(
    state: &WebState,
    scope: Scope,
    key: StreamKey,
    until: Option<Timestamp>,
    reason: String,
    by: &OrderedBy,
) -> Result<Forbade, Problem> {
    scope.check(state, &key.domain)?;
    let now = state.clock().now();
    let until = until.unwrap_or_else(|| now.plus(FORBID_FOR));
    if until <= now || until > now.plus(FORBID_AT_MOST) {
        return Err(Problem::new(Kind::BadRequest, "must lie in the future, at most 90 days from now")
            .with_field("until"));
    }
    if reason.len() > MAX_REASON {
        return Err(Problem::new(Kind::BadRequest, "must have at most 2048 bytes").with_field("reason"));
    }
    let stream = key.to_string();
    let told = state.live().forbid(key, until, reason, by).await?;
    let (told, silent) = (told.outcome, told.silent);
    tracing::info!(stream, told, ?silent, %until, who = by.who, via = by.via, "stream forbidden");
    Ok(Forbade { told, silent, until })
}

/// What forbidding did.
#[derive(Clone, Debug)]
pub struct Forbade {
    /// Pushes told to end.
    pub told: usize,
    /// Nodes that did not answer.
    pub silent: Vec<String>,
    /// Until when the stream is forbidden.
    pub until: Timestamp,
}

/// Lets a forbidden stream push again; `false` if it was not forbidden on any node.
pub async fn resume(
    state: &WebState,
    scope: Scope,
    key: &StreamKey,
    by: &OrderedBy,
) -> Result<Everywhere<bool>, Problem> {
    scope.check(state, &key.domain)?;
    let resumed = state.live().resume(key, by).await?;
    let (was, silent) = (resumed.outcome, &resumed.silent);
    tracing::info!(stream = %key, resumed = was, ?silent, who = by.who, via = by.via, "stream resumed");
    Ok(resumed)
}

/// Lets another push of `key` carry the stream: a backup, or the one that did so before; the next backup where none is named.
/// Gives the sequence of the push that carries it now.
pub async fn switch(
    state: &WebState,
    scope: Scope,
    key: &StreamKey,
    to: Option<Sequence>,
    by: &OrderedBy,
) -> Result<(Sequence, Everywhere<Switched>), Problem> {
    scope.check(state, &key.domain)?;
    let live = state.live();
    let to = match to {
        Some(to) => to,
        None => live.next_backup(key).await.outcome.ok_or_else(|| {
            Problem::new(Kind::NotFound, "no backup waits for the stream").with_field("sequence")
        })?,
    };
    let told = live.switch_to(key, to, by).await;
    let (switched, silent) = (told.outcome, &told.silent);
    tracing::info!(stream = %key, %to, ?switched, ?silent, who = by.who, via = by.via, "stream switched");
    Ok((to, told))
}

/// Why a switch did not come about, in English; `None` where it did.
pub fn not_switched(switched: Switched) -> Option<(Kind, &'static str)> {
    match switched {
        Switched::Now | Switched::Already => None,
        Switched::NoSuchPush => {
            Some((Kind::NotFound, "no push of that sequence carries the stream or waits as its backup"))
        }
        Switched::Moved => {
            Some((Kind::Conflict, "the stream changed hands again and again meanwhile; nothing was switched"))
        }
        Switched::Unreachable => Some((
            Kind::Unavailable,
            "the registry, or a node that may have the push, did not answer: look again whether it carries the stream",
        )),
    }
}

/// Whose streams and records somebody may see and act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All accounts'.
    All,
    /// One account's.
    Account(AccountId),
}

impl Scope {
    /// The scope of an API key's account number, where 0 stands for all.
    pub fn of(account: AccountId) -> Self {
        match account {
            0 => Self::All,
            id => Self::Account(id),
        }
    }

    /// The account to filter by.
    pub fn account(self) -> Option<AccountId> {
        match self {
            Self::All => None,
            Self::Account(id) => Some(id),
        }
    }

    /// Whether something of `owner` is inside.
    pub fn covers(self, owner: Option<AccountId>) -> bool {
        match self {
            Self::All => true,
            Self::Account(id) => owner == Some(id),
        }
    }

    /// Whether a domain is inside; one that the catalog does not have is for those who see all alone.
    pub fn has(self, catalog: &Catalog, domain: &str) -> bool {
        self.covers(catalog.domain(domain).map(|found| found.account))
    }

    /// Refuses domains outside. A domain of somebody else answers as one that does not exist.
    fn check(self, state: &WebState, domain: &str) -> Result<(), Problem> {
        let catalog = state.catalog();
        match catalog.domain(domain) {
            Some(found) if self.covers(Some(found.account)) => Ok(()),
            _ => {
                Err(Problem::new(Kind::NotFound, "there is no such domain in the catalog")
                    .with_field("domain"))
            }
        }
    }
}
