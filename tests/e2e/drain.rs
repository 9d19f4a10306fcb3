//! A node leaves service without cutting who can move, and without losing a record of who cannot.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rtmp::ertmp::RECONNECT_REQUEST;

use crate::support::balancer::{self, Node};
use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::http;
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

#[test]
fn encoders_that_can_move_do_and_the_rest_is_ended() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let (mut old, new) = (Setup::open().start(), Setup::open().start());
    let front = balancer::start(vec![node(&old), node(&new)]);
    let mut mover = Pusher::push_movable(front, "mover").unwrap();
    let mut plain = Pusher::push(front, "plain").unwrap();
    let mut ffmpeg = Encoder::ffmpeg(&format!("rtmp://{front}/live/foreign?domain={DOMAIN}"));
    old.wait_for_pushes(3);

    let mut drain = old.start_cli(&["drain", "--wait", "5s"]);
    until_true("the node to say that it drains", PATIENCE, || readiness(&old) == (503, "draining\n".into()));
    let told = Pusher::push(old.rtmp(), "too-late").unwrap_err().told();
    assert!(told.text.starts_with("[18/104]"), "{told:?}");

    // As the specification has it: go on, connect anew, then leave.
    let asked = until("the request to move", PATIENCE, || {
        plain.send_media(500).unwrap();
        mover.send_media(500).unwrap();
        let asked = mover.statuses().unwrap();
        (!asked.is_empty()).then_some(asked)
    });
    assert_eq!(asked, [RECONNECT_REQUEST]);
    let mut moved = Pusher::push_movable(front, "mover").unwrap();
    moved.send_media(500).unwrap();
    mover.delete_stream().unwrap();
    new.wait_for_pushes(1);

    plain.sending(|| assert!(drain.wait().unwrap().success()));
    let mut said = String::new();
    drain.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.ends_with("drained: no push is left, 2 pushes ended by this node (10/0)\n"), "{said}");
    assert!(said.contains("1 asked to connect elsewhere"), "{said}");
    assert!(plain.wait_for_cut().text.starts_with("[10/0]"));
    ffmpeg.wait();

    assert_eq!(old.code("mover"), "1/0");
    for (stream, code, side) in
        [("plain", "10/0", "server"), ("foreign", "10/0", "server"), ("too-late", "18/104", "server")]
    {
        let record = old.record(stream);
        assert_eq!((record.code().to_string().as_str(), record.side.as_str()), (code, side), "{stream}");
        assert_eq!(record.detail.unwrap().key, "drain", "{stream}");
    }
    assert!(old.terminate().success());
    old.start_again();
    assert_eq!(readiness(&old).0, 200, "a node that starts takes pushes");
    assert_eq!(old.records(&[]).len(), 4, "and has neither lost nor doubled a record");
    moved.delete_stream().unwrap();
    assert_eq!(new.code("mover"), "1/0");
}

#[test]
fn a_drain_can_be_called_off() {
    let server = Setup::open().start();
    let mut stays = Pusher::push_movable(server.rtmp(), "stays").unwrap();
    stays.send_media(500).unwrap();
    let mut drain = server.start_cli(&["drain", "--wait", "24h"]);
    until_true("the node to drain", PATIENCE, || readiness(&server).0 == 503);
    assert!(Pusher::push(server.rtmp(), "refused").is_err());
    assert_eq!(server.cli(&["drain", "--cancel"]), "the node takes pushes again\n");
    assert!(!drain.wait().unwrap().success(), "who waits for the drain hears that it is off");
    assert_eq!(readiness(&server).0, 200);
    let second = Pusher::push(server.rtmp(), "second").unwrap();
    server.wait_for_pushes(2);
    second.delete_stream().unwrap();
    stays.delete_stream().unwrap();
    assert_eq!(server.code("stays"), "1/0");
}

#[test]
fn nodes_restarted_one_after_the_other_lose_no_record() {
    let mut nodes = [Setup::open().start(), Setup::open().start()];
    let front = balancer::start(nodes.iter().map(node).collect());
    let stop = AtomicBool::new(false);
    let accepted = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        for encoder in 0..4 {
            let (stop, accepted) = (&stop, &accepted);
            scope.spawn(move || come_and_go(front, encoder, stop, accepted));
        }
        // A scenario that fails must not wait for encoders that nobody stops.
        let _stop = StopAtEnd(&stop);
        for node in &mut nodes {
            let before = accepted.lock().unwrap().len();
            until_true("pushes to come and go", PATIENCE, || accepted.lock().unwrap().len() >= before + 8);
            let said = node.cli(&["drain", "--wait", "1s"]);
            assert!(said.contains("drained: no push is left"), "{said}");
            assert!(node.terminate().success());
            node.start_again();
        }
    });
    let accepted = accepted.into_inner().unwrap();
    let live = |record: &model::Record| record.published_at.is_some();
    let all = || nodes.iter().flat_map(|node| node.records(&[])).filter(live).collect::<Vec<_>>();
    // The last pushes have only just left.
    let records = until("as many records as pushes", PATIENCE, || {
        let records = all();
        (records.len() >= accepted.len()).then_some(records)
    });
    let recorded: BTreeSet<String> = records.iter().filter_map(|record| record.stream.clone()).collect();
    assert_eq!(recorded, accepted, "each push that was accepted has a record, and no other");
    assert_eq!(records.len(), accepted.len(), "and one only");
    for record in records {
        assert!([1, 10].contains(&record.errcode), "{record:#?}");
    }
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Publishes one stream after another, each under a name of its own: every other one leaves when it is asked to, the
/// rest only when it wants to or is cut. Tries again, as encoders do, while nobody takes it.
fn come_and_go(front: SocketAddr, encoder: usize, stop: &AtomicBool, accepted: &Mutex<BTreeSet<String>>) {
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("e{encoder}-{turn}");
        let movable = (encoder + turn).is_multiple_of(2);
        let push = if movable { Pusher::push_movable } else { Pusher::push };
        let Ok(mut push) = push(front, &name) else {
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        accepted.lock().unwrap().insert(name);
        for _ in 0..30 {
            let heard = push.send_media(500).and_then(|()| push.statuses());
            if stop.load(Ordering::Relaxed) || heard.map_or(true, |heard| !heard.is_empty()) {
                break;
            }
            thread::sleep(Duration::from_millis(25));
        }
        let _ = push.delete_stream();
    }
}

fn node(server: &Server) -> Node {
    Node { rtmp: server.rtmp(), http: server.http() }
}

fn readiness(server: &Server) -> (u16, String) {
    let answer = http::request(server.http(), "GET", "/readyz", &[], &[]).unwrap();
    (answer.status, answer.text())
}
