//! What the database says of each push, held against what its client saw and what was done at the time.
//!
//! | the client | the record |
//! |---|---|
//! | said goodbye, closed, reset, was killed, or its path was cut | 1/0, 3/0, 4/0, 3/0 or 4/0, 12/0 |
//! | was told `[code]` | that code, and the code is one that what was done at the time can bring about |
//! | was dropped without a word | 11/0, and its node was killed just then |
//! | left of its own accord, or was told to, just before its node was killed or its push ordered to end | its own end, or that |
//! | was refused | the code that it was told; at a kill just then perhaps none |
//! | had no answer | none, or one; and its node was killed or stopped just then |
//!
//! | code | only when |
//! |---|---|
//! | 9/0 | the node was stopped then |
//! | 11/0 | the node was killed then |
//! | 21/102 | another push of the stream went live elsewhere then; 21/103 where this one sent nothing for a while |
//! | 38/0 | the node may have been without its registry for the grace time; or another node had taken the stream meanwhile |
//! | 18/101, 18/102 | the node may have been without its registry then, or had just started |

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::acts::{Act, Done};
use super::life::{End, Life, Lived, Outcome, code};
use super::viewers::View;
use super::world::{LABELS, Times, World};

/// An end that the journal has not committed at a kill is told as the kill, or not at all where it was a refusal: on a disk
/// that others keep busy a commit takes as long as this.
const UNCERTAIN: Duration = Duration::from_secs(1);
/// What an act brings about comes to its clients so much later at most.
const LATER: Duration = Duration::from_secs(3);
/// A path that is cut is given up within this time: three seconds of silence, the limit, and a busy machine.
const GIVEN_UP: Duration = Duration::from_secs(12);
/// Servers of NATS that have lost one of them agree anew within this time.
const ELECTION: Duration = Duration::from_secs(20);
/// How long the viewer of a push that sends may be without media, on a machine that is busy.
const STALL: Duration = Duration::from_secs(3);
/// What the names of streams begin with whose viewers miss nothing.
const SHOWN: &str = "shown-";
/// Without media for this long a push counts as one that sends nothing.
const EMPTY: Duration = Duration::from_millis(2_500);

/// A record of the database.
#[derive(Clone, Debug)]
pub struct Found {
    stream: String,
    node: String,
    port: u64,
    code: String,
    detail: Value,
}

/// All records of the database.
pub fn records(world: &World) -> Vec<Found> {
    let sql = "select json_build_object('stream', coalesce(s.text, ''), 'node', r.node, 'port', r.client_port, \
        'code', r.errcode || '/' || r.sub_errcode, 'detail', r.detail) \
        from record r left join stream s on s.id = r.stream_id";
    let rows = world.database().sql(sql).unwrap();
    let read = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        Found {
            stream: text("stream"),
            node: text("node"),
            port: row["port"].as_u64().unwrap(),
            code: text("code"),
            detail: row["detail"].clone(),
        }
    };
    rows.lines().filter(|line| !line.is_empty()).map(read).collect()
}

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
    pub faults: Vec<String>,
}

/// Judges every life, and that no record is of none.
pub fn judge(times: Times, lives: &[Life], views: &[View], acts: &[Done], records: &[Found]) -> Judgement {
    let court = Court { times, lives, acts };
    let mut by_stream: HashMap<&str, Vec<&Found>> = HashMap::new();
    for record in records {
        by_stream.entry(&record.stream).or_default().push(record);
    }
    let ports: HashSet<u64> = lives.iter().filter_map(|life| life.port.map(u64::from)).collect();
    let mut judgement = Judgement::default();
    for life in lives {
        let mut mine: Vec<_> = match by_stream.get_mut(life.stream.as_str()) {
            Some(of) => of.extract_if(.., |record| is_of(record, life)).collect(),
            None => Vec::new(),
        };
        // Who had not come so far as to say what it would publish.
        if let (Outcome::Unanswered { .. }, Some(nameless)) = (&life.outcome, by_stream.get_mut("")) {
            let free = |record: &Found| life.port.is_some() || !ports.contains(&record.port);
            mine.extend(nameless.extract_if(.., |record| is_of(record, life) && free(record)).take(1));
        }
        for record in &mine {
            *judgement.codes.entry(record.code.clone()).or_default() += 1;
        }
        match life.outcome {
            Outcome::Live(_) => judgement.live += 1,
            Outcome::Refused { .. } => judgement.refused += 1,
            Outcome::Unanswered { .. } => judgement.unanswered += 1,
        }
        if let Err(fault) = court.judge(life, &mine) {
            judgement.faults.push(format!("{fault}: {life:?} has {mine:?}"));
        }
    }
    for view in views {
        judgement.views += 1;
        judgement.far += usize::from(court.is_far(view));
        if let Err(fault) = court.judge_view(view) {
            judgement.faults.push(format!("{fault}: {view:?}"));
        }
    }
    let strays = by_stream.into_values().flatten();
    judgement.faults.extend(strays.map(|record| format!("a record of no push of any client: {record:?}")));
    judgement
}

