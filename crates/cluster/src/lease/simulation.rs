//! Three nodes, one key, and a registry that loses none of its own writes: whatever is cut off, delayed or raced, on virtual
//! time.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use model::catalog::ConflictRule;
use model::{Clock, PushId, SystemClock, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Claiming, Contender, How, Lease, Meaning, Outcome, Owner, Standing, Step, Written, notice, switch,
};
use crate::liveness::Liveness;

const LEASE: Duration = Duration::from_secs(5);
const BEAT: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(20);
const NODES: usize = 3;

#[derive(Clone, Debug)]
enum Deed {
    /// Time passes, ms.
    Wait(u64),
    /// A push comes to a node that has none of the key.
    Claim(usize, ConflictRule),
    /// An operator wants a push that waits on a node to carry the stream: the node has read the lease.
    Switch(usize),
    /// A node's claim, or its switch, goes one step further.
    Step(usize),
    /// A node hears of one change.
    Hear(usize),
    /// A node's push ends.
    Leave(usize),
    /// A node is cut off from the registry, or reaches it again.
    Cut(usize),
    Heal(usize),
    /// A node's claim goes one step further, and it is cut off before it hears what came of that.
    Lose(usize),
}

struct Node {
    name: String,
    run: Uuid,
    liveness: Liveness,
    standing: Standing,
    /// The rule of its push, while it has one.
    push: Option<ConflictRule>,
    claiming: Option<(Claiming, Step)>,
    /// The lease that it is about to write because an operator wants it so, and the revision that it has read.
    switching: Option<(u64, Lease)>,
    /// Changes that it has not heard of yet.
    unheard: VecDeque<(u64, Option<Lease>)>,
    to_free: Option<u64>,
    /// It wrote a lease and has heard no answer.
    in_doubt: bool,
    cut_since: Option<Instant>,
    beaten: Instant,
    /// The revision of its newest heartbeat.
    beat: u64,
}

struct World {
    now: Instant,
    wall: Timestamp,
    revision: u64,
    lease: Option<Lease>,
    beats: u64,
    nodes: Vec<Node>,
    pushes: u128,
}

impl Node {
    fn is_idle(&self) -> bool {
        self.claiming.is_none() && self.switching.is_none()
    }
}

impl World {
    fn new() -> Self {
        let now = SystemClock.instant();
        let node = |at: usize| Node {
            name: format!("n{at}"),
            run: Uuid::from_u128(at as u128 + 1),
            liveness: Liveness::new(&format!("n{at}"), LEASE),
            standing: Standing::Out,
            push: None,
            claiming: None,
            switching: None,
            unheard: VecDeque::new(),
            to_free: None,
            in_doubt: false,
            cut_since: None,
            beaten: now,
            beat: 0,
        };
        let nodes = (0..NODES).map(node).collect();
        let wall = Timestamp(1_800_000_000_000);
        let mut world = Self { now, wall, revision: 0, lease: None, beats: 0, nodes, pushes: 0 };
        world.beat();
        world
    }

    fn beat(&mut self) {
        let heard: Vec<_> =
            self.nodes.iter().filter(|n| n.cut_since.is_none()).map(|n| (n.name.clone(), n.run)).collect();
        for (name, run) in heard {
            self.beats += 1;
            for node in self.nodes.iter_mut().filter(|n| n.cut_since.is_none()) {
                node.liveness.heard(&name, run, self.beats, self.now);
                if node.name == name {
                    node.beaten = self.now;
                    node.beat = self.beats;
                }
            }
        }
    }

    /// Time passes in steps of a heartbeat, so that none is left out.
    fn wait(&mut self, ms: u64) {
        let mut left = Duration::from_millis(ms);
        while !left.is_zero() {
            let some = left.min(BEAT);
            left -= some;
            self.now += some;
            self.wall = self.wall.plus(some);
            self.beat();
            let now = self.now;
            for node in &mut self.nodes {
                // Longer than the grace: what it had is lost to it.
                if node.cut_since.is_some_and(|since| now.duration_since(since) >= GRACE) {
                    if let Standing::Owns(revision) = node.standing {
                        node.to_free = Some(revision);
                    }
                    (node.standing, node.push, node.claiming) = (Standing::Out, None, None);
                    node.switching = None;
                }
            }
            self.succeed_the_dead();
        }
    }

