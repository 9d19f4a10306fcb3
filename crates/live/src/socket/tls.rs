//! TLS on a connection, without I/O: ciphertext goes in, plaintext and ciphertext come out, and what broke it is kept.

use std::sync::{Arc, OnceLock};

use bytes::{Buf, BytesMut};
use cause::evidence::{TlsFacts, TlsFailure, TlsFailureKind};
use rustls::server::{ClientHello, ResolvesServerCert, UnbufferedServerConnection};
use rustls::sign::CertifiedKey;
use rustls::unbuffered::{
    ConnectionState, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{AlertDescription, Error, ServerConfig};

/// Room for received ciphertext: more than the largest record (RFC 8446 section 5.2), so that one always fits whole.
const INCOMING: usize = 32 * 1024;
/// Plaintext that goes into one record at most (RFC 8446 section 5.1).
const RECORD: usize = 16 * 1024;
/// What a record adds to its plaintext: header, type, tag, and with TLS 1.2 a nonce.
const RECORD_MORE: usize = 64;
/// First byte of a TLS connection: a record with handshake messages.
const HANDSHAKE_RECORD: u8 = 22;
/// First byte of an RTMP connection: its version.
const RTMP_VERSION: u8 = 3;
/// A text about what broke TLS is kept to this length, bytes.
const FOUND: usize = 200;

/// The TLS side of a connection.
pub struct Tls {
    session: UnbufferedServerConnection,
    name: Arc<OnceLock<String>>,
    incoming: Vec<u8>,
    filled: usize,
    outgoing: BytesMut,
    begun: bool,
    received: u64,
    close_notify: bool,
    failure: Option<TlsFailure>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("failure", &self.failure).finish_non_exhaustive()
    }
}

/// What processing brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processed {
    /// This much plaintext; for more, more ciphertext is needed.
    Plain(usize),
    /// As before, and the client has ended TLS with its closing message.
    Closed(usize),
    /// As before, and then TLS broke. An alert for the client waits to be sent.
    Broken(usize),
}

impl Tls {
    /// The server's side before its first byte.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn new(config: &ServerConfig) -> Result<Self, Error> {
        let name = Arc::<OnceLock<String>>::default();
        let mut config = config.clone();
        let certificates = config.cert_resolver;
        config.cert_resolver = Arc::new(Asked { certificates, name: name.clone() });
        Ok(Self {
            session: UnbufferedServerConnection::new(Arc::new(config))?,
            name,
            incoming: vec![0; INCOMING],
            filled: 0,
            outgoing: BytesMut::new(),
            begun: false,
            received: 0,
            close_notify: false,
            failure: None,
        })
    }

    /// Where ciphertext is to be put. Never empty after [`Tls::process`].
    pub fn room(&mut self) -> &mut [u8] {
        self.incoming.get_mut(self.filled..).unwrap_or_default()
    }

    /// So much has been put there.
    pub fn received(&mut self, count: usize) {
        self.filled = self.filled.saturating_add(count).min(self.incoming.len());
        self.received = self.received.saturating_add(count as u64);
    }

    /// Ciphertext received so far, bytes.
    pub fn bytes_received(&self) -> u64 {
        self.received
    }

    /// Whether the handshake is not done yet.
    pub fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    /// The host name that the client asked for.
    pub fn server_name(&self) -> Option<&str> {
        self.name.get().map(String::as_str)
    }

    /// What is known by now.
    pub fn facts(&self) -> TlsFacts {
        TlsFacts {
            version: self.session.protocol_version().map(|version| match version.as_str() {
                Some(name) => name.replace('_', "."),
                None => format!("{:#06x}", u16::from(version)),
            }),
            server_name: self.name.get().cloned(),
            close_notify: self.close_notify,
            failure: self.failure.clone(),
        }
    }

    /// Takes what has been received, and hands plaintext on record by record.
    pub fn process(&mut self, mut plain: impl FnMut(&[u8])) -> Processed {
        let mut count = 0;
        if self.failure.is_some() {
            return Processed::Broken(count);
        }
        if !self.begun && self.filled > 0 {
            self.begun = true;
            if let Some(failure) = not_tls(self.incoming.first().copied().unwrap_or_default()) {
                self.failure = Some(failure);
                return Processed::Broken(count);
            }
        }
        let mut start = 0;
        let error = loop {
            let Some(input) = self.incoming.get_mut(start..self.filled) else { break None };
            let UnbufferedStatus { discard, state, .. } = self.session.process_tls_records(input);
            start = start.saturating_add(discard);
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    let mut failed = None;
                    while let Some(record) = traffic.next_record() {
                        match record {
                            Ok(record) => {
                                start = start.saturating_add(record.discard);
                                count += record.payload.len();
                                plain(record.payload);
                            }
                            Err(error) => {
                                failed = Some(error);
                                break;
                            }
                        }
                    }
                    if failed.is_some() {
                        break failed;
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, &mut self.outgoing),
                // It lies in `outgoing`, which goes out before anything else does.
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.close_notify = true,
                Ok(_) => break None,
                Err(error) => break Some(error),
            }
        };
        self.discard(start);
        match error {
            Some(error) => self.failure = Some(failure_of(&error)),
            None if self.filled == self.incoming.len() => {
                let found = format!("a handshake message of more than {INCOMING} bytes");
                self.failure = Some(TlsFailure { kind: TlsFailureKind::Broken, found });
            }
            None if self.close_notify => return Processed::Closed(count),
            None => return Processed::Plain(count),
        }
        self.take_alert();
        Processed::Broken(count)
    }

    /// Encrypts from the front of `plain`, one record at most, and says how much it took.
    ///
    /// # Errors
    /// When nothing can be sent any more.
    pub fn encrypt(&mut self, plain: &[u8]) -> Result<usize, NotSendable> {
        let plain = plain.get(..RECORD).unwrap_or(plain);
        self.write(plain.len() + RECORD_MORE, |traffic, out| traffic.encrypt(plain, out))?;
        Ok(plain.len())
    }

    /// Says goodbye in TLS: `close_notify`. Nothing can be encrypted after it.
    pub fn goodbye(&mut self) {
        // Where TLS is not set up or is broken, there is nobody who could read it.
        let _ = self.write(RECORD_MORE, |traffic, out| traffic.queue_close_notify(out));
    }

    /// Ciphertext that waits to be sent.
    pub fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// So much of it has been sent.
    pub fn sent(&mut self, count: usize) {
        self.outgoing.advance(count.min(self.outgoing.len()));
    }

    fn write(
        &mut self,
        room: usize,
        write: impl Fn(&mut Traffic<'_>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<(), NotSendable> {
        if self.failure.is_some() {
            return Err(NotSendable);
        }
        let mut traffic = loop {
            let input = self.incoming.get_mut(..self.filled).unwrap_or_default();
            match self.session.process_tls_records(input).state {
                Ok(ConnectionState::WriteTraffic(traffic)) => break traffic,
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, &mut self.outgoing),
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                _ => return Err(NotSendable),
            }
        };
        let before = self.outgoing.len();
        let mut room = room;
        loop {
            self.outgoing.resize(before + room, 0);
            let out = self.outgoing.get_mut(before..).unwrap_or_default();
            match write(&mut traffic, out) {
                Ok(written) => {
                    self.outgoing.truncate(before + written);
                    return Ok(());
                }
                Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size }))
                    if required_size > room =>
                {
                    room = required_size;
                }
                Err(_) => {
                    self.outgoing.truncate(before);
                    return Err(NotSendable);
                }
            }
        }
    }

    fn discard(&mut self, count: usize) {
        let count = count.min(self.filled);
        if count > 0 {
            self.incoming.copy_within(count..self.filled, 0);
            self.filled -= count;
        }
    }

    /// The alert that tells the client what broke, where there is one. A broken session must not be asked for more: it would
    /// look into the messages that it has begun to read.
    fn take_alert(&mut self) {
        while self.session.wants_write() {
            match self.session.process_tls_records(&mut []).state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => encode(&mut data, &mut self.outgoing),
                _ => return,
            }
        }
    }
}

