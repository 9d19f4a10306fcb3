//! Sections: tables in pieces, with a checksum behind them (ISO/IEC 13818-1, 2.4.4).

/// A section of PAT or PMT has at most this many bytes, the three before its length included.
const LARGEST: usize = 1024;

/// Puts the sections of one stream together.
#[derive(Debug, Default)]
pub(super) struct Sections {
    held: Vec<u8>,
    /// A section has begun.
    begun: bool,
}

impl Sections {
    /// Forgets a section of which a part is missing.
    pub(super) fn broken(&mut self) {
        self.held.clear();
        self.begun = false;
    }

    /// Takes a packet's payload; gives each whole section.
    pub(super) fn push(&mut self, payload: &[u8], starts: bool, each: &mut impl FnMut(&[u8])) {
        if !starts {
            if self.begun {
                self.held.extend_from_slice(payload);
                self.give(each);
            }
            return;
        }
        let Some((pointer, payload)) = payload.split_first() else { return };
        let Some((end, beginning)) = payload.split_at_checked(usize::from(*pointer)) else {
            self.broken();
            return;
        };
        if self.begun {
            self.held.extend_from_slice(end);
            self.give(each);
        }
        self.held.clear();
        self.held.extend_from_slice(beginning);
        self.begun = true;
        self.give(each);
    }

    fn give(&mut self, each: &mut impl FnMut(&[u8])) {
        loop {
            match self.held.first_chunk::<3>() {
                // What follows the last section is stuffing.
                Some([0xFF, ..]) => return self.broken(),
                Some([_, high, low]) => {
                    let length = 3 + usize::from(u16::from_be_bytes([high & 0x0F, *low]));
                    if length > LARGEST {
                        return self.broken();
                    }
                    let Some(section) = self.held.get(..length) else { return };
                    each(section);
                    self.held.drain(..length);
                }
                None if self.held.first() == Some(&0xFF) => return self.broken(),
                None => return,
            }
        }
    }
}

/// CRC-32/MPEG-2: 0 over a section with its checksum.
pub(super) fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| {
            if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04C1_1DB7 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(crc(b"123456789"), 0x0376_E6E7);
    }

    #[test]
    fn a_section_that_claims_more_than_there_may_be_is_forgotten() {
        let mut sections = Sections::default();
        let mut count = 0;
        sections.push(&[0, 0x02, 0x0F, 0xFF, 1, 2, 3], true, &mut |_| count += 1);
        for _ in 0..100 {
            sections.push(&[0; 184], false, &mut |_| count += 1);
        }
        assert_eq!((count, sections.held.len()), (0, 0));
    }
}
