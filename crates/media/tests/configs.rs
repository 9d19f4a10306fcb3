//! Codec configuration of real encoders, and of those that say little.

mod vectors;

use media::{
    AudioCodec, AudioConfig, ChannelConfig, ChannelOrder, ConfigError, FrameSize, VideoCodec, VideoConfig,
    audio_config, audio_frame_config, frame_size, multichannel_config, parse_audio, parse_video,
    video_config,
};
use vectors::*;

fn video(hex: &str) -> VideoConfig {
    let message = bytes(hex);
    let tag = parse_video(&message).unwrap();
    video_config(tag.codec.unwrap(), &message[tag.body]).unwrap().unwrap()
}

fn audio(hex: &str) -> AudioConfig {
    let message = bytes(hex);
    let tag = parse_audio(&message).unwrap();
    audio_config(tag.codec.unwrap(), &message[tag.body]).unwrap().unwrap()
}

fn size_in_frame(hex: &str) -> Option<FrameSize> {
    let message = bytes(hex);
    let tag = parse_video(&message).unwrap();
    frame_size(tag.codec.unwrap(), &message[tag.body]).unwrap()
}

fn sound_in_frame(hex: &str) -> AudioConfig {
    let message = bytes(hex);
    let tag = parse_audio(&message).unwrap();
    audio_frame_config(tag.codec.unwrap(), &message[tag.body]).unwrap().unwrap()
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
    while bits.len() % 8 != 0 {
        bits.push('1');
    }
    let header: Vec<u8> =
        (0..bits.len()).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).unwrap()).collect();
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
    for hex in [AV1_EMPTY, AV1_METADATA] {
        let message = bytes(hex);
        assert_eq!(parse_video(&message).unwrap().codec, Some(VideoCodec::Av1));
    }
    assert_eq!(video_config(VideoCodec::Av1, &[]), Ok(None));
    let message = bytes(AC3);
    let tag = parse_audio(&message).unwrap();
    assert_eq!(audio_config(tag.codec.unwrap(), &message[tag.body]), Ok(None));
    let opus = audio_config(AudioCodec::Opus, &[]).unwrap().unwrap();
    assert_eq!((opus.sample_rate, opus.channels), (48_000, None));
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
    let sps = "1 1 011 010 0 1 1 1 1 1 0001001 1 1 1 0 1".replace(' ', "");
    let error = video_config(VideoCodec::Avc, &avc_record(&sps)).unwrap_err();
    assert!(matches!(error, ConfigError::CroppedAway { width: 16, height: 16, .. }), "{error:?}");
}

#[test]
fn a_clock_is_no_frame_rate() {
    // Baseline, 16x16, no cropping, timing of 1/90000.
    let timing = format!("{:032b}{:032b}1", 1, 90_000);
    let sps = "1 1 011 010 0 1 1 1 1 0 1 0000 1".replace(' ', "") + &timing;
    let config = video_config(VideoCodec::Avc, &avc_record(&sps)).unwrap().unwrap();
    assert_eq!((config.width, config.height, config.fps), (Some(16), Some(16), None));
}

/// A record around a Baseline parameter set, of which `bits` start after level_idc.
fn avc_record(bits: &str) -> Vec<u8> {
    let mut bits = bits.to_owned();
    while bits.len() % 8 != 0 {
        bits.push('0');
    }
    let mut sps = vec![0x67, 66, 0, 30];
    sps.extend((0..bits.len()).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).unwrap()));
    // A trailing zero byte could not end a NAL unit.
    let sps: Vec<u8> = escape(&sps);
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

#[test]
fn aac_tells_rate_channels_and_profile() {
    let config = audio(AAC);
    assert_eq!((config.sample_rate, config.channels), (44_100, Some(2)));
    assert_eq!((config.object_type, config.profile_name()), (Some(2), Some("AAC-LC")));
    assert_eq!((audio(AAC_6).sample_rate, audio(AAC_6).channels), (48_000, Some(6)));
}

fn aac(hex: &str) -> (u32, Option<u8>, Option<u8>) {
    let config = audio_config(AudioCodec::Aac, &bytes(hex)).unwrap().unwrap();
    (config.sample_rate, config.channels, config.object_type)
}

