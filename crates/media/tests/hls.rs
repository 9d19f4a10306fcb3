//! Live streams cut into parts and segments, and their playlists.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

mod support;
mod vectors;

use std::collections::HashMap;

use bytes::Bytes;
use media::cmaf::{AUDIO_TRACK, VIDEO_TRACK};
use media::hls::{Packager, Reached, Settings, View};
use support::{Encoder, all_samples, playlist, text};
use vectors::{audio::*, video::*, *};

fn encoder(fps: f64, gop: u32) -> Encoder {
    let mut encoder = Encoder::new(Packager::new(Settings::default()), fps, gop);
    encoder.headers(AVC_1080_BASELINE, AAC);
    encoder
}

fn durations(view: &View) -> Vec<f64> {
    view.listed_complete().iter().map(|segment| segment.duration_us() as f64 / 1e6).collect()
}

fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn attribute(tag: &str, name: &str) -> f64 {
    let found = tag.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("{name} of {tag}")).parse().unwrap()
}

#[test]
fn segments_end_at_key_frames_and_parts_fill_them() {
    let mut encoder = encoder(30.0, 60);
    encoder.run(9.0);
    let view = encoder.view();
    assert_eq!(durations(&view), [2.0, 2.0, 2.0, 2.0]);
    for segment in view.listed() {
        assert!(segment.independent());
        let parts: Vec<_> = segment.parts.iter().map(|part| part.duration_us).collect();
        assert!(parts.iter().all(|part| *part <= view.targets().part_us), "{parts:?}");
        // RFC 8216bis, 4.4.4.9: all but the last of a segment are at least 85 % of the target.
        let shortest = parts.split_last().and_then(|(_, all)| all.iter().min()).copied().unwrap_or(i64::MAX);
        assert!(shortest as f64 >= view.targets().part_us as f64 * 0.85, "{parts:?}");
    }
    let list = playlist(&view);
    assert_eq!((list.target_duration, list.media_sequence, list.segments.len()), (2, 0, 4));
    assert!(list.independent_segments && !list.end_list);
    let first = list.segments[0].program_date_time.unwrap().timestamp_millis();
    assert_eq!(first, support::WALL);
    let text = text(&view);
    assert!(text.contains("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"part-4-3.m4s\""), "{text}");
    let control = tag(&text, "#EXT-X-SERVER-CONTROL").unwrap();
    let part = attribute(tag(&text, "#EXT-X-PART-INF").unwrap(), "PART-TARGET");
    assert!(attribute(control, "PART-HOLD-BACK") >= 3.0 * part - 0.0005);
    assert!(attribute(control, "HOLD-BACK") >= 6.0);
}

#[test]
fn nothing_is_lost_or_moved_between_the_push_and_the_viewer() {
    let mut encoder = encoder(25.0, 50);
    encoder.run(7.0);
    encoder.packager.finish();
    let view = encoder.view();
    let all = all_samples(&view);
    let pictures = &all[&VIDEO_TRACK];
    assert_eq!(pictures.len(), 175);
    for (index, picture) in pictures.iter().enumerate() {
        assert_eq!(picture.time, index as u64 * 3600);
        assert_eq!((picture.duration, picture.composition), (3600, 40 * 90));
        assert_eq!(picture.sync, index % 50 == 0);
    }
    let sounds = &all[&AUDIO_TRACK];
    assert!(sounds.iter().enumerate().all(|(index, sound)| sound.time == index as u64 * 1024));
    assert!(playlist(&view).end_list);
    assert!(!text(&view).contains("PART"), "whole segments alone");
    assert_eq!(view.reached(99, None), Reached::Never);
}

#[test]
fn slow_cameras_get_parts_of_whole_frames() {
    for (fps, frames_a_part) in [(4.0, 1), (7.0, 2), (10.0, 3), (24.0, 7), (60.0, 18), (1.0, 1)] {
        let mut encoder = encoder(fps, (fps * 4.0) as u32);
        encoder.run(17.0);
        let view = encoder.view();
        let targets = view.targets();
        for segment in view.listed_complete() {
            let (_, all) = segment.parts.split_last().unwrap();
            for part in all {
                assert_eq!(part.pictures, frames_a_part, "{fps} fps");
                assert!(
                    part.duration_us <= targets.part_us && part.duration_us * 100 >= targets.part_us * 85
                );
            }
        }
    }
}

