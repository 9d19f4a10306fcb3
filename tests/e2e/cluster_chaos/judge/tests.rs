use std::slice::from_ref;

use serde_json::json;

use super::*;
use crate::cluster_chaos::life::Port;
use crate::cluster_chaos::viewers::{Visit, Way};
use crate::support::clock::now;

const TIMES: Times = Times { lease: Duration::from_secs(2), grace: Duration::from_secs(10) };

fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A push on the first node that began at `began` and ended so ten seconds later.
fn life(began: Instant, end: End) -> Life {
    let lived = Lived { from: began, end, at: began + s(10), byte: None, gap: Duration::ZERO };
    Life { stream: "a".into(), node: 0, port: Port::Known(7), asked: began, outcome: Outcome::Live(lived) }
}

/// The record of such a push.
fn record_of(began: Instant, code: &str) -> Found {
    Found {
        id: "first".to_owned(),
        stream: "a".to_owned(),
        node: LABELS[0].to_owned(),
        client: "10.0.0.1:7".parse().unwrap(),
        from_node: None,
        code: code.to_owned(),
        detail: json!({ "params": {} }),
        bytes_in: 4_000,
        from: began,
        to: began + s(10),
    }
}

fn record(code: &str) -> Found {
    record_of(now(), code)
}

fn faults(lives: &[Life], acts: &[Done], records: &[Found]) -> usize {
    judge(TIMES, lives, &[], acts, records).faults.len()
}

#[test]
fn every_accepted_push_has_one_record_and_no_record_is_of_nobody() {
    let lives = [life(now(), End::DeleteStream)];
    let one = record("1/0");
    assert_eq!(faults(&lives, &[], from_ref(&one)), 0);
    assert_eq!(faults(&lives, &[], &[]), 1);
    assert_eq!(faults(&lives, &[], &[one.clone(), one.clone()]), 1);
    assert_eq!(faults(&[], &[], from_ref(&one)), 1);
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
    assert_eq!(faults(&left, &[done(Act::KillNode(0), 12)], &[record("11/0")]), 1, "two seconds too late");
    let told = [life(began, End::Told("[21/102] taken over".into()))];
    assert_eq!(faults(&told, &[done(Act::KillNode(0), 10)], &[record("11/0")]), 0, "told, and not committed");
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
        way: Way::Flv,
        visits: Vec::new(),
        pushes: pushes.iter().map(|of| (*of, began + s(9))).collect(),
    };
    for (view, count) in
        [(seen(&[1], 1, 10), 0), (seen(&[1], 5, 10), 1), (seen(&[1], 1, 5), 1), (seen(&[1, 2, 1], 1, 10), 1)]
    {
        let lives = from_ref(&shown);
        let judgement = judge(TIMES, lives, from_ref(&view), &[], &records);
        assert_eq!(judgement.faults.len(), count, "{view:?}");
    }
}

/// The same stream on the second node, which took it over after nine seconds and ended so at once.
fn newcomer(began: Instant, outcome: Outcome) -> (Life, Found) {
    let asked = began + s(9);
    let life = Life { node: 1, port: Port::Known(8), asked, outcome, ..life(began, End::DeleteStream) };
    let found = Found {
        id: "second".to_owned(),
        node: LABELS[1].to_owned(),
        client: "10.0.0.1:8".parse().unwrap(),
        from: asked,
        to: began + s(10),
        ..record_of(began, "1/0")
    };
    (life, found)
}

