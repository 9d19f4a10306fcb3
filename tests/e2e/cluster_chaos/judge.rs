//! What the database says of each push, held against what its client saw and what was done at the time.
//!
//! | the client | the record |
//! |---|---|
//! | said goodbye, closed, reset, was killed, or its path was cut | 1/0, 3/0, 4/0, 3/0 or 4/0, 12/0 |
//! | was told `[code]` | that code, and the code is one that what was done at the time can bring about |
//! | was dropped without a word | 11/0, and its node was killed just then |
//! | left of its own accord, or was told to, just before its node was killed or its push ordered to end | its own end, or that |
//! | was refused | the code that it was told; at a kill just then 11/0, or perhaps none |
//! | had no answer | its node was killed or stopped just then; none, or one that what was done explains |
//!
//! | code | only when |
//! |---|---|
//! | 9/0 | the node was stopped then |
//! | 11/0 | the node was killed then |
//! | 21/102 | the push that it names has a record of its own, and took the stream on another node then; 21/103 where this one sent nothing for a while |
//! | 38/0 | the node may have been without its registry for the grace time; or another node had taken the stream meanwhile |
//! | 18/101, 18/102 | the node may have been without its registry then, or had just started |
//!
//! Each record is one client's. What a node leaves is of a fetch that was cut before its first byte, which nobody can know
//! for one; what a viewer leaves, of a node that was stopped or killed before it had heard what was wanted.

mod viewing;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::acts::{Act, Done};
use super::claims::{APART, Claims};
use super::life::{End, Life, Lived, Outcome, code};
use super::records::Found;
use super::viewers::View;
use super::world::{LABELS, Times};

/// An end that the journal has not committed at a kill is told as the kill, or not at all where it was a refusal: on a disk
/// that others keep busy a commit takes as long as this.
const UNCERTAIN: Duration = Duration::from_secs(1);
/// What an act brings about comes to its clients so much later at most.
const LATER: Duration = Duration::from_secs(3);
/// A path that is cut is given up within this time: three seconds of silence, the limit, and a busy machine.
const GIVEN_UP: Duration = Duration::from_secs(12);
/// Servers of NATS that have lost one of them agree anew within this time.
const ELECTION: Duration = Duration::from_secs(20);
/// Without media for this long a push counts as one that sends nothing.
const EMPTY: Duration = Duration::from_millis(2_500);

/// What should not have been.
#[derive(Debug)]
pub struct Fault {
    what: String,
    /// What the nodes' own words about it hold: a stream, or a client's address.
    about: String,
}

/// Lines of the nodes' logs about one fault.
const SAID_AT_MOST: usize = 40;

/// The judgement.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Pushes and refusals, by what their records say.
    pub codes: BTreeMap<String, usize>,
    pub live: usize,
    pub refused: usize,
    pub unanswered: usize,
    pub views: usize,
    /// Those who saw what another node carried.
    pub far: usize,
    pub faults: Vec<Fault>,
}

/// Judges every life, and that no record is of none.
pub fn judge(times: Times, lives: &[Life], views: &[View], acts: &[Done], records: &[Found]) -> Judgement {
    let claims = Claims::new(lives, records);
    let court = Court { times, lives, views, acts, records, claims: &claims };
    let mut judgement = Judgement::default();
    for (life, mine) in lives.iter().zip(&claims.of) {
        for record in mine {
            *judgement.codes.entry(record.code.clone()).or_default() += 1;
        }
        match life.outcome {
            Outcome::Live(_) => judgement.live += 1,
            Outcome::Refused { .. } => judgement.refused += 1,
            Outcome::Unanswered { .. } => judgement.unanswered += 1,
        }
        if let Err(fault) = court.judge(life, mine) {
            judgement.add(&life.stream, format!("{fault}: {life:?} has {mine:?}"));
        }
    }
    for view in views {
        judgement.views += 1;
        judgement.far += usize::from(court.is_far(view));
        if let Err(fault) = court.judge_view(view) {
            judgement.add(&view.stream, format!("{fault}: {view:?}"));
        }
    }
    for stray in &claims.strays {
        let whose = match () {
            () if court.was_cut_before_its_first_byte(stray) => Some("node"),
            () if court.is_a_viewers(stray) => Some("viewer"),
            () => None,
        };
        match whose {
            Some(whose) => *judgement.codes.entry(format!("{} of a {whose}", stray.code)).or_default() += 1,
            None => judgement.add(&stray.client.to_string(), format!("a record of nobody: {stray:?}")),
        }
    }
    judgement
}

struct Court<'a> {
    times: Times,
    lives: &'a [Life],
    views: &'a [View],
    acts: &'a [Done],
    records: &'a [Found],
    claims: &'a Claims<'a>,
}

