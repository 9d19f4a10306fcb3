//! Any bytes as a configuration record, a frame or an access unit of the codec that the first byte picks: no panic, every
//! error lies in what was given, and no size or rate is zero.

#![no_main]

use libfuzzer_sys::fuzz_target;
use media::{
    AudioCodec, VideoCodec, audio_config, audio_frame_config, check_access_unit, frame_size,
    multichannel_config, video_config,
};

const VIDEO: [VideoCodec; 8] = [
    VideoCodec::Avc,
    VideoCodec::Hevc,
    VideoCodec::Vvc,
    VideoCodec::Av1,
    VideoCodec::Vp8,
    VideoCodec::Vp9,
    VideoCodec::H263,
    VideoCodec::Screen,
];
const AUDIO: [AudioCodec; 6] =
    [AudioCodec::Aac, AudioCodec::Opus, AudioCodec::Flac, AudioCodec::Mp3, AudioCodec::Ac3, AudioCodec::Eac3];

fn video(codec: VideoCodec, body: &[u8]) {
    match video_config(codec, body) {
        Ok(Some(config)) => {
            assert!(config.width != Some(0) && config.height != Some(0), "{config:?}");
            assert!(config.fps.is_none_or(|fps| fps > 0.0 && fps.is_finite()), "{config:?}");
            let _ = check_access_unit(codec, config.nal_length_size, body);
        }
        Ok(None) => {}
        Err(error) => assert!(error.at().byte <= body.len(), "{error}"),
    }
    match frame_size(codec, body) {
        Ok(size) => assert!(size.is_none_or(|size| size.width > 0 && size.height > 0), "{size:?}"),
        Err(error) => assert!(error.at().byte <= body.len(), "{error}"),
    }
    for size in [1, 2, 4] {
        let _ = check_access_unit(codec, size, body);
    }
}

fn audio(codec: AudioCodec, body: &[u8]) {
    for config in [audio_config(codec, body), audio_frame_config(codec, body)] {
        match config {
            Ok(Some(config)) => {
                assert!(config.sample_rate > 0 && config.channels != Some(0), "{config:?}");
            }
            Ok(None) => {}
            Err(error) => assert!(error.at().byte <= body.len(), "{error}"),
        }
    }
    let _ = multichannel_config(body);
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&pick, body)) = bytes.split_first() else { return };
    let pick = usize::from(pick);
    match VIDEO.get(pick % (VIDEO.len() + AUDIO.len())) {
        Some(codec) => video(*codec, body),
        None => audio(AUDIO[pick % (VIDEO.len() + AUDIO.len()) - VIDEO.len()], body),
    }
});
