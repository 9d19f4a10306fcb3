//! Which programme there is, and which streams it has: PAT and PMT (ISO/IEC 13818-1, 2.4.4.3 and 2.4.4.8).

use super::{Codec, section};
use crate::codec::{AudioCodec, VideoCodec};

/// A table whose checksum is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongChecksum;

/// One stream of a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) pid: u16,
    /// None for a kind that is not carried on.
    pub(super) codec: Option<Codec>,
}

/// A programme's streams and clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Programme {
    pub(super) pcr_pid: u16,
    pub(super) streams: Vec<Stream>,
}

/// The PMT's packet identifier of the first programme; none where the section is another table or lists none.
pub(super) fn first_programme(section: &[u8]) -> Result<Option<u16>, WrongChecksum> {
    let Some(body) = body(section, 0x00)? else { return Ok(None) };
    let programmes = body.get(5..).unwrap_or_default();
    Ok(programmes.chunks_exact(4).find_map(|entry| match entry {
        // Programme 0 is the network's own table.
        [0, 0, ..] => None,
        [_, _, high, low] => Some(u16::from_be_bytes([high & 0x1F, *low])),
        _ => None,
    }))
}

/// The streams of a programme; none where the section is another table.
pub(super) fn programme(section: &[u8]) -> Result<Option<Programme>, WrongChecksum> {
    let Some(body) = body(section, 0x02)? else { return Ok(None) };
    Ok(read_programme(body))
}

fn read_programme(body: &[u8]) -> Option<Programme> {
    let (head, rest) = body.split_first_chunk::<9>()?;
    let [_, _, _, _, _, pcr_high, pcr_low, info_high, info_low] = head;
    let mut programme =
        Programme { pcr_pid: u16::from_be_bytes([pcr_high & 0x1F, *pcr_low]), streams: Vec::new() };
    let mut rest = rest.get(length(*info_high, *info_low)..)?;
    while let Some((head, behind)) = rest.split_first_chunk::<5>() {
        let [kind, pid_high, pid_low, info_high, info_low] = head;
        let (info, behind) = behind.split_at_checked(length(*info_high, *info_low))?;
        programme
            .streams
            .push(Stream { pid: u16::from_be_bytes([pid_high & 0x1F, *pid_low]), codec: codec(*kind, info) });
        rest = behind;
    }
    Some(programme)
}

fn length(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high & 0x0F, low]))
}

/// A section's body between its length and its checksum, if it is that table and in force.
fn body(section: &[u8], table: u8) -> Result<Option<&[u8]>, WrongChecksum> {
    let Some((body, _)) = section.get(3..).and_then(|body| body.split_last_chunk::<4>()) else {
        return Err(WrongChecksum);
    };
    if section::crc(section) != 0 {
        return Err(WrongChecksum);
    }
    let in_force = body.get(2).is_some_and(|version| version & 1 == 1);
    Ok((section.first() == Some(&table) && in_force).then_some(body))
}

/// `stream_type` and descriptors (table 2-34; Opus: registration `Opus`; HEVC of some encoders: registration `HEVC`).
fn codec(kind: u8, info: &[u8]) -> Option<Codec> {
    let audio = |codec| Some(Codec::Audio { codec, channels: 0 });
    match kind {
        0x1B => Some(Codec::Video(VideoCodec::Avc)),
        0x24 => Some(Codec::Video(VideoCodec::Hevc)),
        0x0F => audio(AudioCodec::Aac),
        0x03 | 0x04 => audio(AudioCodec::Mp3),
        0x06 => match registration(info)? {
            b"Opus" => Some(Codec::Audio { codec: AudioCodec::Opus, channels: opus_channels(info) }),
            b"HEVC" => Some(Codec::Video(VideoCodec::Hevc)),
            _ => None,
        },
        _ => None,
    }
}

fn descriptors(info: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = info;
    std::iter::from_fn(move || {
        let ([tag, length], behind) = rest.split_first_chunk::<2>()?;
        let (body, behind) = behind.split_at_checked(usize::from(*length))?;
        rest = behind;
        Some((*tag, body))
    })
}

fn registration(info: &[u8]) -> Option<&[u8; 4]> {
    descriptors(info).find(|(tag, _)| *tag == 0x05).and_then(|(_, body)| body.first_chunk::<4>())
}

/// The channel configuration of Opus's extension descriptor (tag 0x7F, extension 0x80); 0 is two channels in two streams.
fn opus_channels(info: &[u8]) -> u8 {
    descriptors(info)
        .find_map(|(tag, body)| match (tag, body) {
            (0x7F, [0x80, channels, ..]) => Some(*channels),
            _ => None,
        })
        .filter(|channels| (1..=8).contains(channels))
        .unwrap_or(2)
}
