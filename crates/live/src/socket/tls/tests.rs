use std::io::{Read, Write};
use std::sync::Arc;

use proptest::prelude::*;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::*;
use crate::tls::{Certificates, listener};

/// A server's settings, and a client that trusts its certificate and asks for `localhost`.
fn pair() -> (Arc<ServerConfig>, ClientConnection) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificates = Certificates::of_pem(&made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
    let client = client_that_trusts(made.cert.der().clone());
    (listener(Arc::new(certificates), &[]).unwrap(), client)
}

/// A client that asks for `localhost`.
fn client_that_trusts(certificate: CertificateDer<'static>) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap()
}

/// Gives the server these bytes in pieces of `piece`, and says what came of the last.
fn feed(server: &mut Tls, mut bytes: &[u8], piece: usize, plain: &mut Vec<u8>) -> Processed {
    let mut last = Processed::Plain(0);
    while !bytes.is_empty() {
        let room = server.room();
        let count = bytes.len().min(piece).min(room.len());
        room[..count].copy_from_slice(&bytes[..count]);
        server.received(count);
        bytes = &bytes[count..];
        last = server.process(|bytes| plain.extend_from_slice(bytes));
        if matches!(last, Processed::Broken(_)) {
            break;
        }
    }
    last
}

fn written(client: &mut ClientConnection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut bytes).unwrap();
    }
    bytes
}

