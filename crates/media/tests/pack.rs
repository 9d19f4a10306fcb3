//! Access units become messages that this crate's own parsers read back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod vectors;

use media::pack::{
    AudioPacker, Message, MessageKind, PackError, TICKS_PER_SECOND, VideoPacker, adts_frame_size,
};
use media::{
    AudioCodec, AudioKind, VideoCodec, VideoKind, audio_config, check_access_unit, parse_audio, parse_video,
    video_config,
};
use proptest::prelude::*;
use vectors::bytes;
use vectors::video::*;

const START: &[u8] = &[0, 0, 0, 1];

fn annex_b(units: &[&[u8]]) -> Vec<u8> {
    units.iter().flat_map(|unit| [START, unit].concat()).collect()
}

/// The NAL units in the arrays of an AVC record.
fn avc_sets(record: &[u8]) -> Vec<&[u8]> {
    let mut sets = Vec::new();
    let mut at = 6;
    for count in [record[5] & 0x1f, 1] {
        for _ in 0..count {
            let size = usize::from(u16::from_be_bytes([record[at], record[at + 1]]));
            sets.push(&record[at + 2..at + 2 + size]);
            at += 2 + size;
        }
        at += 1;
    }
    sets
}

fn hevc_sets(record: &[u8]) -> Vec<&[u8]> {
    let mut sets = Vec::new();
    let mut at = 23;
    for _ in 0..record[22] {
        assert_eq!(record[at + 2], 1);
        let size = usize::from(u16::from_be_bytes([record[at + 3], record[at + 4]]));
        sets.push(&record[at + 5..at + 5 + size]);
        at += 5 + size;
    }
    sets
}

fn record_of(message: &Message) -> Vec<u8> {
    let tag = parse_video(&message.payload).unwrap();
    assert_eq!(tag.kind, VideoKind::SequenceHeader);
    assert!(message.header);
    message.payload[tag.body].to_vec()
}

#[test]
fn the_record_of_h264_is_the_one_that_ffmpeg_makes() {
    for vector in [AVC_1080, AVC_1080_BASELINE, AVC_853_444, AVC_INTERLACED] {
        let message = bytes(vector);
        let record = &message[5..];
        let mut units = avc_sets(record);
        units.push(&[0x65, 0x88, 0x84]);
        let mut packer = VideoPacker::new(VideoCodec::Avc).unwrap();
        let mut out = Vec::new();
        packer.pack(&annex_b(&units), 3690, 90, &mut out).unwrap();
        assert_eq!(record_of(&out[0]), record);
        let tag = parse_video(&out[1].payload).unwrap();
        assert_eq!((tag.kind, tag.composition_ms, tag.enhanced), (VideoKind::KeyFrame, 40, false));
        assert_eq!(out[1].timestamp_ms, 1);
        assert_eq!(out[1].payload[tag.body], [0, 0, 0, 3, 0x65, 0x88, 0x84]);
    }
}

#[test]
fn the_record_of_hevc_is_the_one_that_ffmpeg_makes_and_says_that_it_is_complete() {
    for vector in [HEVC_1080, HEVC_853_444] {
        let message = bytes(vector);
        let record = &message[5..];
        let mut units = hevc_sets(record);
        units.push(&[0x26, 0x01, 0xaf]);
        let mut packer = VideoPacker::new(VideoCodec::Hevc).unwrap();
        let mut out = Vec::new();
        packer.pack(&annex_b(&units), 0, 0, &mut out).unwrap();
        let mut expected = record.to_vec();
        let mut at = 23;
        for set in hevc_sets(record) {
            expected[at] |= 0x80;
            at += 5 + set.len();
        }
        assert_eq!(record_of(&out[0]), expected);
        assert_eq!(video_config(VideoCodec::Hevc, &expected), video_config(VideoCodec::Hevc, record));
        assert_eq!(parse_video(&out[1].payload).unwrap().kind, VideoKind::KeyFrame);
        // A picture shown later than it is decoded names the difference.
        packer.pack(&annex_b(&[&[0x02, 0x01, 0xaf]]), 7200, 3600, &mut out).unwrap();
        let tag = parse_video(&out[2].payload).unwrap();
        assert_eq!((tag.kind, tag.composition_ms), (VideoKind::InterFrame, 40));
        assert_eq!(out[2].payload[tag.body], [0, 0, 0, 3, 0x02, 0x01, 0xaf]);
    }
}

