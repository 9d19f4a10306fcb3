//! Another push carries a stream because somebody wants it so, on whichever node it waits. Where that is not the node that
//! carries the stream, the key goes there by a newer lease, and the push that carried it waits where it is.

use model::{PushId, Sequence, StreamKey};

use super::everywhere::{ORDERED_AGAIN, blame};
use super::{Command, Everywhere, Reply, Taken};
use crate::hub::{Switched, Switching};
use crate::push::LivePush;
use crate::{Live, OrderedBy, catalog};

impl Live {
    /// Lets another push of a stream key carry the stream, on whichever node that push is: a backup, or the one that did
    /// so before. Viewers see it from its next key frame on; the push that carried the stream waits as a backup.
    pub async fn switch_to(&self, key: &StreamKey, to: Sequence, by: &OrderedBy) -> Everywhere<Switched> {
        for _ in 0..ORDERED_AGAIN {
            // Given now, so it is meant for whoever carries the stream now.
            match self.switch_near(key, to, by, None).await {
                Reply::Switched { outcome: Switched::NoSuchPush } => {
                    let order = |revision| Command::Switch { key: key.clone(), to, by: by.clone(), revision };
                    let asked = self.order_others(key, order).await;
                    return among(asked.replies, asked.silent);
                }
                Reply::Outdated { .. } => {}
                reply => return among(vec![(String::new(), reply)], Vec::new()),
            }
        }
        Everywhere { outcome: Switched::Moved, silent: Vec::new() }
    }

    /// The push that would carry a stream if the one that does ended now: the backup that has waited longest on its node,
    /// else on any other.
    pub async fn next_backup(&self, key: &StreamKey) -> Everywhere<Option<Sequence>> {
        let mut all = self.pushes_everywhere().await;
        all.outcome.retain(|push| push.is_of(key));
        let owner = all.outcome.iter().find(|push| push.role == "live").map(|push| push.node.clone());
        let backups = all.outcome.iter().filter(|push| push.role == "backup");
        let next = backups.min_by_key(|push| (Some(&push.node) != owner.as_ref(), push.id));
        Everywhere { outcome: next.map(|push| push.sequence), silent: all.silent }
    }

    /// Lets a push carry the stream that is live or waits on this node. An order that names a revision is for the lease of
    /// that revision alone.
    pub(super) async fn switch_near(
        &self,
        key: &StreamKey,
        to: Sequence,
        by: &OrderedBy,
        revision: Option<u64>,
    ) -> Reply {
        let outcome = match self.shared.hub.switch_to(key, to) {
            Switching::Done(outcome) => outcome,
            Switching::Waits(push) => match self.take(key, push, revision).await {
                Taken::Now => Switched::Now,
                Taken::Gone => Switched::NoSuchPush,
                // Since a moment ago.
                Taken::Here => match self.shared.hub.switch_to(key, to) {
                    Switching::Done(outcome) => outcome,
                    Switching::Waits(_) => return Reply::Outdated { since: revision.unwrap_or(0) },
                },
                Taken::Moved { revision } => return Reply::Outdated { since: revision },
                Taken::Unreachable { reason } => {
                    tracing::warn!(%key, %push, reason, "a stream could not be switched to a push that waits here");
                    Switched::Unreachable
                }
            },
        };
        if outcome == Switched::Now {
            let now = self.shared.clock.now();
            self.shared.catalog.note(catalog::switched(&self.catalog(), key, to, by, now));
        }
        Reply::Switched { outcome }
    }

    async fn take(&self, key: &StreamKey, push: PushId, revision: Option<u64>) -> Taken {
        match &self.shared.cluster {
            Some(cluster) => cluster.take(key, push, revision).await,
            None => Taken::Gone,
        }
    }
}

impl LivePush {
    fn is_of(&self, key: &StreamKey) -> bool {
        (&self.domain, &self.app, &self.stream) == (&key.domain, &key.app, &key.stream)
    }
}

/// The answer of the node that has the push, if one does.
fn among(replies: Vec<(String, Reply)>, silent: Vec<String>) -> Everywhere<Switched> {
    let mut all = Everywhere { outcome: Switched::NoSuchPush, silent };
    for (label, reply) in replies {
        let outcome = match reply {
            Reply::Switched { outcome } => outcome,
            Reply::Outdated { .. } => Switched::Moved,
            other => {
                all.silent.push(blame(label, &other));
                continue;
            }
        };
        // What was done counts before what could not be.
        let is_done = matches!(all.outcome, Switched::Now | Switched::Already);
        if !is_done && outcome != Switched::NoSuchPush {
            all.outcome = outcome;
        }
    }
    // One of them may have it.
    if all.outcome == Switched::NoSuchPush && !all.silent.is_empty() {
        all.outcome = Switched::Unreachable;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(replies: Vec<Reply>) -> Everywhere<Switched> {
        among(replies.into_iter().map(|reply| ("a".to_owned(), reply)).collect(), Vec::new())
    }

    #[test]
    fn one_node_has_the_push_and_its_word_counts() {
        let no = || Reply::Switched { outcome: Switched::NoSuchPush };
        let now = || Reply::Switched { outcome: Switched::Now };
        assert_eq!(said(vec![no(), now(), no()]).outcome, Switched::Now);
        assert_eq!(said(vec![no(), no()]).outcome, Switched::NoSuchPush);
        let outdated = || Reply::Outdated { since: 7 };
        assert_eq!(said(vec![no(), outdated()]).outcome, Switched::Moved);
        assert_eq!(said(vec![now(), outdated()]).outcome, Switched::Now);
        assert_eq!(said(vec![outdated(), now()]).outcome, Switched::Now);
    }

    #[test]
    fn a_node_that_cannot_do_it_is_named() {
        let failed = Reply::Failed { reason: "too old".to_owned() };
        let all = said(vec![failed, Reply::Unknown]);
        assert_eq!((all.outcome, all.silent.len()), (Switched::Unreachable, 2), "it may have the push");
    }
}
