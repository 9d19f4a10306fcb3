//! TLS in front of a plain RTMP server, with a certificate for `localhost` that a test authority vouches for. Both were
//! made once, for a hundred years, and the authority's key was thrown away.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const CERTIFICATE: &[u8] = include_bytes!("tls/localhost.pem");
const KEY: &[u8] = include_bytes!("tls/localhost.key");

/// SHA-256 of the certificate's public key, as Chromium takes it for one that it shall trust.
pub const KEY_SHA256: &str = "4bqQ/TUEElrtHySWY5sO+UtQdDLGJG7RlT6s3Sb6MJ4=";

/// The files of the certificate and of its key.
pub fn files() -> [PathBuf; 2] {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/support/tls"));
    ["localhost.pem", "localhost.key"].map(|file| folder.join(file))
}

/// The authority's certificate.
pub fn authority() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/support/tls/authority.pem"))
}

/// Listens, and passes what it deciphers on. It lives as long as the process; its port.
pub fn start(behind: SocketAddr) -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let certificates = CertificateDer::pem_slice_iter(CERTIFICATE).collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut front = acceptor.accept(stream).await.ok()?;
                    let mut back = tokio::net::TcpStream::connect(behind).await.ok()?;
                    tokio::io::copy_bidirectional(&mut front, &mut back).await.ok()
                });
            }
        });
    });
    port
}