#[test]
fn the_record_of_av1_is_the_one_that_ffmpeg_makes() {
    for vector in [AV1_853, AV1_AOM] {
        let message = bytes(vector);
        let record = &message[5..];
        // The record's own sequence header, with a temporal delimiter before it and a frame behind it.
        let unit = [&[0x12, 0][..], &record[4..], &[0x32, 2, 0xaa, 0xbb]].concat();
        let mut packer = VideoPacker::new(VideoCodec::Av1).unwrap();
        let mut out = Vec::new();
        packer.pack(&unit, 0, 0, &mut out).unwrap();

        assert_eq!(record_of(&out[0]), record);
        let tag = parse_video(&out[1].payload).unwrap();
        assert_eq!(tag.kind, VideoKind::KeyFrame);
        let body = &out[1].payload[tag.body];
        assert_eq!(body, &unit[2..]);
        assert!(check_access_unit(VideoCodec::Av1, 0, body).unwrap().has_idr);
    }
}

#[test]
fn the_record_of_vp9_agrees_with_the_one_that_ffmpeg_makes() {
    let ffmpeg = bytes(VP9);
    let key = &bytes(VP9_KEY_FRAME)[5..];
    let inter = &bytes(VP9_INTER_FRAME)[5..];
    let mut packer = VideoPacker::new(VideoCodec::Vp9).unwrap();
    let mut out = Vec::new();
    packer.pack(inter, 0, 0, &mut out).unwrap();
    assert!(out.is_empty() && packer.waiting() == 1);
    packer.pack(key, 0, 0, &mut out).unwrap();
    packer.pack(inter, 3600, 3600, &mut out).unwrap();
    let record = record_of(&out[0]);
    // Version and flags of the box come first in ffmpeg's.
    assert_eq!(record, ffmpeg[9..]);
    let kinds: Vec<_> = out.iter().map(|m| parse_video(&m.payload).unwrap().kind).collect();
    assert_eq!(kinds, [VideoKind::SequenceHeader, VideoKind::KeyFrame, VideoKind::InterFrame]);
}

#[test]
fn vp8_is_described_by_its_key_frame() {
    let mut packer = VideoPacker::new(VideoCodec::Vp8).unwrap();
    let mut out = Vec::new();
    packer.pack(&bytes(VP8_KEY_FRAME), 0, 0, &mut out).unwrap();
    let record = record_of(&out[0]);
    let config = video_config(VideoCodec::Vp8, &record).unwrap().unwrap();
    assert_eq!(config.codec_string, "vp08.00.00.08");
    assert_eq!(parse_video(&out[1].payload).unwrap().codec, Some(VideoCodec::Vp8));
}

#[test]
fn a_sequence_header_is_repeated_only_when_it_changes() {
    let (first, second) = (bytes(AVC_1080), bytes(AVC_1080_BASELINE));
    let mut packer = VideoPacker::new(VideoCodec::Avc).unwrap();
    let mut out = Vec::new();
    let mut push = |message: &[u8], out: &mut Vec<Message>| {
        let mut units = avc_sets(&message[5..]);
        units.push(&[0x65, 0x88]);
        packer.pack(&annex_b(&units), 0, 0, out).unwrap();
    };
    for message in [&first, &first, &second, &second, &first] {
        push(message, &mut out);
    }
    let headers: Vec<_> = out.iter().map(|message| message.header).collect();
    assert_eq!(headers, [true, false, false, true, false, false, true, false]);
    assert_eq!(record_of(&out[3]), second[5..]);
    assert_eq!(record_of(&out[6]), first[5..]);
}

#[test]
fn pictures_before_the_parameter_sets_are_passed_over_and_counted() {
    let mut packer = VideoPacker::new(VideoCodec::Avc).unwrap();
    let mut out = Vec::new();
    packer.pack(&annex_b(&[&[0x41, 0x9a]]), 0, 0, &mut out).unwrap();
    assert!(out.is_empty());
    assert_eq!(packer.waiting(), 1);
}

