//! Any bytes before an RTMP connection, also behind each of the two signatures: no panic, a header is never longer than
//! its input, and it reads the same whatever follows it.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../crates/live/src/ingest/proxy_protocol.rs"]
mod proxy_protocol;

fuzz_target!(|bytes: &[u8]| {
    for signature in [&b""[..], b"PROXY ", b"PROXY TCP4 ", b"\r\n\r\n\0\r\nQUIT\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0"] {
        let input = [signature, bytes].concat();
        if let Ok(Some(header)) = proxy_protocol::parse(&input) {
            assert!(header.length <= input.len());
            assert_eq!(proxy_protocol::parse(&input[..header.length]), Ok(Some(header)));
        }
    }
});
