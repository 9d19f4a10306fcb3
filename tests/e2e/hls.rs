//! Live streams over HLS: what ffmpeg plays, and what the answers say.

use std::process::Command;
use std::time::Duration;

use media::flv;
use rtmp::MediaKind;
use serde_json::Value;

use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::http::{self, Response};
use crate::support::pusher::Pusher;
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

#[test]
fn ffmpeg_plays_a_live_stream_and_its_end_without_a_complaint() {
    if !rights::has(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let server = Setup::open().start();
    let mut encoder = push(&server);
    let index = format!("http://{}{}", server.http(), index("camera"));
    let probed = Command::new("ffprobe")
        .args(["-v", "warning", "-show_streams", "-of", "json", &index])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&probed.stderr), "");
    let probed: Value = serde_json::from_slice(&probed.stdout).unwrap();
    let streams = probed["streams"].as_array().unwrap();
    let of = |kind: &str| streams.iter().find(|stream| stream["codec_type"] == kind).unwrap();
    assert_eq!((&of("video")["codec_name"], &of("video")["width"]), (&"h264".into(), &640.into()));
    assert_eq!((&of("audio")["codec_name"], &of("audio")["sample_rate"]), (&"aac".into(), &"44100".into()));

    // It plays while the stream is live, and goes on to its end.
    let mut player = Encoder::start(
        Command::new("ffmpeg")
            .args(["-hide_banner", "-nostdin", "-v", "warning", "-stats"])
            .args(["-i", &index, "-f", "null", "-"]),
    );
    until("ten seconds of playing", 2 * PATIENCE, || (played(&player.printed()) >= 10.0).then_some(()));
    encoder.interrupt();
    assert!(player.wait().success());
    let printed = player.printed();
    // This ffmpeg reads the initialization segment again at each reload of a live playlist, and says so.
    let usual = |line: &&str| {
        line.starts_with("frame=") || line.contains("duplicated MOOV") || line.contains("message repeated")
    };
    let complaints: Vec<_> =
        printed.split(['\r', '\n']).filter(|line| !line.is_empty()).filter(|line| !usual(line)).collect();
    assert_eq!(complaints, Vec::<&str>::new());
}

#[test]
fn ffmpeg_plays_on_when_another_push_takes_over() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().start();
    let mut first = push(&server);
    let index = format!("http://{}{}", server.http(), index("camera"));
    let mut player = Encoder::start(
        Command::new("ffmpeg")
            .args(["-hide_banner", "-nostdin", "-v", "warning", "-stats"])
            .args(["-i", &index, "-f", "null", "-"]),
    );
    let reaches = |player: &Encoder, seconds: f64| {
        until_true("playing to go on", 2 * PATIENCE, || played(&player.printed()) >= seconds);
    };
    reaches(&player, 4.0);
    let mut second = Encoder::ffmpeg(&server.open_url("camera"));
    first.wait();
    let before = played(&player.printed());
    // More than what was packaged before the takeover.
    reaches(&player, before + 12.0);
    second.interrupt();
    assert!(player.wait().success(), "{}", player.printed());
    let printed = player.printed();
    let jumps = |line: &&str| line.contains("monoton") || line.contains("timestamp discontinuity");
    assert_eq!(printed.split(['\r', '\n']).find(jumps), None, "time goes on: {printed}");
    assert_eq!(server.codes("camera", 2), ["1/0", "21/102"]);
}

