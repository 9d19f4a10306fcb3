//! Server against client, server against recorded clients, and both against broken peers.

use bytes::{BufMut, BytesMut};
use proptest::prelude::*;

use super::digest::{self, Maker};
use super::*;

const FFMPEG: &[u8] = include_bytes!("fixtures/ffmpeg-5.1-push.bin");
const FFMPEG_PLAYING: &[u8] = include_bytes!("fixtures/ffmpeg-5.1-play.bin");
const RTMP2SINK: &[u8] = include_bytes!("fixtures/gstreamer-rtmp2sink.bin");
const RTMPSINK: &[u8] = include_bytes!("fixtures/gstreamer-rtmpsink.bin");

fn server() -> ServerHandshake {
    ServerHandshake::new([7; RANDOM], 1000)
}

/// What a client receives and sends, and how each side ended.
struct Dialogue {
    client_sent: BytesMut,
    server_sent: BytesMut,
    client: Progress,
    server: Progress,
}

fn dialogue(mode: ClientMode, random: [u8; RANDOM]) -> Dialogue {
    let mut client = ClientHandshake::new(mode, random, 5);
    let mut server = server();
    let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
    client.start(&mut to_server);
    let mut client_sent = to_server.clone();
    assert_eq!(server.input(&mut to_server, &mut to_client), Ok(Progress::NeedMore));
    let server_sent = to_client.clone();
    let client = client.input(&mut to_client, &mut to_server).unwrap();
    client_sent.put_slice(&to_server);
    let server = server.input(&mut to_server, &mut to_client).unwrap();
    assert!(to_server.is_empty() && to_client.is_empty());
    Dialogue { client_sent, server_sent, client, server }
}

/// Feeds a recording in pieces that end at these places, and tells the end, the answer and what is left.
fn feed(recording: &[u8], ends: &[usize]) -> (Result<Progress, HandshakeError>, BytesMut, BytesMut) {
    let (mut server, mut input, mut out) = (server(), BytesMut::new(), BytesMut::new());
    let mut progress = Ok(Progress::NeedMore);
    let mut from = 0;
    for end in ends.iter().copied().chain([recording.len()]) {
        input.put_slice(&recording[from..end]);
        from = end;
        progress = server.input(&mut input, &mut out);
        if progress.is_err() {
            break;
        }
    }
    (progress, out, input)
}

#[test]
fn a_simple_client_and_the_server_echo_each_other() {
    let dialogue = dialogue(ClientMode::Simple, [9; RANDOM]);
    assert_eq!(dialogue.client, Progress::Done(HandshakeKind::Simple));
    assert_eq!(dialogue.server, Progress::Done(HandshakeKind::Simple));
    assert_eq!(dialogue.client_sent.len(), 1 + 2 * PACKET);
    assert_eq!(dialogue.server_sent.len(), 1 + 2 * PACKET);
    assert_eq!(dialogue.server_sent[..9], [3, 0, 0, 3, 232, 0, 0, 0, 0]);
    assert_eq!(dialogue.server_sent[1 + PACKET..], dialogue.client_sent[1..1 + PACKET]);
    assert_eq!(dialogue.client_sent[1 + PACKET..], dialogue.server_sent[1..1 + PACKET]);
}

#[test]
fn the_server_keeps_the_head_of_the_clients_random_bytes_as_soon_as_they_have_come() {
    let mut random = [9; RANDOM];
    (0..).zip(&mut random).for_each(|(at, byte)| *byte = u8::try_from(at % 251).unwrap());
    let (mut sent, mut server, mut out) = (BytesMut::new(), server(), BytesMut::new());
    ClientHandshake::new(ClientMode::Simple, random, 5).start(&mut sent);
    let mut last = sent.split_off(PACKET);
    assert_eq!(server.input(&mut sent, &mut out), Ok(Progress::NeedMore));
    assert_eq!(server.client_head(), None);
    sent.unsplit(last.split());
    assert_eq!(server.input(&mut sent, &mut out), Ok(Progress::NeedMore));
    assert_eq!(server.client_head().as_ref(), random.first_chunk());
}

