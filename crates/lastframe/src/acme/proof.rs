//! The certificate that proves a name by TLS-ALPN-01 (RFC 8737, 3): for this name alone, signed by itself, with the
//! SHA-256 digest of the key authorization in an extension that nobody may overlook.

use live::tls::Proofs;
use rcgen::{CertificateParams, CustomExtension, KeyPair};

/// Bytes of a digest by SHA-256: the extension holds no other.
const DIGEST: usize = 32;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The digest is none of SHA-256.
    #[error("its digest has {0} bytes, and not {DIGEST}")]
    Digest(usize),
    /// It cannot be made.
    #[error("it cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// It was made, and is not taken.
    #[error("it cannot be used: {0}")]
    Use(String),
}

/// Makes the proof of `name` and has it shown.
pub fn show(proofs: &Proofs, name: &str, digest: &[u8]) -> Result<(), ProofError> {
    if digest.len() != DIGEST {
        return Err(ProofError::Digest(digest.len()));
    }
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let cert = params.self_signed(&key)?;
    proofs.show(name, &cert.pem(), &key.serialize_pem()).map_err(ProofError::Use)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_made_of_a_digest_and_of_nothing_else() {
        let proofs = Proofs::default();
        assert!(show(&proofs, "push.example.com", &[7; 32]).is_ok());
        assert!(matches!(show(&proofs, "push.example.com", &[7; 31]), Err(ProofError::Digest(31))));
        assert!(matches!(show(&proofs, "no nâme", &[7; 32]), Err(ProofError::Make(_))));
    }
}
