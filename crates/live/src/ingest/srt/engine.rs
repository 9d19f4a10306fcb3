//! The SRT protocol, in the words of this program. Everything that knows the library is here, so that another can take
//! its place.
//!
//! The library is sans-I/O: datagrams and time in, datagrams, events and the next deadline out. What it does not tell is
//! read from its own datagrams: the round-trip time from the acknowledgements that it sends, and a refusal of its own
//! from the handshake that says so.

use std::hash::RandomState;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sapflow_srt::crypto::{CryptoConfig, KeySize};
use sapflow_srt::packet::{Control, ControlPacket, Extension, Handshake, HandshakeKind, Packet};
use sapflow_srt::{CloseReason, Config, ConnId, Event, Listener, RejectCode};

use super::SrtConfigError;
use super::passphrase::Passphrases;
use crate::config::SrtConfig;

/// Handshakes answered in a second; more are left unanswered, and callers ask again. An answer takes microseconds and is
/// no larger than its question, so that only floods meet this; a lower limit would let a flood keep callers out.
const HANDSHAKES_A_SECOND: u32 = 50_000;
/// A caller whose push is being decided is kept this long; admission has shorter limits of its own.
const DECIDE_WITHIN: Duration = Duration::from_secs(120);
/// Packets that one connection may hold until they are due: 10 MiB, or 80 Mbit/s at a latency of one second.
const BUFFER_PACKETS: usize = 8_192;

/// A connection's number, by which its packets are addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(pub(super) u32);

/// The callers' side of a port.
pub(super) struct Engine {
    listener: Listener<RandomState>,
    config: Config,
    key: RandomState,
    began: Instant,
    passphrases: Passphrases,
}

/// Something that happened.
pub(super) enum Happened {
    /// A caller has shown that it is where it says, and asks to push.
    Asks { id: Id, stream_id: Vec<u8> },
    /// The next bytes of a connection, in order and in time.
    Data { id: Id, payload: Vec<u8> },
    /// A connection has ended from its other side.
    Ended { id: Id, by: EndedBy, counts: Counts },
}

/// How a connection ended from its other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndedBy {
    /// The caller said goodbye.
    Shutdown,
    /// The caller was not heard for the time limit.
    Silence,
}

/// What the protocol has counted on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) packets: u64,
    pub(super) retransmitted: u64,
    pub(super) lost: u64,
    pub(super) dropped: u64,
    pub(super) belated: u64,
    pub(super) undecrypted: u64,
}

impl From<sapflow_srt::Stats> for Counts {
    fn from(stats: sapflow_srt::Stats) -> Self {
        Self {
            packets: stats.received,
            retransmitted: stats.retransmitted,
            lost: stats.lost,
            dropped: stats.dropped,
            belated: stats.belated,
            undecrypted: stats.encrypted,
        }
    }
}

/// A handshake of a caller's, as far as it concerns us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// The caller's own number for its side.
    pub(super) caller: u32,
    /// The second of the two handshakes: the caller has answered ours.
    pub(super) concludes: bool,
    /// The caller's version, 0xMMmmpp; 0 in the first handshake.
    pub(super) version: u32,
    /// The key length in the handshake; 0 without encryption.
    pub(super) key_bytes: u16,
    /// It brings a key to decrypt with.
    pub(super) encrypts: bool,
    pub(super) stream_id: Vec<u8>,
}

/// What one of our own datagrams is, as far as it concerns us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// An acknowledgement with the round-trip time, µs.
    Acknowledgement {
        rtt_us: u32,
    },
    /// A refusal with its code, as libsrt's tools print it (1000 and more).
    Refusal {
        code: u32,
    },
    Other,
}

