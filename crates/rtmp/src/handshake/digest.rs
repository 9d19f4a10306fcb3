//! The digests of the digest handshake.
//!
//! Never specified by its maker; known from what Flash Player 9 and Flash Media Server 3 put on the wire. The keys are
//! the same in every implementation and prove nothing but the dialect.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::PACKET;

/// Length of a digest in bytes.
pub(super) const DIGEST: usize = 32;

/// Key of the server: its open part signs S1, the whole signs S2.
const SERVER_KEY: &[u8; 68] = b"Genuine Adobe Flash Media Server 001\
    \xf0\xee\xc2\x4a\x80\x68\xbe\xe8\x2e\x00\xd0\xd1\x02\x9e\x7e\x57\
    \x6e\xec\x5d\x2d\x29\x80\x6f\xab\x93\xb8\xe6\x36\xcf\xeb\x31\xae";
/// Key of the client: its open part signs C1, the whole signs C2.
const CLIENT_KEY: &[u8; 62] = b"Genuine Adobe Flash Player 001\
    \xf0\xee\xc2\x4a\x80\x68\xbe\xe8\x2e\x00\xd0\xd1\x02\x9e\x7e\x57\
    \x6e\xec\x5d\x2d\x29\x80\x6f\xab\x93\xb8\xe6\x36\xcf\xeb\x31\xae";
/// Length of the secret part at the end of both keys.
const SECRET: usize = 32;

/// Where in C1 and S1 the digest lies. The client chooses, the server follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Placed by the four bytes at offset 8 of the packet: the digest comes in the first half.
    At8,
    /// Placed by the four bytes at offset 772 of the packet: the digest comes in the second half.
    At772,
}

impl Scheme {
    /// The order to try them in: the client's default first (ffmpeg, librtmp).
    pub(super) const ALL: [Self; 2] = [Self::At8, Self::At772];

    /// Offset of the digest in this packet.
    fn place(self, packet: &[u8; PACKET]) -> usize {
        let pointer = match self {
            Self::At8 => 8,
            Self::At772 => 772,
        };
        let bytes = packet.iter().skip(pointer).take(4);
        pointer + 4 + bytes.map(|byte| usize::from(*byte)).sum::<usize>() % 728
    }
}

/// Which end of the connection made a packet or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    Server,
    Client,
}

impl Maker {
    fn key(self) -> &'static [u8] {
        match self {
            Self::Server => SERVER_KEY,
            Self::Client => CLIENT_KEY,
        }
    }

    fn open_key(self) -> &'static [u8] {
        let key = self.key();
        key.get(..key.len().saturating_sub(SECRET)).unwrap_or_default()
    }
}

/// The digest in a packet of this maker, if it carries one, and the scheme that places it.
pub(super) fn find(maker: Maker, packet: &[u8; PACKET]) -> Option<(Scheme, [u8; DIGEST])> {
    Scheme::ALL.into_iter().find_map(|scheme| {
        let start = scheme.place(packet);
        let found = packet.get(start..)?.first_chunk::<DIGEST>()?;
        (*found == of_packet(maker, packet, start)).then_some((scheme, *found))
    })
}

/// Puts the digest into a packet of this maker, and returns it.
pub(super) fn sign(maker: Maker, scheme: Scheme, packet: &mut [u8; PACKET]) -> [u8; DIGEST] {
    let start = scheme.place(packet);
    let digest = of_packet(maker, packet, start);
    if let Some(place) = packet.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
        *place = digest;
    }
    digest
}

/// The answer of this maker to a packet with this digest: filling, and behind it the proof of knowing the key.
pub(super) fn answer(maker: Maker, peer_digest: &[u8; DIGEST], filling: &[u8]) -> [u8; PACKET] {
    let mut answer = [0; PACKET];
    if let Some((body, proof)) = answer.split_last_chunk_mut::<DIGEST>() {
        body.iter_mut().zip(filling).for_each(|(to, from)| *to = *from);
        *proof = of_answer(maker, peer_digest, body);
    }
    answer
}

/// Whether this answer of this maker proves that it knows the key and has seen the packet with this digest.
pub(super) fn proves(maker: Maker, peer_digest: &[u8; DIGEST], answer: &[u8; PACKET]) -> bool {
    answer
        .split_last_chunk::<DIGEST>()
        .is_some_and(|(body, proof)| *proof == of_answer(maker, peer_digest, body))
}

fn of_packet(maker: Maker, packet: &[u8; PACKET], start: usize) -> [u8; DIGEST] {
    let before = packet.get(..start).unwrap_or_default();
    let behind = packet.get(start + DIGEST..).unwrap_or_default();
    hmac(maker.open_key(), &[before, behind])
}

fn of_answer(maker: Maker, peer_digest: &[u8; DIGEST], body: &[u8]) -> [u8; DIGEST] {
    hmac(&hmac(maker.key(), &[peer_digest]), &[body])
}

/// HMAC-SHA256 (RFC 2104). The key is brought to the block's length here, so that no length of it is an error.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; DIGEST] {
    const BLOCK: usize = 64;
    let hashed;
    let key = if key.len() > BLOCK {
        hashed = Sha256::digest(key);
        hashed.as_slice()
    } else {
        key
    };
    let mut block = [0; BLOCK];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 1, 2 and 6.
    #[test]
    fn the_hmac_is_that_of_the_rfc() {
        let vectors: [(&[u8], &[u8], [u8; 4]); 3] = [
            (&[0x0b; 20], b"Hi There", [0xb0, 0x34, 0x4c, 0x61]),
            (b"Jefe", b"what do ya want for nothing?", [0x5b, 0xdc, 0xc1, 0x46]),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                [0x60, 0xe4, 0x31, 0x59],
            ),
        ];
        for (key, text, head) in vectors {
            let (first, second) = text.split_at(3);
            assert_eq!(hmac(key, &[first, second])[..4], head);
        }
    }

    #[test]
    fn the_digest_never_reaches_beyond_the_packet() {
        for byte in [0, 1, 0x7f, 0xb5, 0xb6, 0xff] {
            let packet = [byte; PACKET];
            for scheme in Scheme::ALL {
                assert!(scheme.place(&packet) + DIGEST <= PACKET);
            }
        }
        // The sum 727, the largest remainder, in both places.
        let mut packet = [0; PACKET];
        packet[8..12].copy_from_slice(&[255, 255, 217, 0]);
        packet[772..776].copy_from_slice(&[255, 255, 217, 0]);
        assert_eq!(Scheme::At8.place(&packet), 12 + 727);
        assert_eq!(Scheme::At772.place(&packet), 776 + 727);
    }

    #[test]
    fn a_signed_packet_is_found_and_one_changed_bit_loses_it() {
        for scheme in Scheme::ALL {
            let mut packet: [u8; PACKET] = std::array::from_fn(|index| (index * 7) as u8);
            let digest = sign(Maker::Client, scheme, &mut packet);
            assert_eq!(find(Maker::Client, &packet), Some((scheme, digest)));
            assert_eq!(find(Maker::Server, &packet), None);
            packet[1000] ^= 1;
            packet[700] ^= 1;
            assert_eq!(find(Maker::Client, &packet), None);
        }
    }
}