#[test]
fn a_long_wait_for_a_key_frame_ends_a_segment_all_the_same() {
    let mut encoder = encoder(30.0, 600);
    encoder.run(4.5);
    let view = encoder.view();
    assert_eq!(view.targets().segment_secs, 10, "shown before the first key frame told how long it takes");
    assert!(view.listed_complete().is_empty() && !view.listed().is_empty());
    encoder.run(50.0);
    let view = encoder.view();
    assert!(durations(&view).iter().all(|secs| secs.round() <= 10.0), "{:?}", durations(&view));
    assert!(!text(&view).contains("INDEPENDENT-SEGMENTS"), "some begin in the middle of a group");
    let (first, others) = view.listed().split_first().unwrap();
    assert!(first.independent() || others.iter().any(|segment| segment.independent()));
}

#[test]
fn segments_never_become_longer_than_the_playlist_promised() {
    let mut encoder = encoder(30.0, 60);
    encoder.run(3.0);
    assert_eq!(encoder.view().targets().segment_secs, 2);
    encoder.gop = 10_000;
    encoder.run(30.0);
    let view = encoder.view();
    assert_eq!(view.targets().segment_secs, 2);
    assert!(durations(&view).iter().all(|secs| secs.round() <= 2.0), "{:?}", durations(&view));
}

#[test]
fn a_break_while_sound_is_far_ahead_makes_no_segment_longer_than_promised() {
    let mut encoder = encoder(30.0, 60);
    encoder.run(5.0);
    (0..82).for_each(|_| encoder.sound());
    encoder.packager.gap();
    let view = encoder.view();
    assert!(durations(&view).iter().all(|secs| secs.round() <= 2.0), "{:?}", durations(&view));
    assert!((durations(&view).iter().sum::<f64>() - 6.9).abs() < 0.1, "{:?}", durations(&view));
    let parts = view.listed().iter().flat_map(|segment| &segment.parts);
    assert!(parts.clone().all(|part| part.duration_us <= view.targets().part_us));
    let sounds = &all_samples(&view)[&AUDIO_TRACK];
    assert!(
        sounds.iter().enumerate().all(|(index, sound)| sound.time == index as u64 * 1024),
        "all is there"
    );
    assert_eq!(sounds.len(), 216 + 82);
}

#[test]
fn the_window_slides_and_keeps_three_target_durations() {
    let mut encoder = encoder(30.0, 60);
    encoder.run(60.0);
    let view = encoder.view();
    let list = playlist(&view);
    assert_eq!(list.media_sequence, 30 - 1 - 8, "eight complete ones");
    assert_eq!(list.segments.len(), 8);
    assert!(view.segment(list.media_sequence - 3).is_some(), "kept for those who are fetching it");
    assert!(view.segment(list.media_sequence - 4).is_none());
    let text = text(&view);
    let with_parts = text.lines().filter(|line| line.starts_with("#EXT-X-PART:")).count();
    assert!((3 * 7..=4 * 7).contains(&with_parts), "parts near the live edge only: {with_parts}");
}

#[test]
fn sound_alone_and_pictures_alone_are_streams_too() {
    let mut encoder = Encoder::new(Packager::new(Settings::default()), 30.0, 60);
    encoder.headers("", AAC);
    (0..400).for_each(|_| encoder.sound());
    let view = encoder.view();
    assert_eq!(playlist(&view).target_duration, 2);
    assert_eq!(all_samples(&view).into_keys().collect::<Vec<_>>(), [AUDIO_TRACK]);
    assert!(view.multivariant("media.m3u8").contains("CODECS=\"mp4a.40.2\"\nmedia.m3u8"));

    let mut encoder = Encoder::new(Packager::new(Settings::default()), 30.0, 60);
    encoder.headers(AVC_1080_BASELINE, "");
    (0..200).for_each(|_| encoder.picture());
    let view = encoder.view();
    assert_eq!(all_samples(&view).into_keys().collect::<Vec<_>>(), [VIDEO_TRACK]);
    assert!(view.multivariant("m").contains("CODECS=\"avc1.42c028\",RESOLUTION=1920x1080,FRAME-RATE=30.000"));
}

