//! What is done to the cluster, and the log of when.

use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::world::{COUNT, LABELS, World};
use crate::support::clock::now;

/// One thing that goes wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// `kill -9` of a node.
    KillNode(usize),
    /// SIGTERM to a node.
    StopNode(usize),
    /// `kill -9` of a server of NATS.
    KillNats(usize),
    /// `kill -9` of all of them.
    StopNats,
    /// `kill -9` of everything of PostgreSQL.
    StopDatabase,
    /// The machine of PostgreSQL has no cable any more.
    UnplugDatabase,
    /// A node and one server of NATS do not hear each other.
    CutNodeFromNats(usize, usize),
    /// A node and all servers of NATS do not hear each other.
    CutNodeFromRegistry(usize),
    /// Two servers of NATS do not hear each other.
    CutNats(usize, usize),
    /// Two nodes do not hear each other.
    CutNodes(usize, usize),
    /// A node and PostgreSQL do not hear each other.
    CutNodeFromDatabase(usize),
}

/// An act that was done.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub act: Act,
    /// From before it began, or for a kill right after the process was gone.
    pub from: Instant,
    /// Until all was whole again.
    pub until: Instant,
}

impl Act {
    /// Does it, waits, and undoes it.
    fn run(self, world: &World, lasts: Duration) {
        self.begin(world);
        sleep(lasts);
        self.end(world);
    }

    fn begin(self, world: &World) {
        match self {
            Self::KillNode(node) => world.node(node).kill(),
            Self::StopNode(node) => {
                world.node(node).terminate();
            }
            Self::KillNats(server) => world.nats(server).kill(),
            Self::StopNats => (0..COUNT).for_each(|server| world.nats(server).kill()),
            Self::StopDatabase => world.database().kill(),
            Self::UnplugDatabase => world.database_machine.unplug(),
            _ => self.links(world).into_iter().for_each(|(one, other)| one.cut(other)),
        }
    }

    fn end(self, world: &World) {
        match self {
            Self::KillNode(node) | Self::StopNode(node) => world.node(node).start_again(),
            Self::KillNats(server) => world.nats(server).start_without_waiting(),
            Self::StopNats => (0..COUNT).for_each(|server| world.nats(server).start_without_waiting()),
            Self::StopDatabase => world.database().start(),
            Self::UnplugDatabase => world.database_machine.plug(),
            _ => self.links(world).into_iter().for_each(|(one, other)| one.mend(other)),
        }
    }

    fn links(self, world: &World) -> Vec<(&crate::support::site::Machine, &crate::support::site::Machine)> {
        let (nodes, nats) = (&world.node_machines, &world.nats_machines);
        match self {
            Self::CutNodeFromNats(node, server) => vec![(&nodes[node], &nats[server])],
            Self::CutNodeFromRegistry(node) => nats.iter().map(|server| (&nodes[node], server)).collect(),
            Self::CutNats(one, other) => vec![(&nats[one], &nats[other])],
            Self::CutNodes(one, other) => vec![(&nodes[one], &nodes[other])],
            Self::CutNodeFromDatabase(node) => vec![(&nodes[node], &world.database_machine)],
            _ => Vec::new(),
        }
    }

    /// Whether it may keep a node from reaching the registry, as long as it lasts and until its servers have agreed anew.
    pub fn disturbs_registry_of(self, at: usize) -> bool {
        match self {
            Self::KillNats(_) | Self::StopNats | Self::CutNats(..) => true,
            Self::CutNodeFromNats(node, _) | Self::CutNodeFromRegistry(node) => node == at,
            Self::KillNode(node) | Self::StopNode(node) => node == at,
            _ => false,
        }
    }

    /// In the words of the summary.
    pub fn name(self) -> String {
        let nats = |server: usize| format!("nats-{server}");
        match self {
            Self::KillNode(node) => format!("kill -9 {}", LABELS[node]),
            Self::StopNode(node) => format!("stop {}", LABELS[node]),
            Self::KillNats(server) => format!("kill -9 {}", nats(server)),
            Self::StopNats => "kill -9 of all NATS".to_owned(),
            Self::StopDatabase => "kill -9 PostgreSQL".to_owned(),
            Self::UnplugDatabase => "PostgreSQL unplugged".to_owned(),
            Self::CutNodeFromNats(node, server) => format!("cut {} - {}", LABELS[node], nats(server)),
            Self::CutNodeFromRegistry(node) => format!("cut {} - all NATS", LABELS[node]),
            Self::CutNats(one, other) => format!("cut {} - {}", nats(one), nats(other)),
            Self::CutNodes(one, other) => format!("cut {} - {}", LABELS[one], LABELS[other]),
            Self::CutNodeFromDatabase(node) => format!("cut {} - PostgreSQL", LABELS[node]),
        }
    }
}

/// All that was done, oldest first by its end.
#[derive(Debug, Default)]
pub struct Log(Mutex<Vec<Done>>);

impl Log {
    /// Does an act, and writes it down.
    pub fn run(&self, world: &World, act: Act, lasts: Duration) {
        let from = now();
        println!("{:>12} for {lasts:?}", act.name());
        act.run(world, lasts);
        self.lock().push(Done { act, from, until: now() });
    }

    pub fn done(&self) -> Vec<Done> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Done>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