#[test]
fn a_digest_client_and_the_server_prove_themselves_in_either_scheme() {
    for scheme in Scheme::ALL {
        let dialogue = dialogue(ClientMode::Digest(scheme), std::array::from_fn(|index| (index * 31) as u8));
        assert_eq!(dialogue.client, Progress::Done(HandshakeKind::Digest(scheme)));
        assert_eq!(dialogue.server, Progress::Done(HandshakeKind::Digest(scheme)));
        let c2: &[u8; PACKET] = dialogue.client_sent[1 + PACKET..].first_chunk().unwrap();
        let s1: &[u8; PACKET] = dialogue.server_sent[1..].first_chunk().unwrap();
        let (found, server_digest) = digest::find(Maker::Server, s1).unwrap();
        assert_eq!(found, scheme);
        assert!(digest::proves(Maker::Client, &server_digest, c2));
    }
}

#[test]
fn recorded_encoders_are_answered_in_their_own_form() {
    let recordings = [
        (FFMPEG, HandshakeKind::Digest(Scheme::At8)),
        (FFMPEG_PLAYING, HandshakeKind::Digest(Scheme::At8)),
        (RTMP2SINK, HandshakeKind::Simple),
        (RTMPSINK, HandshakeKind::Simple),
    ];
    for (recording, kind) in recordings {
        let (progress, out, rest) = feed(recording, &[]);
        assert_eq!(progress, Ok(Progress::Done(kind)));
        assert_eq!(out.len(), 1 + 2 * PACKET);
        assert!(rest.is_empty());
    }
}

/// The C2 that ffmpeg made from our S1 proves that it found the digest in it: an independent check of the keys.
#[test]
fn ffmpeg_signs_its_answer_when_it_plays() {
    let (_, out, _) = feed(FFMPEG_PLAYING, &[]);
    let (_, server_digest) = digest::find(Maker::Server, out[1..].first_chunk().unwrap()).unwrap();
    let c2 = FFMPEG_PLAYING[1 + PACKET..].first_chunk().unwrap();
    assert!(digest::proves(Maker::Client, &server_digest, c2));
}

#[test]
fn what_follows_c2_stays_for_the_chunks() {
    let mut recording = FFMPEG.to_vec();
    recording.extend_from_slice(b"\x03\x00\x00");
    let (progress, _, rest) = feed(&recording, &[]);
    assert!(matches!(progress, Ok(Progress::Done(_))));
    assert_eq!(rest, &b"\x03\x00\x00"[..]);
}

#[test]
fn input_after_the_end_changes_nothing() {
    let (mut server, mut out) = (server(), BytesMut::new());
    let mut input = BytesMut::from(FFMPEG);
    let done = server.input(&mut input, &mut out);
    out.clear();
    input.put_slice(b"chunks");
    assert_eq!(server.input(&mut input, &mut out), done);
    assert_eq!((&input[..], out.len()), (&b"chunks"[..], 0));
    assert_eq!((server.stage(), server.consumed()), (HandshakeStage::Done, 3073));
}

#[test]
fn the_stage_tells_what_is_awaited() {
    let (mut server, mut input, mut out) = (server(), BytesMut::new(), BytesMut::new());
    assert_eq!(server.stage(), HandshakeStage::Version);
    input.put_slice(&RTMPSINK[..1000]);
    server.input(&mut input, &mut out).unwrap();
    assert_eq!((server.stage(), server.consumed(), out.len()), (HandshakeStage::Packet, 1, 0));
    input.put_slice(&RTMPSINK[1000..2000]);
    server.input(&mut input, &mut out).unwrap();
    assert_eq!((server.stage(), server.consumed(), out.len()), (HandshakeStage::Answer, 1537, 3073));
}

/// Some players put a version into C1 without signing it.
#[test]
fn a_version_without_a_digest_makes_a_simple_handshake() {
    let mut recording = RTMPSINK.to_vec();
    recording[5..9].copy_from_slice(&[9, 0, 124, 2]);
    let (progress, out, _) = feed(&recording, &[]);
    assert_eq!(progress, Ok(Progress::Done(HandshakeKind::Simple)));
    assert_eq!(out[1 + PACKET..], recording[1..1 + PACKET]);
}

/// ffmpeg signs C1 but, when it pushes, echoes S1 as a simple client does.
#[test]
fn c2_of_a_digest_client_is_not_held_against_it() {
    let (progress, out, _) = feed(FFMPEG, &[]);
    assert_eq!(FFMPEG[1 + PACKET..], out[1..1 + PACKET]);
    assert_eq!(progress, Ok(Progress::Done(HandshakeKind::Digest(Scheme::At8))));
    let mut zeros = FFMPEG.to_vec();
    zeros[1 + PACKET..].fill(0);
    assert_eq!(feed(&zeros, &[]).0, progress);
}