fn is_of(record: &Found, life: &Life) -> bool {
    record.node == LABELS[life.node] && life.port.is_none_or(|port| record.port == u64::from(port))
}

struct Court<'a> {
    times: Times,
    lives: &'a [Life],
    acts: &'a [Done],
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
            (Outcome::Refused { text, at }, [record]) => {
                let told = code(text).unwrap_or("nothing");
                same(told, record)?;
                self.plausible(told, life, *at, Duration::ZERO, record)
            }
            (Outcome::Unanswered { connected: false, .. }, []) => Ok(()),
            (Outcome::Unanswered { at, .. }, _) => {
                let gone = self.killed(life.node, *at, LATER) || self.stopped(life.node, life.asked, *at);
                gone.then_some(()).ok_or_else(|| "no answer, and its node was there".to_owned())
            }
        }
    }

    fn ended(&self, life: &Life, lived: &Lived, record: &Found) -> Result<(), String> {
        let own: &[&str] = match &lived.end {
            End::Told(text) => {
                if record.code == "11/0" && self.killed(life.node, lived.at, UNCERTAIN) {
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
            "21/102" => self.taken_elsewhere(life, at),
            "21/103" => self.taken_elsewhere(life, at) && gap >= EMPTY,
            "38/0" if reason.starts_with("the registry could not be reached") => {
                self.without_registry(life.node, at, LATER + lives_on)
            }
            "38/0" => self.taken_elsewhere(life, at) && self.disturbed(life.node, life.asked, at),
            "18/101" | "18/102" => self.disturbed(life.node, life.asked, at),
            _ => false,
        };
        can.then_some(()).ok_or_else(|| format!("nothing was done that explains {code}"))
    }

    /// Whoever watched saw the pushes of a stream in the order in which they had it, and none again after the next one. A
    /// push that was shown was seen for as long as it was sent and the viewer's node was there.
    fn judge_view(&self, view: &View) -> Result<(), String> {
        if !view.pushes.is_sorted() {
            return Err("media of a push came after that of the one that had taken over".to_owned());
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

    /// Whether something was seen that the viewer's own node never carried.
    fn is_far(&self, view: &View) -> bool {
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

impl Judgement {
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::support::clock::now;

    const TIMES: Times = Times { lease: Duration::from_secs(2), grace: Duration::from_secs(10) };

    fn s(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    /// A push on the first node that began at `began` and ended so ten seconds later.
    fn life(began: Instant, end: End) -> Life {
        let lived = Lived { from: began, end, at: began + s(10), gap: Duration::ZERO };
        Life { stream: "a".into(), node: 0, port: Some(7), asked: began, outcome: Outcome::Live(lived) }
    }

    fn record(code: &str) -> Found {
        let (stream, node) = ("a".to_owned(), LABELS[0].to_owned());
        Found { stream, node, port: 7, code: code.to_owned(), detail: json!({ "params": {} }) }
    }

    fn faults(lives: &[Life], acts: &[Done], records: &[Found]) -> usize {
        judge(TIMES, lives, &[], acts, records).faults.len()
    }

    #[test]
    fn every_accepted_push_has_one_record_and_no_record_is_of_nobody() {
        let lives = [life(now(), End::DeleteStream)];
        let one = record("1/0");
        assert_eq!(faults(&lives, &[], std::slice::from_ref(&one)), 0);
        assert_eq!(faults(&lives, &[], &[]), 1);
        assert_eq!(faults(&lives, &[], &[one.clone(), one.clone()]), 1);
        assert_eq!(faults(&[], &[], std::slice::from_ref(&one)), 1);
        let elsewhere = Found { node: LABELS[1].into(), ..one.clone() };
        assert_eq!(faults(&lives, &[], &[one, elsewhere]), 1);
    }

    #[test]
    fn a_cause_is_what_the_client_did_or_was_told() {
        let told = |text: &str| End::Told(text.to_owned());
        for (end, code, count) in [
            (End::Closed, "3/0", 0),
            (End::Closed, "4/0", 1),
            (End::CutOff, "12/0", 0),
            (End::Killed, "4/0", 0),
            (End::DeleteStream, "0/0", 1),
            (told("[9/0] stopped"), "11/0", 1),
            (told("[9/0] stopped"), "9/0", 1),
            (told("[21/102] taken over"), "21/102", 1),
            (End::Dropped, "11/0", 1),
            (End::Dropped, "3/0", 1),
        ] {
            assert_eq!(faults(&[life(now(), end.clone())], &[], &[record(code)]), count, "{end:?} {code}");
        }
    }

    #[test]
    fn what_was_done_explains_a_cause_only_where_and_when_it_was_done() {
        let began = now();
        let done = |act, from: u64| Done { act, from: began + s(from), until: began + s(from + 4) };
        let dropped = [life(began, End::Dropped)];
        for (act, from, count) in [
            (Act::KillNode(0), 9, 0),
            (Act::KillNode(1), 9, 1),
            (Act::KillNode(0), 2, 1),
            (Act::KillNode(0), 12, 1),
        ] {
            assert_eq!(faults(&dropped, &[done(act, from)], &[record("11/0")]), count, "{act:?} {from}");
        }
        let left = [life(began, End::DeleteStream)];
        assert_eq!(faults(&left, &[done(Act::KillNode(0), 10)], &[record("11/0")]), 0, "at the very moment");
        assert_eq!(
            faults(&left, &[done(Act::KillNode(0), 12)], &[record("11/0")]),
            1,
            "two seconds too late"
        );
        let told = [life(began, End::Told("[21/102] taken over".into()))];
        assert_eq!(
            faults(&told, &[done(Act::KillNode(0), 10)], &[record("11/0")]),
            0,
            "told, and not committed"
        );
        assert_eq!(faults(&told, &[done(Act::KillNode(0), 12)], &[record("11/0")]), 1, "told long before");
        let lost = [life(began, End::Told("[38/0] lost".into()))];
        let lost_record = Found {
            detail: json!({ "params": { "reason": "the registry could not be reached for 10 s" } }),
            ..record("38/0")
        };
        let records = [lost_record];
        let away = |act, from| [Done { act, from, until: began + s(10) }];
        assert_eq!(faults(&lost, &away(Act::CutNodeFromRegistry(0), began - s(2)), &records), 0);
        assert_eq!(faults(&lost, &away(Act::CutNodeFromRegistry(1), began - s(2)), &records), 1);
        assert_eq!(faults(&lost, &away(Act::StopNats, began + s(9)), &records), 1, "not for the grace");
    }

    #[test]
    fn a_viewer_misses_nothing_and_never_sees_an_earlier_push_again() {
        let began = now();
        let mut shown = life(began, End::DeleteStream);
        shown.stream = "shown-a".into();
        let records = [Found { stream: "shown-a".into(), ..record("1/0") }];
        let seen = |pushes: &[u8], gap: u64, until: u64| View {
            stream: "shown-a".into(),
            node: 0,
            seen: Some((began, began + s(until))),
            gap: (s(gap), began + s(8)),
            closed: None,
            pushes: pushes.to_vec(),
        };
        for (view, count) in [
            (seen(&[1], 1, 10), 0),
            (seen(&[1], 5, 10), 1),
            (seen(&[1], 1, 5), 1),
            (seen(&[1, 2, 1], 1, 10), 1),
        ] {
            let lives = std::slice::from_ref(&shown);
            let judgement = judge(TIMES, lives, std::slice::from_ref(&view), &[], &records);
            assert_eq!(judgement.faults.len(), count, "{view:?}");
        }
    }
}
