//! Bytes that nobody meant: random ones, real ones cut short, real ones with bits turned over.

mod vectors;

use media::{
    AudioCodec, CodecId, ConfigError, VideoCodec, audio_config, audio_frame_config, audio_tracks,
    check_access_unit, frame_size, multichannel_config, parse_audio, parse_video, video_config, video_tracks,
};
use proptest::prelude::*;
use vectors::{audio::*, video::*, *};

const VIDEO_CODECS: [VideoCodec; 12] = [
    VideoCodec::H263,
    VideoCodec::Screen,
    VideoCodec::ScreenV2,
    VideoCodec::Vp6,
    VideoCodec::Vp6Alpha,
    VideoCodec::Avc,
    VideoCodec::Hevc,
    VideoCodec::Av1,
    VideoCodec::Vp8,
    VideoCodec::Vp9,
    VideoCodec::Vvc,
    VideoCodec::Other(CodecId::Classic(1)),
];
const AUDIO_CODECS: [AudioCodec; 7] = [
    AudioCodec::Aac,
    AudioCodec::Mp3,
    AudioCodec::Opus,
    AudioCodec::Flac,
    AudioCodec::Ac3,
    AudioCodec::Eac3,
    AudioCodec::Speex,
];

/// Parses `message` in every way there is; offsets of errors have to lie in what was given.
fn parse_all(message: &[u8]) {
    match parse_video(message) {
        Ok(tag) => assert!(tag.body.start <= tag.body.end && tag.body.end <= message.len()),
        Err(error) => assert!(error.offset() <= message.len(), "{error}"),
    }
    match parse_audio(message) {
        Ok(tag) => assert!(tag.body.start <= tag.body.end && tag.body.end <= message.len()),
        Err(error) => assert!(error.offset() <= message.len(), "{error}"),
    }
    // Each track takes bytes of the message, so that none can keep the iterators going.
    for tag in video_tracks(message).into_iter().flatten().flatten() {
        assert!(message.get(tag.body).is_some());
    }
    for tag in audio_tracks(message).into_iter().flatten().flatten() {
        assert!(message.get(tag.body).is_some());
    }
}

fn configure_all(body: &[u8]) {
    for codec in VIDEO_CODECS {
        if let Err(error) = video_config(codec, body) {
            assert!(error.at().byte <= body.len(), "{error}");
        }
        if let Err(error) = frame_size(codec, body) {
            assert!(error.at().byte <= body.len(), "{error}");
        }
        for nal_length_size in 0..=5 {
            let _ = check_access_unit(codec, nal_length_size, body);
        }
    }
    for codec in AUDIO_CODECS {
        if let Err(error) = audio_config(codec, body) {
            assert!(error.at().byte <= body.len(), "{error}");
        }
        if let Err(error) = audio_frame_config(codec, body) {
            assert!(error.at().byte <= body.len(), "{error}");
        }
    }
    let _ = multichannel_config(body);
}

/// Cuts `body` at every byte; each cut has to be a fault, but where `may_end_at` says that a record may end there.
fn cut_everywhere<T>(
    body: &[u8],
    parse: impl Fn(&[u8]) -> Result<T, ConfigError>,
    may_end_at: impl Fn(usize) -> bool,
) {
    assert!(parse(body).is_ok());
    for cut in 1..body.len() {
        match parse(&body[..cut]) {
            Err(error) => assert!(error.at().byte <= cut, "cut to {cut}: {error}"),
            Ok(_) => assert!(may_end_at(cut), "cut to {cut} passed"),
        }
    }
}

#[test]
fn a_video_record_cut_short_is_a_fault_that_lies_in_what_is_left() {
    for hex in [AVC_1080_BASELINE, HEVC_1080, HEVC_853_444, VVC_854, AV1_853, AV1_AOM, VP9] {
        let message = bytes(hex);
        let tag = parse_video(&message).unwrap();
        let codec = tag.codec.unwrap();
        // AV1 may leave out its sequence header, VP9 the start of the box.
        let may_end_at =
            |cut| (codec == VideoCodec::Av1 && cut == 4) || (codec == VideoCodec::Vp9 && cut >= 8);
        cut_everywhere(&message[tag.body], |body| video_config(codec, body), may_end_at);
    }
}

#[test]
fn an_audio_record_cut_short_is_a_fault_that_lies_in_what_is_left() {
    for hex in [AAC, AAC_6, OPUS, FLAC] {
        let message = bytes(hex);
        let tag = parse_audio(&message).unwrap();
        let codec = tag.codec.unwrap();
        // AAC may leave out what follows for SBR; with a byte of it too few to be read, it is not looked at.
        let may_end_at = |cut| codec == AudioCodec::Aac && (cut == 2 || cut == 3);
        cut_everywhere(&message[tag.body], |body| audio_config(codec, body), may_end_at);
    }
}

#[test]
fn a_header_cut_short_is_a_fault() {
    for (hex, header) in [(AVC_1080, 5), (HEVC_1080, 5), (AVC_SECOND_TRACK, 7), ("91687663310000280000", 8)] {
        let message = bytes(hex);
        for cut in 0..header {
            let error = parse_video(&message[..cut]).unwrap_err();
            assert!(error.offset() <= cut, "{hex} cut to {cut}: {error}");
        }
        assert!(parse_video(&message[..header]).is_ok());
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(data in prop::collection::vec(any::<u8>(), 0..300)) {
        parse_all(&data);
        configure_all(&data);
    }

    #[test]
    fn turned_bits_in_real_messages_never_panic(
        index in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let all = [ALL_VIDEO, ALL_AUDIO].concat();
        let mut message = bytes(all[index.index(all.len())]);
        for (at, byte) in changes {
            let at = at.index(message.len());
            message[at] ^= byte;
        }
        parse_all(&message);
        for start in [0, 1, 2, 5, 7, 8] {
            configure_all(message.get(start..).unwrap_or_default());
        }
    }

    #[test]
    fn units_that_were_put_together_are_found_again(
        units in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..10),
    ) {
        let mut frame = Vec::new();
        let mut has_idr = false;
        for unit in &units {
            let mut unit = unit.clone();
            if let Some(first) = unit.first_mut() {
                *first &= 0x7f;
                has_idr |= *first & 0x1f == 5;
            }
            frame.extend((unit.len() as u16).to_be_bytes());
            frame.extend(unit);
        }
        let found = check_access_unit(VideoCodec::Avc, 2, &frame).unwrap();
        prop_assert_eq!((found.has_idr, found.nal_count as usize), (has_idr, units.len()));
    }
}
