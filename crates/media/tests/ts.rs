//! Transport streams of a muxer that we did not write come apart as ffprobe takes them apart, in any pieces, and damage
//! is counted and passed over.
#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

use media::ts::{Codec, Demuxer, Faults, Output, PACKET};
use media::{AudioCodec, VideoCodec};
use proptest::prelude::*;

/// Each made by `ffmpeg -f lavfi ... -f mpegts`, with what `ffprobe -show_entries packet=codec_type,pts,dts,size` says.
const AVC_AAC: (&[u8], &str) =
    (include_bytes!("vectors/ts/avc-aac.ts"), include_str!("vectors/ts/avc-aac.csv"));
const HEVC_OPUS: (&[u8], &str) =
    (include_bytes!("vectors/ts/hevc-opus.ts"), include_str!("vectors/ts/hevc-opus.csv"));
const MP3: (&[u8], &str) = (include_bytes!("vectors/ts/mp3.ts"), include_str!("vectors/ts/mp3.csv"));

#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    codec: Codec,
    pts: u64,
    dts: u64,
    data: Vec<u8>,
}

fn take_apart<'a>(pieces: impl Iterator<Item = &'a [u8]>, limit: usize) -> (Vec<Owned>, Faults, usize) {
    let mut demuxer = Demuxer::new(limit);
    let (mut units, mut too_large) = (Vec::new(), 0);
    let mut take = |output: Output<'_>| match output {
        Output::Unit(unit) => {
            units.push(Owned { codec: unit.codec, pts: unit.pts, dts: unit.dts, data: unit.data.to_vec() })
        }
        Output::TooLarge { .. } => too_large += 1,
    };
    for piece in pieces {
        demuxer.push(piece, &mut take);
    }
    demuxer.finish(&mut take);
    assert_eq!(demuxer.buffered(), 0);
    (units, demuxer.faults(), too_large)
}

fn whole(bytes: &[u8]) -> (Vec<Owned>, Faults) {
    let (units, faults, too_large) = take_apart(std::iter::once(bytes), 1 << 20);
    assert_eq!(too_large, 0);
    (units, faults)
}

fn is_video(unit: &Owned) -> bool {
    matches!(unit.codec, Codec::Video(_))
}

/// What ffprobe says: (pts, dts, size) of each packet of the kind.
fn probed(csv: &str, kind: &str) -> Vec<(u64, u64, usize)> {
    let row = |line: &str| {
        let mut fields = line.split(',').skip(1);
        let mut next = || fields.next().unwrap();
        (next().parse().unwrap(), next().parse().unwrap(), next().parse().unwrap())
    };
    csv.lines().filter(|line| line.starts_with(kind)).map(row).collect()
}

#[test]
fn each_video_unit_is_the_one_that_ffprobe_sees() {
    for ((bytes, csv), codec) in [(AVC_AAC, VideoCodec::Avc), (HEVC_OPUS, VideoCodec::Hevc)] {
        let (units, faults) = whole(bytes);
        let video: Vec<_> = units.iter().filter(|unit| is_video(unit)).collect();
        assert!(video.iter().all(|unit| unit.codec == Codec::Video(codec)));
        let expected = probed(csv, "video");
        assert_eq!(video.len(), expected.len());
        for (unit, (pts, dts, size)) in video.iter().zip(&expected) {
            assert_eq!((unit.pts, unit.dts), (*pts, *dts));
            // ffprobe counts a zero byte before a start code to the picture in front of it.
            assert!(unit.data.len().abs_diff(*size) <= 1, "{} is not {size}", unit.data.len());
            assert!(unit.data.starts_with(&[0, 0, 0, 1]) || unit.data.starts_with(&[0, 0, 1]));
        }
        let packets = bytes.len() as u64 / 188;
        assert_eq!(faults, Faults { packets, ..Faults::default() });
    }
}

#[test]
fn audio_has_all_bytes_and_the_times_that_ffprobe_sees() {
    for ((bytes, csv), codec) in [(AVC_AAC, AudioCodec::Aac), (MP3, AudioCodec::Mp3)] {
        let (units, _) = whole(bytes);
        let audio: Vec<_> = units.iter().filter(|unit| !is_video(unit)).collect();
        assert!(audio.iter().all(|unit| unit.codec == Codec::Audio { codec, channels: 0 }));
        let expected = probed(csv, "audio");
        let bytes: usize = audio.iter().map(|unit| unit.data.len()).sum();
        assert_eq!(bytes, expected.iter().map(|(_, _, size)| size).sum::<usize>());
        assert_eq!(audio[0].pts, expected[0].0);
        for unit in &audio {
            let near = |(pts, ..): &&(u64, u64, usize)| pts.abs_diff(unit.pts) <= 2;
            assert!(expected.iter().any(|packet| near(&packet)), "{} {expected:?}", unit.pts);
        }
    }
}