/// Lets the client read what the server has to say.
fn answer(server: &mut Tls, client: &mut ClientConnection) -> Result<(), Error> {
    let bytes = server.outgoing().to_vec();
    server.sent(bytes.len());
    let mut input = &bytes[..];
    while !input.is_empty() {
        client.read_tls(&mut input).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

fn connected(piece: usize) -> (Tls, ClientConnection) {
    let (config, mut client) = pair();
    let mut server = Tls::new(&config).unwrap();
    let mut plain = Vec::new();
    while server.is_handshaking() || client.is_handshaking() {
        let bytes = written(&mut client);
        let processed = feed(&mut server, &bytes, piece, &mut plain);
        assert!(matches!(processed, Processed::Plain(0)), "{processed:?} {:?}", server.facts());
        answer(&mut server, &mut client).unwrap();
    }
    (server, client)
}

#[test]
fn data_passes_both_ways_and_the_name_and_version_are_known() {
    let (mut server, mut client) = connected(usize::MAX);
    let facts = server.facts();
    assert_eq!(facts.version.as_deref(), Some("TLSv1.3"));
    assert_eq!(facts.server_name.as_deref(), Some("localhost"));
    let message = vec![7_u8; 100_000];
    let mut taken = 0;
    while taken < message.len() {
        taken += server.encrypt(&message[taken..]).unwrap();
        answer(&mut server, &mut client).unwrap();
        let mut got = vec![0; RECORD];
        let count = client.reader().read(&mut got).unwrap();
        assert!(got[..count].iter().all(|byte| *byte == 7));
    }
    client.writer().write_all(b"deleteStream").unwrap();
    let mut plain = Vec::new();
    let bytes = written(&mut client);
    assert_eq!(feed(&mut server, &bytes, usize::MAX, &mut plain), Processed::Plain(12));
    assert_eq!(plain, b"deleteStream");
}

#[test]
fn a_closing_message_is_told_from_a_ragged_end() {
    let (mut server, mut client) = connected(usize::MAX);
    assert!(!server.facts().close_notify);
    client.writer().write_all(b"last words").unwrap();
    client.send_close_notify();
    let (bytes, mut plain) = (written(&mut client), Vec::new());
    assert_eq!(feed(&mut server, &bytes, usize::MAX, &mut plain), Processed::Closed(10));
    assert!(server.facts().close_notify);
    // The server may still say why, and close in its turn.
    server.encrypt(b"goodbye").unwrap();
    server.goodbye();
    answer(&mut server, &mut client).unwrap();
    assert_eq!(server.encrypt(b"more"), Err(NotSendable));
}

#[test]
fn a_changed_byte_breaks_tls_and_the_client_hears_of_it() {
    let (mut server, mut client) = connected(usize::MAX);
    client.writer().write_all(b"some media").unwrap();
    let mut bytes = written(&mut client);
    *bytes.last_mut().unwrap() ^= 1;
    let mut plain = Vec::new();
    assert_eq!(feed(&mut server, &bytes, usize::MAX, &mut plain), Processed::Broken(0));
    let failure = server.facts().failure.unwrap();
    assert_eq!(
        (failure.kind, failure.found.as_str()),
        (TlsFailureKind::Broken, "cannot decrypt peer's message")
    );
    assert!(matches!(
        answer(&mut server, &mut client),
        Err(Error::AlertReceived(AlertDescription::BadRecordMac))
    ));
}

#[test]
fn other_protocols_are_known_by_their_first_byte() {
    for (bytes, kind) in [
        (&b"\x03\0\0\0\0"[..], TlsFailureKind::PlainRtmp),
        (b"GET / HTTP/1.1\r\n", TlsFailureKind::NotTls),
        (b"\0\0\0\x20ftyp", TlsFailureKind::NotTls),
        (b"\x16garbage that is no record", TlsFailureKind::Broken),
    ] {
        let mut server = Tls::new(&pair().0).unwrap();
        assert_eq!(feed(&mut server, bytes, usize::MAX, &mut Vec::new()), Processed::Broken(0));
        assert_eq!(server.facts().failure.unwrap().kind, kind);
    }
}

/// A record with these handshake messages in it, each of a type, a length that it claims, and what there is of it.
fn handshake_record(messages: &[(u8, u32, Vec<u8>)]) -> Vec<u8> {
    let mut inner = Vec::new();
    for (kind, length, body) in messages {
        let [_, length @ ..] = length.to_be_bytes();
        inner.push(*kind);
        inner.extend_from_slice(&length);
        inner.extend_from_slice(body);
    }
    let [high, low] = u16::try_from(inner.len()).unwrap().to_be_bytes();
    [&[HANDSHAKE_RECORD, 3, 1, high, low][..], &inner].concat()
}

#[test]
fn a_handshake_that_breaks_inside_its_messages_is_told_with_an_alert_where_there_is_one() {
    let too_large = handshake_record(&[(0xff, 0x00ff_ffff, vec![0xff; 4])]);
    let never_whole = handshake_record(&[(1, 50_000, vec![0; 8_000])]);
    let never_whole = [never_whole, handshake_record(&[(0, 0, vec![0; 12_000])]).repeat(3)].concat();
    let two_at_once = handshake_record(&[(1, 3, vec![0; 3]), (1, 3, vec![0; 3])]);
    for (bytes, has_alert) in [(too_large, false), (never_whole, false), (two_at_once, true)] {
        let mut server = Tls::new(&pair().0).unwrap();
        assert_eq!(feed(&mut server, &bytes, usize::MAX, &mut Vec::new()), Processed::Broken(0));
        assert_eq!(server.facts().failure.unwrap().kind, TlsFailureKind::Broken);
        assert_eq!(!server.outgoing().is_empty(), has_alert, "{:?}", server.facts());
        assert_eq!(feed(&mut server, b"more", usize::MAX, &mut Vec::new()), Processed::Broken(0));
    }
}

#[test]
fn a_client_that_does_not_trust_the_certificate_says_so_in_an_alert() {
    // Another name than the server's own, so that the client looks for an authority and finds none.
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "another");
    let other = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let mut client = client_that_trusts(other.der().clone());
    let mut server = Tls::new(&pair().0).unwrap();
    let hello = written(&mut client);
    feed(&mut server, &hello, usize::MAX, &mut Vec::new());
    assert!(answer(&mut server, &mut client).is_err());
    let alert = written(&mut client);
    assert_eq!(feed(&mut server, &alert, usize::MAX, &mut Vec::new()), Processed::Broken(0));
    let failure = server.facts().failure.unwrap();
    assert_eq!(failure.kind, TlsFailureKind::Alert);
    assert!(failure.found.ends_with("it does not trust the server's certificate"), "{}", failure.found);
    assert_eq!(server.facts().version.as_deref(), Some("TLSv1.3"), "the server had answered");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_of_the_ciphertext_gives_the_same_plaintext(piece in 1..700usize, sizes in prop::collection::vec(1..20_000usize, 1..6)) {
        let (mut server, mut client) = connected(piece);
        let mut plain = Vec::new();
        for size in &sizes {
            client.writer().write_all(&vec![9; *size]).unwrap();
            let bytes = written(&mut client);
            feed(&mut server, &bytes, piece * 7, &mut plain);
        }
        prop_assert_eq!(plain.len(), sizes.iter().sum::<usize>());
    }

    #[test]
    fn any_handshake_messages_are_taken_without_a_panic(
        records in prop::collection::vec(
            prop::collection::vec((0..25_u8, 0..70_000_u32, prop::collection::vec(any::<u8>(), 0..300)), 1..4),
            1..8,
        ),
        true_lengths in any::<bool>(),
        piece in 1..2_000usize,
    ) {
        let mut server = Tls::new(&pair().0).unwrap();
        for mut messages in records {
            for (_, length, body) in &mut messages {
                *length = if true_lengths { body.len() as u32 } else { *length };
            }
            feed(&mut server, &handshake_record(&messages), piece, &mut Vec::new());
        }
        prop_assert!(!server.room().is_empty() || server.facts().failure.is_some());
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..40_000), honest in any::<bool>(), piece in 1..5_000usize) {
        let (config, mut client) = pair();
        let mut server = Tls::new(&config).unwrap();
        if honest {
            let hello = written(&mut client);
            feed(&mut server, &hello, usize::MAX, &mut Vec::new());
        }
        feed(&mut server, &bytes, piece, &mut Vec::new());
        prop_assert!(!server.room().is_empty() || server.facts().failure.is_some());
    }
}