#[test]
fn answers_are_what_players_and_caches_expect() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let server = Setup::open().start();
    let _encoder = push(&server);
    let opened = get(&server, &index("camera"));
    assert_eq!(opened.status, 200, "{}", opened.text());
    assert_eq!(opened.header("content-type"), Some("application/vnd.apple.mpegurl"));
    assert_eq!(opened.header("cache-control"), Some("no-store"));
    assert_eq!(opened.header("access-control-allow-origin"), Some("*"));
    let text = opened.text();
    assert!(text.contains("CODECS=\"avc1.") && text.contains("mp4a.40.2\",RESOLUTION=640x360"), "{text}");
    let session = text.lines().find(|line| line.ends_with("media.m3u8")).unwrap();
    let at = |file: &str| format!("/live/camera/{}", session.replace("media.m3u8", file));

    let playlist = get(&server, &at("media.m3u8"));
    assert_eq!(playlist.header("cache-control"), Some("no-cache"));
    let (msn, part) = hinted(&playlist.text());
    // Blocking reload: the answer comes with the part, and names the next.
    let reloaded = get(&server, &at(&format!("media.m3u8?_HLS_msn={msn}&_HLS_part={part}")));
    assert!(reloaded.text().contains(&format!("URI=\"part-{msn}-{part}.m4s\"")), "{}", reloaded.text());
    assert!(hinted(&reloaded.text()) > (msn, part));
    // A hinted part is answered when it comes.
    let (msn, part) = hinted(&reloaded.text());
    let hinted = get(&server, &at(&format!("part-{msn}-{part}.m4s")));
    assert_eq!((hinted.status, hinted.header("content-type")), (200, Some("video/mp4")));
    assert_eq!(&hinted.body[4..8], b"moof");

    let init = get(&server, &at("init-0.mp4"));
    assert_eq!((&init.body[4..8], init.header("accept-ranges")), (&b"ftyp"[..], Some("bytes")));
    assert!(init.header("cache-control").is_some_and(|value| value.starts_with("max-age=")));
    let name = playlist.text().lines().find(|line| line.starts_with("seg-")).map(str::to_owned).unwrap();
    let segment = get(&server, &at(&name));
    let ranged = ask(&server, "GET", &at(&name), &[("Range", "bytes=4-7")]);
    assert_eq!((ranged.status, &ranged.body[..]), (206, &b"moof"[..]));
    let size = segment.body.len();
    assert_eq!(ranged.header("content-range"), Some(format!("bytes 4-7/{size}").as_str()));
    let looked = ask(&server, "HEAD", &at(&name), &[]);
    assert_eq!((looked.status, looked.header("content-length")), (200, Some(size.to_string().as_str())));
    assert_eq!(ask(&server, "HEAD", &index("camera"), &[]).status, 200);
    assert_eq!(ask(&server, "OPTIONS", &index("camera"), &[]).status, 204);

    for (status, path) in [
        (404, index("nobody")),
        (404, at("seg-99999.m4s")),
        (404, at("init-9.mp4")),
        (404, "/live/camera/hls/00000000000000000000000000000000/media.m3u8".to_owned()),
        (400, at("media.m3u8?_HLS_msn=99999")),
        (400, at("media.m3u8?_HLS_part=1")),
        (400, at("media.m3u8?_HLS_msn=soon")),
    ] {
        let answer = get(&server, &path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "pages see why");
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
}

#[test]
fn a_signature_opens_a_session_and_the_session_opens_the_rest() {
    if !rights::has(&["ffmpeg"]) {
        return;
    }
    let play_domain = r#"
[[domain]]
name = "play.test"
account = 7
kind = "play"
play_auth = true
play_key = "a-key-for-players"
"#;
    let server = Setup::open().config(play_domain).start();
    let _encoder = push(&server);
    let unsigned = get(&server, "/live/camera/index.m3u8?domain=play.test");
    assert_eq!(unsigned.status, 403, "{}", unsigned.text());
    let url =
        server.cli(&["url", "--domain", "play.test", "--app", "live", "--stream", "camera", "--kind", "hls"]);
    let signed = url.trim().split_once("/live/").unwrap().1.to_owned();
    let other = format!("/live/{}&domain=play.test", signed.replace("camera/", "other/"));
    assert_eq!(get(&server, &other).status, 403, "the signature is of one stream");
    let opened = get(&server, &format!("/live/{signed}&domain=play.test"));
    assert_eq!(opened.status, 200, "{}", opened.text());
    let text = opened.text();
    let session = text.lines().find(|line| line.ends_with("media.m3u8")).unwrap();
    assert!(!session.contains("txSecret"), "{session}");
    let playlist = get(&server, &format!("/live/camera/{session}"));
    assert_eq!(playlist.status, 200);
    let segment = playlist.text().lines().find(|line| line.starts_with("seg-")).map(str::to_owned).unwrap();
    let segment = get(&server, &format!("/live/camera/{}", session.replace("media.m3u8", &segment)));
    assert_eq!(segment.status, 200);
}

#[test]
fn a_codec_that_hls_cannot_carry_is_named_to_the_player() {
    let server = Setup::open().start();
    let push = Pusher::push(server.rtmp(), "speex").unwrap();
    // Speex at 16 kHz, a frame each 20 ms.
    let (_push, answer) = while_pushing(push, &server, &index("speex"), |push, round| {
        push.send_at(MediaKind::Audio, round * 20, &[0xb6, 0x30, 0x54, 0x98, 0x22]).unwrap();
    });
    assert_eq!(answer.status, 404);
    let text = answer.text();
    assert!(text.contains("Speex audio cannot be carried in HLS"), "{text}");
}

/// What ffmpeg 9.0.2 made of `-f lavfi -i testsrc2=size=160x90:rate=25 -f lavfi -i sine=frequency=440:sample_rate=48000
/// -t 2 -pix_fmt yuv420p -g 50` with the codecs in the name; the ffmpeg of Debian cannot push these.
const ENHANCED: [(&[u8], [&str; 2], &str); 3] = [
    (include_bytes!("media/hevc_opus.flv"), ["hevc", "opus"], "CODECS=\"hvc1.1.6.L30.90,Opus\""),
    (include_bytes!("media/av1_aac.flv"), ["av1", "aac"], "CODECS=\"av01.0.00M.08,mp4a.40.2\""),
    (include_bytes!("media/vp9_mp3.flv"), ["vp9", "mp3"], "CODECS=\"vp09.00.10.08,mp4a.40.34\""),
];

