//! Initialization segments and fragments, read back box by box.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

mod support;
mod vectors;

use bytes::Bytes;
use media::cmaf::{
    AUDIO_TRACK, AudioTrack, Run, Sample, TrackError, Tracks, VIDEO_TRACK, VideoTrack, fragment, init_segment,
};
use media::{AudioCodec, VideoCodec, parse_audio, parse_video};
use support::{boxes, inside, samples};
use vectors::{audio::*, video::*, *};

fn video(header: &str, key_frame: &str) -> VideoTrack {
    let (header, key_frame) = (bytes(header), bytes(key_frame));
    let tag = parse_video(&header).unwrap();
    let frame = parse_video(&key_frame).map(|tag| tag.body).unwrap_or(0..0);
    VideoTrack::new(tag.codec.unwrap(), &header[tag.body], &key_frame[frame]).unwrap().unwrap()
}

fn audio(header: &str) -> AudioTrack {
    let header = bytes(header);
    let tag = parse_audio(&header).unwrap();
    AudioTrack::from_header(tag.codec.unwrap(), &header[tag.body]).unwrap().unwrap()
}

fn only_video(track: VideoTrack) -> Tracks {
    Tracks { video: Some(track), audio: None }
}

fn only_audio(track: AudioTrack) -> Tracks {
    Tracks { video: None, audio: Some(track) }
}

/// Type and body of the one sample entry of the first track.
fn entry(init: &[u8]) -> (String, Vec<u8>) {
    let table = inside(init, "moov/trak/mdia/minf/stbl/stsd");
    assert_eq!(table[..8], [0, 0, 0, 0, 0, 0, 0, 1], "one entry");
    let entry = boxes(&table[8..]).remove(0);
    (entry.kind, entry.body.to_vec())
}

#[test]
fn every_video_codec_has_its_entry_with_the_encoders_own_record() {
    for (header, frame, kind, config, size, codecs) in [
        (AVC_1080, "", "avc1", "avcC", [7, 0x80, 4, 0x38], "avc1.640028"),
        (HEVC_1080, "", "hvc1", "hvcC", [7, 0x80, 4, 0x38], "hvc1.1.6.L123.90"),
        (AV1_853, "", "av01", "av1C", [3, 0x55, 1, 0xe0], "av01.0.04M.08"),
        (VP9, VP9_KEY_FRAME, "vp09", "vpcC", [3, 0x55, 1, 0xe0], "vp09.00.30.08"),
    ] {
        let tracks = only_video(video(header, frame));
        assert_eq!(tracks.codecs(), codecs);
        let init = init_segment(&tracks);
        let (found, body) = entry(&init);
        assert_eq!(found, kind);
        assert_eq!(body[24..28], size, "{kind}: width and height");
        let record = inside(&body[78..], config);
        let header = bytes(header);
        let sent = &header[parse_video(&header).unwrap().body];
        match kind {
            // The mark that the arrays are complete is all that differs.
            "hvc1" => assert_eq!(record.len(), sent.len()),
            "vp09" => assert_eq!(record, sent, "version and flags, then the record"),
            _ => assert_eq!(record, sent),
        }
        assert_eq!(inside(&init, "moov/trak/mdia/mdhd")[12..16], 90_000u32.to_be_bytes());
    }
}

