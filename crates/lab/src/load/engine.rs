//! The one thread that does it all: connects, sends what is due, reads what comes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use model::{Clock, SystemClock};

use super::around::{Around, Ending, Step, micros};
use super::media::{Media, audio_step};
use super::place::Place;
use super::plan::Plan;
use super::player::Player;
use super::publisher::Publisher;
use super::server_use::Observer;
use super::tally::{Report, Tally};
use super::timetable::Timetable;

/// Everything is read into this.
const SCRATCH: usize = 256 * 1024;
const EVENTS: usize = 1024;
/// Nothing is looked at less often.
const LOOK: Duration = Duration::from_millis(100);
/// The kernel's waits are no finer than this; what is due sooner is slept for.
const FINE: Duration = Duration::from_millis(1);
/// Connecting may take so long beyond the ramp.
const SETTLE: Duration = Duration::from_secs(30);
/// Who was lost or refused comes again after this time and up to half as much.
const COME_AGAIN: Duration = Duration::from_secs(1);
/// A server has so long to close after a goodbye.
const PARTING: Duration = Duration::from_secs(2);

/// What will be done at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Dial,
    Tend,
    Leave,
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: Duration,
    task: Task,
    who: usize,
    life: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Publishers connect, then players.
    Gathering {
        players: bool,
        until: Duration,
    },
    Window {
        since: Duration,
        until: Duration,
    },
    Parting {
        until: Duration,
    },
}

/// One of the connections.
#[derive(Debug)]
struct Member {
    role: Role,
    /// Which connection this is, counted from 1.
    life: u32,
    /// It was live once, or refused, or lost.
    settled: bool,
}

#[derive(Debug)]
enum Role {
    Publisher(Publisher),
    Player(Player),
}

pub(super) struct Engine<'a> {
    plan: &'a Plan,
    place: &'a Place,
    stop: &'a AtomicBool,
    clock: SystemClock,
    start: Instant,
    poll: Poll,
    members: Vec<Member>,
    timers: BinaryHeap<Reverse<Timer>>,
    video: Timetable,
    audio: Timetable,
    media: Media,
    /// Of streams that are played, where it differs.
    played: Option<Media>,
    server: Option<Observer>,
    tally: Tally,
    scratch: Vec<u8>,
    phase: Phase,
    random: u64,
    settled: usize,
    polled: Duration,
}

impl<'a> Engine<'a> {
    /// `pid` is the server's process, where it is on this machine.
    pub(super) fn new(
        plan: &'a Plan,
        place: &'a Place,
        stop: &'a AtomicBool,
        pid: Option<u32>,
    ) -> io::Result<Self> {
        let publishers =
            (0..plan.publishers).map(|number| Role::Publisher(Publisher::new(number, place.over())));
        let streams = plan.streams().max(1);
        let players =
            (0..plan.players).map(|number| Role::Player(Player::new(number % streams, plan.format)));
        let members =
            publishers.chain(players).map(|role| Member { role, life: 0, settled: false }).collect();
        let clock = SystemClock;
        Ok(Self {
            plan,
            place,
            stop,
            start: clock.instant(),
            clock,
            poll: Poll::new()?,
            members,
            timers: BinaryHeap::new(),
            video: Timetable::new(Duration::from_secs(1) / plan.fps),
            audio: Timetable::new(audio_step()),
            media: Media::new(plan.kbps, plan.fps),
            played: plan.played_kbps.map(|kbps| Media::new(kbps, plan.fps)),
            server: pid.map(Observer::new),
            tally: Tally::default(),
            scratch: vec![0; SCRATCH],
            phase: Phase::Gathering { players: false, until: Duration::ZERO },
            random: 0x2545_f491_4f6c_dd1d,
            settled: 0,
            polled: Duration::ZERO,
        })
    }

    /// Runs to the end; `measuring` is called when everybody is connected.
    pub(super) fn run(mut self, measuring: impl FnOnce()) -> io::Result<Report> {
        let mut measuring = Some(measuring);
        let mut events = Events::with_capacity(EVENTS);
        let now = self.now();
        self.gather(now, false);
        loop {
            let now = self.now();
            self.timers(now)?;
            self.send()?;
            let now = self.now();
            match self.phase {
                Phase::Gathering { players, until } => {
                    let wanted = if players { self.members.len() } else { self.plan.publishers as usize };
                    if self.settled < wanted && now < until {
                    } else if !players {
                        self.gather(now, true);
                    } else {
                        let until = now + Duration::from_secs(self.plan.seconds);
                        self.phase = Phase::Window { since: now, until };
                        self.tally.measuring = true;
                        measuring.take().into_iter().for_each(|told| told());
                    }
                }
                Phase::Window { since, until } => {
                    if let Some(server) = &mut self.server {
                        server.look(now);
                    }
                    if now >= until || self.stop.load(Ordering::Relaxed) {
                        self.tally.measuring = false;
                        let report = self.report(now.saturating_sub(since));
                        self.part(now)?;
                        self.until_parted(&mut events)?;
                        return Ok(report);
                    }
                }
                Phase::Parting { .. } => {}
            }
            if self.stop.load(Ordering::Relaxed) && !self.tally.measuring {
                return Ok(self.report(Duration::ZERO));
            }
            self.wait(&mut events)?;
        }
    }

