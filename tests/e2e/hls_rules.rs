//! What Apple's players ask of low-latency HLS, looked at over HTTP/2 while a stream is live and while another push takes
//! it over. Their validator runs on their own systems only; these are its rules as the draft (RFC 8216bis) has them.

use std::process::Command;

use crate::support::clock::{PATIENCE, until, until_true};
use crate::support::encoder::Encoder;
use crate::support::playlist::{Playlist, Segment};
use crate::support::rights;
use crate::support::server::Server;
use crate::support::setup::{DOMAIN, Setup};

/// An answer over HTTP/2.
struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        assert_eq!(self.status, 200, "{}{}", self.headers, String::from_utf8_lossy(&self.body));
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn has(&self, header: &str) -> bool {
        self.headers.lines().any(|line| line.trim().eq_ignore_ascii_case(header))
    }
}

/// Asks as Apple's players do: HTTP/2, compressed where that helps, and no redirect followed.
fn ask(url: &str) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let [headers, body] = ["headers", "body"].map(|file| folder.path().join(file));
    let output = Command::new("curl")
        .args(["-sk", "--http2", "--compressed", "--max-time", "60", "-w", "%{http_version} %{http_code}"])
        .arg("-D")
        .arg(&headers)
        .arg("-o")
        .arg(&body)
        .arg(url)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (version, status) = said.split_once(' ').unwrap_or_else(|| panic!("{url}: {said:?}"));
    assert_eq!(version, "2", "{url}");
    Answer {
        status: status.parse().unwrap(),
        headers: std::fs::read_to_string(headers).unwrap(),
        body: std::fs::read(body).unwrap_or_default(),
    }
}

/// A player of one session.
struct Player {
    /// Where the session's files lie.
    base: String,
    /// Frames come as evenly as one encoder sends them.
    is_steady: bool,
}

impl Player {
    fn open(server: &Server, stream: &str) -> Self {
        let folder = format!("https://localhost:{}/live/{stream}/", server.https().port());
        let index = until("the stream", 2 * PATIENCE, || {
            Some(ask(&format!("{folder}index.m3u8?domain={DOMAIN}"))).filter(|answer| answer.status == 200)
        });
        assert!(index.has("content-encoding: gzip"), "{}", index.headers);
        let text = index.text();
        let variant = text.lines().find(|line| line.starts_with("#EXT-X-STREAM-INF:")).unwrap().to_owned();
        for attribute in ["BANDWIDTH=", "AVERAGE-BANDWIDTH=", "CODECS=\"avc1.", "RESOLUTION=", "FRAME-RATE="]
        {
            assert!(variant.contains(attribute), "{attribute} in {text}");
        }
        let media = text.lines().find(|line| line.ends_with("media.m3u8")).unwrap();
        Self { base: format!("{folder}{}", media.strip_suffix("media.m3u8").unwrap()), is_steady: true }
    }

    fn file(&self, name: &str) -> Answer {
        ask(&format!("{}{name}", self.base))
    }

    fn reload(&self, query: &str) -> Playlist {
        let answer = self.file(&format!("media.m3u8{query}"));
        let text = answer.text();
        assert!(
            answer.has("content-encoding: gzip") && answer.has("vary: accept-encoding"),
            "{}",
            answer.headers
        );
        assert!(answer.has("content-type: application/vnd.apple.mpegurl"), "{}", answer.headers);
        let list = Playlist::read(&text);
        one_by_itself(&list, &text, self.is_steady);
        list
    }

    /// The playlist once it has the part that this one hints at.
    fn next(&self, list: &Playlist, more: &str) -> Playlist {
        let (sequence, part) = list.next_part();
        let next = self.reload(&format!("?_HLS_msn={sequence}&_HLS_part={part}{more}"));
        assert!(next.next_part() > (sequence, part), "what was waited for is there");
        next
    }
}