#[test]
fn each_opus_packet_comes_bare_and_twenty_milliseconds_after_the_one_before() {
    let (units, _) = whole(HEVC_OPUS.0);
    let audio: Vec<_> = units.iter().filter(|unit| !is_video(unit)).collect();
    let expected = probed(HEVC_OPUS.1, "audio");
    assert_eq!(audio.len(), expected.len());
    assert_eq!(audio[0].codec, Codec::Audio { codec: AudioCodec::Opus, channels: 2 });
    for (unit, (_, _, size)) in audio.iter().zip(&expected) {
        assert_eq!(unit.data.len(), *size);
    }
    assert!(audio.windows(2).all(|pair| pair[1].pts - pair[0].pts == 1_800));
}

#[test]
fn a_missing_packet_is_one_gap_and_costs_one_unit() {
    let (bytes, _) = AVC_AAC;
    let all = whole(bytes).0;
    let packets: Vec<_> = bytes.chunks(PACKET).collect();
    // In the middle of a picture: a packet of the video stream that begins none.
    let lost = packets.iter().position(|p| p[1] == 0x01 && p[2] == 0x00 && p[3] & 0x20 == 0).unwrap();
    let left = packets.iter().enumerate().filter(|(n, _)| *n != lost).map(|(_, packet)| *packet);
    let (units, faults, _) = take_apart(left, 1 << 20);
    assert_eq!((faults.continuity_gaps, faults.broken_units), (1, 1));
    assert_eq!(units.len(), all.len() - 1);
    assert!(units.iter().all(|unit| all.contains(unit)), "what is given is whole");
}

#[test]
fn bytes_between_packets_cost_sync_once_and_no_unit() {
    let (bytes, _) = AVC_AAC;
    let at = 20 * PACKET;
    let damaged = [&bytes[..at], &[0x47, 1, 2, 3, 0x47], &bytes[at..]].concat();
    let (units, faults) = whole(&damaged);
    assert!(faults.sync_losses <= 2 && faults.sync_losses > 0, "{faults:?}");
    assert!(units.len() + 3 >= whole(bytes).0.len());
}

#[test]
fn a_table_with_a_wrong_checksum_is_not_believed() {
    let mut damaged = AVC_AAC.0.to_vec();
    let pmt = damaged.chunks(PACKET).position(|p| p[1] & 0x1F == 0x10 && p[2] == 0).unwrap();
    damaged[pmt * PACKET + 20] ^= 0x55;
    let (units, faults) = whole(&damaged);
    assert_eq!(faults.crc_errors, 1);
    assert!(!units.is_empty(), "the next one is");
}

#[test]
fn a_unit_larger_than_allowed_is_told_and_passed_over() {
    let (units, faults, too_large) = take_apart(std::iter::once(AVC_AAC.0), 1_000);
    assert!(too_large > 0);
    assert_eq!(faults.broken_units, too_large as u64);
    assert!(units.iter().all(|unit| unit.data.len() <= 1_000));
    assert!(!units.is_empty());
}

proptest! {
    #[test]
    fn any_split_gives_the_same_units(
        cuts in prop::collection::vec(0usize..18_000, 0..40),
        damage in prop::collection::vec((0usize..18_000, any::<u8>()), 0..6),
        short in 0usize..400,
    ) {
        let mut bytes = AVC_AAC.0.to_vec();
        for (at, value) in damage {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.drain(..short);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
        prop_assert_eq!(take_apart(pieces, 1 << 20), take_apart(std::iter::once(&bytes[..]), 1 << 20));
    }

    #[test]
    fn no_bytes_make_it_panic_or_hold_more_than_its_limit(
        bytes in prop::collection::vec(any::<u8>(), 0..4_000),
        framed in any::<bool>(),
        limit in 0usize..2_000,
    ) {
        let mut bytes = bytes;
        if framed {
            bytes.iter_mut().step_by(PACKET).for_each(|byte| *byte = 0x47);
        }
        let mut demuxer = Demuxer::new(limit);
        demuxer.push(AVC_AAC.0, &mut |_| {});
        demuxer.push(&bytes, &mut |_| {});
        prop_assert!(demuxer.buffered() <= 2 * limit);
    }
}