#[test]
fn other_codec_settings_are_a_discontinuity_with_an_initialization_of_their_own() {
    let mut encoder = encoder(30.0, 60);
    encoder.run(5.0);
    encoder.headers(AVC_1080, AAC);
    encoder.run(3.0);
    // The same headers again change nothing.
    encoder.headers(AVC_1080, AAC);
    encoder.run(4.0);
    let view = encoder.view();
    let text = text(&view);
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{text}");
    let (before, after) = text.split_once("#EXT-X-DISCONTINUITY\n").unwrap();
    assert!(before.contains("URI=\"init-0.mp4\"") && after.starts_with("#EXT-X-MAP:URI=\"init-1.mp4\"\n"));
    assert_ne!(view.init(0).unwrap().bytes, view.init(1).unwrap().bytes);
    let changed = view.listed().iter().find(|segment| segment.discontinuity).unwrap();
    assert!(changed.independent(), "waits for a key frame");
    encoder.run(40.0);
    let view = encoder.view();
    assert_eq!(tag(&self::text(&view), "#EXT-X-DISCONTINUITY-SEQUENCE"), Some("1"));
}

#[test]
fn timestamps_that_leap_begin_a_new_timeline() {
    let mut encoder = encoder(30.0, 60);
    encoder.run(6.0);
    encoder.now += 3_600_000.0;
    encoder.run(6.0);
    let view = encoder.view();
    assert_eq!(text(&view).matches("#EXT-X-DISCONTINUITY\n").count(), 1);
    assert!(durations(&view).iter().all(|secs| *secs <= 2.1), "{:?}", durations(&view));
}

#[test]
fn a_track_that_goes_away_does_not_hold_up_the_other() {
    let mut encoder = encoder(30.0, 60);
    encoder.run(5.0);
    (0..700).for_each(|_| encoder.sound());
    let view = encoder.view();
    assert_eq!(view.listed().last().unwrap().init.codecs, "mp4a.40.2", "the picture is gone");
    encoder.now += 16_000.0;
    encoder.frames = 0;
    encoder.run(5.0);
    let view = encoder.view();
    assert_eq!(view.listed().last().unwrap().init.codecs, "avc1.42c028,mp4a.40.2", "and came back");
    (0..400).for_each(|_| encoder.picture());
    let view = encoder.view();
    assert_eq!(view.listed().last().unwrap().init.codecs, "avc1.42c028", "the sound is gone");
}

#[test]
fn requests_for_what_is_to_come_wait_and_for_what_cannot_come_do_not() {
    let mut encoder = encoder(30.0, 60);
    encoder.run(4.5);
    let view = encoder.view();
    assert_eq!(view.next_part(), Some((2, 1)));
    assert_eq!(view.reached(1, None), Reached::Yes);
    assert_eq!(view.reached(2, None), Reached::NotYet);
    assert_eq!(view.reached(2, Some(0)), Reached::Yes);
    assert_eq!(view.reached(2, Some(1)), Reached::NotYet);
    assert_eq!(view.reached(1, Some(6)), Reached::Yes);
    assert_eq!(view.reached(1, Some(7)), Reached::Yes, "stands for the first part of the next segment");
    assert_eq!(view.reached(3, None), Reached::NotYet);
    assert_eq!(view.reached(4, None), Reached::Never);
    assert!(view.part(2, 0).is_ok());
    assert_eq!(view.part(2, 1).unwrap_err(), Reached::NotYet);
    assert_eq!(view.part(2, 2).unwrap_err(), Reached::Never);
    assert!(view.segment(2).is_none(), "not complete");
}

#[test]
fn memory_is_bounded_without_key_frames_and_with_frames_of_any_size() {
    let settings = Settings { max_bytes: 4 << 20, ..Settings::default() };
    for (gop, size, frame) in
        [(u32::MAX, 300_000, 33.3), (60, 300_000, 33.3), (u32::MAX, 2_000, 0.0), (1, 0, 0.0)]
    {
        let mut encoder = Encoder::new(Packager::new(settings), 30.0, gop);
        encoder.headers(AVC_1080_BASELINE, AAC);
        (encoder.size, encoder.frame) = (size, frame);
        let mut most = 0;
        for _ in 0..20_000 / (1 + size / 3_000) {
            encoder.picture();
            most = most.max(encoder.packager.bytes());
        }
        // A segment that is just being completed may stand beside a full window.
        assert!(
            most <= settings.max_bytes + settings.max_bytes / 4 + size + 4096,
            "{most} bytes, frames of {size}"
        );
        let view = encoder.view();
        assert!(view.listed().len() <= 40);
        playlist(&view);
    }
}

