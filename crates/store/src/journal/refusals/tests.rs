use super::*;
use model::{Clock, StreamKey, SystemClock};

use crate::row::{Counted, OpenRow, OwnEnd, own_record};

struct Gate {
    refusals: Refusals,
    now: Instant,
    ids: u128,
}

impl Gate {
    fn new(fold: Option<Duration>, ignore: Vec<IgnoreRule>) -> Self {
        Self { refusals: Refusals::new(fold, ignore), now: SystemClock.instant(), ids: 0 }
    }

    fn end(&mut self, stream: Option<&str>, ip: &str, code: Code) -> EndRow {
        self.ids += 1;
        let at = Timestamp(1_763_841_600_000);
        let key =
            StreamKey { domain: "d".into(), app: "a".into(), stream: stream.unwrap_or_default().into() };
        let open = OpenRow {
            id: PushId::from_parts(at, self.ids),
            account: 1,
            key,
            protocol: "rtmp".into(),
            client_ip: ip.parse().unwrap(),
            client_port: 1,
            connected_at: at,
            published_at: at,
            encoder: None,
            stream_param: None,
            callback_param: None,
        };
        let mut record = own_record(&open, "n", OwnEnd::NodeDied, at, Counted::default());
        (record.errcode, record.sub_errcode) = (code.errcode, code.sub_errcode);
        if stream.is_none() {
            (record.domain, record.app, record.stream) = (None, None, None);
        }
        EndRow { record, evidence: Vec::new(), verdict_version: 0 }
    }

    fn offer(&mut self, stream: Option<&str>, ip: &str, code: Code) -> Offer {
        let end = self.end(stream, ip, code);
        self.refusals.offer(end, self.now, None, Pressure::Unwritable)
    }

