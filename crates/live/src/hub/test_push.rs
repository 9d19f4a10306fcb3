//! Test pushes: known and reachable like all others, and apart from the streams. Nobody can play them, and they neither
//! take a stream over nor wait for one.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use cause::evidence::Act;
use model::{PushId, StreamKey};

use super::Hub;
use super::feed::Cached;
use crate::push::{LivePush, PushHandle};

/// The test pushes of a node.
#[derive(Debug, Default)]
pub(super) struct TestPushes(Mutex<BTreeMap<PushId, Arc<PushHandle>>>);

/// A test push's place; given back on drop.
#[must_use = "the test push is forgotten when its place is dropped"]
#[derive(Debug)]
pub struct TestPlace {
    hub: Arc<Hub>,
    id: PushId,
}

impl Hub {
    /// Enters a test push.
    pub fn enter_test(self: &Arc<Self>, handle: Arc<PushHandle>) -> TestPlace {
        let id = handle.id;
        self.test_pushes.with(|all| all.insert(id, handle));
        self.pushes.fetch_add(1, Ordering::Relaxed);
        TestPlace { hub: self.clone(), id }
    }

    /// All test pushes, as lists show them, oldest first.
    pub fn list_tests(&self) -> Vec<LivePush> {
        self.test_pushes.with(|all| all.values().map(|push| push.show("test", Cached::default())).collect())
    }
}

impl TestPushes {
    /// Gives `act` to those of the stream key; returns how many it reached.
    pub(super) fn order(&self, key: &StreamKey, act: &Act) -> usize {
        self.order_where(|push| (push.key == *key).then(|| act.clone()))
    }

    /// Gives an act to each for which `choose` returns one; returns how many it reached.
    pub(super) fn order_where(&self, choose: impl Fn(&PushHandle) -> Option<Act>) -> usize {
        self.with(|all| {
            all.values().filter(|push| choose(push).is_some_and(|act| push.order.give(act))).count()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<PushId, Arc<PushHandle>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for TestPlace {
    fn drop(&mut self) {
        self.hub.test_pushes.with(|all| all.remove(&self.id));
        self.hub.pushes.fetch_sub(1, Ordering::Relaxed);
    }
}
