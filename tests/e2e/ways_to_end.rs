//! How a client can end a push, and what the record makes of it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::support::encoder::Encoder;
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::Setup;

#[test]
fn ffmpeg_killed_is_an_end_of_file_without_goodbye() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().start();
    let mut encoder = Encoder::ffmpeg(&server.open_url("killed"));
    server.wait_for_pushes(1);
    sleep(Duration::from_secs(2));
    encoder.kill();
    assert_eq!(server.code("killed"), "3/0");
}

#[test]
fn each_goodbye_has_its_cause() {
    let server = Setup::open().start();
    let live = |name: &str| live(&server, name);

    live("deleted").delete_stream().unwrap();
    assert_eq!(server.code("deleted"), "1/0");

    live("closed").close_stream().unwrap();
    assert_eq!(server.code("closed"), "2/0");

    let mut push = live("unpublished");
    push.fc_unpublish("unpublished").unwrap();
    push.end_of_file().unwrap();
    assert_eq!(server.code("unpublished"), "2/0");

    let mut push = live("unpublished-alone");
    push.fc_unpublish("unpublished-alone").unwrap();
    assert_eq!(server.code("unpublished-alone"), "2/0");
    push.end_of_file().unwrap();

    let mut push = live("unpublished-then-deleted");
    push.fc_unpublish("unpublished-then-deleted").unwrap();
    push.delete_stream().unwrap();
    assert_eq!(server.code("unpublished-then-deleted"), "1/0");
}

#[test]
fn a_goodbye_wins_over_the_reset_that_follows_it() {
    let server = Setup::open().start();
    let mut push = live(&server, "goodbye-then-reset");
    push.fc_unpublish("goodbye-then-reset").unwrap();
    // The goodbye is under way before the reset, which would throw away what has not arrived.
    sleep(Duration::from_millis(300));
    push.reset().unwrap();
    assert_eq!(server.code("goodbye-then-reset"), "2/0");
}

#[test]
fn an_end_without_goodbye_is_an_end_of_file_or_a_reset() {
    let server = Setup::open().start();
    live(&server, "eof").end_of_file().unwrap();
    let record = server.record("eof");
    assert_eq!(record.code().to_string(), "3/0");
    assert_eq!(record.detail.expect("a detail").key, "at_message_boundary");

    let mut push = live(&server, "eof-mid-message");
    // A header that announces 100 bytes of video, and ten of them.
    push.send_raw(&[0x06, 0, 0, 0, 0, 0, 100, 9, 1, 0, 0, 0, 0x17, 1, 0, 0, 0, 0, 0, 0, 5, 0x65]).unwrap();
    push.end_of_file().unwrap();
    let record = server.record("eof-mid-message");
    assert_eq!(record.code().to_string(), "3/0");
    let detail = record.detail.expect("a detail");
    assert_eq!(
        (detail.key.as_str(), &detail.params["have"], &detail.params["want"]),
        ("mid_message", &10.into(), &100.into())
    );

    live(&server, "reset").reset().unwrap();
    assert_eq!(server.code("reset"), "4/0");
}

#[test]
fn a_second_push_on_the_same_connection_has_a_record_of_its_own() {
    let server = Setup::open().start();
    let mut push = live(&server, "first-of-two");
    push.fc_unpublish("first-of-two").unwrap();
    push.ask_to_publish("second-of-two").unwrap();
    assert_eq!(server.code("first-of-two"), "2/0");
    server.wait_for_pushes(1);
    push.delete_stream().unwrap();
    let second = server.record("second-of-two");
    assert_eq!(second.code().to_string(), "1/0");
    assert!(second.connected_at >= server.record("first-of-two").ended_at);
}

#[test]
fn a_file_poured_into_the_port_breaks_the_protocol() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("film.mp4");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-t", "2"])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    let mut socket = TcpStream::connect(server.rtmp()).unwrap();
    // The server may close before all of it is written.
    let _ = socket.write_all(&std::fs::read(&file).unwrap());
    let _ = socket.shutdown(Shutdown::Write);
    let _ = socket.read_to_end(&mut Vec::new());
    let record = server.record_of_code("6/0");
    let detail = record.detail.expect("a detail");
    assert_eq!(detail.params["offset"], 0, "{detail:?}");
    assert_eq!(record.stream, None);
}

#[test]
fn random_bytes_after_the_handshake_are_told_with_their_offset() {
    let server = Setup::open().start();
    let mut push = Pusher::open(server.rtmp()).unwrap();
    push.handshake().unwrap();
    let mut noise = 0x9e37_79b9_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        noise.to_be_bytes()[0]
    })
    .take(64 << 10)
    .collect();
    let _ = push.send_raw(&bytes);
    push.wait_for_close();
    let record = crate::support::clock::until("the record", crate::support::clock::PATIENCE, || {
        server.records(&[]).into_iter().next()
    });
    assert!(["6/0", "33/0"].contains(&record.code().to_string().as_str()), "{record:#?}");
    let offset = record.detail.expect("a detail").params["offset"].as_u64().expect("an offset");
    // C0, C1 and C2 come first: 3073 bytes.
    assert!((3_073..3_073 + bytes.len() as u64).contains(&offset), "{offset}");
}

#[test]
fn a_command_with_broken_amf_names_the_marker_and_its_offset() {
    let server = Setup::open().start();
    let mut push = live(&server, "broken-amf");
    // A string "x", then a marker that AMF0 does not have.
    push.send_command_body(&[0x02, 0x00, 0x01, b'x', 0x7f]).unwrap();
    let told = push.wait_for_cut();
    assert!(told.text.starts_with("[33/0]"), "{told:?}");
    let record = server.record("broken-amf");
    assert_eq!(record.code().to_string(), "33/0");
    let detail = record.detail.expect("a detail");
    assert!(detail.params["offset"].as_u64().is_some_and(|offset| offset > 3_073), "{detail:?}");
}

fn live(server: &Server, name: &str) -> Pusher {
    let mut push = Pusher::push(server.rtmp(), name).unwrap();
    push.send_media(2_000).unwrap();
    push
}