#[test]
fn codecs_that_hls_cannot_carry_are_named() {
    let mut encoder = encoder(30.0, 60);
    encoder.packager.audio(0, &Bytes::from(bytes(SPEEX_FRAME)), 0);
    encoder.run(3.0);
    let failure = encoder.packager.failure().unwrap().to_string();
    assert!(failure.contains("Speex"), "{failure}");
    assert!(encoder.packager.view().is_none());
    encoder.headers(AVC_1080, AAC_6);
    encoder.frames = 0;
    encoder.run(3.0);
    assert_eq!(encoder.packager.failure(), None, "the encoder was set right");
    encoder.view();
}

#[test]
fn two_streams_of_all_codecs_that_enhanced_rtmp_brings_have_samples() {
    for (header, key_frame, sound, codecs) in [
        (VP9, VP9_KEY_FRAME, OPUS, "vp09.00.30.08,Opus"),
        (AV1_AOM, AV1_KEY_FRAME, AAC, "av01.0.00M.08,mp4a.40.2"),
    ] {
        let mut packager = Packager::new(Settings::default());
        let message = |hex: &str| Bytes::from(bytes(hex));
        packager.video(0, &message(header), 0);
        packager.audio(0, &message(sound), 0);
        for ms in (0..6000).step_by(40) {
            packager.video(ms, &message(key_frame), i64::from(ms));
        }
        let view = packager.view().unwrap();
        assert_eq!(view.listed()[0].init.codecs, codecs);
        let all: HashMap<_, _> = all_samples(&view);
        assert!(all[&VIDEO_TRACK].iter().all(|sample| !sample.data.starts_with(&[0x12, 0])));
    }
}

#[test]
fn an_update_leaves_out_what_lies_before_the_skip_boundary_and_nothing_else() {
    let mut encoder = encoder(30.0, 60);
    encoder.run(9.0);
    let view = encoder.view();
    // Eight seconds are less than six target durations.
    assert_eq!(view.update().plain(), view.playlist().plain());

    encoder.run(25.0);
    let view = encoder.view();
    let [whole, update] =
        [view.playlist(), view.update()].map(|text| String::from_utf8(text.plain().to_vec()).unwrap());
    assert!(attribute(tag(&whole, "#EXT-X-SERVER-CONTROL").unwrap(), "CAN-SKIP-UNTIL") >= 6.0 * 2.0);
    assert_eq!((tag(&whole, "#EXT-X-VERSION"), tag(&update, "#EXT-X-VERSION")), (Some("6"), Some("9")));
    assert_eq!(tag(&whole, "#EXT-X-MEDIA-SEQUENCE"), tag(&update, "#EXT-X-MEDIA-SEQUENCE"));
    let skipped: usize = attribute(tag(&update, "#EXT-X-SKIP").unwrap(), "SKIPPED-SEGMENTS") as usize;
    let segments = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("seg-")).map(str::to_owned).collect()
    };
    assert_eq!(segments(&whole)[skipped..], segments(&update));
    // What is left reaches back to the boundary: the last segment that was left out ends beyond it.
    let open: i64 = view.listed()[skipped..].iter().map(|segment| segment.duration_us()).sum();
    assert!(skipped > 0 && open <= 12_000_000 && open + 2_000_000 > 12_000_000, "{skipped}: {open}");
    // From the first segment on that is left, both say the same, the initialization segment included.
    let from = |text: &str, segment: &str| text.split_once(segment).unwrap().1.to_owned();
    let first = &segments(&update)[0];
    assert_eq!(from(&whole, first), from(&update, first));
    assert_eq!(update.matches("#EXT-X-MAP").count(), 1);

    encoder.packager.finish();
    let view = encoder.view();
    assert_eq!(view.update().plain(), view.playlist().plain(), "of what has ended there are no updates");
}