#[test]
fn a_recovery_point_behind_a_parameter_set_is_where_decoding_can_start() {
    let message = bytes(AVC_1080);
    let mut units = avc_sets(&message[5..]);
    units.extend([&[0x06, 0x06, 0x01, 0xc4, 0x80][..], &[0x41, 0x9a]]);
    let mut packer = VideoPacker::new(VideoCodec::Avc).unwrap();
    let mut out = Vec::new();
    packer.pack(&annex_b(&units), 0, 0, &mut out).unwrap();
    assert_eq!(parse_video(&out[1].payload).unwrap().kind, VideoKind::KeyFrame);
}

#[test]
fn decoding_times_stand_still_rather_than_go_back_and_the_composition_time_takes_the_difference() {
    let message = bytes(AVC_1080);
    let mut units = avc_sets(&message[5..]);
    units.push(&[0x65, 0x88]);
    let mut packer = VideoPacker::new(VideoCodec::Avc).unwrap();
    let mut out = Vec::new();
    packer.pack(&annex_b(&units), 9000, 9000, &mut out).unwrap();
    packer.pack(&annex_b(&[&[0x41, 0x9a]]), 5400, 5400, &mut out).unwrap();
    assert_eq!(out[2].timestamp_ms, 100);
    assert_eq!(parse_video(&out[2].payload).unwrap().composition_ms, -40);
}

/// An ADTS frame of AAC-LC, 48 kHz, stereo.
fn adts(body: &[u8]) -> Vec<u8> {
    let size = body.len() + 7;
    let low = ((size & 7) << 5) as u8 | 0x1f;
    [&[0xff, 0xf1, 0x4c, 0x80 | (size >> 11) as u8, (size >> 3) as u8, low, 0xfc], body].concat()
}

#[test]
fn aac_loses_its_adts_headers_and_gains_a_configuration() {
    let data = [adts(b"one"), adts(b"two!")].concat();
    assert_eq!(adts_frame_size(&data), Some(10));
    let mut packer = AudioPacker::new(AudioCodec::Aac, 0).unwrap();
    let mut out = Vec::new();
    packer.pack(&data, TICKS_PER_SECOND, &mut out).unwrap();
    let tag = parse_audio(&out[0].payload).unwrap();
    assert_eq!((tag.codec, tag.kind), (Some(AudioCodec::Aac), AudioKind::SequenceHeader));
    let config = audio_config(AudioCodec::Aac, &out[0].payload[tag.body]).unwrap().unwrap();
    assert_eq!((config.sample_rate, config.channels, config.object_type), (48_000, Some(2), Some(2)));
    let frames: Vec<_> = out[1..].iter().map(|m| (m.timestamp_ms, m.payload[2..].to_vec())).collect();
    assert_eq!(frames, [(1000, b"one".to_vec()), (1021, b"two!".to_vec())]);
}

#[test]
fn a_cut_adts_frame_says_where() {
    let data = adts(b"sound");
    let mut packer = AudioPacker::new(AudioCodec::Aac, 2).unwrap();
    let error = packer.pack(&data[..10], 0, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "the ADTS frame at byte 0 needs 12 bytes, 10 left");
    let error = packer.pack(b"no header here", 0, &mut Vec::new()).unwrap_err();
    assert_eq!(error, PackError::FrameHeader { what: "ADTS", offset: 0 });
}

#[test]
fn opus_is_announced_by_an_identification_header() {
    for channels in 1..=8 {
        let mut packer = AudioPacker::new(AudioCodec::Opus, channels).unwrap();
        let mut out = Vec::new();
        packer.pack(&[0xfc, 1, 2], 0, &mut out).unwrap();
        packer.pack(&[0xfc, 3], 1800, &mut out).unwrap();
        let tag = parse_audio(&out[0].payload).unwrap();
        assert_eq!((tag.codec, tag.kind), (Some(AudioCodec::Opus), AudioKind::SequenceHeader));
        let config = audio_config(AudioCodec::Opus, &out[0].payload[tag.body]).unwrap().unwrap();
        assert_eq!(config.channels, Some(channels));
        let tag = parse_audio(&out[2].payload).unwrap();
        assert_eq!(
            (tag.kind, out[2].timestamp_ms, &out[2].payload[tag.body]),
            (AudioKind::Frame, 20, &[0xfc, 3][..])
        );
    }
    assert!(matches!(AudioPacker::new(AudioCodec::Opus, 9), Err(PackError::Channels { .. })));
}