    fn now(&self) -> Duration {
        self.clock.instant().saturating_duration_since(self.start)
    }

    /// Lets publishers, or players, begin to connect.
    fn gather(&mut self, now: Duration, players: bool) {
        let publishers = self.plan.publishers as usize;
        let who = if players { publishers..self.members.len() } else { 0..publishers };
        let step = Duration::from_secs(1) / self.plan.ramp;
        let mut at = now;
        for who in who {
            self.timers.push(Reverse(Timer { at, task: Task::Dial, who, life: 0 }));
            at += step;
        }
        self.phase = Phase::Gathering { players, until: at + SETTLE };
    }

    fn timers(&mut self, now: Duration) -> io::Result<()> {
        while self.timers.peek().is_some_and(|Reverse(timer)| timer.at <= now) {
            let Some(Reverse(timer)) = self.timers.pop() else { break };
            let step = match (timer.task, self.members.get(timer.who)) {
                (Task::Dial, Some(_)) => self.dial(timer.who)?,
                (Task::Tend, Some(member)) if member.life == timer.life => self.tend(timer.who),
                (Task::Leave, Some(member)) if member.life == timer.life => self.leave(timer.who)?,
                (Task::Close, Some(member)) if member.life == timer.life => {
                    self.with(timer.who, |member, _| member.close())
                }
                _ => Step::Nothing,
            };
            self.after(timer.who, step);
        }
        Ok(())
    }

    fn dial(&mut self, who: usize) -> io::Result<Step> {
        let registry = self.poll.registry().try_clone()?;
        let step = self.with(who, |member, around| {
            member.life += 1;
            around.tally.reconnects += u64::from(member.life > 1);
            let dialed = match &mut member.role {
                Role::Publisher(publisher) => publisher.dial(around, &registry, Token(who)),
                Role::Player(player) => player.dial(around, &registry, Token(who)),
            };
            match dialed {
                Ok(()) => Step::Nothing,
                Err(error) => Step::Ended(Ending::Lost(format!("connect: {error}"))),
            }
        });
        self.tend_later(who);
        Ok(step)
    }

    /// Lets a connection do what is due by itself.
    fn tend(&mut self, who: usize) -> Step {
        let step = self.with(who, |member, around| match &mut member.role {
            Role::Publisher(publisher) => publisher.tend(around),
            Role::Player(_) => Step::Nothing,
        });
        self.tend_later(who);
        step
    }

    fn tend_later(&mut self, who: usize) {
        let at = self.now();
        if let Some(Member { role: Role::Publisher(publisher), life, .. }) = self.members.get(who)
            && publisher.is_there()
            && let Some(every) = publisher.tended()
        {
            self.timers.push(Reverse(Timer { at: at + every, task: Task::Tend, who, life: *life }));
        }
    }

    fn leave(&mut self, who: usize) -> io::Result<Step> {
        let Some(life) = self.members.get(who).map(|member| member.life) else { return Ok(Step::Nothing) };
        let at = self.now() + PARTING;
        self.timers.push(Reverse(Timer { at, task: Task::Close, who, life }));
        Ok(self.with(who, |member, around| match &mut member.role {
            Role::Publisher(publisher) => publisher.leave(around),
            Role::Player(player) => player.close(),
        }))
    }

    /// Sends all media that is due.
    fn send(&mut self) -> io::Result<()> {
        loop {
            let now = self.now();
            let video = self.video.next().filter(|at| *at <= now);
            let audio = self.audio.next().filter(|at| *at <= now);
            let is_video = match (video, audio) {
                (None, None) => return Ok(()),
                (Some(video), Some(audio)) => video <= audio,
                (video, None) => video.is_some(),
                (None, Some(_)) => false,
            };
            let table = if is_video { &mut self.video } else { &mut self.audio };
            let (turn, step) = (table.due(now), table.step());
            let Some(turn) = turn else { return Ok(()) };
            if self.members.get(turn.publisher).is_none_or(|member| member.life != turn.life) {
                continue;
            }
            if self.tally.measuring {
                self.tally.late_us = self.tally.late_us.max(micros(now.saturating_sub(turn.at)));
            }
            let done = self.with(turn.publisher, |member, around| match &mut member.role {
                Role::Publisher(publisher) if is_video => publisher.picture(around, step),
                Role::Publisher(publisher) => publisher.sound(around),
                Role::Player(_) => Step::Nothing,
            });
            if done == Step::Nothing {
                if is_video { &mut self.video } else { &mut self.audio }.again(turn);
            }
            self.after(turn.publisher, done);
        }
    }