/// Keeps the name that a client asks for, on its way to the certificates: this kind of session does not tell it.
#[derive(Debug)]
struct Asked {
    certificates: Arc<dyn ResolvesServerCert>,
    name: Arc<OnceLock<String>>,
}

impl ResolvesServerCert for Asked {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(name) = hello.server_name() {
            let _ = self.name.set(name.to_owned());
        }
        self.certificates.resolve(hello)
    }
}

type Traffic<'a> = rustls::unbuffered::WriteTraffic<'a, rustls::server::ServerConnectionData>;

/// TLS is not set up, over, or broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS carries nothing now")]
pub struct NotSendable;

fn encode(data: &mut EncodeTlsData<'_, rustls::server::ServerConnectionData>, outgoing: &mut BytesMut) {
    let before = outgoing.len();
    let mut room = 512;
    loop {
        outgoing.resize(before + room, 0);
        match data.encode(outgoing.get_mut(before..).unwrap_or_default()) {
            Ok(written) => return outgoing.truncate(before + written),
            Err(rustls::unbuffered::EncodeError::InsufficientSize(more)) if more.required_size > room => {
                room = more.required_size;
            }
            Err(_) => return outgoing.truncate(before),
        }
    }
}

/// What a connection is whose first byte begins no TLS.
fn not_tls(first: u8) -> Option<TlsFailure> {
    let (kind, found) = match first {
        HANDSHAKE_RECORD => return None,
        RTMP_VERSION => (TlsFailureKind::PlainRtmp, "plain RTMP instead of TLS".to_owned()),
        b'A'..=b'Z' => (
            TlsFailureKind::NotTls,
            format!("the first byte is {first:#04x} instead of a TLS handshake, which looks like HTTP"),
        ),
        other => {
            (TlsFailureKind::NotTls, format!("the first byte is {other:#04x} instead of a TLS handshake"))
        }
    };
    Some(TlsFailure { kind, found })
}

fn failure_of(error: &Error) -> TlsFailure {
    let (kind, mut found) = match error {
        Error::AlertReceived(alert) => {
            (TlsFailureKind::Alert, format!("the client sent the alert {alert:?}{}", meaning(*alert)))
        }
        other => (TlsFailureKind::Broken, other.to_string()),
    };
    found.truncate(found.floor_char_boundary(FOUND));
    TlsFailure { kind, found }
}

/// What an alert in the handshake says about the server's certificate.
fn meaning(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA => ": it does not trust the server's certificate",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
