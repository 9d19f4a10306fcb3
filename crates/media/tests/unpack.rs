//! What is packed comes back as it was.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod vectors;

use media::pack::{AudioPacker, VideoPacker};
use media::unpack::{VideoUnpacker, sound};
use media::{AudioCodec, VideoCodec};
use proptest::prelude::*;
use vectors::bytes;
use vectors::video::*;

fn round(codec: VideoCodec, units: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut packer = VideoPacker::new(codec).unwrap();
    let mut messages = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        packer.pack(unit, index as i64 * 3600, index as i64 * 3600, &mut messages).unwrap();
    }
    let mut unpacker = VideoUnpacker::default();
    messages
        .iter()
        .filter_map(|message| unpacker.take(&message.payload))
        .map(|picture| picture.data)
        .collect()
}

#[test]
fn pictures_of_h264_and_hevc_come_back_with_their_parameter_sets() {
    for (codec, vector, key, inter) in [
        (VideoCodec::Avc, AVC_1080, &[0x65, 0x88][..], &[0x41, 0x9a][..]),
        (VideoCodec::Hevc, HEVC_1080, &[0x26, 0x01, 0xaf], &[0x02, 0x01, 0xd0]),
    ] {
        // The sets themselves, by way of a stream that has only the header.
        let mut unpacker = VideoUnpacker::default();
        assert!(unpacker.take(&bytes(vector)).is_none());
        let frame = match codec {
            VideoCodec::Avc => [&[0x17, 1, 0, 0, 0, 0, 0, 0, 2][..], key].concat(),
            _ => [&b"\x93hvc1\0\0\0\x03"[..], key].concat(),
        };
        let first = unpacker.take(&frame).unwrap();
        assert!(first.key && first.data.starts_with(&[0, 0, 0, 1]) && first.data.ends_with(key));
        let second = [&[0, 0, 0, 1][..], inter].concat();
        assert_eq!(round(codec, &[first.data.clone(), second.clone()]), [first.data, second]);
    }
}

#[test]
fn pictures_of_vp9_come_back_as_they_are() {
    let frames = [bytes(VP9_KEY_FRAME)[5..].to_vec(), bytes(VP9_INTER_FRAME)[5..].to_vec()];
    assert_eq!(round(VideoCodec::Vp9, &frames), frames);
}

#[test]
fn packets_of_opus_come_back_as_they_are() {
    let mut packer = AudioPacker::new(AudioCodec::Opus, 2).unwrap();
    let mut messages = Vec::new();
    packer.pack(&[0xfc, 1, 2], 0, &mut messages).unwrap();
    let frames: Vec<_> = messages.iter().filter_map(|message| sound(&message.payload)).collect();
    assert_eq!(frames, [(AudioCodec::Opus, &[0xfc, 1, 2][..])]);
}

proptest! {
    #[test]
    fn no_message_is_a_panic(messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..6)) {
        let mut unpacker = VideoUnpacker::default();
        for message in &messages {
            let _ = unpacker.take(message);
            let _ = sound(message);
        }
    }

    #[test]
    fn a_broken_record_is_no_panic(cut in 0usize..80, flip in 0usize..80, bit in 0u8..8) {
        for vector in [AVC_1080, HEVC_1080] {
            let mut message = bytes(vector);
            message.truncate(cut.max(6));
            if let Some(byte) = message.get_mut(flip.max(5)) {
                *byte ^= 1 << bit;
            }
            let mut unpacker = VideoUnpacker::default();
            let _ = unpacker.take(&message);
            let _ = unpacker.take(&[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65]);
        }
    }
}
