//! Clients that come and go without end, in every way there is, and write down what they saw.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope, sleep};
use std::time::{Duration, Instant};

use super::encoders::encode;
use super::life::{End, Life, Lived, Outcome, Port};
use super::viewers::{View, Way, view};
use super::world::{COUNT, World};
use crate::node_death::churn::Dice;
use crate::support::clock::now;
use crate::support::pusher::{NotLive, Pusher};
use crate::support::setup::DOMAIN;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(50);
/// After a push that came to nothing.
const REST: Duration = Duration::from_millis(500);
/// Clients on each node that come and go quickly.
const QUICK: usize = 3;
/// What the pictures of the first push of a stream that moves are made of; the next has the next byte.
const FIRST: u8 = 0x91;
/// Clients that move their streams from node to node.
const MOVERS: usize = 2;

/// What all clients share.
#[derive(Debug)]
pub struct Clients<'a> {
    pub world: &'a World,
    lives: Mutex<Vec<Life>>,
    views: Mutex<Vec<View>>,
    /// Connections whose path is cut stay open, so that nobody hears of their end.
    silent: Mutex<Vec<Pusher>>,
    stop: AtomicBool,
}

impl<'a> Clients<'a> {
    pub fn new(world: &'a World) -> Self {
        let (lives, views, silent) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { world, lives, views, silent, stop: AtomicBool::new(false) }
    }

