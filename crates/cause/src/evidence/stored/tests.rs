use proptest::prelude::*;

use super::*;
use crate::black_box::{CommandEntry, MediaEntry, MediaEntryKind};
use crate::evidence::{
    Act, CarrierFacts, Close, CutMessage, Errno, FaultClass, FaultKind, Goodbye, KeyFrames, MediaQuality,
    MediaState, Offset, Probe, ProtocolFault, Silence, SrtFacts, Stage, TcpFacts, TlsFacts, TlsFailure,
    TlsFailureKind, Transport, TsFacts,
};
use crate::timeline::Sample;
use crate::verdict::verdict;
use crate::{Cause, Detail, DetailKey};

/// Written by the versions; regenerate them never, and add a fixture for each later version.
const VERSION_1: &[u8] = include_bytes!("../../../tests/fixtures/evidence-v1.bin");
const VERSION_2: &[u8] = include_bytes!("../../../tests/fixtures/evidence-v2.bin");
const VERSION_3: &[u8] = include_bytes!("../../../tests/fixtures/evidence-v3.bin");
const VERSION_4: &[u8] = include_bytes!("../../../tests/fixtures/evidence-v4.bin");

/// What the fixtures hold: every field set, every kind of value in use.
fn fixture() -> Evidence {
    let mut e = filled(20);
    e.act = Some(Act {
        code: Cause::Dropped.code(),
        detail: Some(Detail::new(DetailKey::OrderedBy).with("who", "admin").with("via", "console")),
    });
    e.carrier = Some(CarrierFacts::Srt(Box::new(SrtFacts {
        peer_version: 0x01_05_01,
        encrypted: true,
        latency_ms: 120,
        rtt_us: 41_000,
        packets: 1_334,
        lost: 106,
        retransmitted: 105,
        dropped: 1,
        belated: 2,
        undecrypted: 3,
        overflowed: 4,
        refused: 1,
        ts: TsFacts { packets: 8_760, continuity_gaps: 1, ..TsFacts::default() },
    })));
    e
}

/// A push that lived for `seconds`, with every field set but the act.
fn filled(seconds: u32) -> Evidence {
    let mut e = Evidence::new(Transport::Rtmps);
    e.stage = Stage::Live;
    e.close = Close::Failed(Errno::EPIPE);
    e.goodbye = Some(Goodbye::FcUnpublishAlone);
    e.fault = Some(ProtocolFault {
        kind: FaultKind::CommandAmf,
        class: FaultClass::Misbehaved,
        rule: "amf_marker".into(),
        offset: 70_000,
        chunk_stream: Some(3),
        message_type: Some(20),
        length: Some(300),
        marker: Some(0x1F),
        path: "connect.commandObject.tcUrl".into(),
        found: "marker 0x1f where a value begins".into(),
    });
    e.write_error = Some(Errno::ECONNRESET);
    e.cut_message = Some(CutMessage { message_type: 9, have: 812, want: 20_113 });
    e.media = MediaState {
        messages: 900,
        video_frames: 600,
        audio_frames: 300,
        last_ms_ago: Some(12),
        last_video_ms_ago: Some(33),
        live_ms: u64::from(seconds) * 1000,
    };
    e.silence = Silence { ms: 4000, probe: Probe::Acknowledged, probe_ms_ago: 1000 };
    e.tcp = Some(TcpFacts {
        state: 8,
        rtt_us: 45_000,
        rcv_wnd: 65_535,
        bytes_received: 1 << 33,
        ..TcpFacts::default()
    });
    e.behind_proxy = true;
    e.quality = Some(MediaQuality {
        declared_kbps: Some(2_660),
        declared_fps: Some(3_000),
        fps: Some(2_997),
        key_frames: KeyFrames { count: 9, total_ms: 18_000, shortest_ms: 1_990, longest_ms: 2_010 },
        offset: Some(Offset { first_ms: -20, last_ms: -22, widest_ms: 140 }),
    });
    e.client.agent = Some("FMLE/3.0 (compatible; Lavf60.16.100)".into());
    e.client.encoder = Some("Lavf60.16.100".into());
    e.client.answered_ping = true;
    e.client.handshake = Some("simple".into());
    e.limits.idle_ms = 70_000;
    e.limits.message_bytes = 4 << 20;
    e.lived_ms = u64::from(seconds) * 1000 + 120;
    for at_s in 1..=seconds {
        e.timeline.push(Sample {
            at_s,
            span_s: 1,
            bytes: 187_500,
            video: 30,
            audio: 43,
            keys: at_s % 2,
            lag_ms: -20,
            rcv_rtt_us: 41_000,
            rtt_us: (at_s % 5 == 0).then_some(40_000),
            ooo: at_s % 7,
            retrans: at_s % 3,
            trickle_ms: 40,
            wnd_closed: at_s == 4,
        });
    }
    e.events.push(EventCount {
        kind: 3,
        count: 2,
        first_ms: 900,
        last_ms: 4000,
        recent: vec![
            Occurrence { at_ms: 900, value: Some(1240), timestamp: Some(1280), text: String::new() },
            Occurrence { at_ms: 4000, value: Some(1100), timestamp: None, text: "seen".into() },
        ],
    });
    for n in 0..300 {
        e.black_box.command(command(n, "deleteStream"));
    }
    for n in 0..400 {
        e.black_box.media(media(n));
    }
    e
}

