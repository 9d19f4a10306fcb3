//! What a newer revision of a lease means to a node that owns its key, or waits for it.

use uuid::Uuid;

use super::{How, Lease, Reign};

/// How a node stands to a stream key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It has nothing to do with it, or no longer.
    #[default]
    Out,
    /// It carries the stream by this revision.
    Owns(u64),
    /// Its pushes wait.
    Waits {
        /// The newest revision that it knows.
        revision: u64,
        /// Behind whom, while somebody has the key.
        behind: Option<Reign>,
    },
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
    /// An operator has given the key to another node's push; this node's wait.
    GivesWay,
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
    let (known, owns, behind) = match standing {
        Standing::Out => return (standing, Meaning::Nothing),
        Standing::Owns(known) => (known, true, None),
        Standing::Waits { revision, behind } => (revision, false, behind),
    };
    let Some(lease) = lease else {
        // Who waits has perhaps been told already, and could not claim it then; 0 is left where nothing is any more.
        let free = revision > known || (!owns && (revision == known || revision == 0));
        return match free {
            true => (Standing::Waits { revision, behind: None }, Meaning::Free),
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
    let waits = Standing::Waits { revision, behind: Some(lease.reign()) };
    match (owns, lease.how) {
        // Whoever had it in between: a switch ends nobody.
        (true, How::Replaced) if lease.switched => (waits, Meaning::GivesWay),
        (true, How::Replaced) if from_me => (Standing::Out, Meaning::Replaced),
        (true, _) => (Standing::Out, Meaning::Lost),
        // The one that it waits behind has only written its lease again.
        (false, How::Replaced) if lease.switched || behind == Some(lease.reign()) => {
            (waits, Meaning::Nothing)
        }
        (false, How::Replaced) => (Standing::Out, Meaning::Replaced),
        (false, _) => (waits, Meaning::Nothing),
    }
}

#[cfg(test)]
mod tests {
    use model::{PushId, Timestamp};

    use super::*;

    const ME: (&str, Uuid) = ("me", Uuid::from_u128(1));

    fn lease(node: &str, run: u128, since: i64, how: How) -> Lease {
        Lease {
            node: node.to_owned(),
            run: Uuid::from_u128(run),
            push: PushId::from_parts(Timestamp(since), 1),
            client: std::net::SocketAddr::from(([192, 0, 2, 1], 4000)),
            priority: None,
            sends: false,
            since: Timestamp(since),
            how,
            from: Some((ME.0.to_owned(), ME.1)),
            switched: false,
            takeovers: Vec::new(),
        }
    }

    #[test]
    fn who_waits_behind_a_push_that_had_taken_over_goes_on_waiting_when_that_writes_its_lease_again() {
        let taken = lease("b", 2, 5, How::Replaced);
        let waits = Standing::Waits { revision: 7, behind: Some(taken.reign()) };
        let sends = Lease { sends: true, ..taken.clone() };
        let (standing, meaning) = notice(waits, ME, 8, Some(&sends));
        assert_eq!(standing, Standing::Waits { revision: 8, behind: Some(taken.reign()) });
        assert_eq!(meaning, Meaning::Nothing);
        for other in [lease("c", 3, 6, How::Replaced), lease("b", 2, 6, How::Replaced)] {
            assert_eq!(notice(standing, ME, 9, Some(&other)), (Standing::Out, Meaning::Replaced));
        }
    }

    #[test]
    fn a_switch_ends_nobody() {
        let given = Lease { switched: true, ..lease("b", 2, 5, How::Replaced) };
        let waits = Standing::Waits { revision: 8, behind: Some(given.reign()) };
        assert_eq!(notice(Standing::Owns(7), ME, 8, Some(&given)), (waits, Meaning::GivesWay));
        let behind = Standing::Waits { revision: 7, behind: None };
        assert_eq!(notice(behind, ME, 8, Some(&given)), (waits, Meaning::Nothing));
        assert_eq!(notice(waits, ME, 9, None).1, Meaning::Free);
        let taken = lease("c", 3, 6, How::Replaced);
        assert_eq!(notice(waits, ME, 9, Some(&taken)), (Standing::Out, Meaning::Replaced));
    }
}
