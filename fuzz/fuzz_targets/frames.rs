//! Any bytes on a TCP connection of WebRTC: no panic, packets within their limit, little held, and the same packets wherever
//! the connection cuts the bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../crates/live/src/webrtc/frames.rs"]
mod frames;

/// The packets in these pieces, and what stopped the reading.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<frames::FrameError>) {
    let (mut frames, mut packets) = (frames::Frames::default(), Vec::new());
    for piece in pieces {
        frames.room().extend_from_slice(piece);
        loop {
            match frames.packet() {
                Ok(Some(packet)) => {
                    assert!((1..=frames::LARGEST).contains(&packet.len()));
                    packets.push(packet.to_vec());
                }
                Ok(None) => break,
                Err(error) => return (packets, Some(error)),
            }
        }
        let _ = frames.cut();
        assert!(frames.room().len() < frames::LARGEST + 2);
    }
    (packets, None)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, bytes) = input;
    let whole = read(std::iter::once(bytes));
    assert_eq!(read(bytes.chunks(usize::from(cut) + 1)), whole);
});