    /// Starts them all; each leaves soon after [`Clients::stop`].
    pub fn start<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, dice: &mut Dice) {
        for node in 0..COUNT {
            for number in 0..QUICK {
                let dice = Dice::seeded(dice.next());
                scope.spawn(move || self.come_and_go(node, &format!("quick-{node}-{number}"), dice));
            }
            let [silent, shown, encoder] = [(); 3].map(|()| Dice::seeded(dice.next()));
            scope.spawn(move || self.fall_silent(node, silent));
            scope.spawn(move || self.show(node, shown));
            scope.spawn(move || encode(self, node, encoder));
        }
        for number in 0..MOVERS {
            let dice = Dice::seeded(dice.next());
            scope.spawn(move || self.move_about(number, dice));
        }
    }

    /// Whoever is there leaves.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sleeps, or until all is over.
    pub fn pause(&self, how_long: Duration) {
        let until = now() + how_long;
        while !self.is_over() && now() < until {
            sleep(FRAME);
        }
    }

    pub fn note(&self, life: Life) {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner).push(life);
    }

    /// What was written down so far.
    pub fn lives(&self) -> Vec<Life> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the viewers wrote down so far.
    pub fn views(&self) -> Vec<View> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Short pushes and some that stay for long, ended by each goodbye there is and by none.
    fn come_and_go(&self, node: usize, prefix: &str, mut dice: Dice) {
        for number in 0.. {
            if self.is_over() {
                return;
            }
            let stream = format!("{prefix}-{number}");
            let Some(mut push) = self.publish(node, &stream) else { continue };
            let stays = match dice.next() % 8 {
                0 => 20_000,
                1 => 4_000,
                _ => dice.next() % 1_500,
            };
            push.send_for(Duration::from_millis(stays), || self.is_over());
            let end = match dice.next() % 4 {
                0 => End::Closed,
                1 => End::Reset,
                _ => End::DeleteStream,
            };
            self.note(push.leave(end));
        }
    }

    /// Pushes that are watched all the while, on their own node and on another one.
    fn show(&self, node: usize, mut dice: Dice) {
        for number in 0.. {
            if self.is_over() {
                return;
            }
            let stream = format!("shown-{node}-{number}");
            let Some(mut push) = self.publish(node, &stream) else { continue };
            let stays = Duration::from_millis(5_000 + dice.next() % 20_000);
            let left = AtomicBool::new(false);
            thread::scope(|scope| {
                let ways = if number % 2 == 0 { [Way::Flv, Way::Rtmp] } else { [Way::Rtmp, Way::Flv] };
                self.watch(scope, node, ways[0], &stream, &left);
                self.watch(scope, (node + 1 + number / 2 % (COUNT - 1)) % COUNT, ways[1], &stream, &left);
                push.send_for(stays, || self.is_over());
                self.note(push.leave(End::DeleteStream));
                left.store(true, Ordering::Relaxed);
            });
        }
    }

    /// A viewer, until there is nothing more to see.
    fn watch<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        node: usize,
        way: Way,
        stream: &'scope str,
        left: &'scope AtomicBool,
    ) {
        scope.spawn(move || {
            let at = match way {
                Way::Flv => self.world.http(node),
                Way::Rtmp => self.world.rtmp(node),
            };
            let view = view(at, node, way, stream, || left.load(Ordering::Relaxed));
            self.views.lock().unwrap_or_else(PoisonError::into_inner).push(view);
        });
    }

    /// A push whose path is cut for good, now and then.
    fn fall_silent(&self, node: usize, mut dice: Dice) {
        for number in 0.. {
            self.pause(Duration::from_millis(2_000 + dice.next() % 10_000));
            if self.is_over() {
                return;
            }
            let Some(mut push) = self.publish(node, &format!("silent-{node}-{number}")) else { continue };
            push.send_for(Duration::from_millis(1_000 + dice.next() % 2_000), || self.is_over());
            let (life, pusher) = push.fall_silent(|port| self.world.node_machines[node].cut_off(port));
            self.note(life);
            self.silent.lock().unwrap_or_else(PoisonError::into_inner).extend(pusher);
        }
    }

    /// A stream that is pushed to one node after the other, each time while the push before is still live.
    fn move_about(&self, number: usize, mut dice: Dice) {
        for turn in 0.. {
            if self.is_over() {
                return;
            }
            let stream = format!("moved-{number}-{turn}");
            let first = usize::try_from(dice.next()).unwrap_or(0) % COUNT;
            let left = AtomicBool::new(false);
            thread::scope(|scope| {
                // On the node that is the last to have it, and that may be the first as well.
                let ways = if turn % 2 == 0 { [Way::Flv, Way::Rtmp] } else { [Way::Rtmp, Way::Flv] };
                self.watch(scope, (first + COUNT - 1) % COUNT, ways[0], &stream, &left);
                self.watch(scope, first, ways[1], &stream, &left);
                self.move_on(first, &stream, &mut dice);
                left.store(true, Ordering::Relaxed);
            });
        }
    }

    fn move_on(&self, first: usize, stream: &str, dice: &mut Dice) {
        let Some(mut old) = self.publish(first, stream) else { return };
        old.pusher.byte = FIRST;
        for (step, byte) in (1..COUNT).zip(FIRST + 1..) {
            old.send_for(Duration::from_millis(500 + dice.next() % 1_000), || self.is_over());
            let new = old.meanwhile(|| self.publish((first + step) % COUNT, stream));
            let Some(mut new) = new else { continue };
            new.pusher.byte = byte;
            // It is told to go, or is lost with its node.
            old.sends_beside(&mut new, Duration::from_secs(20));
            self.note(std::mem::replace(&mut old, new).leave(End::DeleteStream));
        }
        old.send_for(Duration::from_millis(dice.next() % 1_000), || self.is_over());
        self.note(old.leave(End::DeleteStream));
    }

    /// Publishes; what came to nothing is written down.
    pub fn publish(&self, node: usize, stream: &str) -> Option<Push> {
        let asked = now();
        let mut life = Life {
            stream: stream.to_owned(),
            node,
            port: Port::None,
            asked,
            outcome: Outcome::Unanswered { at: asked },
        };
        let outcome = match Pusher::open(self.world.rtmp(node)) {
            Err(_) => Outcome::Unanswered { at: now() },
            Ok(pusher) => {
                life.port = pusher.port().map_or(Port::Hidden, Port::Known);
                match publish(pusher, stream) {
                    Ok(pusher) => return Some(Push::live(life, pusher)),
                    Err(NotLive::Refused(told)) => Outcome::Refused { text: told.text, at: now() },
                    Err(NotLive::Lost(_)) => Outcome::Unanswered { at: now() },
                }
            }
        };
        self.note(Life { outcome, ..life });
        sleep(REST);
        None
    }
}

