//! Chaos: three nodes, three servers of NATS and a PostgreSQL, each on a machine of its own; processes are killed and links
//! cut while clients come and go. Afterwards every push that a client saw accepted has exactly one record in the database,
//! with the cause that it had.
//!
//! | file | what lives there |
//! |---|---|
//! | `world` | the machines and what runs on them |
//! | `acts` | what is done to them, and when it was |
//! | `clients` | who pushes meanwhile |
//! | `encoders` | ffmpeg among them |
//! | `viewers` | who watches |
//! | `life` | what clients write down |
//! | `plan` | what happens when, by a seed |
//! | `records` | what the database says |
//! | `claims` | which record is of which push |
//! | `judge` | the clients' log against the records |

mod acts;
mod claims;
mod clients;
mod encoders;
mod judge;
mod life;
mod plan;
mod records;
mod viewers;
mod world;

use std::thread;
use std::time::Duration;

use self::acts::{Act, Log};
use self::clients::Clients;
use self::judge::{Judgement, judge};
use self::life::{End, Outcome};
use self::records::records;
use self::world::{Times, World};
use crate::node_death::churn::Dice;
use crate::support::clock::{now, until_true, wall};
use crate::support::{alone, long, rights};

/// What the machine must have.
const PROGRAMS: [&str; 4] = ["ip", "iptables", "nsenter", "python3"];
const PUSHERS: [&str; 1] = ["ffmpeg"];
const SHORT: Times = Times { lease: Duration::from_secs(2), grace: Duration::from_secs(10) };
/// As a node has them that says nothing of them.
const LONG: Times = Times { lease: Duration::from_secs(5), grace: Duration::from_secs(30) };
/// After an outage of the database the next try may be half a minute away.
const SHIPPED: Duration = Duration::from_secs(120);

#[test]
fn a_push_of_a_node_that_is_killed_has_one_record_in_the_database() {
    if !rights::has_as_root(&PROGRAMS) {
        return;
    }
    let _alone = alone();
    let Some(world) = World::start(SHORT) else { return };
    let (clients, log) = (Clients::new(&world), Log::default());
    let mut push = clients.publish(0, "struck").unwrap();
    thread::scope(|scope| {
        let kill = scope.spawn(|| log.run(&world, Act::KillNode(0), Duration::from_secs(4)));
        push.send_for(Duration::from_secs(60), || false);
        kill.join().unwrap();
    });
    clients.note(push.leave(End::DeleteStream));
    clients.publish(1, "clean").map(|push| clients.note(push.leave(End::DeleteStream))).unwrap();
    until_true("both records", SHIPPED, || records(&world).len() >= 2);
    world.wait_until_whole();
    let judgement = judge(world.times, &clients.lives(), &clients.views(), &log.done(), &records(&world));
    assert!(judgement.faults.is_empty(), "{judgement:#?}");
    assert!(matches!(&clients.lives()[0].outcome, Outcome::Live(lived) if lived.end == End::Dropped));
    assert_eq!(judgement.codes.into_iter().collect::<Vec<_>>(), [("1/0".into(), 1), ("11/0".into(), 1)]);
}

/// The short form does each act about once; the long one goes on for half an hour, or for `E2E_CHAOS_SECONDS`. `E2E_SEED`
/// repeats what an earlier run did, as far as several things at once can be repeated.
#[test]
fn whatever_is_killed_or_cut_every_accepted_push_has_one_record_with_its_cause() {
    if !rights::has_as_root(&[&PROGRAMS[..], &PUSHERS].concat()) {
        return;
    }
    let _alone = alone();
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seed = number("E2E_SEED").unwrap_or_else(|| wall().millis().unsigned_abs());
    let seconds = number("E2E_CHAOS_SECONDS").or(long().then_some(30 * 60));
    println!("seed {seed}");
    let mut dice = Dice::seeded(seed);
    let Some(world) = World::start(if seconds.is_some() { LONG } else { SHORT }) else { return };
    let (clients, log) = (Clients::new(&world), Log::default());
    let began = now();
    thread::scope(|scope| {
        let _over = StopAtEnd(&clients);
        clients.start(scope, &mut dice);
        clients.pause(Duration::from_secs(3));
        let lanes = match seconds {
            None => plan::short(&mut dice),
            Some(seconds) => plan::long(&mut dice, Duration::from_secs(seconds)),
        };
        thread::scope(|scope| {
            for lane in lanes {
                let (world, log) = (&world, &log);
                scope.spawn(move || {
                    for step in lane {
                        thread::sleep(step.after);
                        log.run(world, step.act, step.lasts);
                    }
                });
            }
        });
        world.wait_until_whole();
        clients.pause(Duration::from_secs(3));
    });
    let judgement = settled(&world, &clients, &log);
    println!("seed {seed}, {} s", began.elapsed().as_secs());
    println!("{}", judgement.summary(&log.done()));
    assert!(judgement.faults.is_empty(), "seed {seed}: {}", judgement.faults(&world.logs()));
}

/// Judges once all that is missing has come, or was waited for long enough.
fn settled(world: &World, clients: &Clients<'_>, log: &Log) -> Judgement {
    world.wait_until_whole();
    let done = log.done();
    let began = now();
    loop {
        let judgement = judge(world.times, &clients.lives(), &clients.views(), &done, &records(world));
        if judgement.faults.is_empty() || began.elapsed() > SHIPPED {
            return judgement;
        }
        thread::sleep(Duration::from_secs(1));
    }
}

/// A scenario that fails must not wait for clients that nobody stops.
struct StopAtEnd<'a>(&'a Clients<'a>);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}