#[test]
fn every_audio_codec_has_its_entry() {
    let aac = init_segment(&only_audio(audio(AAC)));
    let (kind, body) = entry(&aac);
    assert_eq!((kind.as_str(), &body[16..18]), ("mp4a", &[0, 2][..]), "two channels");
    assert_eq!(body[24..28], (44_100u32 << 16).to_be_bytes());
    let descriptor = inside(&body[28..], "esds");
    let specific = bytes(AAC)[2..].to_vec();
    assert!(descriptor.windows(specific.len()).any(|window| window == specific));
    assert_eq!(inside(&aac, "moov/trak/mdia/mdhd")[12..16], 44_100u32.to_be_bytes());

    let (kind, body) = entry(&init_segment(&only_audio(audio(OPUS))));
    assert_eq!(kind, "Opus");
    // Version 0, two channels, pre-skip 312, 48 kHz, no gain, family 0.
    assert_eq!(inside(&body[28..], "dOps"), [0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0]);

    let frame = bytes(MP3_FRAME);
    let track = AudioTrack::from_frame(AudioCodec::Mp3, &frame[1..]).unwrap().unwrap();
    assert_eq!((track.timescale(), track.frame_duration(&frame[1..])), (22_050, 576));
    let tracks = only_audio(track);
    assert_eq!(tracks.codecs(), "mp4a.40.34");
    let (_, body) = entry(&init_segment(&tracks));
    assert_eq!(inside(&body[28..], "esds")[4 + 5 + 3 + 5], 0x69, "MPEG-2 layer III");
}

#[test]
fn a_presentation_of_both_has_two_tracks_and_defaults_for_each() {
    let tracks = Tracks { video: Some(video(AVC_1080, "")), audio: Some(audio(AAC)) };
    assert_eq!(tracks.codecs(), "avc1.640028,mp4a.40.2");
    let init = init_segment(&tracks);
    let kinds: Vec<_> = boxes(inside(&init, "moov")).into_iter().map(|b| b.kind).collect();
    assert_eq!(kinds, ["mvhd", "trak", "trak", "mvex"]);
    assert_eq!(boxes(inside(&init, "moov/mvex")).len(), 2);
}

#[test]
fn what_cannot_be_carried_is_refused_with_the_reason() {
    let no_size = bytes(VP9);
    let record = &no_size[parse_video(&no_size).unwrap().body];
    assert_eq!(VideoTrack::new(VideoCodec::Vp9, record, &[0x86]), Err(TrackError::PictureSize));
    assert!(matches!(VideoTrack::new(VideoCodec::Avc, &[1, 2], &[]), Err(TrackError::Config(_))));
    assert_eq!(VideoTrack::new(VideoCodec::Av1, &[], &[]), Ok(None), "the empty header of ffmpeg");
    assert_eq!(AudioTrack::from_header(AudioCodec::Flac, &[]), Err(TrackError::AudioCodec(AudioCodec::Flac)));
}

#[test]
fn samples_read_back_as_they_were_written() {
    let sample = |duration, composition, sync, data: &[u8]| Sample {
        duration,
        composition,
        sync,
        data: Bytes::copy_from_slice(data),
    };
    let pictures = vec![
        sample(3000, 6000, true, b"key"),
        sample(3000, 9000, false, b"p"),
        sample(3060, -3000, false, b"bb"),
    ];
    let sounds = vec![sample(1024, 0, true, b"s1"), sample(1024, 0, true, b"s2")];
    let runs = [
        Run { track: VIDEO_TRACK, decode_time: 1 << 40, samples: pictures.clone() },
        Run { track: AUDIO_TRACK, decode_time: 7, samples: sounds.clone() },
    ];
    let read = samples(&fragment(1, &runs));
    for (run, written) in runs.iter().zip([pictures, sounds]) {
        let mut time = run.decode_time;
        let found = &read[&run.track];
        assert_eq!(found.len(), written.len());
        for (found, written) in found.iter().zip(written) {
            assert_eq!(found.time, time);
            assert_eq!((found.duration, found.composition), (written.duration, written.composition));
            assert_eq!((found.sync, &found.data[..]), (written.sync, &written.data[..]));
            time += u64::from(written.duration);
        }
    }
}

#[test]
fn a_key_frame_in_the_middle_of_a_run_is_marked_as_one() {
    let sample = |sync| Sample { duration: 1, composition: 0, sync, data: Bytes::from_static(b"x") };
    let pattern = [false, true, false];
    let run = Run { track: 1, decode_time: 0, samples: pattern.map(sample).to_vec() };
    let read = samples(&fragment(1, &[run]));
    assert_eq!(read[&1].iter().map(|sample| sample.sync).collect::<Vec<_>>(), pattern);
}
