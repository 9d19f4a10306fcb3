//! TLS of the node's own listeners: the certificates it shows, and how they are chosen, watched and set up.
//!
//! TLS towards others (relays, proxy mode) is `relay`'s own.

mod certificates;
mod expiry;
mod files;
mod proofs;
mod watch;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::ResolvesServerCert;

pub use certificates::Certificates;
pub use expiry::{EXPIRY_WARNING, Standing, Validity, warn_of_expiry};
pub use files::{CertificateError, CertificateFiles};
pub use proofs::{ACME_TLS, Proofs};
pub use watch::watch;

/// Protocols that an HTTPS listener offers, the best first (ALPN, RFC 7301).
pub const HTTP: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The settings of a listener that shows these certificates: TLS 1.2 and 1.3 with the library's safe suites, no client
/// certificates, no early data. `protocols` are what ALPN may agree on; empty for a protocol that has no name there.
///
/// # Errors
/// When the cryptography library lacks what every TLS needs; it never does as it is built here.
pub fn listener(
    certificates: Arc<Certificates>,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, rustls::Error> {
    settings(certificates, protocols)
}

/// As [`listener`], for HTTPS. With `proofs` an authority that asks for one is shown it in place of a certificate; the
/// connection then has agreed on [`ACME_TLS`] and is good for nothing else.
///
/// # Errors
/// As [`listener`].
pub fn https(
    certificates: Arc<Certificates>,
    proofs: Option<Proofs>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    match proofs {
        None => settings(certificates, &HTTP),
        Some(proofs) => {
            let [h2, http1] = HTTP;
            settings(Arc::new(proofs::Proving { certificates, proofs }), &[h2, http1, ACME_TLS])
        }
    }
}

fn settings(
    shown: Arc<dyn ResolvesServerCert>,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(files::provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}