#[test]
fn codecs_of_enhanced_rtmp_are_decoded_by_ffmpeg() {
    if !rights::has(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let server = Setup::open().start();
    for (file, names, codecs) in ENHANCED {
        let stream = names.join("-");
        let push = Pusher::push(server.rtmp(), &stream).unwrap();
        let (push, opened) = while_pushing(push, &server, &index(&stream), |push, round| {
            // Two seconds in a tenth of one.
            if round % 5 == 0 {
                push_file(push, file, round / 5 * 2000);
            }
        });
        let text = opened.text();
        assert!(text.contains(codecs) && text.contains("RESOLUTION=160x90"), "{text}");
        push.delete_stream().unwrap();
        // The rest of it stays for a while.
        let session = text.lines().find(|line| line.ends_with("media.m3u8")).unwrap();
        let url = format!("http://{}/live/{stream}/{session}", server.http());
        until("the end of the playlist", PATIENCE, || {
            let playlist = get(&server, &format!("/live/{stream}/{session}"));
            playlist.text().ends_with("#EXT-X-ENDLIST\n").then_some(())
        });
        let probed = Command::new("ffprobe")
            .args(["-v", "warning", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames"])
            .args(["-of", "csv=p=0", &url])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&probed.stderr), "", "{stream}");
        let found = String::from_utf8_lossy(&probed.stdout);
        let frames = |name: &str| {
            let line = found.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(','));
            line.and_then(|count| count.trim_end_matches(',').parse::<u32>().ok()).unwrap_or(0)
        };
        // It begins with a key frame, of which each round has one.
        assert!(frames(names[0]) >= 50 && frames(names[0]) % 50 == 0, "{found}");
        assert!(frames(names[1]) >= 70, "{found}");
    }
}

fn push(server: &Server) -> Encoder {
    let encoder = Encoder::ffmpeg(&server.open_url("camera"));
    // The list has it a moment before viewers do.
    until_true("the stream", PATIENCE, || ask(server, "HEAD", &index("camera"), &[]).status == 200);
    encoder
}

fn index(stream: &str) -> String {
    format!("/live/{stream}/index.m3u8?domain={DOMAIN}")
}

fn get(server: &Server, path: &str) -> Response {
    ask(server, "GET", path, &[])
}

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    http::request(server.http(), method, path, headers, &[]).unwrap()
}

/// Segment and part that a playlist announces.
fn hinted(playlist: &str) -> (u64, u64) {
    let hint = playlist.lines().find_map(|line| line.split_once("URI=\"part-")).map(|_| ());
    assert!(hint.is_some(), "{playlist}");
    let line = playlist.lines().find(|line| line.starts_with("#EXT-X-PRELOAD-HINT")).unwrap();
    let name = line.split_once("part-").unwrap().1.split_once('.').unwrap().0;
    let (msn, part) = name.split_once('-').unwrap();
    (msn.parse().unwrap(), part.parse().unwrap())
}

/// Seconds that ffmpeg has played, by its own account.
fn played(printed: &str) -> f64 {
    let time = printed.rsplit("time=").next().unwrap_or_default().split(' ').next().unwrap_or_default();
    let parts: Vec<f64> = time.split(':').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [hours, minutes, seconds] => hours * 3600.0 + minutes * 60.0 + seconds,
        _ => 0.0,
    }
}

/// Asks for `path`, and lets `send` push more each 20 ms until the answer has come.
fn while_pushing(
    mut push: Pusher,
    server: &Server,
    path: &str,
    mut send: impl FnMut(&mut Pusher, u32),
) -> (Pusher, Response) {
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| get(server, path));
        for round in 0.. {
            if asked.is_finished() {
                break;
            }
            send(&mut push, round);
            std::thread::sleep(Duration::from_millis(20));
        }
        (push, asked.join().unwrap())
    })
}

/// Pushes all of an FLV file, moved by so many milliseconds.
fn push_file(push: &mut Pusher, file: &[u8], later: u32) {
    let (_, mut at) = flv::FileHeader::decode(file).unwrap().unwrap();
    while let Some((tag, used)) = flv::read_tag(&file[at..]).unwrap() {
        at += used;
        let kind = match tag.header.tag_type {
            flv::TagType::Video => MediaKind::Video,
            flv::TagType::Audio => MediaKind::Audio,
            flv::TagType::Script => continue,
        };
        push.send_at(kind, tag.header.timestamp_ms + later, tag.body).unwrap();
    }
}
