//! Media playlists of low-latency HLS as a strict reader has them: what it does not know, or finds in the wrong place, is
//! a mistake. It shares nothing with what writes them.

use std::collections::HashMap;

/// A media playlist.
#[derive(Clone, Debug, Default)]
pub struct Playlist {
    pub version: u32,
    pub target: u32,
    /// Seconds.
    pub part_target: f64,
    /// EXT-X-SERVER-CONTROL.
    pub control: HashMap<String, String>,
    pub sequence: u64,
    pub discontinuity_sequence: u64,
    pub independent: bool,
    /// Segments that an update leaves out.
    pub skipped: u64,
    pub segments: Vec<Segment>,
    /// Parts of the segment that is not complete yet.
    pub open: Segment,
    /// The part that comes next.
    pub hint: Option<String>,
    pub ended: bool,
}

/// A segment, with what stands before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    pub uri: String,
    /// Seconds.
    pub duration: f64,
    pub discontinuity: bool,
    pub map: Option<String>,
    /// Milliseconds since 1970.
    pub date: Option<i64>,
    pub parts: Vec<Part>,
}

/// A part of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub uri: String,
    /// Seconds.
    pub duration: f64,
    pub independent: bool,
}

impl Playlist {
    /// Reads it.
    ///
    /// # Panics
    /// When it is not as the specification has it.
    pub fn read(text: &str) -> Self {
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("#EXTM3U"), "{text}");
        assert!(text.ends_with('\n') && !text.contains('\r'), "{text}");
        let mut list = Self::default();
        for line in lines {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            let attributes = || attributes(value);
            // Nothing stands behind the end.
            assert!(!list.ended && (list.hint.is_none() || tag == "#EXT-X-PRELOAD-HINT"), "{line} in {text}");
            match tag {
                "#EXT-X-VERSION" => list.version = value.parse().unwrap(),
                "#EXT-X-TARGETDURATION" => list.target = value.parse().unwrap(),
                "#EXT-X-PART-INF" => list.part_target = number(&attributes(), "PART-TARGET"),
                "#EXT-X-SERVER-CONTROL" => list.control = attributes(),
                "#EXT-X-MEDIA-SEQUENCE" => list.sequence = value.parse().unwrap(),
                "#EXT-X-DISCONTINUITY-SEQUENCE" => list.discontinuity_sequence = value.parse().unwrap(),
                "#EXT-X-INDEPENDENT-SEGMENTS" => list.independent = true,
                "#EXT-X-SKIP" => {
                    assert!(list.segments.is_empty(), "it stands for the first segments: {text}");
                    list.skipped = number(&attributes(), "SKIPPED-SEGMENTS") as u64;
                }
                "#EXT-X-DISCONTINUITY" => list.open.discontinuity = true,
                "#EXT-X-MAP" => list.open.map = Some(attributes()["URI"].clone()),
                "#EXT-X-PROGRAM-DATE-TIME" => {
                    list.open.date = Some(model::Timestamp::parse(value).expect("a time").0);
                }
                "#EXT-X-PART" => {
                    let found = attributes();
                    list.open.parts.push(Part {
                        uri: found["URI"].clone(),
                        duration: number(&found, "DURATION"),
                        independent: found.get("INDEPENDENT").is_some_and(|value| value == "YES"),
                    });
                }
                "#EXTINF" => list.open.duration = value.strip_suffix(',').unwrap().parse().unwrap(),
                "#EXT-X-PRELOAD-HINT" => {
                    let found = attributes();
                    assert_eq!(found["TYPE"], "PART");
                    list.hint = Some(found["URI"].clone());
                }
                "#EXT-X-ENDLIST" => list.ended = true,
                uri => {
                    assert!(!uri.starts_with('#') && list.open.duration > 0.0, "{line} in {text}");
                    line.clone_into(&mut list.open.uri);
                    let map = list.open.map.clone();
                    list.segments
                        .push(std::mem::replace(&mut list.open, Segment { map, ..Segment::default() }));
                }
            }
        }
        list
    }

    /// Sequence number of the first segment that is written out.
    pub fn first(&self) -> u64 {
        self.sequence + self.skipped
    }

    /// An attribute of EXT-X-SERVER-CONTROL that is a number of seconds.
    pub fn control(&self, name: &str) -> f64 {
        number(&self.control, name)
    }

    /// Sequence number and index of the part that is hinted at.
    pub fn next_part(&self) -> (u64, usize) {
        (self.first() + self.segments.len() as u64, self.open.parts.len())
    }
}

fn number(attributes: &HashMap<String, String>, name: &str) -> f64 {
    attributes.get(name).unwrap_or_else(|| panic!("{name} in {attributes:?}")).parse().unwrap()
}

/// An attribute list (RFC 8216, 4.2). None of those read here has a comma within quotes.
fn attributes(text: &str) -> HashMap<String, String> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("{pair} in {text}"));
        (name.to_owned(), value.trim_matches('"').to_owned())
    };
    text.split(',').map(pair).collect()
}