#[test]
fn a_takeover_is_proven_by_the_record_that_it_names() {
    let began = now();
    let old = life(began, End::Told("[21/102] taken over".into()));
    let detail = json!({ "params": { "push": "second" } });
    let old_record = Found { detail, ..record_of(began, "21/102") };
    let killed = [Done { act: Act::KillNode(1), from: began + s(10), until: began + s(14) }];
    let lived = Lived {
        from: began + s(10),
        end: End::DeleteStream,
        at: began + s(11),
        byte: None,
        gap: Duration::ZERO,
    };
    let (next, found) = newcomer(began, Outcome::Live(lived));
    let fits = |next: &Life, found: &Found, acts: &[Done]| {
        faults(&[old.clone(), next.clone()], acts, &[old_record.clone(), found.clone()])
    };
    assert_eq!(fits(&next, &found, &[]), 0);
    assert_eq!(faults(&[old.clone(), next.clone()], &[], from_ref(&old_record)), 2, "no record of it");
    let unnamed = Found { id: "third".into(), ..found.clone() };
    assert_eq!(fits(&next, &unnamed, &[]), 1, "another one's record");
    let elsewhere = Found { stream: "b".into(), ..found.clone() };
    assert_eq!(fits(&Life { stream: "b".into(), ..next.clone() }, &elsewhere, &[]), 1, "another stream's");
    let here = Found { node: LABELS[0].into(), ..found.clone() };
    assert_eq!(fits(&Life { node: 0, ..next.clone() }, &here, &[]), 1, "of the same node");

    let (lost, at_kill) = newcomer(began, Outcome::Unanswered { at: began + s(10) });
    let at_kill = Found { code: "11/0".into(), ..at_kill };
    assert_eq!(fits(&lost, &at_kill, &killed), 0, "it was lost with its node before its client knew");
    assert_eq!(fits(&lost, &at_kill, &[]), 1, "and its node was there");
    assert_eq!(faults(&[old.clone(), lost], &killed, from_ref(&old_record)), 1, "without a record");
    let refused = |text: &str, code: &str| {
        let (next, found) = newcomer(began, Outcome::Refused { text: text.into(), at: began + s(10) });
        let disturbed = [Done { act: Act::StopNats, from: began, until: began + s(12) }];
        fits(&next, &Found { code: code.into(), ..found }, &disturbed)
    };
    assert_eq!(refused("[18/101] away", "18/101"), 0, "the registry had taken it, and could not say so");
    assert_eq!(refused("[18/601] too many", "18/601"), 2, "one that was never to have it");
}

#[test]
fn who_had_no_answer_has_a_record_only_of_what_was_done() {
    let began = now();
    let lost = Life { outcome: Outcome::Unanswered { at: began + s(2) }, ..life(began, End::Closed) };
    let down = |act| [Done { act, from: began + s(2), until: began + s(5) }];
    let kill = down(Act::KillNode(0));
    assert_eq!(faults(from_ref(&lost), &kill, &[]), 0);
    assert_eq!(faults(from_ref(&lost), &[], &[]), 1, "its node was there");
    assert_eq!(faults(from_ref(&lost), &kill, &[record_of(began, "11/0")]), 0);
    assert_eq!(faults(from_ref(&lost), &kill, &[record_of(began, "9/0")]), 1, "nobody stopped it");
    assert_eq!(faults(from_ref(&lost), &kill, &[record_of(began, "3/0")]), 1);
    assert_eq!(faults(&[lost], &down(Act::StopNode(0)), &[record_of(began, "9/0")]), 0);
    let refused = Outcome::Refused { text: "[18/101] away".into(), at: began + s(2) };
    let refused = [Life { outcome: refused, ..life(began, End::Closed) }];
    assert_eq!(faults(&refused, &kill, &[record_of(began, "11/0")]), 0, "not committed at the kill");
    let later = [Done { from: began + s(4), ..kill[0] }];
    assert_eq!(faults(&refused, &later, &[record_of(began, "11/0")]), 1, "committed long before the kill");
}

#[test]
fn a_record_without_a_stream_is_of_one_client_by_port_and_time_or_a_fault() {
    let began = now();
    let lost = Life { outcome: Outcome::Unanswered { at: began + s(2) }, ..life(began, End::Closed) };
    let hidden = Life { port: Port::Hidden, ..lost.clone() };
    let stop = [Done { act: Act::StopNode(0), from: began + s(1), until: began + s(5) }];
    let nameless = Found { stream: String::new(), ..record_of(began, "9/0") };
    let count = |lives: &[Life], record: Found| faults(lives, &stop, &[record]);
    assert_eq!(count(from_ref(&lost), nameless.clone()), 0);
    assert_eq!(count(from_ref(&hidden), nameless.clone()), 0);
    assert_eq!(
        count(from_ref(&lost), Found { from: began + s(9), ..nameless.clone() }),
        1,
        "at another time"
    );
    let client = "10.0.0.1:9".parse().unwrap();
    assert_eq!(count(from_ref(&lost), Found { client, ..nameless.clone() }), 1, "another client's");
    let by_node = Found { from_node: Some(1), ..nameless.clone() };
    assert_eq!(count(&[lost.clone(), hidden.clone()], by_node), 1, "a node's");
    let of_both = [nameless.clone(), Found { client, id: "other".into(), ..nameless.clone() }];
    assert_eq!(faults(&[hidden.clone(), lost.clone()], &stop, &of_both), 0, "one each");
    assert_eq!(faults(&[hidden], &stop, &of_both), 1, "one may not have two");
}

