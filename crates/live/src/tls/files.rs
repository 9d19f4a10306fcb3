//! A certificate and its key, read from two files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::expiry::{Validity, validity};

/// Files above this size hold no certificate.
const MAX_FILE: u64 = 1 << 20;

/// Where a certificate and its key lie, both in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, followed by those between it and a known authority.
    pub cert: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The file of the certificate cannot be read, or holds none.
    #[error("{}: {reason}", path.display())]
    Cert {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file of the key cannot be read, or holds none that can be used.
    #[error("{}: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The two do not belong together.
    #[error("{}: this key does not belong to the certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
}

impl CertificateFiles {
    /// Reads both and makes sure that they belong together.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn read(&self) -> Result<CertifiedKey, CertificateError> {
        let chain =
            self.chain().map_err(|reason| CertificateError::Cert { path: self.cert.clone(), reason })?;
        let key =
            self.private_key().map_err(|reason| CertificateError::Key { path: self.key.clone(), reason })?;
        certified(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                CertificateError::Mismatch { cert: self.cert.clone(), key: self.key.clone() }
            }
            rustls::Error::InvalidCertificate(_) => {
                CertificateError::Cert { path: self.cert.clone(), reason: error.to_string() }
            }
            other => CertificateError::Key { path: self.key.clone(), reason: other.to_string() },
        })
    }

    /// From when until when the certificate is good; `None` where it cannot be read.
    pub fn validity(&self) -> Option<Validity> {
        validity(self.chain().ok()?.first()?)
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&read(&self.cert)?)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("it is no certificate in PEM form: {error}"))?;
        if chain.is_empty() {
            return Err("it holds no certificate in PEM form (BEGIN CERTIFICATE)".to_owned());
        }
        Ok(chain)
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, String> {
        PrivateKeyDer::from_pem_slice(&read(&self.key)?).map_err(|error| match error {
            pem::Error::NoItemsFound => "it holds no private key in PEM form (BEGIN PRIVATE KEY)".to_owned(),
            other => format!("it is no private key in PEM form: {other}"),
        })
    }
}

/// The cryptography that the whole program uses.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A certificate with its key, once the two are known to belong together.
pub(super) fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<CertifiedKey, rustls::Error> {
    CertifiedKey::from_der(chain, key, &provider())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE {
        return Err(format!("{size} bytes are more than a certificate has ({MAX_FILE})"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}
