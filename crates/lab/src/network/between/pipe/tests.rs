use proptest::prelude::*;

use super::super::conditions::Rate;
use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Everything that comes out until nothing is left, with its time.
fn drain(pipe: &mut Pipe, mut now: Duration) -> Vec<(Duration, Vec<u8>)> {
    let mut out = Vec::new();
    loop {
        while let Some(packet) = pipe.pop(now) {
            out.push((now, packet));
        }
        match pipe.next_due() {
            Some(due) => now = now.max(due),
            None => return out,
        }
    }
}

fn numbered(count: u16, size: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(move |number| {
        let mut packet = vec![0; size.max(2)];
        packet[..2].copy_from_slice(&number.to_be_bytes());
        packet
    })
}

fn numbers(out: &[(Duration, Vec<u8>)]) -> Vec<u16> {
    out.iter().map(|(_, packet)| u16::from_be_bytes([packet[0], packet[1]])).collect()
}

#[test]
fn a_delay_delays_and_nothing_else() {
    let mut pipe = Pipe::new(Conditions::delayed(ms(40)), 1);
    pipe.push(ms(5), vec![7]);
    assert_eq!(pipe.pop(ms(44)), None);
    assert_eq!(pipe.next_due(), Some(ms(45)));
    assert_eq!(pipe.pop(ms(45)), Some(vec![7]));
    assert_eq!(pipe.next_due(), None);
}

#[test]
fn a_bottleneck_passes_its_rate_and_drops_what_would_wait_too_long() {
    let rate = Rate { kbps: 800, queue: ms(100) };
    let mut pipe = Pipe::new(Conditions { rate: Some(rate), ..Conditions::default() }, 1);
    for packet in numbered(50, 1_000) {
        pipe.push(Duration::ZERO, packet);
    }
    let out = drain(&mut pipe, Duration::ZERO);
    // 1000 bytes take 10 ms: one under way, and ten that wait no longer than 100 ms.
    assert_eq!(out.first().map(|(at, _)| *at), Some(ms(10)));
    assert_eq!(numbers(&out), (0..out.len() as u16).collect::<Vec<_>>());
    assert!((10..=12).contains(&out.len()), "{}", out.len());
    assert_eq!(out.last().map(|(at, _)| *at), Some(ms(10 * out.len() as u64)));
}

#[test]
fn a_bottleneck_that_is_looked_at_late_has_worked_all_the_same() {
    let rate = Rate { kbps: 800, queue: SECOND };
    let mut pipe = Pipe::new(Conditions { rate: Some(rate), ..Conditions::default() }, 1);
    for packet in numbered(5, 1_000) {
        pipe.push(Duration::ZERO, packet);
    }
    let passed = std::iter::from_fn(|| pipe.pop(ms(35))).count();
    assert_eq!(passed, 3, "at 10, 20 and 30 ms");
}

#[test]
fn a_black_hole_swallows_what_is_on_its_way_and_what_comes_until_it_is_gone() {
    let open = Conditions::delayed(ms(20));
    let mut pipe = Pipe::new(open, 1);
    pipe.push(Duration::ZERO, vec![1]);
    pipe.change(ms(10), Conditions { black_hole: true, ..open });
    pipe.push(ms(11), vec![2]);
    assert_eq!((pipe.held(), pipe.pop(SECOND)), (0, None));
    pipe.change(SECOND, open);
    pipe.push(SECOND, vec![3]);
    assert_eq!(pipe.pop(SECOND + ms(20)), Some(vec![3]));
}

#[test]
fn a_hole_for_large_packets_lets_small_ones_pass() {
    let mut pipe = Pipe::new(Conditions { largest: Some(600), ..Conditions::default() }, 1);
    pipe.push(Duration::ZERO, vec![0; 601]);
    pipe.push(Duration::ZERO, vec![0; 600]);
    assert_eq!(drain(&mut pipe, Duration::ZERO).len(), 1);
}

#[test]
fn a_bottleneck_that_goes_away_lets_go_what_waited() {
    let rate = Rate { kbps: 8, queue: ms(60_000) };
    let mut pipe = Pipe::new(Conditions { rate: Some(rate), ..Conditions::default() }, 1);
    for packet in numbered(10, 1_000) {
        pipe.push(Duration::ZERO, packet);
    }
    pipe.change(ms(1), Conditions::default());
    let out = drain(&mut pipe, ms(1));
    assert_eq!(numbers(&out)[..3], [0, 1, 2], "in order, behind the one that was under way");
    assert_eq!(out.len(), 10);
}

