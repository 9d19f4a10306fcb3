//! Sample entries: how a track's samples are coded (ISO/IEC 14496-12, 8.5.2, and the codecs' own bindings).

use super::boxes::Boxes;
use super::track::{AudioTrack, VideoTrack};
use crate::codec::{AudioCodec, VideoCodec};

/// Resolution that stands in every visual sample entry: 72 dots an inch, 16.16.
const RESOLUTION: u32 = 0x0048_0000;
/// Pixels without an alpha channel.
const DEPTH: u16 = 0x0018;
/// Samples that an Opus decoder throws away at the start; what encoders use where no header tells.
const OPUS_PRE_SKIP: u16 = 312;

pub(super) fn video(b: &mut Boxes, track: &VideoTrack) {
    let (entry, config, versioned) = match track.codec {
        VideoCodec::Hevc => (b"hvc1", b"hvcC", false),
        VideoCodec::Av1 => (b"av01", b"av1C", false),
        VideoCodec::Vp9 => (b"vp09", b"vpcC", true),
        _ => (b"avc1", b"avcC", false),
    };
    b.boxed(entry, |b| {
        b.zeros(6);
        b.u16(1); // data_reference_index
        b.zeros(16);
        b.u16(track.width);
        b.u16(track.height);
        b.u32(RESOLUTION);
        b.u32(RESOLUTION);
        b.u32(0);
        b.u16(1); // frame_count
        b.zeros(32); // compressorname
        b.u16(DEPTH);
        b.u16(0xffff); // pre_defined: -1
        if versioned {
            b.full(config, 1, 0, |b| b.bytes(&track.record));
        } else {
            b.boxed(config, |b| b.bytes(&track.record));
        }
    });
}

pub(super) fn audio(b: &mut Boxes, track: &AudioTrack) {
    let entry = if track.codec == AudioCodec::Opus { b"Opus" } else { b"mp4a" };
    b.boxed(entry, |b| {
        b.zeros(6);
        b.u16(1); // data_reference_index
        b.zeros(8);
        b.u16(u16::from(track.channels));
        b.u16(16); // samplesize
        b.zeros(4);
        // 16.16: rates from 65,536 on do not fit and are left to the codec's configuration.
        b.u32(u16::try_from(track.timescale()).map_or(0, |rate| u32::from(rate) << 16));
        if track.codec == AudioCodec::Opus {
            b.boxed(b"dOps", |b| opus_specific(b, track));
        } else {
            b.full(b"esds", 0, 0, |b| elementary_stream(b, track));
        }
    });
}

/// OpusSpecificBox (Encapsulation of Opus in ISOBMFF, 4.3.2): the identification header without its signature, in
/// network byte order.
fn opus_specific(b: &mut Boxes, track: &AudioTrack) {
    b.u8(0); // Version
    b.u8(track.channels);
    // "OpusHead", version, channels, then pre-skip, input rate and gain, little endian (RFC 7845, 5.1).
    let fields = track.record.get(10..).and_then(|rest| rest.first_chunk::<8>());
    match fields {
        Some([p0, p1, r0, r1, r2, r3, g0, g1]) => {
            b.u16(u16::from_le_bytes([*p0, *p1]));
            b.u32(u32::from_le_bytes([*r0, *r1, *r2, *r3]));
            b.u16(u16::from_le_bytes([*g0, *g1]));
            // Mapping family, and the table of families other than 0.
            b.bytes(track.record.get(18..).unwrap_or(&[0]));
        }
        None => {
            b.u16(OPUS_PRE_SKIP);
            b.u32(track.timescale());
            b.u16(0);
            b.u8(0);
        }
    }
}

/// ES_Descriptor (ISO/IEC 14496-1, 7.2.6.5).
fn elementary_stream(b: &mut Boxes, track: &AudioTrack) {
    const AAC: u8 = 0x40;
    const MPEG2_LAYER3: u8 = 0x69;
    const MPEG1_LAYER3: u8 = 0x6b;
    /// streamType audio, upStream 0, and the reserved bit.
    const AUDIO_STREAM: u8 = 0x15;
    let kind = match track.codec {
        AudioCodec::Mp3 if track.timescale() < 32_000 => MPEG2_LAYER3,
        AudioCodec::Mp3 => MPEG1_LAYER3,
        _ => AAC,
    };
    let specific = if kind == AAC { track.record.as_slice() } else { &[] };
    let specific_size = if specific.is_empty() { 0 } else { 5 + specific.len() };
    let config_size = 13 + specific_size;
    descriptor(b, 0x03, 3 + 5 + config_size + 5 + 1);
    b.u16(0); // ES_ID
    b.u8(0);
    descriptor(b, 0x04, config_size);
    b.u8(kind);
    b.u8(AUDIO_STREAM);
    b.zeros(3 + 4 + 4); // bufferSizeDB, maxBitrate, avgBitrate: unknown
    if !specific.is_empty() {
        descriptor(b, 0x05, specific.len());
        b.bytes(specific);
    }
    descriptor(b, 0x06, 1);
    b.u8(2); // SLConfigDescriptor: as MP4 files have it
}

/// Tag and size of a descriptor, the size always in four bytes, as most writers do.
fn descriptor(b: &mut Boxes, tag: u8, size: usize) {
    b.u8(tag);
    let size = u32::try_from(size).unwrap_or(0);
    for shift in [21, 14, 7] {
        b.u8(0x80 | (size >> shift & 0x7f) as u8);
    }
    b.u8((size & 0x7f) as u8);
}