impl Court<'_> {
    fn judge(&self, life: &Life, mine: &[&Found]) -> Result<(), String> {
        match (&life.outcome, mine) {
            (_, [_, _, ..]) => Err("more than one record".to_owned()),
            (Outcome::Live(_), []) => Err("no record of an accepted push".to_owned()),
            (Outcome::Live(lived), [record]) => self.ended(life, lived, record),
            (Outcome::Refused { at, .. }, []) => {
                let died = self.killed(life.node, *at, UNCERTAIN);
                died.then_some(()).ok_or_else(|| "no record of a refused push".to_owned())
            }
            (Outcome::Refused { at, .. }, [record]) if self.died_with(life, record, *at) => Ok(()),
            (Outcome::Refused { text, at }, [record]) => {
                let told = code(text).unwrap_or("nothing");
                same(told, record)?;
                self.plausible(told, life, *at, Duration::ZERO, record)
            }
            (Outcome::Unanswered { at }, mine) => {
                if !self.was_down(life.node, life.asked, *at) {
                    return Err("no answer, and its node was there".to_owned());
                }
                match mine {
                    [record] => self.plausible(&record.code, life, *at, Duration::ZERO, record),
                    _ => Ok(()),
                }
            }
        }
    }

    fn ended(&self, life: &Life, lived: &Lived, record: &Found) -> Result<(), String> {
        let own: &[&str] = match &lived.end {
            End::Told(text) => {
                if self.died_with(life, record, lived.at) {
                    return Ok(());
                }
                let told = code(text).unwrap_or("nothing");
                same(told, record)?;
                return self.plausible(told, life, lived.at, lived.gap, record);
            }
            End::Dropped => {
                same("11/0", record)?;
                return self.plausible("11/0", life, lived.at, lived.gap, record);
            }
            End::DeleteStream => &["1/0"],
            End::Closed => &["3/0"],
            End::Reset => &["4/0"],
            End::Killed => &["3/0", "4/0"],
            End::CutOff => &["12/0"],
        };
        if own.contains(&record.code.as_str()) {
            return Ok(());
        }
        // An order that crossed with the client's own end, or came before the server gave a silent path up.
        let crossed = !["1/0", "3/0", "4/0", "12/0"].contains(&record.code.as_str());
        match crossed {
            true => self.plausible(&record.code, life, lived.at, lived.gap, record),
            false => Err(format!("not {own:?}")),
        }
    }

    /// Whether an end that the client was told went down with its node, which had not committed it.
    fn died_with(&self, life: &Life, record: &Found, at: Instant) -> bool {
        record.code == "11/0" && self.killed(life.node, at, UNCERTAIN)
    }

    /// Whether what was done can have brought a code about at that time.
    fn plausible(
        &self,
        code: &str,
        life: &Life,
        at: Instant,
        gap: Duration,
        record: &Found,
    ) -> Result<(), String> {
        // For the server a path that is cut lives on, until it is given up.
        let lives_on = match life.lived() {
            Some(Lived { end: End::CutOff, .. }) => GIVEN_UP,
            _ => Duration::ZERO,
        };
        let reason = record.detail["params"]["reason"].as_str().unwrap_or_default();
        let can = match code {
            "9/0" => self.stopped(life.node, at, at + lives_on),
            "11/0" => match life.lived().map(|lived| &lived.end) {
                // From the kill on its client knows it is gone.
                Some(End::Dropped) => self.killed_before(life.node, at),
                Some(End::CutOff) => self.killed(life.node, at, lives_on),
                _ => self.killed(life.node, at, UNCERTAIN),
            },
            "21/102" => return self.succeeded(life, at, record),
            "21/103" if gap >= EMPTY => return self.succeeded(life, at, record),
            "38/0" if reason.starts_with("the registry could not be reached") => {
                self.without_registry(life.node, at, LATER + lives_on)
            }
            "38/0" => self.taken_elsewhere(life, at) && self.disturbed(life.node, life.asked, at),
            "18/101" | "18/102" => self.disturbed(life.node, life.asked, at),
            _ => false,
        };
        can.then_some(()).ok_or_else(|| format!("nothing was done that explains {code}"))
    }

    /// Whether the push that a record names as its successor was there, on another node, and can have taken the stream then.
    fn succeeded(&self, life: &Life, at: Instant, record: &Found) -> Result<(), String> {
        let named = record.detail["params"]["push"].as_str().unwrap_or_default();
        let Some(next) = self.records.iter().find(|next| next.id == named) else {
            return Err(format!("its successor {named} has no record"));
        };
        let Some(newcomer) = self.claims.whose(next).and_then(|at| self.lives.get(at)) else {
            return Err(format!("its successor {next:?} is nobody's"));
        };
        // It had the stream, whether or not that came to its client's ears.
        let took = match &newcomer.outcome {
            Outcome::Live(lived) => lived.from <= at + LATER,
            Outcome::Unanswered { .. } => true,
            // The registry had taken it, and its answer was lost on the way.
            Outcome::Refused { text, .. } => matches!(code(text), Some("18/101" | "18/102" | "9/0")),
        };
        let elsewhere = next.stream == life.stream && next.node != record.node;
        let meanwhile = life.asked <= newcomer.asked && next.from <= at + APART;
        // Who is cut off hears of it late.
        let told_in_time =
            at <= next.to.max(newcomer.over()) + LATER || self.disturbed(life.node, next.from, at);
        match took && elsewhere && meanwhile && told_in_time {
            true => Ok(()),
            false => Err(format!("its successor does not fit: {newcomer:?} has {next:?}")),
        }
    }

    /// Whether a node was to fetch from another one, and what was done then cut it before it had said a word.
    fn was_cut_before_its_first_byte(&self, record: &Found) -> bool {
        let owner = LABELS.iter().position(|label| *label == record.node);
        let (Some(asker), Some(owner)) = (record.from_node, owner) else { return false };
        let cut = |act| match act {
            Act::KillNode(node) | Act::StopNode(node) => node == asker,
            Act::CutNodes(one, other) => [(one, other), (other, one)].contains(&(asker, owner)),
            _ => false,
        };
        record.code == "22/0"
            && record.stream.is_empty()
            && record.bytes_in == 0
            && self
                .acts_on(cut)
                .any(|done| done.from <= record.to + APART && record.from <= done.until + APART)
    }

    fn acts_on(&self, is: impl Fn(Act) -> bool) -> impl Iterator<Item = &Done> {
        self.acts.iter().filter(move |done| is(done.act))
    }

    /// Whether the node was killed at most so long after.
    fn killed(&self, node: usize, at: Instant, after: Duration) -> bool {
        self.acts_on(|act| act == Act::KillNode(node)).any(|done| done.from <= at + after && at <= done.until)
    }

    /// Whether the node was killed just before.
    fn killed_before(&self, node: usize, at: Instant) -> bool {
        self.acts_on(|act| act == Act::KillNode(node)).any(|done| done.from <= at && at <= done.from + LATER)
    }

    /// Whether the node was killed or stopped, or had not come back, at some time between.
    fn was_down(&self, node: usize, from: Instant, to: Instant) -> bool {
        self.acts_on(|act| [Act::KillNode(node), Act::StopNode(node)].contains(&act))
            .any(|done| done.from <= to && from <= done.until)
    }

    fn stopped(&self, node: usize, from: Instant, to: Instant) -> bool {
        self.acts_on(|act| act == Act::StopNode(node)).any(|done| done.from <= to && from <= done.until)
    }

    /// Whether the node may have been without its registry at some time between.
    fn disturbed(&self, node: usize, from: Instant, to: Instant) -> bool {
        self.acts_on(|act| act.disturbs_registry_of(node))
            .any(|done| done.from <= to && from <= done.until + ELECTION)
    }

    /// Whether the node may have been without its registry for the grace time.
    fn without_registry(&self, node: usize, at: Instant, late: Duration) -> bool {
        self.acts_on(|act| act.disturbs_registry_of(node))
            .any(|done| done.from + self.times.grace <= at + late && at <= done.until + ELECTION)
    }

    /// Whether another push of the stream went live on another node about then.
    fn taken_elsewhere(&self, life: &Life, at: Instant) -> bool {
        self.lives.iter().any(|other| {
            other.stream == life.stream
                && other.node != life.node
                && other.asked >= life.asked
                && other.asked <= at
                && other.lived().is_some_and(|lived| lived.from <= at + LATER)
        })
    }
}

