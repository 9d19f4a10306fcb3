//! Proofs for an ACME authority that this server answers for a name: TLS-ALPN-01 (RFC 8737), on the listener that shows
//! the certificate to be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::Certificates;
use super::files::provider;

/// What an authority that asks for a proof offers in ALPN, and nothing beside it (RFC 8737, 3).
pub const ACME_TLS: &[u8] = b"acme-tls/1";

/// Certificates that hold the proofs of an order, by host name. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Proofs(Arc<Mutex<HashMap<String, Arc<CertifiedKey>>>>);

impl Proofs {
    /// Shows this certificate, both parts in PEM form, to an authority that asks for the proof of `name`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn show(&self, name: &str, cert: &str, key: &str) -> Result<(), String> {
        let cert = CertificateDer::from_pem_slice(cert.as_bytes()).map_err(|error| error.to_string())?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| error.to_string())?;
        let key = provider().key_provider.load_private_key(key).map_err(|error| error.to_string())?;
        // Not compared: what reads a certificate for that must refuse one with an extension that it does not know.
        let proof = CertifiedKey::new(vec![cert], key);
        self.lock().insert(name.to_ascii_lowercase(), Arc::new(proof));
        Ok(())
    }

    /// Shows none any more: an order is over.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn of(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        self.lock().get(&name?.to_ascii_lowercase()).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<CertifiedKey>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows proofs to an authority, and certificates to everybody else.
#[derive(Debug)]
pub(super) struct Proving {
    pub certificates: Arc<Certificates>,
    pub proofs: Proofs,
}

impl ResolvesServerCert for Proving {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if is_authority(&hello) {
            // Without a proof there is nothing that it could be shown: the handshake ends.
            return self.proofs.of(hello.server_name());
        }
        self.certificates.resolve(hello)
    }
}

fn is_authority(hello: &ClientHello<'_>) -> bool {
    hello.alpn().is_some_and(|mut offered| offered.next() == Some(ACME_TLS) && offered.next().is_none())
}

#[cfg(test)]
mod tests;
