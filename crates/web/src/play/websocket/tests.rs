use bytes::BytesMut;
use live::feed::MessageHead;
use proptest::prelude::*;

use super::frames::{CloseCode, FrameError, Listener, MESSAGE, Opcode, Said, closing};
use super::*;

/// A frame as a client sends it.
fn frame(last: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = MessageHead::new(Opcode::Binary as u8, payload.len()).as_bytes().to_vec();
    bytes[0] = opcode | if last { 0x80 } else { 0 };
    bytes[1] |= 0x80;
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What is heard of bytes that come in pieces of these sizes, and how it ends.
fn heard(bytes: &[u8], sizes: &[usize]) -> (Vec<Said>, Option<FrameError>) {
    let (mut listener, mut input, mut said) = (Listener::default(), BytesMut::new(), Vec::new());
    let (mut rest, mut sizes) = (bytes, sizes.iter().copied().cycle());
    loop {
        match listener.next(&mut input) {
            Ok(Some(one)) => said.push(one),
            Err(error) => return (said, Some(error)),
            Ok(None) if rest.is_empty() => return (said, None),
            Ok(None) => {
                assert!(input.len() < 14 + 125, "no more is held than a control frame");
                let (now, later) = rest.split_at(sizes.next().unwrap_or(rest.len()).min(rest.len()));
                input.extend_from_slice(now);
                rest = later;
            }
        }
    }
}

fn all(bytes: &[u8]) -> (Vec<Said>, Option<FrameError>) {
    heard(bytes, &[])
}

#[test]
fn the_key_of_the_standard_is_accepted_as_it_says() {
    let accepted = accept("dGhlIHNhbXBsZSBub25jZQ==").unwrap();
    assert_eq!(accepted, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    for wrong in ["", "dGhlIHNhbXBsZQ==", "no base64 at all"] {
        assert_eq!(accept(wrong), None, "{wrong}");
    }
}

#[test]
fn what_the_standard_has_as_examples_is_read() {
    // RFC 6455, 5.7: a masked "Hello" is passed over, and a masked ping is heard.
    let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(all(&hello), (vec![], None));
    let ping = [&[0x89], &hello[1..]].concat();
    assert_eq!(all(&ping), (vec![Said::Ping("Hello".into())], None));
    assert_eq!(MessageHead::new(Opcode::Ping as u8, 5).as_bytes(), [0x89, 0x05]);
    assert_eq!(MessageHead::new(Opcode::Binary as u8, 256).as_bytes(), [0x82, 0x7e, 0x01, 0x00]);
    assert_eq!(
        MessageHead::new(Opcode::Binary as u8, 65_536).as_bytes(),
        [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]
    );
}

#[test]
fn a_ping_between_the_parts_of_a_message_is_heard() {
    let parts = [frame(false, 1, b"one"), frame(true, 9, b"?"), frame(true, 0, b"two"), frame(true, 8, b"")];
    assert_eq!(all(&parts.concat()), (vec![Said::Ping("?".into()), Said::Close(None)], None));
}

#[test]
fn what_is_not_allowed_is_named() {
    let large = vec![0; usize::try_from(MESSAGE).unwrap()];
    let unmasked = MessageHead::new(Opcode::Text as u8, 5).as_bytes().to_vec();
    for (bytes, error) in [
        (unmasked, FrameError::Unmasked),
        (frame(true, 0x41, b""), FrameError::Reserved),
        (frame(true, 3, b""), FrameError::Opcode(3)),
        (frame(false, 9, b""), FrameError::Control),
        (frame(true, 9, &[0; 126]), FrameError::Control),
        (frame(true, 0, b"no message has begun"), FrameError::Fragment),
        ([frame(false, 1, b"one"), frame(true, 1, b"within")].concat(), FrameError::Fragment),
        ([frame(false, 2, &large), frame(true, 0, b"!")].concat(), FrameError::TooBig),
        (frame(true, 8, b"x"), FrameError::CloseCode),
        (frame(true, 8, &closing(1006, "")), FrameError::CloseCode),
        (vec![0x81, 0xfe, 0, 5], FrameError::Length),
        (vec![0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], FrameError::Length),
    ] {
        assert_eq!(all(&bytes).1, Some(error));
    }
    assert_eq!(all(&frame(true, 2, &large)), (vec![], None));
    assert_eq!(all(&frame(true, 8, &closing(1001, "bye"))).0, [Said::Close(Some(1001))]);
    assert_eq!(FrameError::TooBig.code(), CloseCode::TooBig);
}

#[test]
fn words_of_a_goodbye_are_cut_where_a_character_ends() {
    let payload = closing(1000, &"é".repeat(100));
    assert_eq!((payload.len(), &payload[..2]), (2 + 122, &1000u16.to_be_bytes()[..]));
    assert!(std::str::from_utf8(&payload[2..]).is_ok());
}

#[test]
fn tokens_are_found_in_lists_in_any_case() {
    let mut headers = HeaderMap::new();
    headers.append(header::CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
    assert!(has_token(&headers, &header::CONNECTION, "upgrade"));
    assert!(!has_token(&headers, &header::CONNECTION, "grade"));
    assert!(!has_token(&headers, &header::UPGRADE, "websocket"));
}

prop_compose! {
    /// Frames, most of them such as a client may send.
    fn frames()(
        frames in prop::collection::vec(
            (any::<bool>(), prop::sample::select(vec![0u8, 1, 2, 8, 9, 9, 9, 10, 11]), prop::collection::vec(any::<u8>(), 0..200)),
            0..12,
        ),
    ) -> Vec<u8> {
        frames.iter().flat_map(|(last, opcode, payload)| frame(*last || *opcode > 2, *opcode, payload)).collect()
    }
}

proptest! {
    #[test]
    fn where_bytes_are_split_makes_no_difference(
        bytes in prop_oneof![frames(), prop::collection::vec(any::<u8>(), 0..600)],
        sizes in prop::collection::vec(1usize..40, 1..20),
    ) {
        prop_assert_eq!(heard(&bytes, &sizes), all(&bytes));
    }
}
