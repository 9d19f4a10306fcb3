//! Which owner a pull follows: always that of the newest revision of the lease that it has heard of. What an older one
//! says, or sends, counts no more.

use model::PushId;

/// What stands under a stream key in the registry at some revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The revision; each change has a higher one.
    pub revision: u64,
    /// Who has the key by it.
    pub holder: Holder,
}

/// Who has a stream key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// This node.
    Here,
    /// Another node.
    There(OwnerFacts),
}

/// The node that carries a stream key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerFacts {
    /// The node's id.
    pub node: String,
    /// Its name in records.
    pub label: String,
    /// Where it is reached for the stream: `host:port`, or `rtmps://host:port`.
    pub rtmp: Option<String>,
    /// The push that carries the stream.
    pub push: PushId,
    /// Which start of that node.
    pub run: String,
}

/// The newest that a pull knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Following(Seen);

impl Following {
    /// Begins with what was seen first.
    pub fn new(seen: Seen) -> Self {
        Self(seen)
    }

    /// Takes what was seen; returns whether it is news. What is older than what is known already never is.
    pub fn learn(&mut self, seen: Seen) -> bool {
        let news =
            seen.revision > self.0.revision || (seen.revision == self.0.revision && self.completes(&seen));
        if news {
            self.0 = seen;
        }
        news
    }

    /// The same revision may be heard of again with the owner's address, which comes by another way.
    fn completes(&self, seen: &Seen) -> bool {
        match (&self.0.holder, &seen.holder) {
            (Holder::There(known), Holder::There(seen)) => {
                known.is_same(seen) && known.rtmp != seen.rtmp && seen.rtmp.is_some()
            }
            _ => false,
        }
    }

    /// The newest revision.
    pub fn revision(&self) -> u64 {
        self.0.revision
    }

    /// Who has the key by it.
    pub fn holder(&self) -> &Holder {
        &self.0.holder
    }

    /// Whether this owner still has the key, by a newer revision perhaps. One that lost the key meanwhile and has it again
    /// has ended its connections itself.
    pub fn is(&self, owner: &OwnerFacts) -> bool {
        matches!(&self.0.holder, Holder::There(now) if now.is_same(owner))
    }
}

impl OwnerFacts {
    fn is_same(&self, other: &Self) -> bool {
        (&self.node, &self.run) == (&other.node, &other.run)
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};
    use proptest::prelude::*;

    use super::*;

    fn owner(node: &str, run: u64) -> OwnerFacts {
        OwnerFacts {
            node: node.to_owned(),
            label: node.to_owned(),
            rtmp: Some("127.0.0.1:1935".to_owned()),
            push: SystemClock.push_id(),
            run: run.to_string(),
        }
    }

    fn there(revision: u64, node: &str, run: u64) -> Seen {
        Seen { revision, holder: Holder::There(owner(node, run)) }
    }

    #[test]
    fn an_owner_that_writes_its_lease_again_is_still_the_same() {
        let mut following = Following::new(there(5, "a", 5));
        assert!(following.learn(there(6, "a", 5)));
        assert!(following.is(&owner("a", 5)));
        assert_eq!(following.revision(), 6);
    }

    #[test]
    fn a_node_that_started_again_is_another_owner() {
        let mut following = Following::new(there(5, "a", 5));
        assert!(following.learn(there(9, "a", 9)));
        assert!(!following.is(&owner("a", 5)));
    }

    #[test]
    fn an_address_that_comes_later_completes_what_is_known() {
        let mut unknown = there(5, "a", 5);
        if let Holder::There(owner) = &mut unknown.holder {
            owner.rtmp = None;
        }
        let mut following = Following::new(unknown.clone());
        assert!(following.learn(there(5, "a", 5)));
        assert!(!following.learn(unknown), "it is not forgotten again");
        assert!(!following.learn(there(5, "b", 5)), "no revision has two owners");
    }

    /// A history of a lease: each change may give it to a node, renew it there, or free it.
    fn history() -> impl Strategy<Value = Vec<Seen>> {
        prop::collection::vec((1u64..4, 0u8..5), 1..30).prop_map(|steps| {
            let mut revision = 0;
            let mut all: Vec<Seen> = Vec::new();
            for (step, what) in steps {
                revision += step;
                let renewed = all.last().map(|seen| seen.holder.clone());
                let holder = match (what, renewed) {
                    (0, _) => Holder::Nobody,
                    (1, _) => Holder::Here,
                    (2, Some(holder @ Holder::There(_))) => holder,
                    (node, _) => Holder::There(owner(&format!("n{node}"), revision)),
                };
                all.push(Seen { revision, holder });
            }
            all
        })
    }

    proptest! {
        #[test]
        fn whatever_the_order_in_which_changes_are_heard_of_no_owner_is_followed_after_a_later_one(
            history in history(),
            heard in prop::collection::vec(any::<prop::sample::Index>(), 1..60),
        ) {
            let heard: Vec<&Seen> = heard.iter().map(|index| index.get(&history)).collect();
            let mut following = Following::new(heard[0].clone());
            let mut newest = heard[0].revision;
            for seen in heard {
                let before = following.clone();
                let news = following.learn(seen.clone());
                prop_assert_eq!(news, seen.revision > newest);
                newest = newest.max(seen.revision);
                prop_assert!(following.revision() >= before.revision());
                prop_assert_eq!(following.revision(), newest);
                let stands = history.iter().find(|seen| seen.revision == newest).unwrap();
                prop_assert_eq!(following.holder(), &stands.holder);
            }
        }
    }
}
