//! Each check by what decides it.

use model::record::{AudioRecord, VideoRecord};
use model::{Clock, SystemClock, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::EventKind;
use crate::event::EventCount;
use crate::evidence::{CarrierFacts, KeyFrames, MediaQuality, Offset, SrtFacts, TcpFacts, Transport};
use crate::timeline::Sample;

fn record() -> Record {
    let id = SystemClock.push_id();
    Record {
        id,
        sequence: id.sequence(),
        source: "lastframe".into(),
        account: None,
        domain: None,
        app: None,
        stream: None,
        protocol: "rtmp".into(),
        client_ip: "192.0.2.1".parse().unwrap(),
        client_port: 1,
        node: String::new(),
        connected_at: Timestamp(0),
        published_at: Some(Timestamp(0)),
        ended_at: Timestamp(0),
        duration_ms: 0,
        errcode: 1,
        sub_errcode: 0,
        errmsg: String::new(),
        side: "client".into(),
        detail: None,
        attempts: 1,
        last_attempt_at: None,
        bytes_in: 0,
        bytes_out: 0,
        video: Some(VideoRecord {
            codec: Some("H.264".into()),
            width: Some(1280),
            height: Some(720),
            ..Default::default()
        }),
        audio: Some(AudioRecord {
            codec: Some("AAC".into()),
            sample_rate: Some(48_000),
            ..Default::default()
        }),
        encoder: None,
        stream_param: None,
    }
}

/// Twenty seconds as they should be: 2,400 kbit/s, 30 frames a second, a key frame every two seconds.
fn healthy() -> Evidence {
    let mut e = Evidence::new(Transport::Rtmp);
    e.stage = Stage::Live;
    e.media.live_ms = 20_000;
    e.media.last_ms_ago = Some(0);
    e.media.video_frames = 600;
    e.media.audio_frames = 860;
    for at_s in 1..=20 {
        let sample =
            Sample { at_s, span_s: 1, bytes: 300_000, video: 30, audio: 43, lag_ms: 20, ..Sample::default() };
        e.timeline.push(sample);
    }
    let mut key_frames = KeyFrames::default();
    (0..9).for_each(|_| key_frames.add(2_000));
    e.quality = Some(MediaQuality {
        declared_kbps: Some(2_500),
        declared_fps: Some(3_000),
        fps: Some(3_000),
        key_frames,
        offset: Some(Offset::new(20)),
    });
    e.tcp = Some(TcpFacts { data_segs_in: 10_000, rtt_us: 21_000, ..TcpFacts::default() });
    e
}

fn quality(change: impl FnOnce(&mut MediaQuality)) -> Evidence {
    let mut e = healthy();
    change(e.quality.as_mut().unwrap());
    e
}

fn with_event(kind: EventKind, count: u32) -> Evidence {
    let mut e = healthy();
    e.events.push(EventCount { kind: kind.number(), count, ..EventCount::default() });
    e
}

/// The grade, and what is said of everything that is not well.
fn told(e: &Evidence) -> (Grade, Vec<String>) {
    let report = report(e, &record()).unwrap();
    let bad = report.checks.iter().filter(|check| check.grade > Grade::Good);
    (report.grade, bad.map(|check| check.detail.text(Lang::En)).collect())
}

#[test]
fn a_push_as_it_should_be_is_good_and_says_what_was_measured() {
    let report = report(&healthy(), &record()).unwrap();
    assert_eq!(report.grade, Grade::Good);
    let texts: Vec<_> = report.checks.iter().map(|check| check.detail.text(Lang::En)).collect();
    assert_eq!(
        texts,
        [
            "Codecs: H.264 1280×720, AAC 48000 Hz.",
            "Bitrate: 2,400 kbit/s, 2,500 kbit/s promised.",
            "Steadiness of the bitrate: 2,400 kbit/s in its lowest five seconds, usually 2,400 kbit/s.",
            "Frame rate: 30 a second, 30 expected.",
            "Key frames every 2 s, at least 2 s and at most 2 s apart.",
            "Sound and picture at most 20 ms apart, drifting by 0 ms.",
            "Behind real time by 20 ms at most.",
            "Path: round trip 21 ms, 0 % of packets lost or out of order.",
        ]
    );
}

#[test]
fn a_push_that_was_never_live_has_no_report_and_a_short_one_no_grade() {
    let mut e = healthy();
    e.media.live_ms = 4_000;
    assert_eq!(told(&e).0, Grade::Unknown);
    e.stage = Stage::Admission;
    assert_eq!(report(&e, &record()), None);
}

#[test]
fn rates_are_held_against_what_was_promised() {
    assert_eq!(told(&quality(|q| q.declared_kbps = Some(6_000))).0, Grade::Fair);
    assert_eq!(
        told(&quality(|q| q.declared_kbps = Some(20))).0,
        Grade::Good,
        "that of the sound alone is none"
    );
    assert_eq!(told(&quality(|q| q.declared_fps = Some(4_000))).0, Grade::Fair);
    assert_eq!(told(&quality(|q| q.declared_fps = Some(6_100))).0, Grade::Poor);
    let slow = quality(|q| (q.declared_fps, q.fps) = (None, Some(5_000)));
    assert_eq!(told(&slow), (Grade::Fair, vec!["Frame rate: 30 a second, 50 expected.".to_owned()]));
}

#[test]
fn key_frames_that_are_far_apart_or_irregular_are_not_well() {
    let far = |ms| {
        quality(|q| {
            q.key_frames = KeyFrames { count: 1, total_ms: u64::from(ms), shortest_ms: ms, longest_ms: ms }
        })
    };
    assert_eq!([2_000, 4_001, 10_001].map(|ms| told(&far(ms)).0), [Grade::Good, Grade::Fair, Grade::Poor]);
    assert_eq!(told(&quality(|q| q.key_frames.add(3_999))).0, Grade::Good);
    let irregular = KeyFrames { count: 9, total_ms: 9_000, shortest_ms: 400, longest_ms: 2_500 };
    assert_eq!(told(&quality(|q| q.key_frames = irregular)).0, Grade::Fair);
    assert_eq!(told(&quality(|q| q.key_frames = KeyFrames::default())).0, Grade::Poor);
}

#[test]
fn sound_and_picture_that_part_are_not_well() {
    let offset = |first_ms, last_ms, widest_ms| {
        told(&quality(|q| q.offset = Some(Offset { first_ms, last_ms, widest_ms }))).0
    };
    assert_eq!(offset(100, 100, -400), Grade::Good);
    assert_eq!(offset(100, 100, -600), Grade::Fair);
    assert_eq!(offset(100, -150, -150), Grade::Fair);
    assert_eq!(offset(0, 1_200, 1_200), Grade::Poor);
}

#[test]
fn dips_lag_and_events_are_told() {
    let mut dip = healthy();
    for at_s in 21..=40 {
        let bytes = if (30..35).contains(&at_s) { 30_000 } else { 300_000 };
        dip.timeline.push(Sample {
            at_s,
            span_s: 1,
            bytes,
            video: 30,
            audio: 43,
            lag_ms: 900,
            ..Sample::default()
        });
    }
    dip.media.live_ms = 40_000;
    dip.media.video_frames = 1_200;
    let (grade, why) = told(&dip);
    assert_eq!(grade, Grade::Poor);
    assert!(why[0].starts_with("Steadiness") && why[1] == "Behind real time by 900 ms at most.", "{why:?}");
    assert_eq!(told(&with_event(EventKind::VideoBack, 2)).0, Grade::Fair);
    assert_eq!(told(&with_event(EventKind::AudioJump, 9)).0, Grade::Poor);
    assert_eq!(told(&with_event(EventKind::AudioGap, 1)).0, Grade::Fair);
    assert_eq!(told(&with_event(EventKind::Unparsable, 1)).0, Grade::Poor);
    assert_eq!(told(&with_event(EventKind::UncommonCodec, 1)).0, Grade::Fair);
    assert_eq!(told(&with_event(EventKind::ChunkSize, 1)).0, Grade::Good);
}

#[test]
fn the_path_is_graded_by_what_its_transport_counts() {
    let srt = |lost, dropped| {
        let mut e = healthy();
        e.carrier = Some(CarrierFacts::Srt(Box::new(SrtFacts {
            packets: 10_000,
            lost,
            dropped,
            ..SrtFacts::default()
        })));
        told(&e).0
    };
    assert_eq!((srt(20, 0), srt(100, 0), srt(100, 1)), (Grade::Good, Grade::Fair, Grade::Fair));
    assert_eq!((srt(600, 0), srt(100, 20)), (Grade::Poor, Grade::Poor));
    let mut e = healthy();
    e.tcp.as_mut().unwrap().rcv_ooopack = 400;
    assert_eq!(told(&e).1, ["Path: round trip 21 ms, 4 % of packets lost or out of order."]);
    e.behind_proxy = true;
    assert_eq!(told(&e).0, Grade::Good, "those are facts of the proxy's leg");
}

#[test]
fn a_missing_sound_is_told_and_a_report_reads_back_from_json() {
    let silent = Record { audio: None, ..record() };
    let report = report(&healthy(), &silent).unwrap().to_record(Lang::En);
    assert_eq!(report.grade, Grade::Fair);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["checks"][0]["text"], "No sound came; picture: H.264 1280×720.");
    assert_eq!(json["checks"][0]["key"], "health_no_audio");
    assert_eq!(serde_json::from_value::<ReportRecord>(json).unwrap(), report);
}

