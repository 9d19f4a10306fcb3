use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, ServerConnection, SignatureScheme};

use super::super::{HTTP, https};
use super::*;

/// Takes whatever certificate is shown: what is shown is the question here.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
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

    // The library's own check refuses to read a certificate with an extension that it does not know.
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
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

struct House {
    server: Arc<rustls::ServerConfig>,
    proofs: Proofs,
}

impl House {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
        let shown = Certificates::of_pem(&made.cert.pem(), &made.signing_key.serialize_pem()).unwrap();
        let proofs = Proofs::default();
        Self { server: https(Arc::new(shown), Some(proofs.clone())).unwrap(), proofs }
    }

    /// Shows a proof of `name`, and says its certificate.
    fn prove(&self, name: &str) -> Vec<u8> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(&[7; 32])];
        let key = KeyPair::generate().unwrap();
        let made = params.self_signed(&key).unwrap();
        self.proofs.show(name, &made.pem(), &key.serialize_pem()).unwrap();
        made.der().to_vec()
    }

    /// The certificate that this client is shown, and the protocol that was agreed on; `None` where no TLS comes about.
    fn ask(&self, name: &str, offered: &[&[u8]]) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
        let provider = super::super::files::provider();
        let mut config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anything(provider)))
            .with_no_client_auth();
        config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut server = ServerConnection::new(self.server.clone()).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets().ok()?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets().ok()?;
        }
        let shown = client.peer_certificates()?.first()?.to_vec();
        Some((shown, client.alpn_protocol().map(<[u8]>::to_vec)))
    }
}

#[test]
fn an_authority_is_shown_the_proof_of_the_name_that_it_asks_for() {
    let house = House::new();
    let [a, b] = ["a.test", "b.test"].map(|name| house.prove(name));
    let agreed = Some(ACME_TLS.to_vec());
    assert_eq!(house.ask("a.test", &[ACME_TLS]), Some((a, agreed.clone())));
    assert_eq!(house.ask("B.test", &[ACME_TLS]), Some((b, agreed)));
    assert_eq!(house.ask("c.test", &[ACME_TLS]), None, "of this name there is none");
    house.proofs.clear();
    assert_eq!(house.ask("a.test", &[ACME_TLS]), None, "the order is over");
}

#[test]
fn everybody_else_is_shown_the_certificate_while_a_proof_waits() {
    let house = House::new();
    let plain = house.ask("a.test", &[]).unwrap();
    let proof = house.prove("a.test");
    assert_eq!(house.ask("a.test", &[]), Some(plain.clone()));
    assert_eq!(house.ask("a.test", &HTTP), Some((plain.0.clone(), Some(b"h2".to_vec()))));
    // RFC 8737, 3: who offers something beside it does not ask for a proof.
    let (shown, agreed) = house.ask("a.test", &[ACME_TLS, b"http/1.1"]).unwrap();
    assert_eq!((shown, agreed), (plain.0, Some(b"http/1.1".to_vec())));
    assert_eq!(house.ask("a.test", &[ACME_TLS]).unwrap().0, proof);
}

#[test]
fn what_is_no_certificate_is_no_proof() {
    let house = House::new();
    assert!(house.proofs.show("a.test", "no certificate", "no key").is_err());
    assert_eq!(house.ask("a.test", &[ACME_TLS]), None);
}
