//! ffmpeg, which pushes for a while and leaves or is killed, and starts anew whatever happened.

use std::time::{Duration, Instant};

use super::clients::Clients;
use super::life::{End, Life, Lived, Outcome, Port, code};
use crate::node_death::churn::Dice;
use crate::support::clock::{PATIENCE, now};
use crate::support::encoder::Encoder;
use crate::support::setup::DOMAIN;

/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(50);

/// Pushes with ffmpeg to a node until all is over.
pub fn encode(clients: &Clients<'_>, node: usize, mut dice: Dice) {
    for number in 0.. {
        if clients.is_over() {
            return;
        }
        let stream = format!("ffmpeg-{node}-{number}");
        let life = one(clients, node, &stream, &mut dice);
        let came_to_nothing = life.lived().is_none();
        clients.note(life);
        if came_to_nothing {
            clients.pause(Duration::from_secs(1));
        }
    }
}

fn one(clients: &Clients<'_>, node: usize, stream: &str, dice: &mut Dice) -> Life {
    let asked = now();
    let url = format!("rtmp://{}/live/{stream}?domain={DOMAIN}", clients.world.rtmp(node));
    let mut encoder = Encoder::ffmpeg(&url);
    let from = wait_until_live(&mut encoder);
    let outcome = match from {
        None => not_live(&encoder),
        Some(from) => {
            let stays = Duration::from_millis(4_000 + dice.next() % 16_000);
            let (end, at) = live(clients, &mut encoder, stays, dice);
            Outcome::Live(Lived { from, end, at, byte: None, gap: Duration::ZERO })
        }
    };
    Life { stream: stream.to_owned(), node, port: Port::Hidden, asked, outcome }
}

/// It opens its output as soon as it has been told that it may publish.
fn wait_until_live(encoder: &mut Encoder) -> Option<Instant> {
    let began = now();
    while began.elapsed() < PATIENCE {
        if encoder.printed().contains("Output #0") {
            return Some(now());
        }
        if !encoder.runs() {
            return None;
        }
        std::thread::sleep(LOOK);
    }
    encoder.kill();
    None
}

fn not_live(encoder: &Encoder) -> Outcome {
    let at = now();
    match told(encoder) {
        Some(text) => Outcome::Refused { text, at },
        None => Outcome::Unanswered { at },
    }
}

fn live(clients: &Clients<'_>, encoder: &mut Encoder, stays: Duration, dice: &mut Dice) -> (End, Instant) {
    let until = now() + stays;
    while encoder.runs() {
        if now() >= until || clients.is_over() {
            let killed = dice.next().is_multiple_of(2);
            match killed {
                true => encoder.kill(),
                false => encoder.interrupt(),
            }
            let at = now();
            encoder.wait();
            let own = if killed { End::Killed } else { End::DeleteStream };
            return (told(encoder).map_or(own, End::Told), at);
        }
        std::thread::sleep(LOOK);
    }
    (told(encoder).map_or(End::Dropped, End::Told), now())
}

/// What the server has told it, with a code at its head.
fn told(encoder: &Encoder) -> Option<String> {
    let printed = encoder.printed();
    let said = printed.lines().filter_map(|line| line.split_once("Server error: "));
    said.map(|(_, text)| text).find(|text| code(text).is_some()).map(str::to_owned)
}
