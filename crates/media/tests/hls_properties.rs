//! Whatever comes in whatever order: boxes add up, playlists read, promises hold, memory is bounded.

mod support;
mod vectors;

use bytes::Bytes;
use media::hls::{Packager, Settings};
use proptest::prelude::*;
use support::{all_samples, boxes, playlist};
use vectors::{audio::*, bytes, video::*};

#[derive(Debug, Clone)]
enum Step {
    Video { header: usize },
    Audio { header: usize },
    Picture { key: bool, composition: i8, size: usize },
    Sound { size: usize },
    Opus,
    Raw { video: bool, body: Vec<u8> },
    Wait { ms: u32 },
    Leap { timestamp: u32 },
    Gap,
}

const VIDEO: [&str; 6] = [AVC_1080, AVC_1080_BASELINE, HEVC_1080, AV1_853, AV1_EMPTY, VP9];
const AUDIO: [&str; 4] = [AAC, AAC_6, OPUS, MP3_FRAME];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (0..VIDEO.len()).prop_map(|header| Step::Video { header }),
        1 => (0..AUDIO.len()).prop_map(|header| Step::Audio { header }),
        20 => (any::<bool>(), any::<i8>(), 0usize..4000)
            .prop_map(|(key, composition, size)| Step::Picture { key, composition, size }),
        20 => (0usize..600).prop_map(|size| Step::Sound { size }),
        2 => Just(Step::Opus),
        1 => (any::<bool>(), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(video, body)| Step::Raw { video, body }),
        30 => (0u32..200).prop_map(|ms| Step::Wait { ms }),
        1 => any::<u32>().prop_map(|timestamp| Step::Leap { timestamp }),
        1 => Just(Step::Gap),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_messages_gives_valid_boxes_and_playlists(
        steps in prop::collection::vec(step(), 1..600),
        start in any::<u32>(),
    ) {
        let settings = Settings { max_bytes: 100_000, ..Settings::default() };
        let mut packager = Packager::new(settings);
        let mut now = start;
        let mut targets = None;
        packager.video(now, &Bytes::from(bytes(AVC_1080)), 0);
        packager.audio(now, &Bytes::from(bytes(AAC)), 0);
        for step in steps {
            match step {
                Step::Video { header } => packager.video(now, &Bytes::from(bytes(VIDEO[header])), 0),
                Step::Audio { header } => packager.audio(now, &Bytes::from(bytes(AUDIO[header])), 0),
                Step::Picture { key, composition, size } => {
                    let [_, a, b, c] = i32::from(composition).to_be_bytes();
                    let mut body = vec![if key { 0x17 } else { 0x27 }, 1, a, b, c];
                    body.resize(5 + size, 0x41);
                    packager.video(now, &Bytes::from(body), i64::from(now));
                }
                Step::Sound { size } => {
                    let mut body = vec![0xaf, 1];
                    body.resize(2 + size, 0x21);
                    packager.audio(now, &Bytes::from(body), i64::from(now));
                }
                Step::Opus => packager.audio(now, &Bytes::from(bytes(OPUS_FRAME)), 0),
                Step::Raw { video: true, body } => packager.video(now, &Bytes::from(body), 0),
                Step::Raw { video: false, body } => packager.audio(now, &Bytes::from(body), 0),
                Step::Wait { ms } => now = now.wrapping_add(ms),
                Step::Leap { timestamp } => now = timestamp,
                Step::Gap => packager.gap(),
            }
            prop_assert!(packager.bytes() <= settings.max_bytes * 3 / 2, "{} bytes", packager.bytes());
            // What a playlist has promised once holds for good.
            if let Some(view) = packager.view() {
                let first = *targets.get_or_insert(view.targets());
                prop_assert_eq!(view.targets(), first);
            }
        }
        packager.finish();
        let Some(view) = packager.view() else { return Ok(()) };
        let list = playlist(&view);
        prop_assert!(list.end_list);
        prop_assert_eq!(list.segments.len(), view.listed_complete().len());
        for segment in view.listed() {
            boxes(&segment.init.bytes);
            prop_assert!(segment.duration_us() >= 0);
            let secs = (segment.duration_us() + 500_000) / 1_000_000;
            prop_assert!(secs <= i64::from(view.targets().segment_secs), "{secs} s");
        }
        for read in all_samples(&view).values().flatten() {
            prop_assert!(read.duration > 0);
        }
    }
}