#[test]
fn a_first_byte_that_is_no_version_is_refused_with_a_guess() {
    let expected = [
        (0x16, Guess::Tls),
        (b'G', Guess::HttpOrTransportStream),
        (b'P', Guess::Http),
        (b'F', Guess::Flv),
        (b'S', Guess::Ssh),
        (0, Guess::Mp4),
        (4, Guess::OtherVersion),
        (0xff, Guess::Unknown),
    ];
    for (version, guess) in expected {
        let error = feed(&[version], &[]).0.unwrap_err();
        let kind = HandshakeErrorKind::BadVersion { version, guess };
        assert_eq!(error, HandshakeError { offset: 0, kind });
        assert!(!error.kind.is_incompatible());
    }
    assert_eq!(
        feed(b"\x16\x03\x01", &[]).0.unwrap_err().to_string(),
        "handshake failed at byte 0: version 0x16 instead of 3, looks like TLS"
    );
}

#[test]
fn rtmpe_is_legal_but_not_supported() {
    for version in [6, 8, 9] {
        let kind = feed(&[version], &[]).0.unwrap_err().kind;
        assert_eq!(kind, HandshakeErrorKind::Encrypted(version));
        assert!(kind.is_incompatible());
    }
}

#[test]
fn a_digest_client_accepts_a_server_without_digests() {
    let mut client = ClientHandshake::new(ClientMode::Digest(Scheme::At772), [9; RANDOM], 5);
    let mut input = BytesMut::from(&[3][..]);
    input.put_bytes(1, 2 * PACKET);
    let mut out = BytesMut::new();
    assert_eq!(client.input(&mut input, &mut out), Ok(Progress::Done(HandshakeKind::Simple)));
    assert_eq!(out[..], [1; PACKET]);
}

#[test]
fn a_digest_client_refuses_a_forged_answer_and_says_where() {
    let mut client = ClientHandshake::new(ClientMode::Digest(Scheme::At8), [9; RANDOM], 5);
    let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
    client.start(&mut to_server);
    server().input(&mut to_server, &mut to_client).unwrap();
    to_client[2000] ^= 1;
    let error = client.input(&mut to_client, &mut to_server).unwrap_err();
    assert_eq!(error, HandshakeError { offset: 3041, kind: HandshakeErrorKind::DigestMismatch });
}

#[test]
fn a_client_refuses_a_server_of_another_version() {
    let mut client = ClientHandshake::new(ClientMode::Simple, [9; RANDOM], 5);
    let error = client.input(&mut BytesMut::from(&b"HTTP/1.1 400"[..]), &mut BytesMut::new()).unwrap_err();
    assert_eq!(error.kind, HandshakeErrorKind::BadVersion { version: b'H', guess: Guess::Http });
}

proptest! {
    #[test]
    fn any_split_of_the_input_gives_the_same(
        recording in prop::sample::select(vec![FFMPEG, RTMP2SINK]),
        mut ends in prop::collection::vec(0..FFMPEG.len() + 4, 0..12),
    ) {
        let mut recording = recording.to_vec();
        recording.extend_from_slice(b"more");
        ends.sort_unstable();
        prop_assert_eq!(feed(&recording, &ends), feed(&recording, &[]));
    }

    #[test]
    fn every_client_comes_to_terms_with_the_server(
        random in prop::collection::vec(any::<u8>(), RANDOM),
        mode in prop::sample::select(vec![
            ClientMode::Simple,
            ClientMode::Digest(Scheme::At8),
            ClientMode::Digest(Scheme::At772),
        ]),
    ) {
        let kind = match mode {
            ClientMode::Simple => HandshakeKind::Simple,
            ClientMode::Digest(scheme) => HandshakeKind::Digest(scheme),
        };
        let dialogue = dialogue(mode, random.try_into().unwrap());
        prop_assert_eq!(dialogue.client, Progress::Done(kind));
        prop_assert_eq!(dialogue.server, Progress::Done(kind));
    }

    #[test]
    fn random_bytes_are_answered_or_refused_but_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        let (progress, out, rest) = feed(&bytes, &[]);
        match progress {
            Err(error) => prop_assert_eq!(error.offset, 0),
            Ok(Progress::NeedMore) => prop_assert!(rest.len() < 1 + PACKET),
            Ok(Progress::Done(_)) => prop_assert_eq!(out.len(), 1 + 2 * PACKET),
        }
    }
}