    /// As the driver does when it finds a node dead.
    fn succeed_the_dead(&mut self) {
        for at in 0..NODES {
            let now = self.now;
            let node = &mut self.nodes[at];
            let someone_died = !node.liveness.newly_dead(now).is_empty();
            let is_free = node.cut_since.is_none() && node.is_idle();
            if someone_died && is_free && matches!(node.standing, Standing::Waits { .. }) {
                self.claim(at);
            }
        }
    }

    fn write(&mut self, expect: u64, lease: Option<Lease>) -> Written {
        if expect != self.revision {
            return Written::TooLate;
        }
        self.revision += 1;
        self.lease = lease;
        for node in &mut self.nodes {
            node.unheard.push_back((self.revision, self.lease.clone()));
        }
        Written::As(self.revision)
    }

    fn claim(&mut self, at: usize) {
        let Some(contender) = self.contender(at) else { return };
        self.nodes[at].claiming = Some(Claiming::begin(contender, self.now));
    }

    fn contender(&mut self, at: usize) -> Option<Contender> {
        self.pushes += 1;
        let push = PushId::from_parts(self.wall, self.pushes);
        let node = &self.nodes[at];
        Some(Contender {
            node: node.name.clone(),
            run: node.run,
            push,
            client: SocketAddr::from(([192, 0, 2, 1 + u8::try_from(at).unwrap()], 4000)),
            priority: None,
            rule: node.push?,
        })
    }

    fn switch(&mut self, at: usize) {
        let node = &self.nodes[at];
        let may = node.cut_since.is_none() && node.is_idle();
        if !may || !matches!(node.standing, Standing::Waits { .. }) {
            return;
        }
        let Some(contender) = self.contender(at) else { return };
        let over = |lease: &Lease| self.nodes[at].liveness.is_over(&lease.node, lease.run, self.now);
        let held = self.lease.as_ref();
        let held = held.map(|lease| (lease, if over(lease) { Owner::Over } else { Owner::There }));
        let lease = switch(&contender, held, self.wall);
        self.nodes[at].switching = lease.map(|lease| (self.revision, lease));
    }

    fn step(&mut self, at: usize) {
        if let Some((expect, lease)) = self.nodes[at].switching.take() {
            if self.nodes[at].cut_since.is_none()
                && let Written::As(revision) = self.write(expect, Some(lease))
            {
                self.nodes[at].standing = Standing::Owns(revision);
            }
            return;
        }
        let Some((mut claiming, step)) = self.nodes[at].claiming.take() else { return };
        // What is decided needs no registry.
        let decided = matches!(step, Step::Done(_));
        if self.nodes[at].cut_since.is_some() && !decided {
            // No answer: 18/101 for a push that came, and a waiting one goes on waiting.
            if self.nodes[at].standing == Standing::Out {
                self.nodes[at].push = None;
            }
            return;
        }
        let next = match step {
            Step::Read => {
                let held = self.lease.as_ref().map(|lease| {
                    let over = self.nodes[at].liveness.is_over(&lease.node, lease.run, self.now);
                    (lease, if over { Owner::Over } else { Owner::There })
                });
                let next = claiming.read(self.revision, Ok(held), self.now, self.wall);
                if let Step::Write { lease, .. } = &next
                    && lease.how == How::Orphaned
                    && self.lease.as_ref().is_some_and(|held| held.node != lease.node)
                {
                    self.assert_orphaned(lease);
                }
                next
            }
            Step::Write { expect, lease } => {
                let written = self.write(expect, Some(lease));
                claiming.written(written, self.now)
            }
            Step::Done(outcome) => {
                let node = &mut self.nodes[at];
                match outcome {
                    Outcome::Owns { revision, .. } => node.standing = Standing::Owns(revision),
                    Outcome::Waits { revision, behind } => {
                        node.standing = Standing::Waits { revision, behind };
                    }
                    Outcome::Refused(_) | Outcome::Unsettled => {
                        if node.standing == Standing::Out {
                            node.push = None;
                        }
                    }
                }
                return;
            }
        };
        self.nodes[at].claiming = Some((claiming, next));
    }

