//! Any bytes behind the handshake of a server, to a client that has asked everything: no panic, limits kept, and
//! the same events and the same fault wherever the bytes are split.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rtmp::client::Event;
use rtmp::{ClientConfig, ClientSession, Fault};

fn run(pieces: &[&[u8]]) -> (Vec<Event>, Option<Fault>) {
    let mut config = ClientConfig::new([7; 1528]);
    config.limits.message = 16_384;
    config.limits.partial = 32_768;
    config.limits.read_buffer = 1024;
    let mut session = ClientSession::new(config);
    session.start();
    session.connect("live", "rtmp://localhost/live", &[]);
    session.create_stream();
    session.publish(1, "camera");
    session.read_buf().extend_from_slice(&[3]);
    session.read_buf().extend_from_slice(&[0; 2 * 1536]);
    let mut events = Vec::new();
    for piece in pieces {
        session.read_buf().extend_from_slice(piece);
        loop {
            match session.poll() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(fault) => {
                    assert_eq!(session.poll(), Err(fault.clone()));
                    return (events, Some(fault));
                }
            }
        }
        assert!(session.mid_message().is_none_or(|half| half.have <= half.want && half.want <= 16_384));
    }
    (events, None)
}

fuzz_target!(|input: (u16, &[u8])| {
    let (split, bytes) = input;
    let (before, after) = bytes.split_at(usize::from(split).min(bytes.len()));
    assert_eq!(format!("{:?}", run(&[before, after])), format!("{:?}", run(&[bytes])));
});
