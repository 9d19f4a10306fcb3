//! TLS around the client's connection, and what can go wrong in it. A push of the lab has nothing to hide from anybody in
//! the middle, so the client accepts any certificate, or none at all.

use std::io::Write;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::socket::Socket;
use super::{Client, PATIENCE};
use crate::error::LabError;

impl Client {
    /// Sets up TLS, asking for this host name, whatever certificate the server shows.
    pub async fn secure(self, name: &str) -> Result<Self, LabError> {
        let connector = TlsConnector::from(config(Trust::Anybody)?);
        let Socket::Plain(tcp) = self.socket else { return Ok(self) };
        let connecting = timeout(PATIENCE, connector.connect(server_name(name)?, tcp));
        let tls = connecting.await.map_err(|_| late("the TLS handshake"))??;
        Ok(Self { socket: Socket::Secured(Box::new(tls)), ..self })
    }

    /// Begins to set up TLS, and refuses the certificate that the server shows. The connection is left open.
    pub async fn distrust(self, name: &str) -> Result<Self, LabError> {
        let connector = TlsConnector::from(config(Trust::Nobody)?);
        let Socket::Plain(tcp) = self.socket else { return Ok(self) };
        let connecting = timeout(PATIENCE, connector.connect(server_name(name)?, tcp).into_fallible());
        match connecting.await.map_err(|_| late("the server's certificate"))? {
            Ok(_) => Err(LabError::Tls("a certificate was accepted that should not have been".to_owned())),
            Err((_, tcp)) => Ok(Self { socket: Socket::Plain(tcp), ..self }),
        }
    }

    /// Sends these bytes as one TLS record whose last bit was changed on the way.
    pub async fn send_corrupted(&mut self, bytes: &[u8]) -> Result<(), LabError> {
        self.flush().await?;
        let Socket::Secured(tls) = &mut self.socket else {
            return Err(LabError::Tls("there is none that could be corrupted".to_owned()));
        };
        let (tcp, session) = tls.get_mut();
        session.writer().write_all(bytes)?;
        let mut record = take_outgoing(session)?;
        if let Some(last) = record.last_mut() {
            *last ^= 1;
        }
        Ok(tcp.write_all(&record).await?)
    }

    /// Waits until the server has answered something, whatever it is.
    pub async fn wait_for_bytes(&mut self) -> Result<(), LabError> {
        let mut answer = [0; 4096];
        let read = timeout(PATIENCE, self.socket.tcp_mut().read(&mut answer));
        match read.await.map_err(|_| late("an answer"))?? {
            0 => Err(LabError::Closed { awaited: "an answer" }),
            _ => Ok(()),
        }
    }
}

/// The first record of a client: a `ClientHello` that asks for this host name.
pub fn client_hello(name: &str) -> Result<Vec<u8>, LabError> {
    let mut session = ClientConnection::new(config(Trust::Anybody)?, server_name(name)?).map_err(unusable)?;
    take_outgoing(&mut session)
}

/// How to set up TLS with any server, whatever certificate it shows.
pub(crate) fn tls_for_anybody() -> Result<Arc<ClientConfig>, LabError> {
    config(Trust::Anybody)
}

fn take_outgoing(session: &mut ClientConnection) -> Result<Vec<u8>, LabError> {
    let mut outgoing = Vec::new();
    while session.wants_write() {
        session.write_tls(&mut outgoing)?;
    }
    Ok(outgoing)
}

fn config(trust: Trust) -> Result<Arc<ClientConfig>, LabError> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn server_name(name: &str) -> Result<ServerName<'static>, LabError> {
    ServerName::try_from(name.to_owned()).map_err(|_| LabError::Tls(format!("`{name}` is no host name")))
}

fn unusable(error: Error) -> LabError {
    LabError::Tls(error.to_string())
}

fn late(awaited: &str) -> LabError {
    LabError::Late { awaited: awaited.to_owned(), limit: PATIENCE }
}

/// Whose certificates are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    Anybody,
    Nobody,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self {
            Self::Anybody => Ok(ServerCertVerified::assertion()),
            Self::Nobody => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
