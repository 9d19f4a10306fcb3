//! The certificates that a listener shows: one by default, others by the host name that a client asks for.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use super::expiry::{Validity, validity};
use super::files::{CertificateError, CertificateFiles, certified};

/// Certificates in use. They can be exchanged while connections go on: each handshake takes those of its moment.
#[derive(Debug)]
pub struct Certificates {
    files: Vec<CertificateFiles>,
    shown: ArcSwap<Vec<Arc<CertifiedKey>>>,
}

impl Certificates {
    /// Reads these files. The first is shown to clients that ask for no name, or for one that none has.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub fn read(files: Vec<CertificateFiles>) -> Result<Self, CertificateError> {
        let shown = read_all(&files)?;
        Ok(Self { files, shown: ArcSwap::from_pointee(shown) })
    }

    /// One certificate that is no file's, both parts in PEM form.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn of_pem(cert: &str, key: &str) -> Result<Self, String> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(cert.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| error.to_string())?;
        let shown = certified(chain, key).map_err(|error| error.to_string())?;
        Ok(Self { files: Vec::new(), shown: ArcSwap::from_pointee(vec![Arc::new(shown)]) })
    }

    /// The files that they came from, in the order in which names are looked for.
    pub fn files(&self) -> &[CertificateFiles] {
        &self.files
    }

    /// Reads the files again. What is shown changes only if all of them can be used.
    ///
    /// # Errors
    /// The first that cannot be used; the certificates of before stay.
    pub fn reload(&self) -> Result<(), CertificateError> {
        self.shown.store(Arc::new(read_all(&self.files)?));
        Ok(())
    }

    /// SHA-256 of the default certificate, as browsers and `openssl x509 -fingerprint` show it.
    pub fn fingerprint(&self) -> String {
        let shown = self.shown.load();
        let Some(certificate) = shown.first().and_then(|key| key.cert.first()) else { return String::new() };
        let digest = Sha256::digest(certificate.as_ref());
        let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// From when until when each certificate is good, by the name of its file.
    pub fn validities(&self) -> Vec<(String, Validity)> {
        let shown = self.shown.load();
        let ends = shown.iter().enumerate().filter_map(|(number, key)| {
            let file = self.files.get(number).and_then(|files| files.cert.file_name());
            let name = file.map_or_else(|| "self-signed.pem".into(), |file| file.to_string_lossy());
            Some((name.into_owned(), validity(key.cert.first()?)?))
        });
        ends.collect()
    }

    fn named(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let shown = self.shown.load();
        let default = shown.first();
        // One certificate is shown whatever the name is, and no name needs to be looked for in it.
        let wanted = name.filter(|_| shown.len() > 1).and_then(|name| ServerName::try_from(name).ok());
        let fitting = wanted.and_then(|name| shown.iter().find(|key| is_for(key, &name)));
        fitting.or(default).cloned()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.named(hello.server_name())
    }
}

fn read_all(files: &[CertificateFiles]) -> Result<Vec<Arc<CertifiedKey>>, CertificateError> {
    files.iter().map(|files| files.read().map(Arc::new)).collect()
}

fn is_for(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let Some(certificate) = key.cert.first() else { return false };
    ParsedCertificate::try_from(certificate).is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok())
}

#[cfg(test)]
mod tests;