impl Engine {
    pub(super) fn new(config: &SrtConfig, connections: usize, now: Instant) -> Result<Self, SrtConfigError> {
        let passphrases = Passphrases::new(config);
        let key = RandomState::new();
        for text in passphrases.all() {
            secret(text, KeySize::Aes128)?;
        }
        // With several, the library only lets through who encrypts and who does not; which is right is told per caller.
        let crypto = passphrases.all().next().map(|text| secret(text, KeySize::Aes128)).transpose()?;
        let same = passphrases.is_the_same_for_all();
        let library = Config {
            latency: config.latency,
            max_connections: connections.max(1),
            handshakes_per_second: HANDSHAKES_A_SECOND,
            buffer_packets: BUFFER_PACKETS,
            peer_idle: config.peer_timeout,
            accept_timeout: DECIDE_WITHIN,
            require_encryption: same && crypto.is_some(),
            crypto,
            allow_plaintext: !same,
        };
        let listener = Listener::with_key(library.clone(), now, key.clone());
        Ok(Self { listener, config: library, key, began: now, passphrases })
    }

    pub(super) fn receive(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.listener.handle_datagram(now, from, datagram);
    }

    pub(super) fn pass_time(&mut self, now: Instant) {
        self.listener.handle_timeout(now);
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.listener.poll_timeout()
    }

    pub(super) fn next_datagram(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.listener.poll_transmit()
    }

    pub(super) fn next_event(&mut self) -> Option<Happened> {
        Some(match self.listener.poll_event()? {
            Event::Connect { id, stream_id, .. } => Happened::Asks { id: Id(id.0), stream_id },
            Event::Data { id, payload } => Happened::Data { id: Id(id.0), payload },
            Event::Closed { id, reason, stats } => Happened::Ended {
                id: Id(id.0),
                by: match reason {
                    Some(CloseReason::Shutdown) => EndedBy::Shutdown,
                    Some(CloseReason::Timeout) | None => EndedBy::Silence,
                },
                counts: stats.into(),
            },
        })
    }

    /// What callers for this domain must encrypt with; none where they must not.
    pub(super) fn passphrase_of(&self, domain: Option<&str>) -> Option<&str> {
        self.passphrases.of(domain)
    }

    /// Whether the caller of this handshake, which was answered just now, has this passphrase. Told before the caller is
    /// accepted, so that one without it is refused before a push begins.
    pub(super) fn passphrase_fits(
        &self,
        now: Instant,
        from: SocketAddr,
        handshake: &[u8],
        (passphrase, key_bytes): (&str, u16),
    ) -> bool {
        let Ok(crypto) = secret(passphrase, key_size(key_bytes)) else { return false };
        let config = Config {
            crypto: Some(crypto),
            require_encryption: true,
            allow_plaintext: false,
            ..self.config.clone()
        };
        let mut trial = Listener::with_key(config, self.began, self.key.clone());
        trial.handle_datagram(now, from, handshake);
        match trial.poll_event() {
            Some(Event::Connect { id, .. }) => trial.accept(id, now),
            _ => false,
        }
    }

    /// Tells a caller that it may push; false where it is not waiting any more.
    pub(super) fn accept(
        &mut self,
        id: Id,
        (passphrase, key_bytes): (Option<&str>, u16),
        now: Instant,
    ) -> bool {
        let crypto = passphrase.and_then(|text| secret(text, key_size(key_bytes)).ok());
        self.listener.accept_with_crypto(ConnId(id.0), now, crypto)
    }

    /// Tells a caller that it may not, with a code of 1000 and more.
    pub(super) fn reject(&mut self, id: Id, code: u32) {
        // On the wire a refusal is 1000 above the code that tools show.
        self.listener.reject(ConnId(id.0), RejectCode(if code < 1_100 { code } else { code + 1_000 }));
    }

    /// Says goodbye.
    pub(super) fn close(&mut self, id: Id, now: Instant) {
        self.listener.close(ConnId(id.0), now);
    }

    /// Ends a connection as if its caller had said goodbye, so that what it sent before is still handed over.
    pub(super) fn give_up(&mut self, id: Id, from: SocketAddr, now: Instant) {
        let mut shutdown = Vec::with_capacity(20);
        ControlPacket::new(0, id.0, Control::Shutdown).encode(&mut shutdown);
        self.listener.handle_datagram(now, from, &shutdown);
    }

    pub(super) fn counts(&self, id: Id) -> Option<Counts> {
        self.listener.connection_stats(ConnId(id.0)).map(Counts::from)
    }