#[test]
fn mp3_is_cut_into_frames() {
    // MPEG-1 layer III, 128 kbit/s, 44.1 kHz, joint stereo: 417 bytes.
    let mut frame = vec![0xff, 0xfb, 0x90, 0x64];
    frame.resize(417, 0);
    let data = [frame.clone(), frame].concat();
    let mut packer = AudioPacker::new(AudioCodec::Mp3, 2).unwrap();
    let mut out = Vec::new();
    packer.pack(&data, 0, &mut out).unwrap();
    let seen: Vec<_> = out.iter().map(|m| (m.timestamp_ms, m.payload.len())).collect();
    assert_eq!(seen, [(0, 418), (26, 418)]);
    let tag = parse_audio(&out[0].payload).unwrap();
    assert_eq!((tag.codec, tag.classic.unwrap().sample_rate), (Some(AudioCodec::Mp3), 44_100));
}

#[test]
fn codecs_without_a_packer_say_so() {
    let error = VideoPacker::new(VideoCodec::Vp6).unwrap_err();
    assert_eq!(error.to_string(), "VP6 video is not taken in over this transport");
    let error = AudioPacker::new(AudioCodec::Speex, 1).unwrap_err();
    assert_eq!(error.to_string(), "Speex audio is not taken in over this transport");
}

fn video_codecs() -> impl Strategy<Value = VideoCodec> {
    prop::sample::select(vec![
        VideoCodec::Avc,
        VideoCodec::Hevc,
        VideoCodec::Av1,
        VideoCodec::Vp8,
        VideoCodec::Vp9,
    ])
}

proptest! {
    #[test]
    fn broken_units_give_errors_or_messages_that_parse(
        codec in video_codecs(),
        mut units in proptest::collection::vec((0usize..8, proptest::collection::vec(any::<u8>(), 0..40)), 1..8),
        times in proptest::collection::vec(any::<i64>(), 8),
    ) {
        let whole = [AVC_1080, AVC_853_444, HEVC_1080, HEVC_853_444].map(bytes);
        let mut packer = VideoPacker::new(codec).unwrap();
        let mut out = Vec::new();
        for ((pick, noise), time) in units.drain(..).zip(times) {
            let mut parts: Vec<&[u8]> = match whole.get(pick) {
                Some(message) if pick < 2 => avc_sets(&message[5..]),
                Some(message) => hevc_sets(&message[5..]),
                None => Vec::new(),
            };
            parts.push(&noise);
            let unit = if pick == 7 { noise.clone() } else { annex_b(&parts) };
            let _ = packer.pack(&unit, time, time, &mut out);
        }
        for message in out {
            prop_assert_eq!(message.kind, MessageKind::Video);
            let tag = parse_video(&message.payload).unwrap();
            prop_assert_eq!(tag.codec, Some(codec));
            prop_assert_eq!(tag.kind == VideoKind::SequenceHeader, message.header);
            if codec.has_nal_units() && !message.header {
                check_access_unit(codec, 4, &message.payload[tag.body]).unwrap();
            }
        }
    }

    #[test]
    fn any_sound_gives_errors_or_messages_that_parse(
        codec in prop::sample::select(vec![AudioCodec::Aac, AudioCodec::Mp3, AudioCodec::Opus]),
        start in prop::sample::select(vec![&[0xffu8, 0xf1, 0x4c, 0x80][..], &[0xff, 0xfb, 0x90, 0x64], &[]]),
        data in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut packer = AudioPacker::new(codec, 2).unwrap();
        let mut out = Vec::new();
        let _ = packer.pack(&[start, &data].concat(), 0, &mut out);
        for message in out {
            prop_assert_eq!(parse_audio(&message.payload).unwrap().codec, Some(codec));
        }
    }
}
