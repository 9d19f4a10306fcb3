//! What happens when. Three things go on beside each other: something befalls the nodes, the registry, and the database and
//! the links between.

use std::time::Duration;

use super::acts::Act;
use super::world::COUNT;
use crate::node_death::churn::Dice;

/// One act of a lane.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// After the one before.
    pub after: Duration,
    pub act: Act,
    pub lasts: Duration,
}

/// What happens one after the other.
pub type Lane = Vec<Step>;

/// Each kind of act, about once.
pub fn short(dice: &mut Dice) -> [Lane; 3] {
    let beyond_grace = Duration::from_secs(14);
    let (a, b, c) = (roll(dice), roll(dice), roll(dice));
    let brief = |dice: &mut Dice, act| Step {
        after: millis(dice, 500, 2_500),
        act,
        lasts: millis(dice, 1_500, 3_500),
    };
    let nodes = [Act::KillNode(0), Act::KillNode(1), Act::KillNode(2), Act::StopNode(a)];
    let mut registry = [
        Act::KillNats(b),
        Act::KillNats((b + 1) % COUNT),
        Act::CutNats(b, (b + 1) % COUNT),
        Act::CutNodeFromNats(c, a),
    ]
    .map(|act| brief(dice, act))
    .to_vec();
    for act in [Act::StopNats, Act::CutNodeFromRegistry(c)] {
        registry.push(Step { after: millis(dice, 500, 2_500), act, lasts: beyond_grace });
    }
    let mut rest = [Act::UnplugDatabase, Act::CutNodeFromDatabase(b), Act::CutNodes(a, (a + 1) % COUNT)]
        .map(|act| brief(dice, act))
        .to_vec();
    rest.push(Step { after: millis(dice, 500, 2_500), act: Act::StopDatabase, lasts: beyond_grace });
    let nodes = nodes.map(|act| Step { after: millis(dice, 3_000, 8_000), ..brief(dice, act) });
    [shuffled(dice, nodes.to_vec()), shuffled(dice, registry), shuffled(dice, rest)]
}

/// All acts in rounds until the time is over; once in it the registry is away for a minute, and the database for ten.
pub fn long(dice: &mut Dice, time: Duration) -> [Lane; 3] {
    let each = |act: fn(usize) -> Act| (0..COUNT).map(act).collect::<Vec<_>>();
    let pairs = |act: fn(usize, usize) -> Act| (0..COUNT).map(|one| act(one, (one + 1) % COUNT)).collect();
    let nodes = [each(Act::KillNode), each(Act::StopNode)].concat();
    let links = (0..COUNT * COUNT).map(|link| Act::CutNodeFromNats(link / COUNT, link % COUNT)).collect();
    let registry: Vec<Vec<Act>> =
        vec![each(Act::KillNats), each(Act::KillNats), pairs(Act::CutNats), links, vec![Act::StopNats]];
    let rest =
        [each(Act::CutNodeFromDatabase), pairs(Act::CutNodes), vec![Act::UnplugDatabase, Act::StopDatabase]];
    let isolated = each(Act::CutNodeFromRegistry);
    let away = |act, share: u32, secs: u64| Step {
        after: time / 100 * share,
        act,
        lasts: Duration::from_secs(secs).min(time / 3),
    };
    [
        rounds(dice, &nodes, time, None),
        rounds(dice, &[registry.concat(), isolated].concat(), time, Some(away(Act::StopNats, 5, 60))),
        rounds(dice, &rest.concat(), time, Some(away(Act::StopDatabase, 10, 600))),
    ]
}

/// Acts in ever new order, until the time is over.
fn rounds(dice: &mut Dice, acts: &[Act], time: Duration, first: Option<Step>) -> Lane {
    let mut lane: Lane = first.into_iter().collect();
    let mut taken = lane.iter().map(|step| step.after + step.lasts).sum::<Duration>();
    loop {
        for act in shuffled(dice, acts.to_vec()) {
            let lasts = match act {
                // Shorter and longer than the grace.
                Act::CutNodeFromRegistry(_) => millis(dice, 10_000, 45_000),
                _ => millis(dice, 1_000, 15_000),
            };
            let step = Step { after: millis(dice, 1_000, 10_000), act, lasts };
            taken += step.after + step.lasts;
            if taken > time {
                return lane;
            }
            lane.push(step);
        }
    }
}

fn shuffled<T>(dice: &mut Dice, mut all: Vec<T>) -> Vec<T> {
    for last in (1..all.len()).rev() {
        all.swap(last, number(dice, 0, last as u64 + 1) as usize);
    }
    all
}

fn roll(dice: &mut Dice) -> usize {
    number(dice, 0, COUNT as u64) as usize
}

fn millis(dice: &mut Dice, from: u64, below: u64) -> Duration {
    Duration::from_millis(number(dice, from, below))
}

fn number(dice: &mut Dice, from: u64, below: u64) -> u64 {
    from + dice.next() % (below - from)
}