fn command(n: u32, name: &str) -> CommandEntry {
    CommandEntry {
        at_ms: 1000 + n,
        from_client: n.is_multiple_of(2),
        name: name.into(),
        summary: format!("transaction {n}"),
        size: 34,
        after_media: Some(0),
    }
}

fn media(n: u32) -> MediaEntry {
    MediaEntry {
        at_ms: 2000 + n * 13,
        kind: if n.is_multiple_of(3) { MediaEntryKind::Audio } else { MediaEntryKind::Video },
        key_frame: n % 60 == 1,
        config: n < 2,
        timestamp: n * 13,
        size: 6000 + n,
        chunk_stream: 6,
    }
}

#[test]
fn evidence_of_version_1_stays_readable() {
    let old = Evidence::decode(VERSION_1).unwrap();
    let recent = vec![Occurrence { at_ms: 4000, text: "a jump of 1,240 ms".into(), ..Occurrence::default() }];
    let mut expected = fixture();
    expected.version = 1;
    expected.carrier = None;
    expected.quality = None;
    expected.events[0].recent = recent;
    expected.black_box = old.black_box.clone();
    assert_eq!(old, expected);
    let (first, left_out, last) = old.black_box.commands();
    let of_then = |n| CommandEntry { after_media: None, ..command(n, "deleteStream") };
    assert_eq!((first.len(), left_out, last.len()), (36, 230, 34));
    assert!(first.into_iter().eq((0..36).map(of_then)));
    assert!(last.into_iter().eq((266..300).map(of_then)));
    assert!(old.black_box.media_entries().eq((208..400).map(media)));
    assert_eq!(Evidence::decode(&old.encode()).unwrap(), old, "it can be written anew");
}

#[test]
fn evidence_of_version_2_stays_readable() {
    let mut expected = fixture();
    expected.version = 2;
    expected.carrier = None;
    expected.quality = None;
    let old = Evidence::decode(VERSION_2).unwrap();
    assert_eq!(old, expected);
    assert_eq!(
        Evidence::decode(&old.encode()).map(|e| e.lived_ms),
        Ok(old.lived_ms),
        "it can be written anew"
    );
}

#[test]
fn evidence_of_version_3_stays_readable() {
    let mut expected = fixture();
    expected.version = 3;
    expected.quality = None;
    assert_eq!(Evidence::decode(VERSION_3).unwrap(), expected);
}

/// With `WRITE_FIXTURES` set it writes the fixture anew, for a change of the format before its version was ever released.
#[test]
fn evidence_of_version_4_stays_readable() {
    if std::env::var_os("WRITE_FIXTURES").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/evidence-v4.bin");
        std::fs::write(path, fixture().encode()).unwrap();
    }
    assert_eq!(Evidence::decode(VERSION_4).unwrap(), fixture());
}

#[test]
fn stored_evidence_begins_with_its_version_and_reads_back_whole() {
    let e = filled(500);
    let bytes = e.encode();
    assert_eq!(bytes[..2], [4, 0]);
    assert_eq!(Evidence::decode(&bytes).unwrap(), e);
    let json = serde_json::to_value(&e).unwrap();
    assert_eq!(json["close"], serde_json::json!({ "failed": 32 }));
    let newest = json["timeline"]["samples"].as_array().unwrap().last().unwrap();
    assert_eq!((&newest["at_s"], &newest["video"]), (&500.into(), &30.into()));
    assert_eq!(serde_json::from_value::<Evidence>(json).unwrap(), e);
}

#[test]
fn a_push_of_a_week_stays_below_16_kib_on_disk_and_in_memory() {
    let e = filled(7 * 86_400);
    assert!(e.memory_bytes() <= MAX_EVIDENCE_BYTES, "{}", e.memory_bytes());
    let bytes = e.encode();
    assert!(bytes.len() <= MAX_EVIDENCE_BYTES, "{}", bytes.len());
    assert_eq!(Evidence::decode(&bytes).unwrap(), e, "nothing had to be thinned");
}