fn publish(pusher: Pusher, stream: &str) -> Result<Pusher, NotLive> {
    let mut pusher = pusher.ready(DOMAIN, "live")?;
    pusher.publish(stream)?;
    Ok(pusher)
}

/// A push that is live, as far as its client knows.
#[derive(Debug)]
pub struct Push {
    life: Life,
    pusher: Pusher,
    from: Instant,
    sent: Instant,
    gap: Duration,
    /// What the server has done about it.
    ended: Option<(End, Instant)>,
}

impl Push {
    fn live(life: Life, pusher: Pusher) -> Self {
        let from = now();
        Self { life, pusher, from, sent: from, gap: Duration::ZERO, ended: None }
    }

    /// Sends media in real time, until the time is over, somebody stops it, or the server ends it.
    pub fn send_for(&mut self, how_long: Duration, stop: impl Fn() -> bool) {
        let until = now() + how_long;
        while self.ended.is_none() && now() < until && !stop() {
            self.send();
            sleep(FRAME);
        }
    }

    /// Sends until it is ended, and the other one sends too.
    fn sends_beside(&mut self, other: &mut Self, limit: Duration) {
        let until = now() + limit;
        while self.ended.is_none() && now() < until {
            self.send();
            if other.ended.is_none() {
                other.send();
            }
            sleep(FRAME);
        }
    }

    /// Sends media for as long as something takes.
    fn meanwhile<T: Send>(&mut self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let work = scope.spawn(work);
            self.send_for(Duration::from_secs(3_600), || work.is_finished());
            work.join().unwrap()
        })
    }

    fn send(&mut self) {
        let time = now();
        self.gap = self.gap.max(time - self.sent);
        self.sent = time;
        self.pusher.time = u32::try_from((time - self.from).as_millis()).unwrap();
        let sent = self.pusher.send_media(600);
        let heard = self.pusher.look();
        let end = match (heard, sent) {
            (Ok(Some(told)), _) => End::Told(told.text),
            (Err(_), _) | (_, Err(_)) => End::Dropped,
            (Ok(None), Ok(())) => return,
        };
        self.ended = Some((end, now()));
    }

    /// Ends it in this way, unless the server was faster.
    pub fn leave(self, end: End) -> Life {
        let Self { life, mut pusher, from, gap, mut ended, .. } = self;
        if ended.is_none()
            && let Ok(Some(told)) = pusher.look()
        {
            ended = Some((End::Told(told.text), now()));
        }
        let byte = Some(pusher.byte);
        let (end, at) = ended.unwrap_or_else(|| {
            let left = match end {
                End::Closed => pusher.end_of_file(),
                End::Reset => pusher.reset(),
                _ => pusher.delete_stream(),
            };
            match left {
                Ok(at) => (end, at),
                Err(_) => (End::Dropped, now()),
            }
        });
        Life { outcome: Outcome::Live(Lived { from, end, at, byte, gap }), ..life }
    }

    /// Its path is cut; the connection has to be kept, or the server would hear of its end some day.
    fn fall_silent(self, cut: impl FnOnce(u16)) -> (Life, Option<Pusher>) {
        match (&self.ended, self.life.port) {
            (None, Port::Known(port)) => {
                cut(port);
                let byte = Some(self.pusher.byte);
                let lived = Lived { from: self.from, end: End::CutOff, at: now(), byte, gap: self.gap };
                (Life { outcome: Outcome::Live(lived), ..self.life }, Some(self.pusher))
            }
            _ => (self.leave(End::DeleteStream), None),
        }
    }
}
