//! Any bytes at the WebRTC port, also behind the header of a STUN message: no panic, and what is found lies in them.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../crates/live/src/webrtc/stun.rs"]
mod stun;

fuzz_target!(|bytes: &[u8]| {
    let size = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    let header = [&[0, 1], &size[..], &[0x21, 0x12, 0xa4, 0x42], &[0; 12]].concat();
    for start in [&[][..], &header] {
        let datagram = [start, bytes].concat();
        if let Some(receiver) = stun::receiver(&datagram) {
            assert!(stun::is_stun(&datagram));
            let within = |name: &[u8]| datagram.windows(name.len()).any(|part| part == name);
            assert!(receiver.is_empty() || within(receiver.as_bytes()));
        }
    }
});
