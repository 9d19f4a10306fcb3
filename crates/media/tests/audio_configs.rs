//! Audio configuration of real encoders, and of those that say little.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod vectors;

use media::{
    AudioCodec, AudioConfig, ChannelConfig, ChannelOrder, ConfigError, audio_config, audio_frame_config,
    multichannel_config, parse_audio,
};
use vectors::{audio::*, *};

fn audio(hex: &str) -> AudioConfig {
    let message = bytes(hex);
    let tag = parse_audio(&message).unwrap();
    audio_config(tag.codec.unwrap(), &message[tag.body]).unwrap().unwrap()
}

fn sound_in_frame(hex: &str) -> AudioConfig {
    let message = bytes(hex);
    let tag = parse_audio(&message).unwrap();
    audio_frame_config(tag.codec.unwrap(), &message[tag.body]).unwrap().unwrap()
}

#[test]
fn an_empty_header_is_no_fault_where_encoders_send_one() {
    let message = bytes(AC3);
    let tag = parse_audio(&message).unwrap();
    assert_eq!(audio_config(tag.codec.unwrap(), &message[tag.body]), Ok(None));
    let opus = audio_config(AudioCodec::Opus, &[]).unwrap().unwrap();
    assert_eq!((opus.sample_rate, opus.channels), (48_000, None));
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
    let config = audio_config(AudioCodec::Aac, &from_bits(&bits)).unwrap().unwrap();
    assert_eq!((config.sample_rate, config.channels), (44_101, Some(2)));
}

#[test]
fn aac_channels_may_be_listed_one_by_one() {
    // Type 2, 48 kHz, configuration 0; two front elements (a single one and a pair), a back pair, an LFE.
    let bits = "00010 0011 0000 000 0000 01 0011 0010 0000 0001 01 000 0000 000 \
                0 0000 1 0001 1 0010 0000";
    let mut body = from_bits(bits);
    // No comment.
    body.push(0);
    let config = audio_config(AudioCodec::Aac, &body).unwrap().unwrap();
    assert_eq!((config.sample_rate, config.channels), (48_000, Some(6)));
}

#[test]
fn a_list_of_no_aac_channels_is_refused() {
    let mut body = from_bits("00010 0011 0000 000 0000 01 0011 0000 0000 0000 00 000 0000 000");
    body.push(0);
    let error = audio_config(AudioCodec::Aac, &body).unwrap_err();
    assert!(matches!(
        error,
        ConfigError::Reserved { field: "channels of program_config_element", found: 0, .. }
    ));
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
