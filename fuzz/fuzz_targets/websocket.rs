//! Any bytes of a viewer's WebSocket: no panic, no more held than a control frame, and the same is heard wherever the bytes
//! are split.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../crates/web/src/play/websocket/frames.rs"]
mod frames;

use frames::{FrameError, Listener, Said};

fuzz_target!(|bytes: &[u8]| {
    let whole = heard(bytes, bytes.len());
    for size in [1, 2, 7, 64] {
        assert_eq!(heard(bytes, size), whole);
    }
});

fn heard(bytes: &[u8], size: usize) -> (Vec<Said>, Option<FrameError>) {
    let (mut listener, mut input, mut said) = (Listener::default(), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(size.max(1)) {
        input.extend_from_slice(piece);
        loop {
            match listener.next(&mut input) {
                Ok(Some(one)) => said.push(one),
                Ok(None) => break,
                Err(error) => return (said, Some(error)),
            }
        }
        assert!(input.len() < 14 + 125);
    }
    (said, None)
}
