//! TLS to NATS.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::config::ClusterConfig;
use crate::connection::ConnectError;
use crate::trouble::Trouble;

/// TLS with the same cryptography as everywhere else in the program; used where a server wants it or its URL says `tls`.
pub(crate) fn tls(config: &ClusterConfig, trouble: Arc<Trouble>) -> Result<ClientConfig, ConnectError> {
    let wrong = |path: &PathBuf, reason: String| ConnectError::Tls { path: path.clone(), reason };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = &config.ca {
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|error| wrong(path, error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = |error: &dyn std::fmt::Display| ConnectError::Failed(error.to_string());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| failed(&error))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { inner: verifier, trouble }));
    match &config.identity {
        None => Ok(builder.with_no_client_auth()),
        Some((cert, path)) => {
            let chain = certificates(cert)?;
            let key = PrivateKeyDer::from_pem_file(path).map_err(|error| wrong(path, error.to_string()))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| wrong(cert, error.to_string()))
        }
    }
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let wrong = |reason: String| ConnectError::Tls { path: path.clone(), reason };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
    let all: Result<Vec<_>, _> = read.collect();
    let all = all.map_err(|error| wrong(error.to_string()))?;
    match all.is_empty() {
        true => Err(wrong("there is no certificate in it".to_owned())),
        false => Ok(all),
    }
}

/// Verifies as always, and notes why a certificate was not accepted: the NATS client only says that there was an error.
#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    trouble: Arc<Trouble>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.inner.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        if let Err(error) = &verified {
            self.trouble.certificate(name, error);
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