/// What holds for each playlist.
fn one_by_itself(list: &Playlist, text: &str, is_steady: bool) {
    let target = f64::from(list.target);
    assert!(list.version >= if list.skipped > 0 { 9 } else { 6 }, "{text}");
    if !list.ended {
        assert_eq!(list.control["CAN-BLOCK-RELOAD"], "YES", "{text}");
        assert!(list.control("HOLD-BACK") >= 3.0 * target, "{text}");
        assert!(list.control("PART-HOLD-BACK") >= 3.0 * list.part_target - 0.001, "{text}");
        assert!(list.control("CAN-SKIP-UNTIL") >= 6.0 * target, "{text}");
        let (sequence, part) = list.next_part();
        assert_eq!(list.hint.as_deref(), Some(format!("part-{sequence}-{part}.m4s").as_str()), "{text}");
    }
    let mut until_end: f64 = list.open.parts.iter().map(|part| part.duration).sum();
    for (index, segment) in list.segments.iter().enumerate().rev() {
        assert_eq!(segment.uri, format!("seg-{}.m4s", list.first() + index as u64), "{text}");
        assert!(segment.duration.round() <= target, "{segment:?} in {text}");
        assert!(segment.map.is_some() && segment.date.is_some(), "{segment:?} in {text}");
        // Parts are listed for the last three target durations and no further back.
        assert_eq!(
            !segment.parts.is_empty(),
            !list.ended && until_end < 3.0 * target,
            "{segment:?} in {text}"
        );
        if !segment.parts.is_empty() {
            let sum: f64 = segment.parts.iter().map(|part| part.duration).sum();
            assert!((sum - segment.duration).abs() < 0.001 * segment.parts.len() as f64, "{segment:?}");
            assert!(segment.parts[0].independent || !list.independent, "{segment:?} in {text}");
            let (_, all) = segment.parts.split_last().unwrap();
            assert!(all.iter().all(|part| part.duration >= 0.85 * list.part_target), "{segment:?}");
            let long = segment.parts.iter().filter(|part| part.duration > list.part_target + 0.0005).count();
            // A frame that lasts longer than a part may is carried all the same: the one before a takeover.
            assert!(long <= usize::from(!is_steady), "{segment:?} in {text}");
        }
        until_end += segment.duration;
    }
}

/// What holds from one playlist to the next: what was said stays, and what was dropped is counted.
fn one_after_the_other(before: &Playlist, after: &Playlist) {
    assert_eq!((before.target, before.part_target), (after.target, after.part_target));
    assert!(after.sequence >= before.sequence && after.next_part() >= before.next_part());
    let facts =
        |segment: &Segment| (segment.uri.clone(), segment.duration, segment.date, segment.map.clone());
    let mut dropped = 0;
    for (sequence, segment) in (before.first()..).zip(&before.segments) {
        if sequence < after.sequence {
            dropped += u64::from(segment.discontinuity);
        } else if let Some(same) = sequence.checked_sub(after.first()) {
            let same = &after.segments[usize::try_from(same).unwrap()];
            assert_eq!(facts(segment), facts(same));
            assert_eq!(segment.discontinuity, same.discontinuity);
        }
    }
    if before.skipped == 0 {
        assert_eq!(before.discontinuity_sequence + dropped, after.discontinuity_sequence);
    }
    // Their times are those of their media: each segment begins when the one before it ends.
    for pair in after.segments.windows(2).filter(|pair| !pair[1].discontinuity) {
        let apart = (pair[1].date.unwrap() - pair[0].date.unwrap()) as f64 / 1000.0;
        assert!((apart - pair[0].duration).abs() < 0.05, "{pair:?}");
    }
}

/// Decode times of the first fragment's tracks and of what follows the last (ISO/IEC 14496-12, 8.8.12 and 8.8.8), read
/// from whole fragments: one `(track, begins, ends)` for each.
fn spans(media: &[u8]) -> Vec<(u32, u64, u64)> {
    let mut spans: Vec<(u32, u64, u64)> = Vec::new();
    for (_, moof) in boxes(media).into_iter().filter(|(kind, _)| kind == b"moof") {
        for (_, traf) in boxes(moof).into_iter().filter(|(kind, _)| kind == b"traf") {
            let inner = boxes(traf);
            let of = |kind: &[u8; 4]| inner.iter().find(|(found, _)| found == kind).unwrap().1;
            let word = |data: &[u8], at: usize| u32::from_be_bytes(data[at..at + 4].try_into().unwrap());
            let (track, usual) = (word(of(b"tfhd"), 4), word(of(b"tfhd"), 8));
            let begins = u64::from_be_bytes(of(b"tfdt")[4..12].try_into().unwrap());
            let run = of(b"trun");
            let (fields, count) = (word(run, 0), word(run, 4) as usize);
            assert_eq!(fields & 0x1, 1, "it says where its data lie");
            let mut at = 12 + if fields & 0x4 == 0 { 0 } else { 4 };
            let each = [0x100, 0x200, 0x400, 0x800].iter().filter(|field| fields & **field != 0).count() * 4;
            let mut ends = begins;
            for _ in 0..count {
                ends += u64::from(if fields & 0x100 == 0 { usual } else { word(run, at) });
                at += each;
            }
            match spans.iter_mut().find(|(known, ..)| *known == track) {
                Some((_, _, end)) => {
                    assert_eq!(*end, begins, "fragments of a segment follow each other");
                    *end = ends;
                }
                None => spans.push((track, begins, ends)),
            }
        }
    }
    spans
}

