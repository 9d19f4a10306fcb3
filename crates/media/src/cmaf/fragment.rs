//! Fragments: a movie fragment box and the samples it describes (ISO/IEC 14496-12, 8.8; ISO/IEC 23000-19, 7.3.2).

use bytes::Bytes;

use super::boxes::Boxes;

/// Decoding can start here, and nothing before is needed.
const SYNC: u32 = 0x0200_0000;
/// Depends on others, and is no sync sample.
const DEPENDENT: u32 = 0x0101_0000;

/// A coded frame with its times, in ticks of its track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Until the next sample is decoded.
    pub duration: u32,
    /// Presentation time minus decoding time.
    pub composition: i32,
    /// Whether decoding can start here; so for every sample of sound.
    pub sync: bool,
    /// The frame.
    pub data: Bytes,
}

/// Samples of one track that follow each other without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// [`VIDEO_TRACK`](super::VIDEO_TRACK) or [`AUDIO_TRACK`](super::AUDIO_TRACK).
    pub track: u32,
    /// Decoding time of the first sample, in ticks.
    pub decode_time: u64,
    /// At least one.
    pub samples: Vec<Sample>,
}

/// A fragment of the given runs. `sequence` rises from fragment to fragment of a presentation.
pub fn fragment(sequence: u32, runs: &[Run]) -> Vec<u8> {
    let samples: usize = runs.iter().map(|run| run.samples.len()).sum();
    let data: usize = runs.iter().flat_map(|run| &run.samples).map(|sample| sample.data.len()).sum();
    let mut b = Boxes::with_capacity(data + 16 * samples + 128 * runs.len() + 64);
    let mut offsets = Vec::with_capacity(runs.len());
    b.boxed(b"moof", |b| {
        b.full(b"mfhd", 0, 0, |b| b.u32(sequence));
        for run in runs {
            b.boxed(b"traf", |b| offsets.push(track_fragment(b, run)));
        }
    });
    // Data offsets count from the start of the movie fragment, which is the first byte here.
    let mut offset = b.len() + 8;
    for (place, run) in offsets.into_iter().zip(runs) {
        b.patch_size(place, offset);
        offset += run.samples.iter().map(|sample| sample.data.len()).sum::<usize>();
    }
    b.boxed(b"mdat", |b| {
        for sample in runs.iter().flat_map(|run| &run.samples) {
            b.bytes(&sample.data);
        }
    });
    b.into_bytes()
}

/// Writes what a track fragment holds; says where its data offset has to be filled in.
fn track_fragment(b: &mut Boxes, run: &Run) -> usize {
    const DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
    const DEFAULT_DURATION: u32 = 0x08;
    const DEFAULT_FLAGS: u32 = 0x20;
    const DATA_OFFSET: u32 = 0x001;
    const FIRST_FLAGS: u32 = 0x004;
    const DURATIONS: u32 = 0x100;
    const SIZES: u32 = 0x200;
    const FLAGS: u32 = 0x400;
    const COMPOSITIONS: u32 = 0x800;

    let flags_of = |sample: &Sample| if sample.sync { SYNC } else { DEPENDENT };
    let (first, rest) = match run.samples.split_first() {
        Some((first, rest)) => (Some(first), rest),
        None => (None, &[][..]),
    };
    let duration = first.map_or(0, |first| first.duration);
    let first_flags = first.map_or(SYNC, flags_of);
    // Mostly a key frame comes first, if at all, and the others are all alike.
    let default_flags = rest.first().map_or(first_flags, flags_of);
    let each_has_flags = rest.iter().any(|sample| flags_of(sample) != default_flags);
    let mut fields = DATA_OFFSET | SIZES;
    if each_has_flags {
        fields |= FLAGS;
    } else if first_flags != default_flags {
        fields |= FIRST_FLAGS;
    }
    if rest.iter().any(|sample| sample.duration != duration) {
        fields |= DURATIONS;
    }
    if run.samples.iter().any(|sample| sample.composition != 0) {
        fields |= COMPOSITIONS;
    }
    b.full(b"tfhd", 0, DEFAULT_BASE_IS_MOOF | DEFAULT_DURATION | DEFAULT_FLAGS, |b| {
        b.u32(run.track);
        b.u32(duration);
        b.u32(default_flags);
    });
    b.full(b"tfdt", 1, 0, |b| b.u64(run.decode_time));
    let mut place = 0;
    // Version 1 has signed composition times.
    b.full(b"trun", 1, fields, |b| {
        b.u32(u32::try_from(run.samples.len()).unwrap_or(u32::MAX));
        place = b.len();
        b.u32(0);
        if fields & FIRST_FLAGS != 0 {
            b.u32(first_flags);
        }
        for sample in &run.samples {
            if fields & DURATIONS != 0 {
                b.u32(sample.duration);
            }
            b.u32(u32::try_from(sample.data.len()).unwrap_or(u32::MAX));
            if fields & FLAGS != 0 {
                b.u32(flags_of(sample));
            }
            if fields & COMPOSITIONS != 0 {
                b.i32(sample.composition);
            }
        }
    });
    place
}
