//! Any bytes behind the handshake of a client: no panic, limits kept, and the same events and the same fault
//! wherever the bytes are split.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rtmp::server::Event;
use rtmp::{Fault, ServerConfig, ServerSession};

fn run(pieces: &[&[u8]]) -> (Vec<Event>, Option<Fault>) {
    let mut config = ServerConfig::new([7; 1528]);
    config.limits.message = 16_384;
    config.limits.partial = 32_768;
    config.limits.read_buffer = 1024;
    let mut session = ServerSession::new(config);
    session.read_buf().extend_from_slice(&[3]);
    session.read_buf().extend_from_slice(&[0; 2 * 1536]);
    let mut events = Vec::new();
    for piece in pieces {
        session.read_buf().extend_from_slice(piece);
        loop {
            match session.poll() {
                Ok(Some(event)) => {
                    answer(&mut session, &event);
                    events.push(event);
                }
                Ok(None) => break,
                Err(fault) => {
                    assert_eq!(session.poll(), Err(fault.clone()));
                    assert!(fault.offset <= session.bytes_received() + piece.len() as u64);
                    return (events, Some(fault));
                }
            }
        }
        assert!(session.buffered() <= 32_768);
        assert!(session.mid_message().is_none_or(|half| half.have <= half.want && half.want <= 16_384));
    }
    (events, None)
}

fn answer(session: &mut ServerSession, event: &Event) {
    match event {
        Event::Connect(_) => session.accept_connect(),
        Event::Publish(publish) => session.accept_publish(publish.stream_id),
        Event::Play(play) => session.accept_play(play.stream_id),
        Event::DeleteStream(_) => session.answer_fc_unpublish(),
        _ => {}
    }
}

/// Equal as text: a NaN in AMF is not equal to itself.
fn text(result: &(Vec<Event>, Option<Fault>)) -> String {
    format!("{result:?}")
}

fuzz_target!(|input: (u16, &[u8])| {
    let (split, bytes) = input;
    let (before, after) = bytes.split_at(usize::from(split).min(bytes.len()));
    assert_eq!(text(&run(&[before, after])), text(&run(&[bytes])));
});
