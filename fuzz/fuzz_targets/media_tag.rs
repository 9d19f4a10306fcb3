//! Any bytes as an audio, video or FLV message: no panic, every range and every error lies in what was given, and the
//! first track is the same whether asked for alone or among all.

#![no_main]

use libfuzzer_sys::fuzz_target;
use media::flv::{FileHeader, TagHeader, read_tag};
use media::{
    AudioTag, TagError, VideoTag, audio_tracks, check_access_unit, parse_audio, parse_video, video_tracks,
};

fn check_error(error: TagError, bytes: &[u8]) {
    assert!(error.offset() <= bytes.len(), "{error}");
}

fn video(bytes: &[u8]) {
    let first = parse_video(bytes);
    let tracks = video_tracks(bytes);
    assert_eq!(
        first.as_ref().err(),
        tracks.clone().map_or_else(Err, |mut all| all.next().unwrap()).as_ref().err()
    );
    for (index, tag) in tracks.into_iter().flatten().enumerate() {
        match tag {
            Ok(tag) => {
                let body = bytes.get(tag.body.clone()).expect("the body lies in the message");
                if index == 0 {
                    assert_eq!(first.as_ref().ok(), Some::<&VideoTag>(&tag));
                }
                if let Some(codec) = tag.codec {
                    let _ = check_access_unit(codec, 4, body);
                }
            }
            Err(error) => check_error(error, bytes),
        }
    }
}

fn audio(bytes: &[u8]) {
    let first = parse_audio(bytes);
    for (index, tag) in audio_tracks(bytes).into_iter().flatten().enumerate() {
        match tag {
            Ok(tag) => {
                assert!(bytes.get(tag.body.clone()).is_some());
                if index == 0 {
                    assert_eq!(first.as_ref().ok(), Some::<&AudioTag>(&tag));
                }
            }
            Err(error) => check_error(error, bytes),
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    video(bytes);
    audio(bytes);
    let _ = FileHeader::decode(bytes);
    if let Ok(Some((tag, used))) = read_tag(bytes) {
        assert!(used <= bytes.len());
        let again = TagHeader::new(tag.header.tag_type, tag.header.timestamp_ms, tag.body).expect("it fits");
        assert_eq!(again.trailer().len() + again.encode().len() + tag.body.len(), used);
    }
});
