#![no_main]
//! Messages of any kind at any time: no panic, memory bounded, boxes that add up, and promises that hold.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use media::hls::{Packager, Settings, View};

const MAX_BYTES: usize = 64 << 10;
/// What libx264 made of 1920x1080 at 30 frames a second.
const AVC: &[u8] = b"\x17\0\0\0\0\x01\x42\xc0\x28\xff\xe1\0\x19\x67\x42\xc0\x28\xda\x01\xe0\x08\x9f\x97\x01\x10\0\0\x03\0\
    \x10\0\0\x03\x03\xc8\xf1\x83\x2a\x01\0\x04\x68\xce\x0f\xc8";
const AAC: &[u8] = b"\xaf\0\x12\x10\x56\xe5\0";

fuzz_target!(|data: &[u8]| {
    let mut packager = Packager::new(Settings { max_bytes: MAX_BYTES, ..Settings::default() });
    let mut targets = None;
    let mut now = 0u32;
    let mut rest = Bytes::copy_from_slice(data);
    packager.video(now, &Bytes::from_static(AVC), 0);
    packager.audio(now, &Bytes::from_static(AAC), 0);
    while rest.len() >= 3 {
        let (what, wait, size) = (rest[0], rest[1], usize::from(rest[2]));
        rest = rest.slice(3..);
        let body = rest.split_to(size.min(rest.len()));
        // Mostly small steps, now and then a leap of days.
        now = now.wrapping_add(if what & 0x80 == 0 { u32::from(wait) } else { u32::from(wait) << 24 });
        match what & 3 {
            0 => packager.video(now, &body, i64::from(now)),
            1 => packager.audio(now, &body, i64::from(now)),
            2 => packager.video(now, &frame(&[if what & 4 == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0], &body), 0),
            _ => packager.audio(now, &frame(&[0xaf, 1], &body), 0),
        }
        assert!(packager.bytes() <= 2 * MAX_BYTES, "{} bytes", packager.bytes());
        if let Some(view) = packager.view() {
            assert_eq!(*targets.get_or_insert(view.targets()), view.targets());
        }
    }
    packager.finish();
    if let Some(view) = packager.view() {
        check(&view);
    }
});

fn frame(header: &[u8], body: &[u8]) -> Bytes {
    [header, body].concat().into()
}

fn check(view: &View) {
    assert!(view.playlist().ends_with(b"#EXT-X-ENDLIST\n"));
    for segment in view.listed() {
        check_boxes(&segment.init.bytes);
        segment.parts.iter().for_each(|part| check_boxes(&part.bytes));
    }
}

fn check_boxes(mut data: &[u8]) {
    while !data.is_empty() {
        let size = u32::from_be_bytes([data[0], data[1], data[2], data[3]]) as usize;
        assert!(size >= 8);
        data = &data[size..];
    }
}
