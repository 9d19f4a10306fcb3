//! What viewers saw, held against what was pushed and what was done at the time.

use std::time::{Duration, Instant};

use super::{APART, Court, ELECTION, Found, LABELS, LATER, UNCERTAIN};
use crate::cluster_chaos::acts::Act;
use crate::cluster_chaos::life::Life;
use crate::cluster_chaos::viewers::{View, Visit};

/// How long the viewer of a push that sends may be without media, on a machine that is busy.
const STALL: Duration = Duration::from_secs(3);
/// What the names of streams begin with whose viewers miss nothing.
const SHOWN: &str = "shown-";

impl Court<'_> {
    /// Whoever watched saw the pushes of a stream in the order in which they had it, and none again after the next one. A
    /// push that was shown was seen for as long as it was sent and the viewer's node was there.
    pub fn judge_view(&self, view: &View) -> Result<(), String> {
        let earlier_again = view.pushes.windows(2).filter(|pair| pair[0].0 > pair[1].0);
        for pair in earlier_again {
            if !self.has_regained(&view.stream, pair[1].0, pair[1].1) {
                return Err("media of a push came after that of the one that had taken over".to_owned());
            }
        }
        let mut pushed =
            self.lives.iter().filter(|life| life.stream == view.stream && life.lived().is_some());
        let (life, lived) = match (pushed.next(), pushed.next(), view.seen) {
            (None, _, None) => return Ok(()),
            (None, _, Some(_)) => return Err("a stream of nobody was seen".to_owned()),
            (Some(life), None, _) if life.stream.starts_with(SHOWN) => (life, life.lived()),
            _ => return Ok(()),
        };
        let Some(lived) = lived else { return Ok(()) };
        let far = view.node != life.node;
        let excused = |from, to| {
            // Who carries a stream of another node is found out by the registry.
            let lost = far && [view.node, life.node].iter().any(|node| self.disturbed(*node, from, to));
            lost || self.apart(view.node, life.node, from, to)
        };
        let Some((first, last)) = view.seen else {
            let long = lived.at.saturating_duration_since(lived.from) > lived.gap + STALL;
            return if long && !excused(lived.from, lived.at) {
                Err("nothing was seen".to_owned())
            } else {
                Ok(())
            };
        };
        let pauses = [
            (first.saturating_duration_since(lived.from), first),
            view.gap,
            (lived.at.saturating_duration_since(last), lived.at),
        ];
        let (pause, at) = pauses[usize::from(far)..].iter().max().copied().unwrap_or(view.gap);
        match pause > lived.gap + STALL && !excused(at - pause, at) {
            true => Err(format!("{pause:?} without media")),
            false => Ok(()),
        }
    }

    /// Whether a push had its stream again then: its node was without the registry while others had the stream, these were
    /// over, and it was still there.
    fn has_regained(&self, stream: &str, byte: u8, at: Instant) -> bool {
        let mut of_stream = self.lives.iter().filter(|life| life.stream == stream);
        let shows = |life: &Life| life.lived().and_then(|lived| lived.byte);
        let Some(old) = of_stream.clone().find(|life| shows(life) == Some(byte)) else { return false };
        let was_there = old.over() + LATER >= at;
        was_there
            && of_stream.all(|later| {
                let is_later = shows(later).is_some_and(|its| its > byte);
                !is_later
                    || (later.over() <= at && self.disturbed(old.node, later.asked, later.over()))
                    || later.asked > at
            })
    }

    /// Whether a record is of a viewer whom what was done sent away before it had said that it plays.
    pub fn is_a_viewers(&self, record: &Found) -> bool {
        let stopped = |node| record.code == "9/0" && self.stopped(node, record.from, record.to);
        let killed = |node| record.code == "11/0" && self.killed(node, record.to, UNCERTAIN);
        record.stream.is_empty()
            && record.from_node.is_none()
            && self.views.iter().any(|view| {
                let its = |visit: &Visit| {
                    visit.port == record.client.port()
                        && visit.from <= record.from + APART
                        && record.from <= visit.to + APART
                };
                record.node == LABELS[view.node]
                    && view.visits.iter().any(its)
                    && (stopped(view.node) || killed(view.node))
            })
    }

    /// Whether something was seen that the viewer's own node never carried.
    pub fn is_far(&self, view: &View) -> bool {
        let own =
            |life: &Life| life.stream == view.stream && life.node == view.node && life.lived().is_some();
        view.seen.is_some() && !self.lives.iter().any(own)
    }

    /// Whether what came from one node could not reach a viewer of another then, or the viewer's node was not there.
    fn apart(&self, viewers: usize, owner: usize, from: Instant, to: Instant) -> bool {
        let cut = |act| match act {
            Act::KillNode(node) | Act::StopNode(node) => node == viewers,
            Act::CutNodes(one, other) => [(one, other), (other, one)].contains(&(viewers, owner)),
            // To the others a node that they do not hear of is dead.
            Act::CutNodeFromRegistry(node) => viewers != owner && [viewers, owner].contains(&node),
            _ => false,
        };
        self.acts_on(cut).any(|done| done.from <= to && from <= done.until + ELECTION)
    }
}