fn boxes(mut data: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut found = Vec::new();
    while !data.is_empty() {
        let size = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
        found.push((data[4..8].try_into().unwrap(), &data[8..size]));
        data = &data[size..];
    }
    found
}

#[test]
fn playlists_keep_apples_rules_over_http2_while_the_stream_goes_on_and_is_taken_over() {
    if !rights::has(&["ffmpeg", "curl"]) {
        return;
    }
    let server = Setup::open().start();
    let _first = Encoder::ffmpeg(&server.open_url("camera"));
    let mut player = Player::open(&server, "camera");
    let mut list = player.reload("");
    let mut second = None;
    let mut taken_over_at = None;
    let mut reloads = 0;
    // A window has eight segments of two seconds, so all that was there at the takeover has left it in the end.
    until_true("the takeover to leave the window", 4 * PATIENCE, || {
        let next = player.next(&list, "");
        one_after_the_other(&list, &next);
        list = next;
        reloads += 1;
        if list.sequence >= 1 && second.is_none() {
            updates(&player, &mut list);
            player.is_steady = false;
            second = Some(Encoder::ffmpeg(&server.open_url("camera")));
            taken_over_at = Some(list.next_part().0);
        }
        taken_over_at.is_some_and(|at| list.sequence > at)
    });
    let window: f64 = list.segments.iter().map(|segment| segment.duration).sum();
    assert!(window >= 3.0 * f64::from(list.target), "{list:?}");
    println!(
        "{reloads} reloads, {} parts still listed",
        list.segments.iter().map(|s| s.parts.len()).sum::<usize>()
    );
    assert_eq!(server.code("camera"), "21/102");

    files(&player, &list);

    // The end: the playlist that was waited for comes with it, and says so.
    drop(second);
    let end = until("the end of the playlist", 2 * PATIENCE, || {
        let next = match list.hint {
            Some(_) => player.reload(""),
            None => list.clone(),
        };
        next.ended.then_some(next)
    });
    assert!(end.hint.is_none() && end.open.parts.is_empty(), "{end:?}");
}

/// Delta updates: what they leave out is what the player has, and what they say is what a whole playlist says.
fn updates(player: &Player, list: &mut Playlist) {
    until_true("a playlist that reaches beyond the skip boundary", 2 * PATIENCE, || {
        *list = player.next(list, "");
        let secs: f64 = list.segments.iter().map(|segment| segment.duration).sum();
        secs > list.control("CAN-SKIP-UNTIL") + f64::from(list.target)
    });
    let update = player.next(list, "&_HLS_skip=YES");
    assert!(update.skipped > 0, "{update:?}");
    one_after_the_other(list, &update);
    let kept: f64 = update.segments.iter().map(|segment| segment.duration).sum();
    assert!(kept + f64::from(update.target) >= update.control("CAN-SKIP-UNTIL"), "{update:?}");
    let whole = player.reload("");
    one_after_the_other(&update, &whole);
    *list = whole;
}

/// What playlists name is there, is what they say, and its times go on from one segment to the next.
fn files(player: &Player, list: &Playlist) {
    let mut ends: Vec<(u32, u64, u64)> = Vec::new();
    for segment in &list.segments {
        let answer = player.file(&segment.uri);
        assert!(answer.status == 200 && answer.has("content-type: video/mp4"), "{}", answer.headers);
        assert!(!answer.headers.to_ascii_lowercase().contains("content-encoding"), "media is not compressed");
        let now = spans(&answer.body);
        if !segment.discontinuity {
            for (track, begins, _) in &now {
                if let Some((.., end)) = ends.iter().find(|(known, ..)| known == track) {
                    assert_eq!(end, begins, "track {track} goes on in {}", segment.uri);
                }
            }
        }
        let mut joined = Vec::new();
        for part in &segment.parts {
            let answer = player.file(&part.uri);
            assert_eq!(answer.status, 200, "{}", part.uri);
            joined.extend(answer.body);
        }
        assert!(segment.parts.is_empty() || joined == answer.body, "a segment is its parts");
        ends = now;
    }
    let map = list.segments.last().and_then(|segment| segment.map.clone()).unwrap();
    assert_eq!(&player.file(&map).body[4..8], b"ftyp");
    // Too far ahead is refused and not waited for (RFC 8216bis, 6.2.5.2).
    let far = list.next_part().0 + 3;
    assert_eq!(player.file(&format!("media.m3u8?_HLS_msn={far}")).status, 400);
}
