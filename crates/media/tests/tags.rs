//! Headers of audio and video messages, classic and enhanced.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod vectors;

use media::{
    AudioCodec, AudioKind, ClassicSound, CodecId, FourCc, Multitrack, TagError, TrackLayout, VideoCodec,
    VideoCommand, VideoKind, VideoTag, audio_tracks, parse_audio, parse_video, video_tracks,
};
use vectors::{audio::*, video::*, *};

fn video(hex: &str) -> VideoTag {
    parse_video(&bytes(hex)).unwrap()
}

#[test]
fn classic_avc_tells_header_key_frame_inter_frame_and_end() {
    let tag = video(AVC_1080);
    assert_eq!((tag.codec, tag.kind), (Some(VideoCodec::Avc), VideoKind::SequenceHeader));
    assert_eq!((tag.body, tag.enhanced, tag.multitrack), (5..53, false, None));
    let tag = video("1701000043000002ae");
    assert_eq!((tag.kind, tag.composition_ms, tag.body), (VideoKind::KeyFrame, 67, 5..9));
    let tag = video("2701fffffd00000001");
    assert_eq!((tag.kind, tag.composition_ms), (VideoKind::InterFrame, -3));
    assert_eq!(video("1702000000").kind, VideoKind::EndOfSequence);
}

#[test]
fn private_codec_ids_have_the_layout_of_avc() {
    let tag = video("1c0100000100000001");
    assert_eq!((tag.codec, tag.kind, tag.composition_ms), (Some(VideoCodec::Hevc), VideoKind::KeyFrame, 1));
    let tag = video("1d0000000081");
    assert_eq!((tag.codec, tag.kind), (Some(VideoCodec::Av1), VideoKind::SequenceHeader));
}

#[test]
fn older_codecs_have_no_packet_type() {
    let tag = video(H263_KEY_FRAME);
    assert_eq!((tag.codec, tag.kind, tag.body), (Some(VideoCodec::H263), VideoKind::KeyFrame, 1..24));
    assert_eq!(video("3200").kind, VideoKind::InterFrame);
    let tag = video("1800");
    assert_eq!(tag.codec, Some(VideoCodec::Other(CodecId::Classic(8))));
}

#[test]
fn commands_carry_no_media() {
    assert_eq!(video("5700").kind, VideoKind::Command(VideoCommand::StartSeek));
    let tag = video("d101");
    assert_eq!((tag.codec, tag.kind), (None, VideoKind::Command(VideoCommand::EndSeek)));
    assert!(!tag.is_frame());
}

#[test]
fn enhanced_headers_of_ffmpeg_are_read() {
    for (hex, codec) in [
        (HEVC_1080, VideoCodec::Hevc),
        (VVC_854, VideoCodec::Vvc),
        (AV1_853, VideoCodec::Av1),
        (VP9, VideoCodec::Vp9),
    ] {
        let tag = video(hex);
        assert_eq!((tag.codec, tag.kind), (Some(codec), VideoKind::SequenceHeader));
        assert_eq!((tag.body.start, tag.enhanced), (5, true));
    }
    assert_eq!(video(AV1_METADATA).kind, VideoKind::Metadata);
    assert_eq!(video(VP9_KEY_FRAME).kind, VideoKind::KeyFrame);
    assert_eq!(video(VP9_INTER_FRAME).kind, VideoKind::InterFrame);
}

#[test]
fn enhanced_frames_have_a_composition_time_only_where_the_codec_has_one() {
    let tag = video("91687663310000280000");
    assert_eq!((tag.kind, tag.composition_ms, tag.body), (VideoKind::KeyFrame, 40, 8..10));
    let tag = video("93687663310000280000");
    assert_eq!((tag.kind, tag.composition_ms, tag.body), (VideoKind::KeyFrame, 0, 5..10));
    let tag = video("91617630310000280000");
    assert_eq!((tag.composition_ms, tag.body), (0, 5..10));
}

