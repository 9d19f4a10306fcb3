//! Opus in MPEG-2 TS (ETSI TS 103 491 annex, "Encapsulation of Opus in MPEG-2 Transport Stream"): each packet has a control
//! header with its size.

use super::WRAP;

/// Gives each Opus packet of a unit with its time. Returns false where a control header cannot be read.
pub(super) fn packets(pts: u64, data: &[u8], each: &mut impl FnMut(u64, &[u8])) -> bool {
    let (mut at, mut rest) = (pts, data);
    while !rest.is_empty() {
        let Some((packet, behind)) = packet(rest) else { return false };
        if !packet.is_empty() {
            each(at, packet);
        }
        at = (at + ticks(packet)) % WRAP;
        rest = behind;
    }
    true
}

fn packet(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let ([prefix, flags], mut rest) = data.split_first_chunk::<2>()?;
    if *prefix != 0x7F || flags & 0xE0 != 0xE0 {
        return None;
    }
    let mut size = 0;
    loop {
        let (byte, behind) = rest.split_first()?;
        rest = behind;
        size += usize::from(*byte);
        if *byte != 0xFF {
            break;
        }
    }
    let trims = usize::from(flags >> 4 & 1) * 2 + usize::from(flags >> 3 & 1) * 2;
    rest = rest.get(trims..)?;
    if flags & 0x04 != 0 {
        let (length, behind) = rest.split_first()?;
        rest = behind.get(usize::from(*length)..)?;
    }
    rest.split_at_checked(size)
}

/// The length of a packet (RFC 6716, 3.1), 1/90000 s.
fn ticks(packet: &[u8]) -> u64 {
    let Some(toc) = packet.first() else { return 0 };
    let config = toc >> 3;
    let frame = match (config, config & 3) {
        (0..=11, 0) => 900,
        (0..=11, 1) => 1_800,
        (0..=11, 2) => 3_600,
        (0..=11, _) => 5_400,
        (12..=15, n) if n & 1 == 0 => 900,
        (12..=15, _) => 1_800,
        (_, 0) => 225,
        (_, 1) => 450,
        (_, 2) => 900,
        _ => 1_800,
    };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => packet.get(1).map_or(1, |count| u64::from(count & 0x3F)),
    };
    frame * frames
}
