//! Bytes become packets. A sync byte that is missing begins a search for two sync bytes a packet apart.

use super::PACKET;

const SYNC: u8 = 0x47;

/// Keeps what does not fill a packet yet: fewer than two packets.
#[derive(Debug, Default)]
pub(super) struct Sync {
    carry: Vec<u8>,
    hunting: bool,
    losses: u64,
}

impl Sync {
    /// Cuts `bytes` into packets. Any split of a stream gives the same packets.
    pub(super) fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(&[u8; PACKET])) {
        if self.carry.is_empty() {
            let rest = self.cut(bytes, each);
            self.carry.extend_from_slice(rest);
            return;
        }
        let mut joined = std::mem::take(&mut self.carry);
        joined.extend_from_slice(bytes);
        let left = self.cut(&joined, each).len();
        joined.drain(..joined.len().saturating_sub(left));
        self.carry = joined;
    }

    /// How often sync was lost.
    pub(super) fn losses(&self) -> u64 {
        self.losses
    }

    fn cut<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(&[u8; PACKET])) -> &'a [u8] {
        let mut rest = bytes;
        loop {
            if self.hunting {
                rest = match found(rest) {
                    Hunt::At(at) => at,
                    Hunt::Needs(more) => return more,
                };
                self.hunting = false;
            }
            let Some((packet, behind)) = rest.split_first_chunk::<PACKET>() else { break };
            if packet.first() == Some(&SYNC) {
                each(packet);
                rest = behind;
            } else {
                self.lose();
            }
        }
        // What cannot be the beginning of a packet need not be kept as one.
        if rest.first().is_some_and(|byte| *byte != SYNC) && !self.hunting {
            self.lose();
            return match found(rest) {
                Hunt::At(at) | Hunt::Needs(at) => at,
            };
        }
        rest
    }

    fn lose(&mut self) {
        self.losses += 1;
        self.hunting = true;
    }
}

enum Hunt<'a> {
    At(&'a [u8]),
    Needs(&'a [u8]),
}

/// The first sync byte that another follows a packet later.
fn found(bytes: &[u8]) -> Hunt<'_> {
    let mut rest = bytes;
    loop {
        let Some(at) = rest.iter().position(|byte| *byte == SYNC) else { return Hunt::Needs(&[]) };
        rest = rest.get(at..).unwrap_or_default();
        match rest.get(PACKET) {
            Some(&SYNC) => return Hunt::At(rest),
            Some(_) => rest = rest.get(1..).unwrap_or_default(),
            None => return Hunt::Needs(rest),
        }
    }
}