#[test]
fn the_frame_type_of_metadata_is_ignored() {
    // Frame type 5, which is a command elsewhere.
    assert_eq!(video(AV1_METADATA).kind, VideoKind::Metadata);
    // Frame type 0, which is reserved elsewhere.
    assert_eq!(video("846876633102").kind, VideoKind::Metadata);
}

#[test]
fn sequence_end_and_transport_stream_headers_are_told() {
    assert_eq!(video("9268766331").kind, VideoKind::EndOfSequence);
    assert_eq!(video("9561763031").kind, VideoKind::TsSequenceHeader);
}

#[test]
fn reserved_packet_types_are_passed_on_not_refused() {
    assert_eq!(video("9f68766331").kind, VideoKind::Unknown(15));
    let audio = parse_audio(&bytes("934f707573")).unwrap();
    assert_eq!(audio.kind, AudioKind::Unknown(3));
}

#[test]
fn an_unknown_four_cc_is_kept() {
    assert_eq!(video("917468656f00").codec, Some(VideoCodec::Other(CodecId::FourCc(FourCc(*b"theo")))));
}

#[test]
fn a_nanosecond_offset_comes_before_the_packet_type() {
    // ModEx of 3 bytes holding 500,000, type 0, then CodedFramesX.
    let tag = video("9702 07a120 03 68766331 00");
    assert_eq!((tag.nanos, tag.kind, tag.body), (500_000, VideoKind::KeyFrame, 10..11));
    let audio = parse_audio(&bytes("970207a120014f707573fc")).unwrap();
    assert_eq!((audio.nanos, audio.kind, audio.body), (500_000, AudioKind::Frame, 10..11));
}

#[test]
fn a_modifier_of_256_bytes_or_more_has_a_long_size() {
    let mut message = vec![0x97, 0xff, 0x01, 0x2b];
    message.extend([7; 300]);
    message.extend([0x13, b'h', b'v', b'c', b'1', 0]);
    let tag = parse_video(&message).unwrap();
    assert_eq!((tag.nanos, tag.kind, tag.body), (0, VideoKind::KeyFrame, 309..310));
}

#[test]
fn modifiers_without_end_are_refused() {
    let mut message = vec![0x97];
    for _ in 0..20 {
        message.extend([0x00, 0x00, 0x17]);
    }
    assert_eq!(parse_video(&message), Err(TagError::TooManyModifiers { offset: 49, limit: 16 }));
}

#[test]
fn a_track_in_a_message_of_its_own_has_its_id() {
    let tag = video(AVC_SECOND_TRACK);
    assert_eq!((tag.codec, tag.kind, tag.body), (Some(VideoCodec::Avc), VideoKind::SequenceHeader, 7..54));
    assert_eq!(tag.multitrack, Some(Multitrack { layout: TrackLayout::OneTrack, track_id: 1 }));
    let tag = parse_audio(&bytes(AAC_SECOND_TRACK)).unwrap();
    assert_eq!((tag.codec, tag.kind, tag.track_id()), (Some(AudioCodec::Aac), AudioKind::SequenceHeader, 1));
    assert_eq!(tag.body, 7..12);
}

#[test]
fn tracks_of_one_codec_are_told_apart() {
    // Multitrack of CodedFrames, many tracks, hvc1: track 0 of 5 bytes, track 2 of 4 bytes.
    let message = bytes("96 11 68766331 00 000005 000028 aabb 02 000004 00000a cc");
    let tags: Vec<VideoTag> = video_tracks(&message).unwrap().collect::<Result<_, _>>().unwrap();
    let seen: Vec<_> =
        tags.iter().map(|tag| (tag.track_id(), tag.composition_ms, &message[tag.body.clone()])).collect();
    assert_eq!(seen, [(0, 40, [0xaa, 0xbb].as_slice()), (2, 10, [0xcc].as_slice())]);
    assert!(tags.iter().all(|tag| tag.codec == Some(VideoCodec::Hevc) && tag.kind == VideoKind::KeyFrame));
    assert_eq!(parse_video(&message).as_ref(), Ok(&tags[0]));
}

