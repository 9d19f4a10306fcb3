//! What the database says of each push, held against what its client saw and what was done at the time.
//!
//! | the client | the record |
//! |---|---|
//! | said goodbye, closed, reset, was killed, or its path was cut | 1/0, 3/0, 4/0, 3/0 or 4/0, 12/0 |
//! | was told `[code]` | that code, and the code is one that what was done at the time can bring about |
//! | was dropped without a word | 11/0, and its node was killed just then |
//! | left of its own accord just before its node was killed or its push ordered to end | its own end, or that |
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

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::acts::{Act, Done};
use super::clients::Clients;
use super::life::{End, Life, Lived, Outcome, code};
use super::viewers::View;
use super::world::{LABELS, Times, World};

/// An end this short before a kill may be told as the kill, or not at all where it was a refusal.
const UNCERTAIN: Duration = Duration::from_millis(100);
/// What an act brings about comes to its clients so much later at most.
const LATER: Duration = Duration::from_secs(3);
/// A path that is cut is given up within this time: three seconds of silence, the limit, and a busy machine.
const GIVEN_UP: Duration = Duration::from_secs(12);
/// Servers of NATS that have lost one of them agree anew within this time.
const ELECTION: Duration = Duration::from_secs(20);
/// How long the viewer of a push that sends may be without media, on a machine that is busy.
const STALL: Duration = Duration::from_secs(3);
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
    pub faults: Vec<String>,
}

/// Judges every life, and that no record is of none.
pub fn judge(times: Times, clients: &Clients<'_>, acts: &[Done], records: &[Found]) -> Judgement {
    let lives = &clients.lives();
    let court = Court { times, lives, acts };
    let mut by_stream: HashMap<&str, Vec<&Found>> = HashMap::new();
    for record in records {
        by_stream.entry(&record.stream).or_default().push(record);
    }
    let mut judgement = Judgement::default();
    for life in lives {
        let of = by_stream.get_mut(life.stream.as_str());
        let mine: Vec<_> = match of {
            Some(of) => of.extract_if(.., |record| is_of(record, life)).collect(),
            None => Vec::new(),
        };
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
    for view in clients.views() {
        judgement.views += 1;
        if let Err(fault) = court.judge_view(&view) {
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

    /// Whoever watched a push on its own node had media for as long as the push sent it and the node was there.
    fn judge_view(&self, view: &View) -> Result<(), String> {
        let pushed = self.lives.iter().find(|life| life.stream == view.stream && life.lived().is_some());
        let lived = pushed.and_then(Life::lived).ok_or("a stream of nobody was seen")?;
        let until = lived.at;
        let Some((first, last)) = view.seen else {
            let long = until.saturating_duration_since(lived.from) > lived.gap + STALL;
            return if long { Err("nothing was seen".to_owned()) } else { Ok(()) };
        };
        let gone = |at| self.killed(view.node, at, LATER) || self.stopped(view.node, at, at);
        if view.closed.is_some_and(|at| at + STALL < until && !gone(at)) {
            return Err("the connection was closed before the push ended".to_owned());
        }
        let pause = [first - lived.from.min(first), view.gap, until.saturating_duration_since(last)];
        match pause.into_iter().max().filter(|pause| *pause > lived.gap + STALL) {
            Some(pause) => Err(format!("{pause:?} without media")),
            None => Ok(()),
        }
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
            "{} pushes accepted, {} refused, {} without an answer, {} viewers\nacts: {}\nrecords: {}\nfaults: {}",
            self.live,
            self.refused,
            self.unanswered,
            self.views,
            list(&done),
            list(&self.codes),
            self.faults.len()
        )
    }
}
