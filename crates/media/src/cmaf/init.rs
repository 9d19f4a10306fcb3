//! The initialization segment: what a player reads before the first fragment (ISO/IEC 23000-19, 7.3).

use super::boxes::Boxes;
use super::sample_entry;
use super::track::{AudioTrack, Tracks, VIDEO_TIMESCALE, VideoTrack};
use super::{AUDIO_TRACK, VIDEO_TRACK};

/// 1.0 in 16.16.
const ONE: u32 = 0x0001_0000;
/// The unity matrix (ISO/IEC 14496-12, 8.2.2).
const UNITY: [u32; 9] = [ONE, 0, 0, 0, ONE, 0, 0, 0, 0x4000_0000];
/// Ticks a second of times that concern the whole presentation; a live one has none.
const MOVIE_TIMESCALE: u32 = 1000;
/// "und" in packed letters (ISO/IEC 14496-12, 8.4.2).
const UNDETERMINED: u16 = 0x55c4;

/// The initialization segment of `tracks`.
pub fn init_segment(tracks: &Tracks) -> Vec<u8> {
    let mut b = Boxes::with_capacity(1536);
    b.boxed(b"ftyp", |b| {
        b.bytes(b"iso6");
        b.u32(0);
        b.bytes(b"iso6isommp41");
    });
    b.boxed(b"moov", |b| {
        movie_header(b);
        if let Some(video) = &tracks.video {
            video_track(b, video);
        }
        if let Some(audio) = &tracks.audio {
            audio_track(b, audio);
        }
        b.boxed(b"mvex", |b| {
            let ids =
                [tracks.video.as_ref().map(|_| VIDEO_TRACK), tracks.audio.as_ref().map(|_| AUDIO_TRACK)];
            for id in ids.into_iter().flatten() {
                b.full(b"trex", 0, 0, |b| {
                    b.u32(id);
                    b.u32(1); // default_sample_description_index
                    b.zeros(12);
                });
            }
        });
    });
    b.into_bytes()
}

fn movie_header(b: &mut Boxes) {
    b.full(b"mvhd", 0, 0, |b| {
        b.zeros(8);
        b.u32(MOVIE_TIMESCALE);
        b.u32(0);
        b.u32(ONE); // rate
        b.u16(0x0100); // volume
        b.zeros(10);
        UNITY.iter().for_each(|value| b.u32(*value));
        b.zeros(24);
        b.u32(AUDIO_TRACK + 1); // next_track_ID
    });
}

fn video_track(b: &mut Boxes, track: &VideoTrack) {
    b.boxed(b"trak", |b| {
        let (width, height) = track.size();
        track_header(b, VIDEO_TRACK, 0, (u32::from(width) << 16, u32::from(height) << 16));
        b.boxed(b"mdia", |b| {
            media_header(b, VIDEO_TIMESCALE);
            handler(b, b"vide", b"video\0");
            b.boxed(b"minf", |b| {
                b.full(b"vmhd", 0, 1, |b| b.zeros(8));
                data_reference(b);
                sample_table(b, |b| sample_entry::video(b, track));
            });
        });
    });
}

fn audio_track(b: &mut Boxes, track: &AudioTrack) {
    const FULL_VOLUME: u16 = 0x0100;
    b.boxed(b"trak", |b| {
        track_header(b, AUDIO_TRACK, FULL_VOLUME, (0, 0));
        b.boxed(b"mdia", |b| {
            media_header(b, track.timescale());
            handler(b, b"soun", b"audio\0");
            b.boxed(b"minf", |b| {
                b.full(b"smhd", 0, 0, |b| b.zeros(4));
                data_reference(b);
                sample_table(b, |b| sample_entry::audio(b, track));
            });
        });
    });
}

fn track_header(b: &mut Boxes, id: u32, volume: u16, (width, height): (u32, u32)) {
    /// Enabled, in the movie, in the preview.
    const FLAGS: u32 = 7;
    b.full(b"tkhd", 0, FLAGS, |b| {
        b.zeros(8);
        b.u32(id);
        b.zeros(4 + 4 + 8 + 2 + 2);
        b.u16(volume);
        b.u16(0);
        UNITY.iter().for_each(|value| b.u32(*value));
        b.u32(width);
        b.u32(height);
    });
}

fn media_header(b: &mut Boxes, timescale: u32) {
    b.full(b"mdhd", 0, 0, |b| {
        b.zeros(8);
        b.u32(timescale);
        b.u32(0);
        b.u16(UNDETERMINED);
        b.u16(0);
    });
}

fn handler(b: &mut Boxes, kind: &[u8; 4], name: &[u8]) {
    b.full(b"hdlr", 0, 0, |b| {
        b.u32(0);
        b.bytes(kind);
        b.zeros(12);
        b.bytes(name);
    });
}

fn data_reference(b: &mut Boxes) {
    b.boxed(b"dinf", |b| {
        b.full(b"dref", 0, 0, |b| {
            b.u32(1);
            b.full(b"url ", 0, 1, |_| {}); // the media lies in the same file
        });
    });
}

/// A sample table with one entry and no samples: those come in fragments.
fn sample_table(b: &mut Boxes, entry: impl FnOnce(&mut Boxes)) {
    b.boxed(b"stbl", |b| {
        b.full(b"stsd", 0, 0, |b| {
            b.u32(1);
            entry(b);
        });
        b.full(b"stts", 0, 0, |b| b.u32(0));
        b.full(b"stsc", 0, 0, |b| b.u32(0));
        b.full(b"stsz", 0, 0, |b| b.zeros(8));
        b.full(b"stco", 0, 0, |b| b.u32(0));
    });
}
