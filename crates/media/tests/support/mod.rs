//! Reads back what was written: boxes, runs of samples, and playlists, by code that shares nothing with the writer.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that cannot go on fails its test")]

use std::collections::HashMap;

use bytes::Bytes;
use media::hls::{Packager, View};

/// A box: its type and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mp4Box<'a> {
    pub kind: String,
    pub body: &'a [u8],
}

/// The boxes that `data` consists of; panics when they do not add up to it.
pub fn boxes(data: &[u8]) -> Vec<Mp4Box<'_>> {
    let mut found = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        assert!(rest.len() >= 8, "{} bytes are no box", rest.len());
        let size = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        assert!((8..=rest.len()).contains(&size), "a box of {size} bytes in {}", rest.len());
        found.push(Mp4Box { kind: String::from_utf8(rest[4..8].to_vec()).unwrap(), body: &rest[8..size] });
        rest = &rest[size..];
    }
    found
}

/// The body of the first box at a path such as `moov/trak/mdia`.
pub fn inside<'a>(data: &'a [u8], path: &str) -> &'a [u8] {
    path.split('/').fold(data, |data, kind| {
        let all = boxes(data);
        let found = all.into_iter().find(|b| b.kind == kind);
        found.unwrap_or_else(|| panic!("no {kind} of {path}")).body
    })
}

/// A sample as its fragment describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub time: u64,
    pub duration: u32,
    pub composition: i32,
    pub sync: bool,
    pub data: Vec<u8>,
}

/// The samples of a fragment by track.
pub fn samples(fragment: &[u8]) -> HashMap<u32, Vec<Read>> {
    let top = boxes(fragment);
    let kinds: Vec<_> = top.iter().map(|b| b.kind.as_str()).collect();
    assert_eq!(kinds, ["moof", "mdat"]);
    assert_eq!(boxes(top[0].body)[0].kind, "mfhd");
    let mut tracks = HashMap::new();
    let mut used = 0;
    for traf in boxes(top[0].body).iter().filter(|b| b.kind == "traf") {
        let word = |data: &[u8], at: usize| u32::from_be_bytes(data[at..at + 4].try_into().unwrap());
        let header = inside(traf.body, "tfhd");
        assert_eq!(word(header, 0), 0x02_0028, "base is the fragment; default duration and flags");
        let (track, duration, flags) = (word(header, 4), word(header, 8), word(header, 12));
        let decode = inside(traf.body, "tfdt");
        assert_eq!(decode[0], 1);
        let mut time = u64::from_be_bytes(decode[4..12].try_into().unwrap());
        let run = inside(traf.body, "trun");
        let fields = word(run, 0);
        assert_eq!(fields >> 24, 1, "signed composition times");
        let count = word(run, 4);
        let mut offset = word(run, 8) as usize;
        let mut at = 12;
        let mut next = |there: bool| {
            there.then(|| {
                at += 4;
                word(run, at - 4)
            })
        };
        let mut first = next(fields & 0x4 != 0);
        let mut read = Vec::new();
        for _ in 0..count {
            let duration = next(fields & 0x100 != 0).unwrap_or(duration);
            let size = next(fields & 0x200 != 0).unwrap() as usize;
            let flags = next(fields & 0x400 != 0).or(first.take()).unwrap_or(flags);
            let composition = next(fields & 0x800 != 0).unwrap_or(0).cast_signed();
            let data = fragment[offset..offset + size].to_vec();
            offset += size;
            used += size;
            let sync = flags & 0x01_0000 == 0;
            assert_eq!(
                sync,
                flags & 0x0300_0000 == 0x0200_0000,
                "depends on nothing, if it is a sync sample"
            );
            read.push(Read { time, duration, composition, sync, data });
            time += u64::from(duration);
        }
        assert_eq!(at, run.len(), "nothing behind the last sample");
        assert!(tracks.insert(track, read).is_none(), "one run a track");
    }
    assert_eq!(used, top[1].body.len(), "every byte of the media is a sample's");
    tracks
}

/// All samples of all listed segments, by track.
pub fn all_samples(view: &View) -> HashMap<u32, Vec<Read>> {
    let mut all: HashMap<u32, Vec<Read>> = HashMap::new();
    for part in view.listed().iter().flat_map(|segment| &segment.parts) {
        for (track, read) in samples(&part.bytes) {
            all.entry(track).or_default().extend(read);
        }
    }
    all
}

/// A playlist read by a parser that others wrote.
pub fn playlist(view: &View) -> m3u8_rs::MediaPlaylist {
    let (rest, list) = m3u8_rs::parse_media_playlist(view.playlist().plain()).expect("a media playlist");
    assert!(rest.is_empty(), "nothing behind the end: {:?}", String::from_utf8_lossy(rest));
    list
}

pub fn text(view: &View) -> String {
    String::from_utf8(view.playlist().plain().to_vec()).unwrap()
}

/// An encoder of H.264 and AAC whose frames are made up, behind real sequence headers.
#[derive(Debug)]
pub struct Encoder {
    pub packager: Packager,
    /// Time of the next frame in milliseconds.
    pub now: f64,
    /// Milliseconds from frame to frame.
    pub frame: f64,
    /// Frames from key frame to key frame.
    pub gop: u32,
    pub frames: u32,
    /// Bytes of a frame beyond the header of the message.
    pub size: usize,
    sound: f64,
}

/// Wall-clock time of timestamp 0 in the tests: 2026-11-22T12:00:00Z.
pub const WALL: i64 = 1_795_348_800_000;

impl Encoder {
    pub fn new(packager: Packager, fps: f64, gop: u32) -> Self {
        Self { packager, now: 0.0, frame: 1000.0 / fps, gop, frames: 0, size: 100, sound: 0.0 }
    }

    pub fn headers(&mut self, video: &str, audio: &str) {
        for (header, is_video) in [(video, true), (audio, false)] {
            if !header.is_empty() {
                let body = Bytes::from(super::vectors::bytes(header));
                let (timestamp, wall) = (self.timestamp(), self.wall());
                match is_video {
                    true => self.packager.video(timestamp, &body, wall),
                    false => self.packager.audio(timestamp, &body, wall),
                }
            }
        }
    }

    /// Sends picture and sound for so many seconds.
    pub fn run(&mut self, secs: f64) {
        let end = self.now + secs * 1000.0;
        while self.now < end - 0.001 {
            self.picture();
            while self.sound <= self.now {
                self.sound();
            }
        }
    }

    pub fn picture(&mut self) {
        let key = self.frames.is_multiple_of(self.gop);
        let mut body = vec![if key { 0x17 } else { 0x27 }, 1, 0, 0, 40];
        body.extend(u32::try_from(self.size).unwrap().to_be_bytes());
        body.resize(5 + 4 + self.size, if key { 0x65 } else { 0x41 });
        self.packager.video(self.timestamp(), &Bytes::from(body), self.wall());
        self.frames += 1;
        self.now += self.frame;
    }

    pub fn sound(&mut self) {
        let body = Bytes::from(vec![0xaf, 1, 0x21, 0x10, 0x05]);
        self.packager.audio(self.sound as u32, &body, WALL + self.sound as i64);
        self.sound += 1024.0 / 44.1;
    }

    pub fn view(&self) -> View {
        self.packager.view().expect("enough for a playlist")
    }

    fn timestamp(&self) -> u32 {
        self.now.round() as u64 as u32
    }

    fn wall(&self) -> i64 {
        WALL + self.now.round() as i64
    }
}