    /// Waits until something is due or comes, and reads what has come.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let now = self.now();
        let timer = self.timers.peek().map(|Reverse(timer)| timer.at);
        let next = [timer, self.video.next(), self.audio.next()].into_iter().flatten().min();
        let wait = next.map_or(LOOK, |at| at.saturating_sub(now)).min(LOOK);
        let wait = if wait >= FINE {
            Duration::from_millis(u64::try_from(wait.as_millis()).unwrap_or(0))
        } else {
            std::thread::sleep(wait);
            // Most that comes can wait for a moment, and a look at nothing costs as much as one at something.
            if now.saturating_sub(self.polled) < FINE {
                return Ok(());
            }
            Duration::ZERO
        };
        self.polled = now;
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        for event in events.iter() {
            let who = event.token().0;
            if event.is_writable() {
                let step = self.with(who, |member, _| match &mut member.role {
                    Role::Publisher(publisher) => publisher.writable(),
                    Role::Player(player) => player.writable(),
                });
                self.after(who, step);
            }
            if event.is_readable() || event.is_error() || event.is_read_closed() {
                let to_the_end = event.is_read_closed() || event.is_error();
                let step = self.with(who, |member, around| match &mut member.role {
                    Role::Publisher(publisher) => publisher.readable(around, to_the_end),
                    Role::Player(player) => player.readable(around, to_the_end),
                });
                self.after(who, step);
            }
        }
        Ok(())
    }

    /// Does something with a member and all that is around it.
    fn with(&mut self, who: usize, work: impl FnOnce(&mut Member, &mut Around<'_>) -> Step) -> Step {
        let now = self.now();
        let Self { plan, members, scratch, place, media, played, tally, start, .. } = self;
        let Some(member) = members.get_mut(who) else { return Step::Nothing };
        let media = match played {
            Some(played) if who < plan.streams() as usize => played,
            _ => media,
        };
        work(member, &mut Around { start: *start, now, scratch, place, media, tally })
    }

    /// Draws the consequences of what a member did.
    fn after(&mut self, who: usize, step: Step) {
        let Some(member) = self.members.get_mut(who).filter(|_| step != Step::Nothing) else { return };
        if !std::mem::replace(&mut member.settled, true) {
            self.settled += 1;
        }
        let (life, is_publisher) = (member.life, matches!(member.role, Role::Publisher(_)));
        let now = self.now();
        match step {
            Step::Nothing => {}
            Step::Live => {
                if is_publisher {
                    let share = who as f64 / f64::from(self.plan.publishers.max(1));
                    self.video.enter(now, who, life, share);
                    self.audio.enter(now, who, life, share);
                }
                if let Some(churn) = self.plan.churn {
                    let at = now + churn.mul_f64(0.5 + self.draw());
                    self.timers.push(Reverse(Timer { at, task: Task::Leave, who, life }));
                }
            }
            Step::Ended(ending) => {
                match ending {
                    Ending::Refused(why) => {
                        self.tally.refusals += 1;
                        self.tally.error(why);
                    }
                    Ending::Lost(why) => {
                        self.tally.lost += 1;
                        self.tally.error(why);
                    }
                    Ending::Left => self.tally.left += 1,
                }
                if !matches!(self.phase, Phase::Parting { .. }) {
                    let at = now + COME_AGAIN.mul_f64(1.0 + self.draw() / 2.0);
                    self.timers.push(Reverse(Timer { at, task: Task::Dial, who, life }));
                }
            }
        }
    }

    /// From 0 to 1; the same in every run (xorshift64*).
    fn draw(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let bits = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        bits as f64 / f64::from(u32::MAX)
    }

    fn report(&mut self, window: Duration) -> Report {
        let live = |publishers: bool| {
            let of_role = |member: &&Member| matches!(member.role, Role::Publisher(_)) == publishers;
            self.members.iter().filter(of_role).filter(|member| member.is_live()).count()
        };
        let mut report = Report::new(&self.tally, window, live(true), live(false));
        let now = self.now();
        report.server = self.server.as_mut().and_then(|server| server.report(now));
        report
    }

    /// Everybody leaves.
    fn part(&mut self, now: Duration) -> io::Result<()> {
        self.phase = Phase::Parting { until: now + PARTING };
        self.timers.clear();
        for who in 0..self.members.len() {
            let step = self.leave(who)?;
            self.after(who, step);
        }
        Ok(())
    }

    fn until_parted(&mut self, events: &mut Events) -> io::Result<()> {
        while let Phase::Parting { until } = self.phase
            && self.now() < until
            && self.members.iter().any(Member::is_there)
        {
            self.timers(self.now())?;
            self.wait(events)?;
        }
        Ok(())
    }
}

impl Member {
    fn is_live(&self) -> bool {
        match &self.role {
            Role::Publisher(publisher) => publisher.is_live(),
            Role::Player(player) => player.is_live(),
        }
    }

    fn is_there(&self) -> bool {
        match &self.role {
            Role::Publisher(publisher) => publisher.is_there(),
            Role::Player(player) => player.is_there(),
        }
    }

    fn close(&mut self) -> Step {
        match &mut self.role {
            Role::Publisher(publisher) => publisher.close(),
            Role::Player(player) => player.close(),
        }
    }
}
