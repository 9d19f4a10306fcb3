//! Media messages that are whole enough to be parsed: H.264 and AAC in FLV tag bodies.

/// Sequence header of [`video`]: an AVC tag header and a decoder configuration record (ISO/IEC 14496-15, 5.3.3.1) for
/// baseline, level 4.0, 1920x1080.
const AVC_HEADER: [u8; 45] = [
    0x17, 0x00, 0x00, 0x00, 0x00, 0x01, 0x42, 0xc0, 0x28, 0xff, 0xe1, 0x00, 0x19, 0x67, 0x42, 0xc0, 0x28,
    0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03,
    0xc8, 0xf1, 0x83, 0x2a, 0x01, 0x00, 0x04, 0x68, 0xce, 0x0f, 0xc8,
];

/// The sequence header of [`video`].
pub fn video_header() -> &'static [u8] {
    &AVC_HEADER
}

/// Sequence and picture parameter set of [`video`], as [`video_header`] has them.
pub fn parameter_sets() -> [&'static [u8]; 2] {
    [AVC_HEADER.get(13..38).unwrap_or_default(), AVC_HEADER.get(41..).unwrap_or_default()]
}

/// The sequence header of [`audio`]: AAC-LC, 44100 Hz, stereo.
pub fn audio_header() -> &'static [u8] {
    &[0xaf, 0x00, 0x12, 0x10]
}

/// A sequence header that breaks off inside the decoder configuration record.
pub fn broken_video_header() -> &'static [u8] {
    &[0x17, 0x00, 0x00, 0x00, 0x00, 0x01, 0x42]
}

/// A frame of one NAL unit with `size` bytes in it.
pub fn video(key: bool, size: usize) -> Vec<u8> {
    let length = u32::try_from(size.saturating_add(1)).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(size.saturating_add(10));
    frame.extend_from_slice(&[if key { 0x17 } else { 0x27 }, 0x01, 0x00, 0x00, 0x00]);
    frame.extend_from_slice(&length.to_be_bytes());
    frame.push(if key { 0x65 } else { 0x41 });
    frame.resize(frame.len().saturating_add(size), 0x88);
    frame
}

/// A frame of `size` bytes.
pub fn audio(size: usize) -> Vec<u8> {
    let mut frame = vec![0xaf, 0x01];
    frame.resize(size.saturating_add(2), 0x21);
    frame
}
