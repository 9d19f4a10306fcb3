//! Media messages small enough to write down, and whole enough to be parsed.

/// ffmpeg 5, libx264 ultrafast baseline, 1920x1080: AVCDecoderConfigurationRecord behind its tag header.
const AVC_HEADER: [u8; 45] = [
    0x17, 0x00, 0x00, 0x00, 0x00, 0x01, 0x42, 0xc0, 0x28, 0xff, 0xe1, 0x00, 0x19, 0x67, 0x42, 0xc0, 0x28,
    0xda, 0x01, 0xe0, 0x08, 0x9f, 0x97, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03,
    0xc8, 0xf1, 0x83, 0x2a, 0x01, 0x00, 0x04, 0x68, 0xce, 0x0f, 0xc8,
];

/// The sequence header of [`video`].
pub fn video_header() -> Vec<u8> {
    AVC_HEADER.to_vec()
}

/// The sequence header of [`audio`]: AAC-LC, 44100 Hz, stereo.
pub fn audio_header() -> Vec<u8> {
    vec![0xaf, 0x00, 0x12, 0x10]
}

/// A frame of one NAL unit with `size` bytes in it.
pub fn video(key: bool, size: usize) -> Vec<u8> {
    video_of(key, size, 0x88)
}

/// The same of this byte, by which it is known again.
pub fn video_of(key: bool, size: usize, byte: u8) -> Vec<u8> {
    let mut frame = vec![if key { 0x17 } else { 0x27 }, 0x01, 0x00, 0x00, 0x00];
    let length = u32::try_from(size + 1).expect("a small frame");
    frame.extend_from_slice(&length.to_be_bytes());
    frame.push(if key { 0x65 } else { 0x41 });
    frame.resize(frame.len() + size, byte);
    frame
}

/// A frame of `size` bytes.
pub fn audio(size: usize) -> Vec<u8> {
    let mut frame = vec![0xaf, 0x01];
    frame.resize(size + 2, 0x21);
    frame
}
