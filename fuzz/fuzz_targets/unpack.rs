//! Any bytes as the bodies of tags, one after another, as a viewer over WebRTC gets them: no panic; units no larger than their
//! tags and the parameter sets they are given; sound lies in its tag.

#![no_main]

use libfuzzer_sys::fuzz_target;
use media::unpack::{VideoUnpacker, sound};

fuzz_target!(|bodies: Vec<Vec<u8>>| {
    let mut unpacker = VideoUnpacker::default();
    let mut told = 0;
    for body in &bodies {
        told += body.len();
        if let Some(picture) = unpacker.take(body) {
            assert!(picture.data.len() <= 4 * told + 64, "{} of {told}", picture.data.len());
        }
        if let Some((_, data)) = sound(body) {
            assert!(body.as_ptr_range().contains(&data.as_ptr()) || data.is_empty());
        }
    }
});
