//! MPEG transport streams (ISO/IEC 13818-1) taken apart: bytes in, in any pieces; access units out.
//!
//! | idea | place |
//! |---|---|
//! | bytes become packets, sync is kept and found again | `sync` |
//! | one packet: header, adaptation field, clock | `packet` |
//! | sections with their checksum; which streams a programme has | `section`, `tables` |
//! | PES packets become whole units with timestamps | `pes` |
//! | audio is cut where its frames begin and end | `frames`, `opus` |
//!
//! The first programme is read, and in it the first video and the first audio stream of a kind that is carried on.
//! What is wrong with a stream is counted in [`Faults`], never answered with a panic and never with unbounded memory.
//!
//! ```
//! use media::ts::{Demuxer, Output};
//!
//! let mut demuxer = Demuxer::new(4 << 20);
//! demuxer.push(&[0x47; 188], &mut |output| match output {
//!     Output::Unit(unit) => println!("{} at {}: {} bytes", unit.codec, unit.dts, unit.data.len()),
//!     Output::TooLarge { size, .. } => println!("a unit of more than {size} bytes"),
//! });
//! assert_eq!(demuxer.faults().packets, 1);
//! ```

mod demux;
mod frames;
mod opus;
mod packet;
mod pes;
mod section;
mod sync;
mod tables;

pub use demux::Demuxer;

use crate::codec::{AudioCodec, VideoCodec};

/// Bytes of a transport stream packet.
pub const PACKET: usize = 188;

/// PTS, DTS and the base of the clock count modulo this: 33 bits of 1/90000 s.
const WRAP: u64 = 1 << 33;

/// What a [`Demuxer`] gives.
#[derive(Debug)]
pub enum Output<'a> {
    /// A whole unit.
    Unit(Unit<'a>),
    /// A unit grew larger than allowed and is passed over; told once for each.
    TooLarge {
        /// The packet identifier of its stream.
        pid: u16,
        /// Bytes of it that had come.
        size: usize,
    },
}

/// One access unit of video, or whole frames of audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit<'a> {
    /// What it holds.
    pub codec: Codec,
    /// The packet identifier of its stream.
    pub pid: u16,
    /// Presentation time, 33 bits of 1/90000 s.
    pub pts: u64,
    /// Decoding time, likewise; equal to `pts` where none is given.
    pub dts: u64,
    /// Annex B for H.264 and HEVC, ADTS for AAC, one bare packet for Opus.
    pub data: &'a [u8],
}

/// What a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Video.
    Video(VideoCodec),
    /// Audio, with the number of channels where the programme gives it (Opus), else 0.
    Audio {
        /// The codec.
        codec: AudioCodec,
        /// Channels, 0 where the frames say themselves.
        channels: u8,
    },
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Video(codec) => codec.fmt(f),
            Self::Audio { codec, .. } => codec.fmt(f),
        }
    }
}

/// What has been wrong with a stream so far; all are counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Packets read, which is no fault.
    pub packets: u64,
    /// Times that the sync byte was not where it belongs.
    pub sync_losses: u64,
    /// Continuity counters that jumped: packets are missing.
    pub continuity_gaps: u64,
    /// Tables with a wrong checksum.
    pub crc_errors: u64,
    /// Jumps of the programme clock that were not announced.
    pub clock_jumps: u64,
    /// Packets marked as broken or scrambled.
    pub marked_broken: u64,
    /// Units that could not be read, had a hole, or were larger than allowed.
    pub broken_units: u64,
    /// Streams of the programme that are of a kind not carried on.
    pub unsupported_streams: u64,
}
