//! What the media of a push was like beyond counts and rates.

use serde::{Deserialize, Serialize};

/// The quality of a push's media, as its messages showed it. Frame rates are in hundredths of a frame a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaQuality {
    /// Video and audio together, as the encoder promised in its metadata, kbit/s.
    pub declared_kbps: Option<u32>,
    /// Video frames a second, as the encoder promised.
    pub declared_fps: Option<u32>,
    /// Video frames a second by their timestamps.
    pub fps: Option<u32>,
    /// Distances between key frames by their timestamps.
    pub key_frames: KeyFrames,
    /// How far video was ahead of audio, by the timestamps of what had come; `None` without one of them.
    pub offset: Option<Offset>,
}

/// Distances between key frames, ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFrames {
    /// How many distances were seen: one less than key frames.
    pub count: u32,
    /// The sum of all.
    pub total_ms: u64,
    /// The shortest.
    pub shortest_ms: u32,
    /// The longest.
    pub longest_ms: u32,
}

/// How far video was ahead of audio once a second, ms; negative where it was behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// When both were there first.
    pub first_ms: i32,
    /// At the end.
    pub last_ms: i32,
    /// When they were furthest apart.
    pub widest_ms: i32,
}

impl KeyFrames {
    /// Takes in the distance of a key frame from the one before it.
    pub fn add(&mut self, distance_ms: u32) {
        let shortest = if self.count == 0 { distance_ms } else { self.shortest_ms.min(distance_ms) };
        self.count = self.count.saturating_add(1);
        self.total_ms = self.total_ms.saturating_add(distance_ms.into());
        self.shortest_ms = shortest;
        self.longest_ms = self.longest_ms.max(distance_ms);
    }

    /// The mean distance, ms.
    pub fn mean_ms(&self) -> Option<u64> {
        self.total_ms.checked_div(self.count.into())
    }
}

impl Offset {
    /// The offset of a first second.
    pub fn new(ms: i32) -> Self {
        Self { first_ms: ms, last_ms: ms, widest_ms: ms }
    }

    /// Takes in the offset of a further second.
    pub fn add(&mut self, ms: i32) {
        self.last_ms = ms;
        if ms.unsigned_abs() > self.widest_ms.unsigned_abs() {
            self.widest_ms = ms;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_between_key_frames_add_up() {
        let mut keys = KeyFrames::default();
        assert_eq!(keys.mean_ms(), None);
        [2_000, 1_000, 6_000].into_iter().for_each(|ms| keys.add(ms));
        assert_eq!(
            (keys.count, keys.shortest_ms, keys.longest_ms, keys.mean_ms()),
            (3, 1_000, 6_000, Some(3_000))
        );
    }

    #[test]
    fn the_widest_offset_counts_in_both_directions() {
        let mut offset = Offset::new(40);
        [-900, 300, -20].into_iter().for_each(|ms| offset.add(ms));
        assert_eq!(offset, Offset { first_ms: 40, last_ms: -20, widest_ms: -900 });
    }
}