    /// Only what was cut off for the lease time is ever taken as an orphan.
    fn assert_orphaned(&self, lease: &Lease) {
        let (from, run) = lease.from.clone().unwrap();
        let owner = self.nodes.iter().find(|n| n.name == from && n.run == run).unwrap();
        let silent = self.now.duration_since(owner.beaten);
        assert!(owner.cut_since.is_some() || silent >= LEASE, "{from} was taken for dead after {silent:?}");
        assert!(silent >= LEASE, "{from} was taken for dead after {silent:?}");
    }

    fn hear(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        // The driver handles one thing of a key at a time.
        if node.cut_since.is_some() || !node.is_idle() {
            return;
        }
        let Some((revision, lease)) = node.unheard.pop_front() else { return };
        let (standing, meaning) = notice(node.standing, (&node.name, node.run), revision, lease.as_ref());
        node.standing = standing;
        match meaning {
            Meaning::Nothing if standing == Standing::Out => self.free_a_stray(at, revision, lease),
            Meaning::Nothing | Meaning::Carries | Meaning::GivesWay => {}
            Meaning::Free => self.claim(at),
            Meaning::Replaced | Meaning::Lost => node.push = None,
        }
    }

    /// A lease of its own of which no push knows: its write came through after the push had given up.
    fn free_a_stray(&mut self, at: usize, revision: u64, lease: Option<Lease>) {
        let node = &self.nodes[at];
        if lease.is_some_and(|lease| lease.node == node.name && lease.run == node.run) {
            self.write(revision, None);
        }
    }

    fn leave(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if !node.is_idle() {
            return;
        }
        node.push = None;
        if let Standing::Owns(revision) = std::mem::take(&mut node.standing) {
            match node.cut_since {
                Some(_) => node.to_free = Some(revision),
                None => {
                    self.write(revision, None);
                }
            }
        }
    }

    fn lose(&mut self, at: usize) {
        if self.nodes[at].cut_since.is_some() {
            return;
        }
        let written = self.revision;
        let node = &self.nodes[at];
        let waits = node.switching.is_some() || matches!(node.claiming, Some((_, Step::Write { .. })));
        if !waits {
            return;
        }
        self.step(at);
        let now = self.now;
        let landed = self.revision > written;
        let node = &mut self.nodes[at];
        node.claiming = None;
        node.cut_since = Some(now);
        node.in_doubt = landed;
        if node.standing == Standing::Out {
            node.push = None;
        }
    }

    fn heal(&mut self, at: usize) {
        self.nodes[at].cut_since = None;
        // The registry tells the newest heartbeats that it has missed.
        let others = self.nodes.iter().filter(|n| n.name != self.nodes[at].name);
        let beats: Vec<_> = others.map(|n| (n.name.clone(), n.run, n.beat)).collect();
        for (name, run, beat) in beats {
            self.nodes[at].liveness.heard(&name, run, beat, self.now);
        }
        if std::mem::take(&mut self.nodes[at].in_doubt) {
            let node = &self.nodes[at];
            let mine = self.lease.as_ref().is_some_and(|l| l.node == node.name && l.run == node.run);
            let wanted = node.push.is_some() && node.standing != Standing::Out;
            if mine && !wanted && node.standing != Standing::Owns(self.revision) {
                self.write(self.revision, None);
            }
        }
        if let Some(revision) = self.nodes[at].to_free.take() {
            self.write(revision, None);
        }
        // It looks again: what it has missed is one change to it.
        let newest = (self.revision, self.lease.clone());
        self.nodes[at].unheard = VecDeque::from([newest]);
    }