#[test]
fn a_hostile_client_cannot_make_evidence_large_and_what_matters_survives() {
    let mut e = filled(7 * 86_400);
    let flood = "x".repeat(100_000);
    e.client.agent = Some(flood.clone());
    e.client.encoder = Some("é".repeat(100_000));
    e.fault.as_mut().unwrap().found = flood.clone();
    let recent = vec![Occurrence { text: flood.clone(), ..Occurrence::default() }; 9];
    e.events =
        (0..200).map(|kind| EventCount { kind, recent: recent.clone(), ..EventCount::default() }).collect();
    for n in 0..1000 {
        e.black_box.command(CommandEntry { name: flood.clone(), summary: flood.clone(), ..command(n, "") });
    }
    let bytes = e.encode();
    assert!(bytes.len() <= MAX_EVIDENCE_BYTES, "{}", bytes.len());
    let stored = Evidence::decode(&bytes).unwrap();
    assert_eq!(verdict(&stored), verdict(&e));
    assert!(stored.timeline.len() > 100, "{}", stored.timeline.len());
}

#[test]
fn the_black_box_goes_before_the_last_minutes_and_before_what_we_did() {
    let mut e = filled(100);
    let fill = |count| {
        let detail = Detail::new(DetailKey::OrderedBy);
        let detail = (0..count).fold(detail, |detail, n| detail.with(&format!("p{n}"), "x".repeat(250)));
        Some(Act { code: Cause::Dropped.code(), detail: Some(detail) })
    };
    e.act = fill(44);
    let stored = Evidence::decode(&e.encode()).unwrap();
    assert_eq!((stored.black_box.media_entries().count(), stored.black_box.commands().0.len()), (0, 34));
    assert_eq!((&stored.timeline, &stored.act), (&e.timeline, &e.act));
    e.act = fill(50);
    let stored = Evidence::decode(&e.encode()).unwrap();
    assert!(stored.black_box.commands().0.is_empty());
    assert_eq!((&stored.timeline, &stored.act), (&e.timeline, &e.act));
    e.act = fill(70);
    let bytes = e.encode();
    let stored = Evidence::decode(&bytes).unwrap();
    assert!(bytes.len() <= MAX_EVIDENCE_BYTES && stored.timeline.is_empty());
    assert_eq!(verdict(&stored).cause, Cause::Dropped);
}

#[test]
fn what_is_no_evidence_is_told_from_what_is_too_new() {
    assert_eq!(Evidence::decode(&[]), Err(EvidenceError::Truncated(0)));
    assert_eq!(Evidence::decode(&[9, 9, 0]), Err(EvidenceError::UnknownVersion(0x0909)));
    assert!(matches!(Evidence::decode(&[1, 0]), Err(EvidenceError::Broken { version: 1, .. })));
    let mut bytes = filled(3).encode();
    bytes.push(0);
    assert!(matches!(Evidence::decode(&bytes), Err(EvidenceError::Broken { .. })));
}

#[test]
fn what_is_known_of_tls_is_stored_and_cut_where_it_is_long() {
    let mut e = filled(20);
    let failure = TlsFailure { kind: TlsFailureKind::Broken, found: "x".repeat(10_000) };
    e.carrier = Some(CarrierFacts::Tls(Box::new(TlsFacts {
        version: Some("TLSv1.3".into()),
        server_name: Some("push.example.com".into()),
        close_notify: true,
        failure: Some(failure),
    })));
    assert!(e.memory_bytes() > filled(20).memory_bytes() + 9_000);
    let stored = Evidence::decode(&e.encode()).unwrap();
    let tls = stored.tls().unwrap();
    assert_eq!((tls.server_name.as_deref(), tls.close_notify), (Some("push.example.com"), true));
    assert_eq!(tls.failure.as_ref().unwrap().found.len(), TEXT_BYTES);
}

proptest! {
    #[test]
    fn decoding_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..4000), honest in any::<bool>(), version in 1u8..5) {
        if honest {
            bytes.splice(..2.min(bytes.len()), [version, 0]);
        }
        let _ = Evidence::decode(&bytes);
    }

    #[test]
    fn damaged_evidence_never_panics_even_when_it_is_judged(at in 0..8000usize, value in any::<u8>()) {
        let mut bytes = filled(30).encode();
        let at = at % bytes.len();
        bytes[at] = value;
        if let Ok(e) = Evidence::decode(&bytes) {
            let _ = verdict(&e);
            prop_assert!(e.encode().len() <= MAX_EVIDENCE_BYTES);
        }
    }
}