#[test]
fn tracks_of_many_codecs_name_theirs() {
    let message = bytes("95 21 4f707573 00 000002 fc00 6d703461 01 000001 21");
    let seen: Vec<_> = audio_tracks(&message)
        .unwrap()
        .map(|tag| tag.map(|tag| (tag.codec, tag.track_id(), tag.body.len())))
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(seen, [(Some(AudioCodec::Opus), 0, 2), (Some(AudioCodec::Aac), 1, 1)]);
}

#[test]
fn a_track_longer_than_its_message_is_refused_and_ends_the_iteration() {
    let message = bytes("96 13 68766331 00 000001 aa 01 000009 bb");
    let mut tracks = video_tracks(&message).unwrap();
    assert!(tracks.next().unwrap().is_ok());
    let error = TagError::Truncated { field: "track body", offset: 15, needed: 9, left: 1 };
    assert_eq!(tracks.next(), Some(Err(error)));
    assert_eq!(tracks.next(), None);
}

#[test]
fn a_track_cannot_hold_tracks() {
    let error = parse_video(&bytes("961668766331")).unwrap_err();
    assert_eq!(error, TagError::Reserved { field: "packet type of a track", offset: 1, found: 6 });
}

#[test]
fn classic_audio_tells_what_its_flags_say() {
    let tag = parse_audio(&bytes(MP3_FRAME)).unwrap();
    assert_eq!((tag.codec, tag.kind, tag.body), (Some(AudioCodec::Mp3), AudioKind::Frame, 1..16));
    assert_eq!(tag.classic, Some(ClassicSound { sample_rate: 22_050, bits: 16, channels: 1 }));
    let tag = parse_audio(&bytes(SPEEX_FRAME)).unwrap();
    assert_eq!(tag.classic, Some(ClassicSound { sample_rate: 16_000, bits: 16, channels: 1 }));
    let tag = parse_audio(&bytes("ef00")).unwrap();
    assert_eq!(tag.classic.unwrap().sample_rate, 8_000);
}

#[test]
fn the_fixed_flags_of_aac_are_not_taken_for_its_sound() {
    let tag = parse_audio(&bytes(AAC)).unwrap();
    assert_eq!((tag.kind, tag.body, tag.classic), (AudioKind::SequenceHeader, 2..7, None));
    assert_eq!(parse_audio(&bytes("af0121")).unwrap().kind, AudioKind::Frame);
}

#[test]
fn an_empty_audio_message_is_silence_and_an_empty_video_message_a_fault() {
    let tag = parse_audio(&[]).unwrap();
    assert_eq!((tag.codec, tag.kind, tag.body), (None, AudioKind::Silence, 0..0));
    let error = parse_video(&[]).unwrap_err();
    assert_eq!(error.to_string(), "FrameType at byte 0 needs 1 bytes, 0 left");
}

#[test]
fn reserved_values_are_named_with_their_place() {
    for (hex, message) in [
        ("0701000000", "FrameType at byte 0 has the reserved value 0"),
        ("1703000000", "AVCPacketType at byte 1 has the reserved value 3"),
        ("963168766331", "multitrackType at byte 1 has the reserved value 3"),
    ] {
        assert_eq!(parse_video(&bytes(hex)).unwrap_err().to_string(), message);
    }
    let error = parse_audio(&bytes("af02")).unwrap_err();
    assert_eq!(error.to_string(), "AACPacketType at byte 1 has the reserved value 2");
    let error = parse_video(&bytes("9701aabb03687663 31")).unwrap_err();
    assert_eq!(error, TagError::ShortNanoOffset { offset: 2, found: 2 });
}