fn same(told: &str, record: &Found) -> Result<(), String> {
    (record.code == told).then_some(()).ok_or_else(|| format!("not {told}"))
}

/// Whether a line has these words in it, and not as a part of longer ones.
fn holds(line: &str, words: &str) -> bool {
    let in_word = |char: char| char.is_alphanumeric() || char == '-';
    line.match_indices(words).any(|(at, _)| !line[at + words.len()..].starts_with(in_word))
}

impl Judgement {
    fn add(&mut self, about: &str, what: String) {
        self.faults.push(Fault { what, about: about.to_owned() });
    }

    /// The faults, each with what the nodes have logged about it.
    pub fn faults(&self, logs: &[String]) -> String {
        let said = |fault: &Fault| {
            let lines = logs.iter().flat_map(|log| log.lines()).filter(|line| holds(line, &fault.about));
            let said: Vec<_> = lines.take(SAID_AT_MOST).collect();
            format!("{}\n    {}\n", fault.what, said.join("\n    "))
        };
        self.faults.iter().map(said).collect()
    }

    /// What happened, in a few lines.
    pub fn summary(&self, acts: &[Done]) -> String {
        let mut done: BTreeMap<String, usize> = BTreeMap::new();
        for act in acts {
            *done.entry(act.act.name()).or_default() += 1;
        }
        let list = |counts: &BTreeMap<String, usize>| {
            let each: Vec<_> = counts.iter().map(|(what, count)| format!("{what}: {count}")).collect();
            each.join(", ")
        };
        format!(
            "{} pushes accepted, {} refused, {} without an answer, {} viewers, {} of them far from the push\nacts: {}\nrecords: {}\nfaults: {}",
            self.live,
            self.refused,
            self.unanswered,
            self.views,
            self.far,
            list(&done),
            list(&self.codes),
            self.faults.len()
        )
    }
}

#[cfg(test)]
mod tests;
