//! One packet: its header and its adaptation field (ISO/IEC 13818-1, 2.4.3).

use super::PACKET;

/// Stuffing.
pub(super) const NULL_PID: u16 = 0x1FFF;

/// A packet of which the header could be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packet<'a> {
    pub(super) pid: u16,
    /// The payload begins a unit or a section.
    pub(super) starts: bool,
    /// Marked as broken, or scrambled: the payload says nothing.
    pub(super) unusable: bool,
    pub(super) continuity: u8,
    /// A jump of counter and clock is announced.
    pub(super) discontinuity: bool,
    /// The programme clock, 1/90000 s.
    pub(super) pcr: Option<u64>,
    pub(super) payload: Option<&'a [u8]>,
}

impl<'a> Packet<'a> {
    pub(super) fn parse(bytes: &'a [u8; PACKET]) -> Self {
        let [_, high, low, flags, rest @ ..] = bytes;
        let mut packet = Packet {
            pid: u16::from_be_bytes([high & 0x1F, *low]),
            starts: high & 0x40 != 0,
            unusable: high & 0x80 != 0 || flags & 0xC0 != 0,
            continuity: flags & 0x0F,
            ..Packet::default()
        };
        let mut payload: &[u8] = rest;
        if flags & 0x20 != 0 {
            let (length, behind) = payload.split_first().unwrap_or((&0, &[]));
            let Some((field, behind)) = behind.split_at_checked(usize::from(*length)) else {
                packet.unusable = true;
                return packet;
            };
            packet.adaptation(field);
            payload = behind;
        }
        packet.payload = (flags & 0x10 != 0).then_some(payload);
        packet
    }

    fn adaptation(&mut self, field: &[u8]) {
        let Some((flags, behind)) = field.split_first() else { return };
        self.discontinuity = flags & 0x80 != 0;
        if flags & 0x10 != 0
            && let Some([a, b, c, d, e, _]) = behind.first_chunk::<6>()
        {
            let base = u64::from(u32::from_be_bytes([*a, *b, *c, *d])) << 1 | u64::from(e >> 7);
            self.pcr = Some(base);
        }
    }
}