    pub(super) fn latency(&self, id: Id) -> Duration {
        self.listener.latency(ConnId(id.0)).unwrap_or(self.config.latency)
    }
}

fn secret(passphrase: &str, size: KeySize) -> Result<CryptoConfig, SrtConfigError> {
    CryptoConfig::new(passphrase.as_bytes().to_vec(), size).map_err(|_| SrtConfigError::Passphrase)
}

/// The handshake's encryption field counts in eights of a byte length; the library has no 192 bits.
fn key_size(key_bytes: u16) -> KeySize {
    if key_bytes >= 32 { KeySize::Aes256 } else { KeySize::Aes128 }
}

/// A sign of life that asks for an answer of the network, should nobody be there.
pub(super) fn keep_alive(caller: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(20);
    ControlPacket::new(0, caller, Control::KeepAlive).encode(&mut out);
    out
}

/// The number of the connection that a datagram of a caller's is for; 0 for handshakes.
pub(super) fn addressed_to(datagram: &[u8]) -> Option<u32> {
    let [.., a, b, c, d] = datagram.first_chunk::<16>()?;
    Some(u32::from_be_bytes([*a, *b, *c, *d]))
}

/// Reads a handshake; none for everything else.
pub(super) fn greeting(datagram: &[u8]) -> Option<Greeting> {
    // Looked at first, so that data packets cost two comparisons.
    let (Some([0x80, 0, ..]), true) = (datagram.first_chunk::<4>(), datagram.len() <= 1_500) else {
        return None;
    };
    let Ok(Packet::Control(ControlPacket { body: Control::Handshake(handshake), .. })) =
        Packet::parse(datagram)
    else {
        return None;
    };
    let concludes = match handshake.kind {
        HandshakeKind::Induction => false,
        HandshakeKind::Conclusion => true,
        _ => return None,
    };
    Some(of_handshake(&handshake, concludes))
}

fn of_handshake(handshake: &Handshake, concludes: bool) -> Greeting {
    Greeting {
        caller: handshake.socket_id,
        concludes,
        version: handshake.srt_request().map_or(0, |request| request.version),
        key_bytes: handshake.encryption.saturating_mul(8),
        encrypts: handshake.extensions.iter().any(|one| matches!(one, Extension::KmReq(_))),
        stream_id: handshake.stream_id().map(<[u8]>::to_vec).unwrap_or_default(),
    }
}

/// Reads one of our own datagrams.
pub(super) fn sent(datagram: &[u8]) -> Sent {
    let word = |at: usize| {
        datagram.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|bytes| u32::from_be_bytes(*bytes))
    };
    match datagram.first_chunk::<2>() {
        Some([0x80, 0x02]) => match word(20) {
            Some(rtt_us) => Sent::Acknowledgement { rtt_us },
            None => Sent::Other,
        },
        Some([0x80, 0x00]) => match word(36) {
            Some(code) if (2_000..3_000).contains(&code) => Sent::Refusal { code: code - 1_000 },
            Some(code) if (1_000..1_100).contains(&code) => Sent::Refusal { code },
            _ => Sent::Other,
        },
        _ => Sent::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_our_datagrams_say_is_read_from_their_fields() {
        let mut ack = vec![0x80, 0x02, 0, 0];
        ack.extend([0; 16]);
        assert_eq!(sent(&ack), Sent::Other, "a light acknowledgement has no round-trip time");
        ack.extend(41_000_u32.to_be_bytes());
        assert_eq!(sent(&ack), Sent::Acknowledgement { rtt_us: 41_000 });
        let mut refusal = vec![0x80, 0, 0, 0];
        refusal.resize(36, 0);
        refusal.extend(2_403_u32.to_be_bytes());
        assert_eq!(sent(&refusal), Sent::Refusal { code: 1_403 });
        assert_eq!(sent(&[]), Sent::Other);
    }

    #[test]
    fn only_handshakes_are_greetings() {
        assert_eq!(greeting(&[0x80, 0, 0, 0]), None);
        assert_eq!(greeting(&[0; 64]), None);
        assert_eq!(addressed_to(&[1; 15]), None);
        assert_eq!(addressed_to(&keep_alive(7)), Some(7));
    }
}
