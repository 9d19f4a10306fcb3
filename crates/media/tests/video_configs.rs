//! Video configuration of real encoders, and of those that say little.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod vectors;

use media::{ConfigError, FrameSize, VideoCodec, VideoConfig, frame_size, parse_video, video_config};
use vectors::{video::*, *};

fn video(hex: &str) -> VideoConfig {
    let message = bytes(hex);
    let tag = parse_video(&message).unwrap();
    video_config(tag.codec.unwrap(), &message[tag.body]).unwrap().unwrap()
}

fn size_in_frame(hex: &str) -> Option<FrameSize> {
    let message = bytes(hex);
    let tag = parse_video(&message).unwrap();
    frame_size(tag.codec.unwrap(), &message[tag.body]).unwrap()
}

/// Codec string, width, height, profile name, level, frame rate.
type Shown = (String, u32, u32, &'static str, String, Option<f64>);

fn shown(config: &VideoConfig) -> Shown {
    (
        config.codec_string.clone(),
        config.width.unwrap(),
        config.height.unwrap(),
        config.profile_name().unwrap(),
        config.level.unwrap().to_string(),
        config.fps,
    )
}

fn expected(
    string: &str,
    width: u32,
    height: u32,
    profile: &'static str,
    level: &str,
    fps: Option<f64>,
) -> Shown {
    (string.into(), width, height, profile, level.into(), fps)
}

#[test]
fn avc_1080_is_cropped_from_1088_lines() {
    let config = video(AVC_1080);
    assert_eq!(shown(&config), expected("avc1.640028", 1920, 1080, "High", "4.0", Some(30.0)));
    assert_eq!((config.codec, config.nal_length_size), (VideoCodec::Avc, 4));
    let config = video(AVC_1080_BASELINE);
    assert_eq!(shown(&config), expected("avc1.42c028", 1920, 1080, "Baseline", "4.0", Some(30.0)));
}

#[test]
fn avc_crops_by_single_pixels_in_4_4_4_and_reads_past_scaling_lists() {
    let shown = shown(&video(AVC_853_444));
    assert_eq!(shown, expected("avc1.f4001e", 853, 480, "High 4:4:4 Predictive", "3.0", Some(25.0)));
}

#[test]
fn interlaced_avc_counts_the_lines_of_both_fields() {
    assert_eq!(shown(&video(AVC_INTERLACED)), expected("avc1.64001e", 720, 576, "High", "3.0", Some(25.0)));
}

#[test]
fn hevc_tells_size_rate_and_codec_string() {
    let config = video(HEVC_1080);
    assert_eq!(shown(&config), expected("hvc1.1.6.L123.90", 1920, 1080, "Main", "4.1", Some(50.0)));
    assert_eq!(config.nal_length_size, 4);
    let expected = expected("hvc1.4.10.L90.9C.8", 853, 480, "Format Range Extensions", "3.0", Some(25.0));
    assert_eq!(shown(&video(HEVC_853_444)), expected);
}

#[test]
fn vvc_is_cropped_though_its_record_names_the_coded_size() {
    let message = bytes(VVC_854);
    assert!(message.windows(4).any(|window| window == [0x03, 0x58, 0x01, 0xe0]), "856x480 in the record");
    assert_eq!(shown(&video(VVC_854)), expected("vvc1.1.L48", 854, 480, "Main 10", "3.0", None));
}

#[test]
fn av1_tells_its_size_in_the_record_and_in_each_key_frame() {
    assert_eq!(shown(&video(AV1_853)), expected("av01.0.04M.08", 853, 480, "Main", "3.0", None));
    assert_eq!(shown(&video(AV1_AOM)), expected("av01.0.00M.08", 320, 180, "Main", "2.0", None));
    // The key frame is cut short in the middle of its last unit, which is said only after its sequence header.
    let message = bytes(AV1_KEY_FRAME);
    let cut = frame_size(VideoCodec::Av1, &message[5..]);
    assert!(matches!(cut, Err(ConfigError::Truncated { field: "obu", .. })), "{cut:?}");
    let whole = frame_size(VideoCodec::Av1, &message[5..21]);
    assert_eq!(whole, Ok(Some(FrameSize { width: 853, height: 480 })));
}

#[test]
fn an_av1_record_without_sequence_header_leaves_the_size_open() {
    let config = video_config(VideoCodec::Av1, &[0x81, 0x04, 0x0c, 0x00]).unwrap().unwrap();
    assert_eq!((config.width, config.height, config.codec_string.as_str()), (None, None, "av01.0.04M.08"));
}

#[test]
fn av1_with_timing_tells_its_rate() {
    // Profile 0; timing of 1001/60000 at equal intervals of 2 ticks; one operating point; 15-bit 1280x720.
    let mut bits = String::from("000" /* profile */) + "0" + "0" + "1";
    bits += &format!("{:032b}{:032b}", 1001, 60_000);
    bits += "1"; // equal_picture_interval
    bits += "010"; // one tick more
    bits += "0"; // no decoder model
    bits += "0"; // no display delay
    bits += "00000"; // one operating point
    bits += "000000000000";
    bits += "00101"; // level 3.1
    bits += "1110"; // 15 bits
    bits += "1110";
    bits += &format!("{:015b}{:015b}", 1279, 719);
    let header = from_bits(&bits);
    let mut record = vec![0x81, 0x05, 0x0c, 0x00, 0x0a, header.len() as u8];
    record.extend(header);
    let config = video_config(VideoCodec::Av1, &record).unwrap().unwrap();
    assert_eq!((config.width, config.height), (Some(1280), Some(720)));
    assert!((config.fps.unwrap() - 29.97).abs() < 0.001, "{:?}", config.fps);
}

#[test]
fn vp9_tells_its_size_in_key_frames_only() {
    let config = video(VP9);
    assert_eq!((config.width, config.height), (None, None));
    assert_eq!((config.codec_string.as_str(), config.profile_name()), ("vp09.00.30.08", Some("Profile 0")));
    assert_eq!(size_in_frame(VP9_KEY_FRAME), Some(FrameSize { width: 853, height: 480 }));
    assert_eq!(size_in_frame(VP9_INTER_FRAME), None);
}

#[test]
fn a_vp_record_may_come_without_the_start_of_its_box() {
    let with = &bytes(VP9)[5..];
    assert_eq!(video_config(VideoCodec::Vp9, &with[4..]), video_config(VideoCodec::Vp9, with));
}

#[test]
fn older_codecs_tell_their_size_in_frames() {
    let vp8 = bytes(VP8_KEY_FRAME);
    assert_eq!(frame_size(VideoCodec::Vp8, &vp8), Ok(Some(FrameSize { width: 853, height: 480 })));
    assert_eq!(frame_size(VideoCodec::Vp8, &[0x31]), Ok(None));
    assert_eq!(size_in_frame(H263_KEY_FRAME), Some(FrameSize { width: 320, height: 240 }));
    assert_eq!(size_in_frame(SCREEN_KEY_FRAME), Some(FrameSize { width: 322, height: 242 }));
}

#[test]
fn an_empty_header_is_no_fault_where_encoders_send_one() {
    let message = bytes(AV1_EMPTY);
    let tag = parse_video(&message).unwrap();
    assert_eq!(video_config(tag.codec.unwrap(), &message[tag.body]), Ok(None));
}

#[test]
fn an_empty_avc_header_is_a_fault() {
    let error = video_config(VideoCodec::Avc, &[]).unwrap_err();
    assert_eq!(error.to_string(), "the data ends in configurationVersion, at byte 0");
}

#[test]
fn start_codes_in_an_avc_header_are_named_by_place_and_value() {
    let error = video_config(VideoCodec::Avc, &bytes("000000016742c028da01e0089f970110")).unwrap_err();
    assert_eq!(error.to_string(), "configurationVersion at byte 0 is 0x0, not 0x1");
}

#[test]
fn cropping_that_leaves_nothing_is_refused() {
    // Baseline, 16x16, cropped by 2 * 8 columns.
    let sps = "1 1 011 010 0 1 1 1 1 1 0001001 1 1 1 0 1";
    let error = video_config(VideoCodec::Avc, &avc_record(sps)).unwrap_err();
    assert!(matches!(error, ConfigError::CroppedAway { width: 16, height: 16, .. }), "{error:?}");
}

#[test]
fn a_clock_is_no_frame_rate() {
    // Baseline, 16x16, no cropping, timing of 1/90000.
    let timing = format!("{:032b}{:032b}1", 1, 90_000);
    let sps = "1 1 011 010 0 1 1 1 1 0 1 0000 1".to_owned() + &timing;
    let config = video_config(VideoCodec::Avc, &avc_record(&sps)).unwrap().unwrap();
    assert_eq!((config.width, config.height, config.fps), (Some(16), Some(16), None));
}

/// A record around a Baseline parameter set, of which `bits` start after level_idc.
fn avc_record(bits: &str) -> Vec<u8> {
    let mut sps = vec![0x67, 66, 0, 30];
    sps.extend(from_bits(bits));
    let sps = escape(&sps);
    let mut record = vec![1, 66, 0, 30, 0xff, 0xe1, 0, sps.len() as u8];
    record.extend(sps);
    record.extend([1, 0, 1, 0x68]);
    record
}

/// Puts in emulation-prevention bytes.
fn escape(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in data {
        if *byte <= 3 && out.ends_with(&[0, 0]) {
            out.push(3);
        }
        out.push(*byte);
    }
    out
}
