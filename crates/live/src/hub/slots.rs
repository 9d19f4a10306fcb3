//! How many pushes each account and domain has, against their limits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};

/// Push counts by account and by domain.
#[derive(Debug, Default)]
pub struct Slots {
    taken: Mutex<HashMap<Owner, u32>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Owner {
    Account(u64),
    Domain(String),
}

/// A push's share of its account's and its domain's limit; given back on drop.
#[must_use = "the slot is given back when this is dropped"]
#[derive(Debug)]
pub struct Slot {
    slots: Arc<Slots>,
    owners: [Owner; 2],
}

impl Slots {
    /// Takes a place under the account and the domain; a limit of 0 means none. `elsewhere` is what other nodes have
    /// taken of each.
    ///
    /// # Errors
    /// The act that refuses the push, 18/600, saying which limit was reached.
    pub fn take(
        self: &Arc<Self>,
        account: (u64, u32),
        domain: (&str, u32),
        elsewhere: (u32, u32),
    ) -> Result<Slot, Act> {
        let owners = [Owner::Account(account.0), Owner::Domain(domain.0.to_owned())];
        let limits = [("account", account.1, elsewhere.0), ("domain", domain.1, elsewhere.1)];
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for (owner, (scope, limit, elsewhere)) in owners.iter().zip(limits) {
            let have = taken.get(owner).copied().unwrap_or(0).saturating_add(elsewhere);
            if limit != 0 && have >= limit {
                let detail = Detail::new(DetailKey::LimitOf)
                    .with("scope", scope)
                    .with("have", have)
                    .with("limit", limit);
                return Err(Act { code: Cause::TooManyPushes.code(), detail: Some(detail) });
            }
        }
        for owner in &owners {
            *taken.entry(owner.clone()).or_default() += 1;
        }
        drop(taken);
        Ok(Slot { slots: self.clone(), owners })
    }
}

impl Slots {
    /// What is taken now, by account and by domain.
    pub fn taken(&self) -> (HashMap<u64, u32>, HashMap<String, u32>) {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts = (HashMap::new(), HashMap::new());
        for (owner, count) in taken.iter() {
            match owner {
                Owner::Account(id) => counts.0.insert(*id, *count),
                Owner::Domain(name) => counts.1.insert(name.clone(), *count),
            };
        }
        counts
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock().unwrap_or_else(PoisonError::into_inner);
        for owner in &self.owners {
            if let Some(count) = taken.get_mut(owner) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    taken.remove(owner);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_given_back_when_its_push_ends() {
        let slots = Arc::new(Slots::default());
        let first = slots.take((1, 0), ("a.example", 1), (0, 0)).unwrap();
        let refused = slots.take((1, 0), ("a.example", 1), (0, 0)).unwrap_err();
        assert_eq!(refused.code, Cause::TooManyPushes.code());
        let other = slots.take((1, 2), ("b.example", 1), (0, 0)).unwrap();
        assert!(
            slots.take((1, 2), ("c.example", 0), (0, 0)).is_err(),
            "the account's limit counts over its domains"
        );
        drop(first);
        drop(other);
        drop(slots.take((1, 1), ("a.example", 1), (0, 0)).unwrap());
        assert!(
            slots.take((1, 2), ("a.example", 0), (2, 0)).is_err(),
            "what other nodes have counts as well"
        );
        assert!(slots.taken.lock().unwrap().is_empty());
    }
}
