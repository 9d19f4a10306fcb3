use proptest::prelude::*;

use super::*;

fn second(at_s: u32) -> Sample {
    Sample { at_s, span_s: 1, bytes: 1000, video: 30, audio: 20, keys: 1, lag_ms: 5, ..Sample::default() }
}

fn lasting(seconds: u32) -> Timeline {
    let mut timeline = Timeline::default();
    for at_s in 1..=seconds {
        timeline.push(second(at_s));
    }
    timeline
}

#[test]
fn the_last_five_minutes_are_seconds_and_the_last_hour_tens() {
    let timeline = lasting(4000);
    let fine: Vec<_> = timeline.seconds().collect();
    assert_eq!(fine.len(), 300);
    assert_eq!(fine.first().copied(), Some(second(3701)));
    assert_eq!(fine.last().copied(), Some(second(4000)));
    let all: Vec<_> = timeline.all().collect();
    assert_eq!(all.len(), timeline.len());
    let spans = |from, to| all.iter().filter(move |s| s.at_s > from && s.at_s <= to).map(|s| s.span_s);
    assert!(spans(420, 3690).all(|s| s == 10));
    assert!(spans(0, 400).any(|s| s == 10));
}

#[test]
fn nothing_is_lost_or_counted_twice_when_samples_roll_up() {
    let timeline = lasting(30_000);
    let all: Vec<_> = timeline.all().collect();
    assert_eq!(all.iter().map(|s| s.span_s).sum::<u32>(), 30_000);
    assert_eq!(all.first().map(|s| s.at_s - s.span_s), Some(0));
    assert!(all.windows(2).all(|w| w[0].at_s == w[1].at_s - w[1].span_s), "samples follow without holes");
    assert!(all.windows(2).all(|w| w[0].span_s >= w[1].span_s), "finer towards the end");
    let bytes: u64 = all.iter().map(|s| s.bytes).sum();
    assert!(bytes.abs_diff(30_000_000) < 10_000, "{bytes}");
}

#[test]
fn a_push_of_a_year_stays_small_and_whole() {
    let mut timeline = lasting(7200);
    // Steps of a minute, so that the test is quick.
    for step in 1..=525_600u32 {
        timeline.push(second(7200 + step * 60));
    }
    assert!(timeline.len() <= FINE + MIDDLE + BUCKETS + 2);
    assert!(timeline.heap_bytes() <= 10_400, "{}", timeline.heap_bytes());
    let span: u32 = timeline.all().map(|s| s.span_s).sum();
    let lived = 7200 + 31_536_000;
    assert!(span.abs_diff(lived) < 3600, "{span} of {lived}");
}

#[test]
fn a_late_tick_makes_a_longer_sample_and_an_early_one_joins_the_one_before() {
    let mut timeline = Timeline::default();
    timeline.push(second(1));
    timeline.push(second(4));
    timeline.push(second(4));
    timeline.push(second(2));
    let all: Vec<_> = timeline.all().collect();
    assert_eq!(
        all.iter().map(|s| (s.at_s, s.span_s, s.bytes)).collect::<Vec<_>>(),
        [(1, 1, 1000), (4, 3, 3000)]
    );
}

#[test]
fn a_closed_window_is_still_seen_after_roll_up() {
    let mut timeline = Timeline::default();
    for at_s in 1..=1000 {
        timeline.push(Sample { wnd_closed: at_s == 95, ..second(at_s) });
    }
    let closed: Vec<_> = timeline.all().filter(|s| s.wnd_closed).collect();
    assert_eq!(closed.len(), 1);
    assert!((closed[0].at_s - closed[0].span_s..closed[0].at_s).contains(&94));
}

#[test]
fn a_rolled_up_sample_has_the_last_lag_and_the_mean_round_trips() {
    let mut timeline = Timeline::default();
    for at_s in 1..=400 {
        let rtt = 1000 * (at_s % 2);
        timeline.push(Sample {
            lag_ms: at_s as i32,
            rcv_rtt_us: 1000 + rtt,
            rtt_us: (at_s % 2 == 1).then_some(3000),
            ..second(at_s)
        });
    }
    let ten = timeline.all().find(|s| s.span_s == 10).unwrap();
    assert_eq!((ten.at_s, ten.lag_ms, ten.rcv_rtt_us, ten.rtt_us), (10, 10, 1500, Some(3000)));
    assert_eq!((ten.bytes, ten.video, ten.keys), (10_000, 300, 10));
}

#[test]
fn thinning_drops_the_oldest_samples_only() {
    let whole = lasting(20_000);
    for keep in [0, 1, 299, 300, 400, 700, 10_000] {
        let mut thin = whole.clone();
        thin.keep_newest(keep);
        assert_eq!(thin.len(), keep.min(whole.len()));
        assert!(thin.all().eq(whole.all().skip(whole.len() - thin.len())));
    }
}

#[test]
fn a_timeline_that_claims_too_much_is_refused() {
    let blob =
        postcard::to_stdvec(&(9u32, 10u32, Vec::<u8>::new(), Vec::<u8>::new(), vec![0u8; 301 * 15])).unwrap();
    assert!(postcard::from_bytes::<Timeline>(&blob).is_err());
    let blob =
        postcard::to_stdvec(&(9u32, 10u32, Vec::<u8>::new(), Vec::<u8>::new(), vec![0u8; 16])).unwrap();
    assert!(postcard::from_bytes::<Timeline>(&blob).is_err());
}

pub(crate) fn any_sample() -> impl Strategy<Value = Sample> {
    let numbers = (any::<u32>(), any::<u32>(), any::<u64>(), any::<u32>(), any::<u32>(), any::<u32>());
    let rest = (any::<i32>(), any::<u32>(), any::<Option<u32>>(), any::<u32>(), any::<u32>(), any::<bool>());
    (numbers, rest).prop_map(|((at_s, span_s, bytes, video, audio, keys), rest)| {
        let (lag_ms, rcv_rtt_us, rtt_us, ooo, retrans, wnd_closed) = rest;
        Sample {
            at_s,
            span_s,
            bytes,
            video,
            audio,
            keys,
            lag_ms,
            rcv_rtt_us,
            rtt_us,
            ooo,
            retrans,
            trickle_ms: retrans % 1001,
            wnd_closed,
        }
    })
}

proptest! {
    #[test]
    fn any_samples_are_taken_and_written_forms_read_back(
        samples in proptest::collection::vec(any_sample(), 0..700),
        rising in any::<bool>(),
    ) {
        let mut timeline = Timeline::default();
        for (n, sample) in samples.iter().enumerate() {
            let at_s = if rising { n as u32 * 3 } else { sample.at_s };
            timeline.push(Sample { at_s, ..*sample });
        }
        let blob = postcard::to_stdvec(&timeline).unwrap();
        prop_assert_eq!(&postcard::from_bytes::<Timeline>(&blob).unwrap(), &timeline);
        let json = serde_json::to_string(&timeline).unwrap();
        let read: Timeline = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(postcard::to_stdvec(&read).unwrap(), blob);
    }

    #[test]
    fn reading_any_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        if let Ok(mut timeline) = postcard::from_bytes::<Timeline>(&bytes) {
            timeline.push(second(u32::MAX));
            let _ = timeline.all().count();
        }
    }
}
