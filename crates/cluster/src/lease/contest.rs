//! The conflict rules of one node, held against a lease of another.

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};
use model::catalog::ConflictRule;
use model::{PushId, Timestamp};
use uuid::Uuid;

use super::{How, Lease, Takeover};

/// How far back takeovers count.
const WINDOW: Duration = Duration::from_secs(120);
/// After this many takeovers between two sources the one that is live stays.
const TAKEOVERS: usize = 3;
/// More takeovers than this are not handed on.
const REMEMBERED: usize = 16;

/// A push that wants a stream key, and the node it is on.
#[derive(Clone, Debug)]
pub(crate) struct Contender {
    pub node: String,
    pub run: Uuid,
    pub push: PushId,
    pub client: SocketAddr,
    pub priority: Option<i64>,
    pub rule: ConflictRule,
}

/// What is known of a lease's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It is alive, or may be.
    There,
    /// Its run is over.
    Over,
}

/// What may be done about a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Judged {
    /// Write this.
    Take(Lease),
    /// Wait until its owner lets go.
    Wait,
    /// The rules keep the newcomer out.
    Refuse(Act),
}

/// Judges a contender against the lease that stands, if one does.
pub(super) fn judge(me: &Contender, held: Option<(&Lease, Owner)>, now: Timestamp) -> Judged {
    let Some((lease, owner)) = held else { return Judged::Take(me.lease(How::Free, None, Vec::new(), now)) };
    if lease.node == me.node && lease.run == me.run {
        // This node has let the push in by the same rules already.
        let mine = me.lease(lease.how, lease.from.clone(), lease.takeovers.clone(), lease.since);
        return Judged::Take(Lease { switched: lease.switched, ..mine });
    }
    let from = Some((lease.node.clone(), lease.run));
    let recent = recent(&lease.takeovers, now);
    if owner == Owner::Over || lease.node == me.node {
        return Judged::Take(me.lease(How::Orphaned, from, recent, now));
    }
    let (mine, theirs) = (me.priority.unwrap_or(0), lease.priority.unwrap_or(0));
    let prioritised = me.priority.is_some() || lease.priority.is_some();
    let rule = match (prioritised, mine.cmp(&theirs)) {
        (true, Ordering::Less) => return Judged::Refuse(lower_priority(mine, theirs, lease)),
        (true, Ordering::Greater) => ConflictRule::Replace,
        _ => me.rule,
    };
    match rule {
        ConflictRule::Refuse => Judged::Refuse(already_live(lease, now)),
        ConflictRule::Backup => Judged::Wait,
        ConflictRule::Replace => replace(me, lease, from, recent, now),
    }
}

/// The lease by which a push that waits carries the stream because an operator wants it so; `None` where the node has it
/// already. Rules and priorities were asked when the push came.
pub(crate) fn switch(me: &Contender, held: Option<(&Lease, Owner)>, now: Timestamp) -> Option<Lease> {
    let Some((lease, owner)) = held else { return Some(me.lease(How::Free, None, Vec::new(), now)) };
    if lease.node == me.node && lease.run == me.run {
        return None;
    }
    let (from, recent) = (Some((lease.node.clone(), lease.run)), recent(&lease.takeovers, now));
    if owner == Owner::Over || lease.node == me.node {
        return Some(me.lease(How::Orphaned, from, recent, now));
    }
    Some(Lease { switched: true, ..me.lease(How::Replaced, from, recent, now) })
}

fn replace(
    me: &Contender,
    lease: &Lease,
    from: Option<(String, Uuid)>,
    mut recent: Vec<Takeover>,
    now: Timestamp,
) -> Judged {
    if lease.sends {
        let pair = ordered(lease.client.ip(), me.client.ip());
        let takeovers = recent.iter().filter(|t| ordered(t.from, t.to) == pair).count();
        if takeovers >= TAKEOVERS {
            return Judged::Refuse(duel(lease, me, takeovers));
        }
        recent.push(Takeover { at: now, from: lease.client.ip(), to: me.client.ip() });
    }
    Judged::Take(me.lease(How::Replaced, from, recent, now))
}

impl Contender {
    fn lease(
        &self,
        how: How,
        from: Option<(String, Uuid)>,
        takeovers: Vec<Takeover>,
        since: Timestamp,
    ) -> Lease {
        Lease {
            node: self.node.clone(),
            run: self.run,
            push: self.push,
            client: self.client,
            priority: self.priority,
            sends: false,
            since,
            how,
            from,
            switched: false,
            takeovers,
        }
    }
}

fn recent(takeovers: &[Takeover], now: Timestamp) -> Vec<Takeover> {
    let oldest = now.minus(WINDOW);
    let recent = takeovers.iter().rev().filter(|takeover| takeover.at > oldest).take(REMEMBERED - 1);
    let mut recent: Vec<_> = recent.copied().collect();
    recent.reverse();
    recent
}

fn ordered(a: IpAddr, b: IpAddr) -> (IpAddr, IpAddr) {
    if a <= b { (a, b) } else { (b, a) }
}

fn act(cause: Cause, detail: Detail) -> Act {
    Act { code: cause.code(), detail: Some(detail) }
}

fn already_live(live: &Lease, now: Timestamp) -> Act {
    let detail = Detail::new(DetailKey::AlreadyLive)
        .with("address", live.client.to_string())
        .with("push", live.push.to_string())
        .with("live_ms", now.since(live.since));
    act(Cause::TooManyPushesOfStream, detail)
}