    /// Writes everything that waits; gives the streams of the records.
    fn write(&mut self) -> Vec<Option<String>> {
        let taken = self.refusals.take(usize::MAX);
        for waiting in &taken {
            self.refusals.written(waiting.key.as_ref(), waiting.end.record.id);
        }
        taken.into_iter().map(|waiting| waiting.end.record.stream).collect()
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const WRONG: Code = Code::new(18, 503);
const IP: &str = "203.0.113.7";

#[test]
fn equal_ends_fold_for_as_long_as_the_fold_lasts() {
    let mut gate = Gate::new(Some(MINUTE), Vec::new());
    assert!(matches!(gate.offer(Some("s"), IP, WRONG), Offer::Waits));
    for _ in 0..59 {
        gate.pass(Duration::from_secs(1));
        assert!(matches!(gate.offer(Some("s"), IP, WRONG), Offer::Folded(_)));
    }
    assert_eq!(gate.write().len(), 1);
    gate.pass(Duration::from_secs(1));
    assert!(matches!(gate.offer(Some("s"), IP, WRONG), Offer::Waits));
    let due = gate.refusals.due(gate.now);
    assert_eq!(due.iter().map(|u| (u.attempts, u.finished)).collect::<Vec<_>>(), [(60, true)]);
}

#[test]
fn another_key_address_or_code_is_another_record() {
    let mut gate = Gate::new(Some(MINUTE), Vec::new());
    gate.offer(Some("s"), IP, WRONG);
    for (stream, ip, code) in [
        ("t", IP, WRONG),
        ("s", "203.0.113.8", WRONG),
        ("s", IP, Code::new(18, 501)),
        ("s", "2001:db8::1", WRONG),
    ] {
        assert!(matches!(gate.offer(Some(stream), ip, code), Offer::Waits), "{stream} {ip} {code}");
    }
    assert!(matches!(gate.offer(Some("s"), "::ffff:203.0.113.7", WRONG), Offer::Folded(_)));
}

#[test]
fn above_twenty_names_a_minute_names_fold_too() {
    let mut gate = Gate::new(Some(MINUTE), Vec::new());
    for n in 0..1_000 {
        gate.offer(Some(&format!("s{n}")), IP, WRONG);
    }
    let written = gate.write();
    assert_eq!(written.len(), NAMES_A_MINUTE + 1);
    assert_eq!(written.last().unwrap(), &None);
    assert!(matches!(gate.offer(Some("s3"), IP, WRONG), Offer::Folded(_)), "a name known before still folds");
    gate.pass(MINUTE);
    assert!(matches!(gate.offer(Some("s999"), IP, WRONG), Offer::Waits));
    assert_eq!(gate.write(), [Some("s999".to_owned())]);
}

#[test]
fn ends_that_never_named_a_stream_fold_for_an_hour() {
    let mut gate = Gate::new(Some(MINUTE), Vec::new());
    gate.offer(None, IP, Code::new(22, 0));
    gate.write();
    gate.pass(59 * MINUTE);
    assert!(matches!(gate.offer(None, IP, Code::new(22, 0)), Offer::Folded(_)));
    gate.pass(MINUTE);
    assert!(matches!(gate.offer(None, IP, Code::new(22, 0)), Offer::Waits));
}

#[test]
fn without_folding_ends_fold_only_while_the_disk_takes_none() {
    let mut gate = Gate::new(None, Vec::new());
    for pressure in [Pressure::NoPlace, Pressure::NoPlace, Pressure::Unwritable] {
        let end = gate.end(Some("s"), IP, WRONG);
        assert!(matches!(gate.refusals.offer(end, gate.now, None, pressure), Offer::Waits), "{pressure:?}");
    }
    let end = gate.end(Some("s"), IP, WRONG);
    assert!(matches!(gate.refusals.offer(end, gate.now, None, Pressure::Unwritable), Offer::Folded(_)));
    assert_eq!(gate.write().len(), 3);
}

#[test]
fn rules_leave_out_only_what_never_named_a_stream() {
    let rules = vec![IgnoreRule::Network("10.0.0.0/8".parse().unwrap()), IgnoreRule::Code(Code::new(22, 0))];
    let mut gate = Gate::new(None, rules);
    assert!(matches!(gate.offer(None, "10.1.2.3", Code::new(25, 0)), Offer::Ignored(_)));
    assert!(matches!(gate.offer(None, "::ffff:10.1.2.3", Code::new(25, 0)), Offer::Ignored(_)));
    assert!(matches!(gate.offer(None, IP, Code::new(22, 0)), Offer::Ignored(_)));
    assert!(matches!(gate.offer(None, IP, Code::new(25, 0)), Offer::Waits));
    assert!(matches!(gate.offer(Some("s"), "10.1.2.3", Code::new(22, 0)), Offer::Waits));
}

#[test]
fn without_folding_each_end_is_a_record() {
    let mut gate = Gate::new(None, Vec::new());
    let semaphore = std::sync::Arc::new(tokio::sync::Semaphore::new(10));
    for _ in 0..10 {
        let end = gate.end(Some("s"), IP, WRONG);
        assert!(matches!(
            gate.refusals.offer(end.clone(), gate.now, None, Pressure::None),
            Offer::NeedsPlace(_)
        ));
        let place = std::sync::Arc::clone(&semaphore).try_acquire_owned().ok();
        assert!(matches!(gate.refusals.offer(end, gate.now, place, Pressure::None), Offer::Waits));
    }
    assert_eq!(gate.write().len(), 10);
    assert_eq!(semaphore.available_permits(), 10);
    assert!(gate.refusals.due(gate.now).is_empty());
}

#[test]
fn what_waits_for_a_disk_is_bounded_however_many_addresses_and_names_there_are() {
    let mut gate = Gate::new(Some(MINUTE), Vec::new());
    for n in 0..200_000u32 {
        let ip = std::net::Ipv4Addr::from(n % 60_000 + 0x0a00_0000).to_string();
        gate.offer(Some(&format!("s{n}")), &ip, Code::new(18, (n % 3) as u16));
        gate.pass(Duration::from_millis(1));
    }
    let written = gate.write();
    assert!(written.len() <= MAX_WAITING_REFUSALS + MAX_WAITING_COARSE + 3, "{}", written.len());
    assert_eq!(gate.refusals.waiting(), 0);
    // Nothing is lost: every end is counted in some record.
    let attempts: u64 = gate.refusals.finish().iter().map(|update| update.attempts).sum();
    assert_eq!(attempts, 200_000);
}

#[test]
fn attempts_are_written_every_two_seconds_and_only_when_they_changed() {
    let mut gate = Gate::new(Some(MINUTE), Vec::new());
    gate.offer(Some("s"), IP, WRONG);
    gate.write();
    assert!(gate.refusals.due(gate.now).is_empty());
    gate.offer(Some("s"), IP, WRONG);
    assert!(gate.refusals.due(gate.now).is_empty(), "not yet");
    gate.pass(Duration::from_secs(2));
    let due = gate.refusals.due(gate.now);
    assert_eq!(due.iter().map(|u| (u.attempts, u.finished)).collect::<Vec<_>>(), [(2, false)]);
    gate.pass(Duration::from_secs(2));
    assert_eq!(gate.refusals.due(gate.now), due, "not confirmed, so it comes again");
    gate.refusals.confirm(&due);
    gate.pass(Duration::from_secs(2));
    assert!(gate.refusals.due(gate.now).is_empty());
}
