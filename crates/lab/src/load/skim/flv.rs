//! FLV tags (Adobe FLV 10.1, annex E).

use super::{Head, SkimError, Skimmed};

/// `FLV`, version, flags, length of the header.
const FILE_HEADER: usize = 9;
/// The size of the tag before, behind every tag and before the first.
const TAG_SIZE: usize = 4;
const TAG_HEADER: usize = 11;

/// Follows the tags of a stream.
#[derive(Debug)]
pub(crate) struct FlvSkimmer {
    part: Part,
    carry: [u8; TAG_HEADER],
    have: usize,
    head: Head,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    FileHeader,
    /// So many more bytes of the file header than expected, or of the size of a tag.
    Skip(usize),
    TagHeader,
    Body {
        kind: u8,
        length: u32,
        left: usize,
    },
}

impl Default for FlvSkimmer {
    fn default() -> Self {
        Self { part: Part::FileHeader, carry: [0; TAG_HEADER], have: 0, head: Head::new() }
    }
}

impl FlvSkimmer {
    /// Takes what came, and hands out each tag that it ends.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut seen: impl FnMut(Skimmed<'_>)) -> Result<(), SkimError> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            match self.part {
                Part::Skip(left) => {
                    let count = left.min(rest.len());
                    at += count;
                    self.part = if count < left { Part::Skip(left - count) } else { Part::TagHeader };
                }
                Part::FileHeader => {
                    let (count, whole) = self.carry(rest, FILE_HEADER);
                    at += count;
                    if let Some(&[b'F', b'L', b'V', _, _, a, b, c, d, ..]) = whole {
                        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(FILE_HEADER);
                        self.part = Part::Skip(length.saturating_sub(FILE_HEADER).min(1 << 16) + TAG_SIZE);
                    } else if whole.is_some() {
                        return Err(SkimError::NotFlv);
                    }
                }
                Part::TagHeader => {
                    let (count, whole) = self.carry(rest, TAG_HEADER);
                    at += count;
                    if let Some(&[kind, a, b, c, ..]) = whole {
                        let length = u32::from_be_bytes([0, a, b, c]);
                        let left = usize::try_from(length).unwrap_or(usize::MAX);
                        self.part = Part::Body { kind, length, left };
                        self.head.clear();
                    }
                }
                Part::Body { kind, length, left } => {
                    let count = left.min(rest.len());
                    self.head.extend(rest.get(..count).unwrap_or_default());
                    at += count;
                    self.part = Part::Body { kind, length, left: left - count };
                }
            }
            if let Part::Body { kind, length, left: 0 } = self.part {
                seen(Skimmed { kind, length, head: self.head.seen(), end: at });
                self.part = Part::Skip(TAG_SIZE);
            }
        }
        Ok(())
    }

    /// Collects `size` bytes; gives how many it took, and the bytes once they are there.
    fn carry(&mut self, rest: &[u8], size: usize) -> (usize, Option<&[u8]>) {
        let mut count = 0;
        for byte in rest.iter().take(size.saturating_sub(self.have)) {
            if let Some(place) = self.carry.get_mut(self.have) {
                *place = *byte;
            }
            self.have += 1;
            count += 1;
        }
        if self.have < size {
            return (count, None);
        }
        self.have = 0;
        (count, self.carry.get(..size))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tag(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap();
        let mut tag = vec![kind];
        tag.extend_from_slice(&length.to_be_bytes()[1..]);
        tag.extend_from_slice(&[0; 7]);
        tag.extend_from_slice(body);
        tag.extend_from_slice(&(length + 11).to_be_bytes());
        tag
    }

    proptest! {
        #[test]
        fn every_tag_is_seen_however_it_arrives(
            bodies in prop::collection::vec((8..10_u8, prop::collection::vec(any::<u8>(), 0..300)), 0..20),
            piece in 1..200_usize,
        ) {
            let mut file = b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00".to_vec();
            bodies.iter().for_each(|(kind, body)| file.extend(tag(*kind, body)));
            let (mut skimmer, mut seen) = (FlvSkimmer::default(), Vec::new());
            for part in file.chunks(piece) {
                skimmer.feed(part, |m| seen.push((m.kind, m.length as usize))).unwrap();
            }
            let told: Vec<_> = bodies.iter().map(|(kind, body)| (*kind, body.len())).collect();
            prop_assert_eq!(seen, told);
        }

        #[test]
        fn no_bytes_make_it_fail_otherwise_than_by_an_error(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let _ = FlvSkimmer::default().feed(&bytes, |_| {});
        }
    }

    #[test]
    fn what_is_no_flv_is_told() {
        assert_eq!(FlvSkimmer::default().feed(b"<html></html>", |_| {}), Err(SkimError::NotFlv));
    }
}