fn lower_priority(mine: i64, theirs: i64, live: &Lease) -> Act {
    let detail = Detail::new(DetailKey::PriorityBelow)
        .with("priority", mine.to_string())
        .with("live_priority", theirs.to_string())
        .with("push", live.push.to_string());
    act(Cause::PriorityLower, detail)
}

fn duel(live: &Lease, new: &Contender, takeovers: usize) -> Act {
    let detail = Detail::new(DetailKey::Duel)
        .with("live", live.client.to_string())
        .with("refused", new.client.to_string())
        .with("push", live.push.to_string())
        .with("takeovers", u64::try_from(takeovers).unwrap_or(u64::MAX))
        .with("window_ms", u64::try_from(WINDOW.as_millis()).unwrap_or(u64::MAX));
    act(Cause::TooManyPushesOfStream, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn contender(node: &str, rule: ConflictRule) -> Contender {
        let last = if node == "a" { 1 } else { 2 };
        Contender {
            node: node.to_owned(),
            run: Uuid::from_u128(1),
            push: PushId::from_parts(NOW, last),
            client: SocketAddr::from(([192, 0, 2, u8::try_from(last).unwrap()], 4000)),
            priority: None,
            rule,
        }
    }

    fn held_by(node: &str) -> Lease {
        contender(node, ConflictRule::Replace).lease(How::Free, None, Vec::new(), NOW)
    }

    fn code(judged: Judged) -> String {
        match judged {
            Judged::Refuse(act) => act.code.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_free_key_is_taken() {
        let judged = judge(&contender("b", ConflictRule::Refuse), None, NOW);
        assert!(matches!(judged, Judged::Take(lease) if lease.how == How::Free && lease.node == "b"));
    }

    #[test]
    fn each_rule_has_its_answer_to_a_lease_of_another_node() {
        let lease = held_by("a");
        let held = Some((&lease, Owner::There));
        let taken = judge(&contender("b", ConflictRule::Replace), held, NOW);
        assert!(matches!(taken, Judged::Take(lease) if lease.how == How::Replaced
            && lease.from == Some(("a".to_owned(), Uuid::from_u128(1)))));
        assert_eq!(judge(&contender("b", ConflictRule::Backup), held, NOW), Judged::Wait);
        assert_eq!(code(judge(&contender("b", ConflictRule::Refuse), held, NOW)), "18/601");
    }

    #[test]
    fn an_operator_gives_the_stream_to_a_push_that_waits_whatever_the_rule() {
        let lease = held_by("a");
        let given = switch(&contender("b", ConflictRule::Backup), Some((&lease, Owner::There)), NOW).unwrap();
        assert!(
            given.switched && given.how == How::Replaced && given.from == Some(("a".to_owned(), lease.run))
        );
        assert!(given.takeovers.is_empty(), "it is no duel");
        assert_eq!(switch(&contender("b", ConflictRule::Backup), Some((&given, Owner::There)), NOW), None);
        let orphan = switch(&contender("b", ConflictRule::Backup), Some((&lease, Owner::Over)), NOW).unwrap();
        assert!(!orphan.switched && orphan.how == How::Orphaned);
        let second = contender("b", ConflictRule::Replace);
        let judged = judge(&second, Some((&given, Owner::There)), NOW);
        assert!(
            matches!(judged, Judged::Take(lease) if lease.switched),
            "its own pushes leave that as it is"
        );
    }

    #[test]
    fn priority_comes_before_the_rule() {
        let mut lease = held_by("a");
        lease.priority = Some(5);
        let held = Some((&lease, Owner::There));
        let mut new = contender("b", ConflictRule::Replace);
        assert_eq!(code(judge(&new, held, NOW)), "18/602");
        new.priority = Some(6);
        new.rule = ConflictRule::Refuse;
        assert!(matches!(judge(&new, held, NOW), Judged::Take(_)));
    }

    #[test]
    fn what_a_dead_node_left_is_taken_whatever_the_rule() {
        let lease = held_by("a");
        let judged = judge(&contender("b", ConflictRule::Refuse), Some((&lease, Owner::Over)), NOW);
        assert!(matches!(judged, Judged::Take(lease) if lease.how == How::Orphaned));
        let mut anew = contender("a", ConflictRule::Refuse);
        anew.run = Uuid::from_u128(2);
        let judged = judge(&anew, Some((&lease, Owner::There)), NOW);
        assert!(matches!(judged, Judged::Take(lease) if lease.how == How::Orphaned), "its own run before");
    }

    #[test]
    fn two_sources_that_take_over_for_ever_are_stopped_across_nodes() {
        let mut lease = held_by("a");
        for (turn, node) in ["b", "a", "b"].into_iter().enumerate() {
            lease.sends = true;
            let now = NOW.plus(Duration::from_secs(turn as u64));
            match judge(&contender(node, ConflictRule::Replace), Some((&lease, Owner::There)), now) {
                Judged::Take(next) => lease = next,
                other => panic!("turn {turn}: {other:?}"),
            }
        }
        lease.sends = true;
        let again = contender("a", ConflictRule::Replace);
        assert_eq!(code(judge(&again, Some((&lease, Owner::There)), NOW)), "18/601");
        let later = NOW.plus(WINDOW * 2);
        assert!(matches!(judge(&again, Some((&lease, Owner::There)), later), Judged::Take(_)));
        lease.sends = false;
        let judged = judge(&again, Some((&lease, Owner::There)), NOW);
        assert!(matches!(judged, Judged::Take(_)), "one that sends nothing is no duellist");
    }
}
