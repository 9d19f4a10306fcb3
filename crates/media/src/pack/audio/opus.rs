//! Opus under its FourCC (Enhanced RTMP v2, "Enhancing Audio"), described by an identification header (RFC 7845, 5.1).

use super::Frame;

const ENHANCED: u8 = 0x90;
const SEQUENCE_START: u8 = 0;
const CODED_FRAMES: u8 = 1;
/// Samples that a decoder throws away at the start; what encoders use.
const PRE_SKIP: u16 = 312;
const SAMPLE_RATE: u32 = 48_000;

/// Streams, coupled streams, and the stream of each channel, for 3 to 8 channels (RFC 7845, 5.1.1.2).
const LAYOUTS: [(u8, u8, &[u8]); 6] = [
    (2, 1, &[0, 2, 1]),
    (2, 2, &[0, 1, 2, 3]),
    (3, 2, &[0, 4, 1, 2, 3]),
    (4, 2, &[0, 4, 1, 2, 3, 5]),
    (4, 3, &[0, 4, 1, 2, 3, 5, 6]),
    (5, 3, &[0, 6, 1, 2, 3, 4, 5, 7]),
];

/// The record, and the message that carries it.
pub fn header(channels: u8) -> (Vec<u8>, Vec<u8>) {
    let mut record = b"OpusHead\x01".to_vec();
    record.push(channels);
    record.extend_from_slice(&PRE_SKIP.to_le_bytes());
    record.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    record.extend_from_slice(&[0, 0]);
    match usize::from(channels).checked_sub(3).and_then(|index| LAYOUTS.get(index)) {
        None => record.push(0),
        Some((streams, coupled, mapping)) => {
            record.extend_from_slice(&[1, *streams, *coupled]);
            record.extend_from_slice(mapping);
        }
    }
    let body = [&[ENHANCED | SEQUENCE_START], &b"Opus"[..], &record].concat();
    (record, body)
}

pub fn frame(data: &[u8]) -> Frame<'_> {
    let [a, b, c, d] = *b"Opus";
    Frame { head: [ENHANCED | CODED_FRAMES, a, b, c, d], head_size: 5, data, offset: 0 }
}