#[test]
fn shares_of_loss_duplication_and_reordering_are_kept() {
    let count = 10_000;
    let through = |conditions| {
        let mut pipe = Pipe::new(conditions, 3);
        let mut out = Vec::new();
        for (turn, packet) in numbered(count, 20).enumerate() {
            let now = ms(turn as u64);
            pipe.push(now, packet);
            while let Some(packet) = pipe.pop(now) {
                out.push((now, packet));
            }
        }
        out.extend(drain(&mut pipe, ms(count.into())));
        out
    };
    let lost = 10_000 - through(Conditions { loss: 0.1, ..Conditions::default() }).len();
    assert!((800..1_200).contains(&lost), "{lost}");
    let twice = through(Conditions { duplicate: 0.2, ..Conditions::default() }).len() - 10_000;
    assert!((1_800..2_200).contains(&twice), "{twice}");
    let shuffled = through(Conditions { reorder: 0.05, reorder_by: ms(8), ..Conditions::default() });
    assert_eq!(shuffled.len(), 10_000);
    let overtaken = numbers(&shuffled).windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!((300..700).contains(&overtaken), "{overtaken}");
}

fn duration() -> impl Strategy<Value = Duration> {
    (0_u64..2_000_000).prop_map(Duration::from_micros)
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let share = || prop_oneof![Just(0.0), Just(1.0), 0.0..1.0];
    let rate = (1_u32..10_000, duration()).prop_map(|(kbps, queue)| Rate { kbps, queue });
    (
        (duration(), duration(), share(), prop::option::of(rate)),
        (share(), duration(), share(), prop::option::of(1_usize..2_000), any::<bool>()),
    )
        .prop_map(
            |((delay, jitter, loss, rate), (reorder, reorder_by, duplicate, largest, black_hole))| {
                Conditions { delay, jitter, loss, rate, reorder, reorder_by, duplicate, largest, black_hole }
            },
        )
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Pop,
    Change(Conditions),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_usize..1_600).prop_map(Step::Push),
        3 => Just(Step::Pop),
        1 => conditions().prop_map(Step::Change),
    ]
}

proptest! {
    /// Whatever is done to a path: it ends empty, and no packet comes out that did not go in, nor oftener than twice.
    #[test]
    fn every_packet_comes_out_or_is_swallowed(
        first in conditions(),
        seed in any::<u64>(),
        steps in prop::collection::vec((step(), duration()), 0..80),
    ) {
        let mut pipe = Pipe::new(first, seed);
        let mut now = Duration::ZERO;
        let (mut sent, mut out) = (0_u16, Vec::new());
        for (step, later) in steps {
            now += later;
            match step {
                Step::Push(size) => {
                    let mut packet = vec![0; size.max(2)];
                    packet[..2].copy_from_slice(&sent.to_be_bytes());
                    sent += 1;
                    pipe.push(now, packet);
                }
                Step::Pop => out.extend(pipe.pop(now).map(|packet| (now, packet))),
                Step::Change(conditions) => pipe.change(now, conditions),
            }
        }
        out.extend(drain(&mut pipe, now));
        prop_assert_eq!(pipe.held(), 0);
        let mut numbers = numbers(&out);
        numbers.sort_unstable();
        prop_assert!(numbers.iter().all(|number| *number < sent));
        prop_assert!(numbers.windows(3).all(|of_three| of_three[0] != of_three[2]), "three times");
    }

    /// Without loss, duplication, reordering and bounds, everything arrives once, in order, and not before its delay.
    #[test]
    fn a_fair_path_delivers_in_order(
        delay in duration(),
        jitter in duration(),
        seed in any::<u64>(),
        gaps in prop::collection::vec(0_u64..50_000, 1..200),
    ) {
        let mut pipe = Pipe::new(Conditions { jitter, ..Conditions::delayed(delay) }, seed);
        let mut now = Duration::ZERO;
        let mut entered = Vec::new();
        let mut out = Vec::new();
        for (gap, packet) in gaps.iter().zip(numbered(gaps.len() as u16, 100)) {
            now += Duration::from_micros(*gap);
            while let Some(packet) = pipe.pop(now) {
                out.push((now, packet));
            }
            pipe.push(now, packet);
            entered.push(now);
        }
        out.extend(drain(&mut pipe, now));
        prop_assert_eq!(numbers(&out), (0..gaps.len() as u16).collect::<Vec<_>>());
        for ((arrived, _), entered) in out.iter().zip(entered) {
            prop_assert!(*arrived >= entered + delay);
        }
    }
}
