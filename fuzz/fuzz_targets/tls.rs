//! Any bytes to the TLS driver: alone, behind the beginning of a record, and in place of, behind or within what a real
//! client sends. No panic; plaintext never exceeds what was received; wherever the bytes are split, what was read is what
//! the client wrote, up to where it was damaged.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, ServerConfig, SignatureScheme};

#[allow(dead_code)]
#[path = "../../crates/live/src/socket/tls.rs"]
mod tls;

use tls::{Processed, Tls};

/// What the client says once TLS stands.
const SAID: &[u8] = b"what an encoder says once TLS stands";

static SERVER: LazyLock<ServerConfig> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.into()], key.into())
        .unwrap()
});

static CLIENTS: LazyLock<[Arc<ClientConfig>; 2]> = LazyLock::new(|| {
    [&rustls::version::TLS12, &rustls::version::TLS13].map(|version| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        // Each run is like the one before it.
        config.resumption = rustls::client::Resumption::disabled();
        Arc::new(config)
    })
});

/// Trusts whoever answers.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519]
    }
}

/// Gives bytes to the driver in pieces of this size; false once it takes no more.
fn give(server: &mut Tls, mut bytes: &[u8], piece: usize, heard: &mut Vec<u8>) -> bool {
    while !bytes.is_empty() {
        let room = server.room();
        assert!(!room.is_empty(), "there is always room");
        let count = room.len().min(bytes.len()).min(piece.max(1));
        room[..count].copy_from_slice(&bytes[..count]);
        server.received(count);
        bytes = &bytes[count..];
        let before = heard.len();
        let processed = server.process(|plain| heard.extend_from_slice(plain));
        let (Processed::Plain(told) | Processed::Closed(told) | Processed::Broken(told)) = processed;
        assert_eq!(heard.len() - before, told);
        assert!(heard.len() as u64 <= server.bytes_received());
        match processed {
            Processed::Broken(_) => {
                assert!(server.facts().failure.is_some());
                assert!(server.encrypt(b"more").is_err());
                assert_eq!(server.process(|_| ()), Processed::Broken(0), "it stays broken");
                return false;
            }
            Processed::Closed(_) => assert!(server.facts().close_notify),
            Processed::Plain(_) => {}
        }
    }
    true
}

/// A whole conversation in which the client's bytes are changed at a place of the input's choice.
fn conversation(how: [u8; 4], bytes: &[u8]) {
    let [version, at_low, at_high, mode] = how;
    let config = CLIENTS[usize::from(version & 1)].clone();
    let mut client = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
    let mut server = Tls::new(&SERVER).unwrap();
    let (mut at, mut heard, mut said) = (usize::from(u16::from_le_bytes([at_low, at_high])) % 2_000, Vec::new(), false);
    let piece = if version & 2 == 0 { usize::MAX } else { 7 };
    let mut changed = false;
    for _ in 0..8 {
        let mut sent = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut sent).unwrap();
        }
        if !changed && at < sent.len() && !bytes.is_empty() {
            changed = true;
            match mode % 3 {
                0 => drop(sent.splice(at..at, bytes.iter().copied())),
                1 => sent.iter_mut().skip(at).zip(bytes).for_each(|(sent, other)| *sent ^= other),
                _ => {
                    sent.truncate(at);
                    sent.extend_from_slice(bytes);
                }
            }
        }
        at = at.saturating_sub(sent.len());
        let goes_on = give(&mut server, &sent, piece, &mut heard);
        let answer = server.outgoing().to_vec();
        server.sent(answer.len());
        let mut answer = answer.as_slice();
        while !answer.is_empty() {
            match client.read_tls(&mut answer) {
                Ok(0) | Err(_) => break,
                Ok(_) if client.process_new_packets().is_err() => return,
                Ok(_) => {}
            }
        }
        if !goes_on {
            break;
        }
        if !client.is_handshaking() && !said {
            said = true;
            std::io::Write::write_all(&mut client.writer(), SAID).unwrap();
            client.send_close_notify();
        }
    }
    assert!(SAID.starts_with(&heard), "nothing is heard that was not said");
    if !changed {
        assert_eq!(heard, SAID);
        assert!(server.facts().close_notify);
    }
    server.goodbye();
}

fuzz_target!(|bytes: &[u8]| {
    for start in [&[][..], &[22, 3, 1], &[22, 3, 3, 0, 4, 1, 0, 0, 0]] {
        let mut server = Tls::new(&SERVER).unwrap();
        let sent = [start, bytes].concat();
        give(&mut server, &sent, usize::MAX, &mut Vec::new());
        let mut split = Tls::new(&SERVER).unwrap();
        give(&mut split, &sent, 3, &mut Vec::new());
        assert_eq!(server.facts().failure.is_some(), split.facts().failure.is_some(), "splitting changes nothing");
    }
    if let Some((how, bytes)) = bytes.split_first_chunk::<4>() {
        conversation(*how, bytes);
    }
});
