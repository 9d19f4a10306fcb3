//! Any bytes as access units, one after another: no panic, and every message that comes out parses as what it says it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use media::pack::{AudioPacker, MessageKind, VideoPacker};
use media::{AudioCodec, VideoCodec, check_access_unit, parse_audio, parse_video};

const VIDEO: [VideoCodec; 5] =
    [VideoCodec::Avc, VideoCodec::Hevc, VideoCodec::Av1, VideoCodec::Vp8, VideoCodec::Vp9];
const AUDIO: [AudioCodec; 3] = [AudioCodec::Aac, AudioCodec::Opus, AudioCodec::Mp3];

fuzz_target!(|input: (u8, Vec<(Vec<u8>, i64, i64)>)| {
    let (pick, units) = input;
    let codec = VIDEO[usize::from(pick) % VIDEO.len()];
    let mut video = VideoPacker::new(codec).unwrap();
    let mut audio = AudioPacker::new(AUDIO[usize::from(pick) % AUDIO.len()], 2).unwrap();
    let mut messages = Vec::new();
    for (unit, pts, dts) in &units {
        let _ = video.pack(unit, *pts, *dts, &mut messages);
        let _ = audio.pack(unit, *pts, &mut messages);
        for message in messages.drain(..) {
            if message.kind == MessageKind::Audio {
                assert!(parse_audio(&message.payload).is_ok());
                continue;
            }
            let tag = parse_video(&message.payload).unwrap();
            assert_eq!(tag.codec, Some(codec));
            if codec.has_nal_units() && !message.header {
                assert!(check_access_unit(codec, 4, &message.payload[tag.body]).is_ok());
            }
        }
    }
});