#[test]
fn he_aac_tells_the_rate_it_plays_at_however_it_is_announced() {
    // Explicit: type 5, 24 kHz, stereo, 48 kHz, type 2. Fields: 00101 0110 0010 0011 00010 000.
    assert_eq!(aac("2b118800"), (48_000, Some(2), Some(5)));
    // Explicit with PS: type 29, 24 kHz, mono, 48 kHz, type 2. Fields: 11101 0110 0001 0011 00010 000.
    assert_eq!(aac("eb098800"), (48_000, Some(2), Some(29)));
    // Behind an AAC-LC configuration: 00010 0110 0010 000, 0x2b7, 00101 1 0011.
    assert_eq!(aac("131056e598"), (48_000, Some(2), Some(5)));
    // The same with PS of a mono stream: ... 0x548 1.
    assert_eq!(aac("130856e59d4880"), (48_000, Some(2), Some(29)));
}

#[test]
fn an_escaped_aac_rate_has_24_bits() {
    // 00010 1111 000000001010110001000101 (44,101) 0010 000
    let bits = format!("000101111{:024b}0010000", 44_101);
    let body: Vec<u8> =
        (0..bits.len()).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).unwrap()).collect();
    let config = audio_config(AudioCodec::Aac, &body).unwrap().unwrap();
    assert_eq!((config.sample_rate, config.channels), (44_101, Some(2)));
}

#[test]
fn aac_channels_may_be_listed_one_by_one() {
    // Type 2, 48 kHz, configuration 0; two front elements (a single one and a pair), a back pair, an LFE.
    let bits = "00010 0011 0000 000 0000 01 0011 0010 0000 0001 01 000 0000 000 \
                0 0000 1 0001 1 0010 0000"
        .replace(' ', "");
    let mut bits = bits;
    while bits.len() % 8 != 0 {
        bits.push('0');
    }
    bits += "00000000";
    let body: Vec<u8> =
        (0..bits.len()).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).unwrap()).collect();
    let config = audio_config(AudioCodec::Aac, &body).unwrap().unwrap();
    assert_eq!((config.sample_rate, config.channels), (48_000, Some(6)));
}

#[test]
fn a_reserved_aac_rate_is_refused_with_its_place() {
    let error = audio_config(AudioCodec::Aac, &[0x16, 0x90]).unwrap_err();
    assert_eq!(error.to_string(), "samplingFrequencyIndex at byte 0, bit 5 has the reserved value 13");
}

#[test]
fn opus_flac_and_the_self_describing_codecs_tell_rate_and_channels() {
    let opus = audio(OPUS);
    assert_eq!((opus.sample_rate, opus.channels), (48_000, Some(2)));
    let frame = sound_in_frame(OPUS_FRAME);
    assert_eq!((frame.sample_rate, frame.channels), (48_000, Some(2)));
    let flac = audio(FLAC);
    assert_eq!((flac.sample_rate, flac.channels), (48_000, Some(2)));
    for (hex, codec, rate, channels) in [
        (MP3_FRAME, AudioCodec::Mp3, 22_050, 1),
        (AC3_FRAME, AudioCodec::Ac3, 48_000, 6),
        (EAC3_FRAME, AudioCodec::Eac3, 48_000, 6),
    ] {
        let config = sound_in_frame(hex);
        assert_eq!((config.codec, config.sample_rate, config.channels), (codec, rate, Some(channels)));
    }
}

#[test]
fn flac_may_come_with_the_start_of_its_file() {
    let bare = bytes(FLAC)[5..].to_vec();
    let mut whole = b"fLaC\x80\x00\x00\x22".to_vec();
    whole.extend(&bare);
    assert_eq!(audio_config(AudioCodec::Flac, &whole), audio_config(AudioCodec::Flac, &bare));
}

#[test]
fn a_channel_message_tells_number_and_order() {
    let message = bytes(AAC_6_CHANNELS);
    let tag = parse_audio(&message).unwrap();
    let config = multichannel_config(&message[tag.body]);
    assert_eq!(config, Ok(ChannelConfig { channels: 6, order: ChannelOrder::Native(0x3f) }));
    assert_eq!(
        multichannel_config(&[2, 2, 0, 1]),
        Ok(ChannelConfig { channels: 2, order: ChannelOrder::Custom })
    );
    assert!(matches!(multichannel_config(&[2, 2, 0]), Err(ConfigError::Truncated { .. })));
    assert!(matches!(multichannel_config(&[3, 2]), Err(ConfigError::Reserved { found: 3, .. })));
}
