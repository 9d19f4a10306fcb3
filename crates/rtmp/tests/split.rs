//! However the bytes of a client are cut on their way, the server hears the same.

mod support;

use proptest::prelude::*;
use rtmp::amf0::Object;
use rtmp::message::control::Control;
use rtmp::{ClientConfig, MediaKind, ServerConfig};
use support::{Pair, noise, replay};

/// What a client sends in a whole push: all the kinds of message, with chunks of two sizes.
fn push(seed: u8, frames: &[(bool, u32, usize)]) -> Vec<u8> {
    let mut pair = Pair::with(ServerConfig::new(noise(1)), ClientConfig::new(noise(seed))).connect();
    pair.client.release_stream("camera");
    pair.client.fc_publish("camera");
    pair.client.create_stream();
    pair.client.publish(1, "camera?key=1");
    pair.settle();
    pair.client.send_metadata(1, Object::new().with("width", 640.0).with("encoder", "none"));
    for (i, (video, time, length)) in frames.iter().enumerate() {
        if i == frames.len() / 2 {
            pair.client.set_chunk_size(4096);
            pair.client.control(&Control::WindowAckSize(20_000));
        }
        let kind = if *video { MediaKind::Video } else { MediaKind::Audio };
        pair.client.send_media(1, kind, *time, &vec![i as u8; *length]);
    }
    pair.client.fc_unpublish("camera");
    pair.client.delete_stream(1);
    pair.settle();
    pair.sent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_split_gives_the_same_events(
        seed: u8,
        frames in prop::collection::vec((any::<bool>(), any::<u32>(), 0..9000_usize), 1..12),
        splits in prop::collection::vec(1..5000_usize, 0..40),
        damage in prop::option::of((any::<prop::sample::Index>(), 1..=255_u8)),
    ) {
        let mut bytes = push(seed, &frames);
        if let Some((index, flip)) = damage {
            // Damage behind the handshake: the fault, too, has to be the same.
            let behind = bytes.len() - 3073;
            bytes[3073 + index.index(behind)] ^= flip;
        }
        let whole = replay(&bytes, []);
        prop_assert_eq!(replay(&bytes, splits), whole);
    }
}

#[test]
fn a_byte_at_a_time_gives_the_same_events() {
    let frames = [(true, 0, 300), (false, 0x0100_0000, 128), (true, 40, 20_000), (true, 80, 20_000)];
    let bytes = push(7, &frames);
    let whole = replay(&bytes, []);
    assert_eq!((whole.0.len(), &whole.1), (15, &None));
    assert_eq!(replay(&bytes, std::iter::repeat(1)), whole);
}
