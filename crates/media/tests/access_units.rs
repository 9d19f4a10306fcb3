//! Coded frames that hold together, and those that do not.

mod vectors;

use media::{AccessUnit, AccessUnitError, VideoCodec, check_access_unit};
use vectors::{video::*, *};

fn check(codec: VideoCodec, hex: &str) -> Result<AccessUnit, AccessUnitError> {
    check_access_unit(codec, 4, &bytes(hex))
}

#[test]
fn units_that_add_up_are_counted_and_idr_is_seen() {
    let idr = check(VideoCodec::Avc, "00000002 0910 00000003 658884");
    assert_eq!(idr, Ok(AccessUnit { has_idr: true, nal_count: 2 }));
    let inter = check(VideoCodec::Avc, "00000003 419a21");
    assert_eq!(inter, Ok(AccessUnit { has_idr: false, nal_count: 1 }));
}

#[test]
fn hevc_and_vvc_start_at_any_random_access_picture() {
    for (first, starts) in [("2601", true), ("2801", true), ("2a01", true), ("0201", false), ("4001", false)]
    {
        let unit = check(VideoCodec::Hevc, &format!("00000002 {first}")).unwrap();
        assert_eq!(unit.has_idr, starts, "{first}");
    }
    for (second, starts) in [("39", true), ("41", true), ("49", true), ("01", false)] {
        let unit = check(VideoCodec::Vvc, &format!("00000002 00{second}")).unwrap();
        assert_eq!(unit.has_idr, starts, "{second}");
    }
}

#[test]
fn lengths_may_have_one_two_or_four_bytes() {
    assert!(check_access_unit(VideoCodec::Avc, 1, &[1, 0x65]).unwrap().has_idr);
    assert!(check_access_unit(VideoCodec::Avc, 2, &[0, 1, 0x65]).unwrap().has_idr);
    let error = check_access_unit(VideoCodec::Avc, 3, &[0, 0, 1, 0x65]);
    assert_eq!(error, Err(AccessUnitError::LengthSize { found: 3 }));
}

#[test]
fn a_unit_that_overruns_is_named_with_its_place() {
    let error = check(VideoCodec::Avc, "00000002 0910 00000009 658884").unwrap_err();
    assert_eq!(error.to_string(), "unit 1 at byte 10 needs 9 bytes, 3 left");
    let error = check(VideoCodec::Avc, "00000002 0910 0000").unwrap_err();
    assert_eq!(error.to_string(), "the length of unit 1 at byte 6 needs 4 bytes, 2 left");
}

#[test]
fn start_codes_are_recognised_as_such() {
    let error = check(VideoCodec::Avc, "00000001 67640028 00000001 68ebe3cb 00000001 65888400");
    assert_eq!(error, Err(AccessUnitError::StartCode { offset: 0 }));
}

#[test]
fn a_unit_of_length_one_is_not_taken_for_a_start_code() {
    let unit = check(VideoCodec::Avc, "00000001 0b");
    assert_eq!(unit, Ok(AccessUnit { has_idr: false, nal_count: 1 }));
}

#[test]
fn data_that_is_no_unit_is_refused() {
    let error = check(VideoCodec::Avc, "00000002 e588");
    assert_eq!(error, Err(AccessUnitError::ForbiddenBit { index: 0, offset: 4, found: 0xe5 }));
    assert_eq!(check(VideoCodec::Hevc, ""), Err(AccessUnitError::Empty));
}

#[test]
fn av1_units_add_up_and_a_sequence_header_starts_a_sequence() {
    let message = bytes(AV1_KEY_FRAME);
    // Without the frame, of which the vector holds only the start.
    let unit = check_access_unit(VideoCodec::Av1, 0, &message[5..21]);
    assert_eq!(unit, Ok(AccessUnit { has_idr: true, nal_count: 2 }));
    let error = check_access_unit(VideoCodec::Av1, 0, &message[5..]).unwrap_err();
    assert!(
        matches!(error, AccessUnitError::Truncated { field: "obu", index: 2, offset: 19, .. }),
        "{error:?}"
    );
}

#[test]
fn vp8_and_vp9_key_frames_are_seen() {
    assert!(check(VideoCodec::Vp9, &VP9_KEY_FRAME[10..]).unwrap().has_idr);
    assert!(!check(VideoCodec::Vp9, &VP9_INTER_FRAME[10..]).unwrap().has_idr);
    // Profile 3: frame_type is one bit further.
    assert!(check(VideoCodec::Vp9, "b0").unwrap().has_idr);
    assert!(!check(VideoCodec::Vp9, "b2").unwrap().has_idr);
    assert!(check(VideoCodec::Vp8, VP8_KEY_FRAME).unwrap().has_idr);
    assert!(!check(VideoCodec::Vp8, "31").unwrap().has_idr);
}