proptest! {
    #[test]
    fn any_numbers_give_a_report(
        live_ms: u64, last: Option<u64>, frames: u64, keys: (u32, u64, u32, u32), offset: (i32, i32, i32),
        declared: (Option<u32>, Option<u32>), bytes: u64, lag_ms: i32, packets: u64, lost: u64,
    ) {
        let mut e = quality(|q| {
            q.key_frames = KeyFrames { count: keys.0, total_ms: keys.1, shortest_ms: keys.2, longest_ms: keys.3 };
            q.offset = Some(Offset { first_ms: offset.0, last_ms: offset.1, widest_ms: offset.2 });
            (q.declared_kbps, q.declared_fps) = declared;
        });
        (e.media.live_ms, e.media.last_ms_ago, e.media.video_frames) = (live_ms, last, frames);
        e.timeline.push(Sample { at_s: 21, span_s: 1, bytes, video: 1, lag_ms, ..Sample::default() });
        e.carrier = Some(CarrierFacts::Srt(Box::new(SrtFacts { packets, lost, ..SrtFacts::default() })));
        let report = report(&e, &record()).unwrap();
        prop_assert!(report.checks.iter().all(|check| check.grade <= report.grade));
        for lang in Lang::ALL {
            prop_assert_eq!(report.to_record(lang).checks.len(), report.checks.len());
        }
    }
}