    fn act(&mut self, deed: &Deed) {
        match *deed {
            Deed::Wait(ms) => self.wait(ms),
            Deed::Claim(at, rule) => {
                let node = &mut self.nodes[at];
                // A node whose heartbeats were not taken for the lease time refuses pushes until one is.
                let is_connected = self.now.duration_since(node.beaten) < LEASE;
                if node.push.is_none() && node.cut_since.is_none() && is_connected {
                    node.push = Some(rule);
                    self.claim(at);
                }
            }
            Deed::Switch(at) => self.switch(at),
            Deed::Step(at) => self.step(at),
            Deed::Hear(at) => self.hear(at),
            Deed::Leave(at) => self.leave(at),
            Deed::Cut(at) => {
                let now = self.now;
                self.nodes[at].cut_since.get_or_insert(now);
            }
            Deed::Heal(at) => self.heal(at),
            Deed::Lose(at) => self.lose(at),
        }
    }

    /// Who owns the key, of those that know all that happened.
    fn owners(&self) -> Vec<&Node> {
        let informed = |n: &&Node| {
            let known = match n.standing {
                Standing::Owns(known) => known,
                _ => return false,
            };
            n.cut_since.is_none() && !n.unheard.iter().any(|(revision, _)| *revision > known)
        };
        self.nodes.iter().filter(informed).collect()
    }

    fn check(&self) {
        let owners = self.owners();
        assert!(
            owners.len() <= 1,
            "two own the key: {:?}",
            owners.iter().map(|n| &n.name).collect::<Vec<_>>()
        );
        for owner in owners {
            assert_eq!(
                owner.standing,
                Standing::Owns(self.revision),
                "{} owns by an old revision",
                owner.name
            );
        }
    }

    /// Everything is reachable, everybody hears everything, all claims come to their ends.
    fn settle(&mut self) {
        for at in 0..NODES {
            if self.nodes[at].cut_since.is_some() {
                self.heal(at);
            }
        }
        for _ in 0..40 {
            for at in 0..NODES {
                for _ in 0..4 {
                    self.step(at);
                }
                for _ in 0..8 {
                    self.hear(at);
                }
            }
            self.wait(500);
        }
    }
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let node = 0..NODES;
    let rule =
        prop_oneof![Just(ConflictRule::Replace), Just(ConflictRule::Backup), Just(ConflictRule::Refuse)];
    let deed = prop_oneof![
        3 => (1_u64..4_000).prop_map(Deed::Wait),
        4 => (node.clone(), rule).prop_map(|(at, rule)| Deed::Claim(at, rule)),
        3 => node.clone().prop_map(Deed::Switch),
        12 => node.clone().prop_map(Deed::Step),
        6 => node.clone().prop_map(Deed::Hear),
        2 => node.clone().prop_map(Deed::Leave),
        2 => node.clone().prop_map(Deed::Cut),
        2 => node.clone().prop_map(Deed::Heal),
        2 => node.prop_map(Deed::Lose),
    ];
    proptest::collection::vec(deed, 1..150)
}

proptest! {
    #[test]
    fn a_key_never_has_two_owners_that_know_of_each_other(deeds in deeds()) {
        let mut world = World::new();
        for deed in &deeds {
            world.act(deed);
            world.check();
        }
        world.settle();
        world.check();
        let with_push: HashMap<_, _> =
            world.nodes.iter().filter(|n| n.push.is_some()).map(|n| (n.name.clone(), n.standing)).collect();
        match &world.lease {
            // A free key is wanted by nobody.
            None => prop_assert!(with_push.is_empty(), "nobody took the free key: {with_push:?}"),
            Some(lease) => {
                let owner = world.nodes.iter().find(|n| n.name == lease.node).unwrap();
                prop_assert_eq!(owner.standing, Standing::Owns(world.revision), "nobody knows of the lease");
                prop_assert!(owner.push.is_some(), "a lease without a push");
            }
        }
    }
}
