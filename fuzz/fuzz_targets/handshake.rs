//! Any bytes, to the server and to both kinds of client: no panic, and where they are split makes no difference.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use rtmp::handshake::{
    ClientHandshake, ClientMode, HandshakeError, Progress, RANDOM, Scheme, ServerHandshake,
};

type Outcome = (Result<Progress, HandshakeError>, BytesMut, BytesMut);

fn feed(
    pieces: &[&[u8]],
    mut input: impl FnMut(&mut BytesMut, &mut BytesMut) -> Result<Progress, HandshakeError>,
) -> Outcome {
    let (mut buffer, mut out) = (BytesMut::new(), BytesMut::new());
    let mut outcome = Ok(Progress::NeedMore);
    for piece in pieces {
        buffer.extend_from_slice(piece);
        if outcome.is_ok() {
            outcome = input(&mut buffer, &mut out);
        }
    }
    (outcome, buffer, out)
}

fuzz_target!(|bytes: &[u8]| {
    // The last byte, which no side looks at, says where to split: recordings can be seeds as they are.
    let split = bytes.last().map_or(0, |byte| usize::from(*byte) * 16);
    let (head, tail) = bytes.split_at(split.min(bytes.len()));

    let server = |pieces: &[&[u8]]| {
        let mut server = ServerHandshake::new([7; RANDOM], 0);
        feed(pieces, |input, out| server.input(input, out))
    };
    assert_eq!(server(&[bytes]), server(&[head, tail]));

    for mode in [ClientMode::Simple, ClientMode::Digest(Scheme::At8), ClientMode::Digest(Scheme::At772)] {
        let client = |pieces: &[&[u8]]| {
            let mut client = ClientHandshake::new(mode, [9; RANDOM], 0);
            feed(pieces, |input, out| client.input(input, out))
        };
        assert_eq!(client(&[bytes]), client(&[head, tail]));
    }
});
