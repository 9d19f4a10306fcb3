//! Limits that end a push by themselves, each shortened or switched on by configuration.

use std::thread::sleep;
use std::time::Duration;

use crate::support::clock::{PATIENCE, now};
use crate::support::encoder::Encoder;
use crate::support::media;
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::setup::Setup;

#[test]
fn a_message_over_the_limit_ends_the_push() {
    let server = Setup::open().config("[limits]\nmessage = \"64KiB\"\n").start();
    let mut push = Pusher::push(server.rtmp(), "large").unwrap();
    push.send_media(60_000).unwrap();
    // The server may close before all of it is sent.
    let _ = push.send_video(&media::video(true, 70_000));
    let told = push.wait_for_cut();
    assert!(told.text.starts_with("[7/0]"), "{told:?}");
    let record = server.record("large");
    assert_eq!(record.code().to_string(), "7/0");
    assert_eq!(record.side, "client");
}

#[test]
fn a_push_that_never_sends_media_is_cut_at_the_idle_limit() {
    let server = Setup::open().config("[limits]\nidle = \"2s\"\n").start();
    let mut push = Pusher::push(server.rtmp(), "mute").unwrap();
    let told = push.wait_for_cut();
    assert!(told.text.starts_with("[8/0]"), "{told:?}");
    let record = server.record("mute");
    assert_eq!(record.code().to_string(), "8/0");
    assert!((2_000..10_000).contains(&record.duration_ms), "{} ms", record.duration_ms);
}

#[test]
fn a_push_that_stops_sending_is_cut_at_the_idle_limit_and_known_as_stalled() {
    let server = Setup::open().config("[limits]\nidle = \"6s\"\n").start();
    let mut push = Pusher::push(server.rtmp(), "stalled").unwrap();
    push.send_media(2_000).unwrap();
    let told = push.wait_for_cut();
    assert!(told.text.starts_with("[20/0]"), "{told:?}");
    let record = server.record("stalled");
    assert_eq!(record.code().to_string(), "20/0");
    // It answered the ping that is sent after three seconds of silence.
    assert_eq!(record.detail.expect("a detail").key, "encoder_stalled");
}

#[test]
fn an_encoder_that_hangs_is_cut_at_the_idle_limit_and_its_host_known_to_live() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().config("[limits]\nidle = \"6s\"\n").start();
    let encoder = Encoder::ffmpeg(&server.open_url("frozen"));
    server.wait_for_pushes(1);
    sleep(Duration::from_secs(2));
    encoder.freeze();
    let record = server.record("frozen");
    assert_eq!(record.code().to_string(), "20/0", "{record:#?}");
    // It has never answered a ping, so that nobody knows whether it would.
    assert_eq!(record.detail.expect("a detail").key, "host_alive");
}

#[test]
fn a_push_that_resumes_within_the_limit_goes_on() {
    let server = Setup::open().config("[limits]\nidle = \"8s\"\n").start();
    let mut push = Pusher::push(server.rtmp(), "pausing").unwrap();
    push.send_media(2_000).unwrap();
    sleep(Duration::from_secs(4));
    push.send_media(2_000).unwrap();
    sleep(Duration::from_secs(5));
    push.send_media(2_000).unwrap();
    push.delete_stream().unwrap();
    assert_eq!(server.code("pausing"), "1/0");
}

#[test]
fn a_push_above_the_frame_rate_limit_is_cut() {
    let server = Setup::open().config("[limits]\nfps = 40\n").start();
    let mut push = Pusher::push(server.rtmp(), "fast").unwrap();
    let started = now();
    // A hundred frames a second by both clocks; the limit looks at ten seconds.
    while push.send_media(100).is_ok() && !push.answer() {
        let since = u32::try_from(started.elapsed().as_millis()).unwrap();
        push.time = since;
        sleep(Duration::from_millis(10));
        assert!(started.elapsed() < PATIENCE, "still live");
    }
    assert_eq!(server.code("fast"), "39/0");
}

#[test]
fn a_push_that_falls_behind_real_time_is_cut_where_a_limit_is_set() {
    let server = Setup::open().config("[limits]\nlag = \"2s\"\n").start();
    let mut push = Pusher::push(server.rtmp(), "late").unwrap();
    let started = now();
    while push.send_media(500).is_ok() && !push.answer() {
        // Half a second of media a second.
        push.time = u32::try_from(started.elapsed().as_millis() / 2).unwrap();
        sleep(Duration::from_millis(50));
        assert!(started.elapsed() < PATIENCE, "still live");
    }
    assert_eq!(server.code("late"), "16/0");
    assert!(started.elapsed() > Duration::from_secs(4), "{:?}", started.elapsed());
}

#[test]
fn media_that_cannot_be_parsed_ends_the_push_in_strict_mode_alone() {
    // AVC with a decoder configuration that breaks off.
    let broken = [0x17, 0, 0, 0, 0, 1, 0x42];
    let strict = Setup::open().config("[limits]\nstrict_media = true\n").start();
    let mut push = Pusher::push(strict.rtmp(), "broken").unwrap();
    push.send_video(&broken).unwrap();
    let told = push.wait_for_cut();
    assert!(told.text.starts_with("[23/0]"), "{told:?}");
    assert_eq!(strict.code("broken"), "23/0");
    drop(strict);

    let lenient = Setup::open().start();
    let mut push = Pusher::push(lenient.rtmp(), "broken").unwrap();
    push.send_video(&broken).unwrap();
    push.send_media(2_000).unwrap();
    push.delete_stream().unwrap();
    assert_eq!(lenient.code("broken"), "1/0");
}