#[test]
fn a_node_that_comes_leaves_a_record_only_where_it_was_cut_before_its_first_byte() {
    let began = now();
    let silent = Found {
        stream: String::new(),
        from_node: Some(2),
        bytes_in: 0,
        to: began + s(1),
        ..record_of(began, "22/0")
    };
    let done = |act| [Done { act, from: began + s(1), until: began + s(5) }];
    let kill = done(Act::KillNode(2));
    assert_eq!(faults(&[], &kill, from_ref(&silent)), 0);
    assert_eq!(faults(&[], &done(Act::CutNodes(2, 0)), from_ref(&silent)), 0);
    assert_eq!(faults(&[], &done(Act::CutNodes(2, 1)), from_ref(&silent)), 1);
    assert_eq!(faults(&[], &[], from_ref(&silent)), 1);
    let half = Found { code: "25/0".into(), bytes_in: 700, ..silent.clone() };
    assert_eq!(faults(&[], &kill, &[half]), 1, "its first bytes say what it is");
    assert_eq!(faults(&[], &kill, &[Found { from_node: None, ..silent }]), 1, "a client's");
}

#[test]
fn an_earlier_push_is_seen_again_only_where_its_node_missed_the_takeover_and_the_others_are_over() {
    let began = now();
    let shows = |node, byte, from: u64, to: u64| {
        let (from, at) = (began + s(from), began + s(to));
        let lived = Lived { from, end: End::DeleteStream, at, byte: Some(byte), gap: Duration::ZERO };
        Life { node, asked: from, outcome: Outcome::Live(lived), ..life(began, End::DeleteStream) }
    };
    let view = |again: u64| View {
        stream: "a".into(),
        node: 2,
        way: Way::Rtmp,
        visits: Vec::new(),
        seen: Some((began, began + s(9))),
        gap: (s(1), began),
        closed: None,
        pushes: vec![(1, began), (2, began + s(3)), (1, began + s(again))],
    };
    let faults = |old: Life, again: u64, acts: &[Done]| {
        let lives = [old, shows(1, 2, 3, 5)];
        let judgement = judge(TIMES, &lives, from_ref(&view(again)), acts, &[]);
        judgement.faults.len() - lives.len()
    };
    let away = |act| [Done { act, from: began + s(2), until: began + s(6) }];
    let cut = away(Act::CutNodeFromNats(0, 1));
    assert_eq!(faults(shows(0, 1, 0, 20), 6, &cut), 0);
    assert_eq!(faults(shows(0, 1, 0, 20), 4, &cut), 1, "while the other one had it");
    assert_eq!(faults(shows(0, 1, 0, 2), 6, &cut), 1, "after its own end");
    assert_eq!(faults(shows(0, 1, 0, 20), 6, &away(Act::CutNodeFromNats(2, 1))), 1, "its node was told");
    assert_eq!(faults(shows(0, 1, 0, 20), 6, &[]), 1);
}

#[test]
fn a_viewer_may_leave_a_record_only_where_its_node_was_stopped_before_it_had_said_that_it_plays() {
    let began = now();
    let view = View {
        stream: "a".into(),
        node: 0,
        way: Way::Rtmp,
        visits: vec![Visit { port: 9, from: began, to: began + s(1) }],
        seen: None,
        gap: (Duration::ZERO, began),
        closed: None,
        pushes: Vec::new(),
    };
    let client = "10.0.0.1:9".parse().unwrap();
    let found = Found { stream: String::new(), client, to: began + s(1), ..record_of(began, "9/0") };
    let faults =
        |found: Found, acts: &[Done]| judge(TIMES, &[], from_ref(&view), acts, from_ref(&found)).faults.len();
    let stop = [Done { act: Act::StopNode(0), from: began, until: began + s(5) }];
    assert_eq!(faults(found.clone(), &stop), 0);
    assert_eq!(faults(found.clone(), &[]), 1, "nobody stopped it");
    assert_eq!(faults(Found { code: "27/0".into(), ..found.clone() }, &stop), 1);
    assert_eq!(faults(Found { from: began + s(4), ..found.clone() }, &stop), 1, "at another time");
    assert_eq!(faults(Found { client: "10.0.0.1:8".parse().unwrap(), ..found }, &stop), 1, "another one's");
}
