//! What a newer revision of a lease means to a node that owns its key, or waits for it.

use uuid::Uuid;

use super::{How, Lease};

/// How a node stands to a stream key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has nothing to do with it, or no longer.
    #[default]
    Out,
    /// It carries the stream by this revision.
    Owns(u64),
    /// Its pushes wait; the newest revision that it knows.
    Waits(u64),
}

/// What a change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing new.
    Nothing,
    /// The key is this node's by a write of which it had no answer.
    Carries,
    /// The key is free, or this node's lease was deleted: it may be claimed.
    Free,
    /// Another node's push has replaced this node's.
    Replaced,
    /// Another node has the key for a reason other than a takeover: this one had been given up for dead.
    Lost,
}

/// Judges a revision that was seen, and gives the standing after it. `lease` is `None` for a deleted one.
pub(crate) fn notice(
    standing: Standing,
    me: (&str, Uuid),
    revision: u64,
    lease: Option<&Lease>,
) -> (Standing, Meaning) {
    let (known, owns) = match standing {
        Standing::Out => return (standing, Meaning::Nothing),
        Standing::Owns(known) => (known, true),
        Standing::Waits(known) => (known, false),
    };
    let Some(lease) = lease else {
        // Who waits has perhaps been told already, and could not claim it then; 0 is left where nothing is any more.
        let free = revision > known || (!owns && (revision == known || revision == 0));
        return match free {
            true => (Standing::Waits(revision), Meaning::Free),
            false => (standing, Meaning::Nothing),
        };
    };
    if revision <= known {
        return (standing, Meaning::Nothing);
    }
    if lease.node == me.0 && lease.run == me.1 {
        // A write of this node's own, whose answer was slower, or was lost.
        let meaning = if owns { Meaning::Nothing } else { Meaning::Carries };
        return (Standing::Owns(revision), meaning);
    }
    let from_me = lease.from.as_ref().is_some_and(|(node, run)| node == me.0 && *run == me.1);
    match (owns, lease.how) {
        (true, How::Replaced) if from_me => (Standing::Out, Meaning::Replaced),
        (true, _) => (Standing::Out, Meaning::Lost),
        (false, How::Replaced) => (Standing::Out, Meaning::Replaced),
        (false, _) => (Standing::Waits(revision), Meaning::Nothing),
    }
}
