//! How a timeline is written: packed samples in stored evidence, plain samples in JSON.

use std::ops::Range;

use serde::de::Error as _;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sample::{PACKED_LEN, Packed};
use super::{FINE, MIDDLE, MIDDLE_SPAN_S, Part, STORED_BUCKETS, Sample, Timeline};

/// The packed form: each part's samples, [`PACKED_LEN`] bytes each, oldest first.
#[derive(Serialize, Deserialize)]
struct Stored {
    end_s: u32,
    width_s: u32,
    buckets: Vec<u8>,
    middle: Vec<u8>,
    fine: Vec<u8>,
}

/// The readable form. `fine` and `middle` say how many of the newest samples belong to those parts.
#[derive(Deserialize)]
struct Readable {
    width_s: u32,
    middle: usize,
    fine: usize,
    samples: Vec<Sample>,
}

impl Serialize for Timeline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            let mut out = serializer.serialize_struct("Timeline", 4)?;
            out.serialize_field("width_s", &self.width_s)?;
            out.serialize_field("middle", &self.middle.len())?;
            out.serialize_field("fine", &self.fine.len())?;
            out.serialize_field("samples", &self.all().collect::<Vec<_>>())?;
            return out.end();
        }
        let bytes = |samples: &[Packed]| samples.iter().flat_map(|s| s.to_bytes()).collect();
        Stored {
            end_s: self.end_s,
            width_s: self.width_s,
            buckets: bytes(&self.buckets.samples()),
            middle: bytes(&self.middle.samples()),
            fine: self.fine.iter().flat_map(|s| s.to_bytes()).collect(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timeline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (end_s, width_s, parts) = if deserializer.is_human_readable() {
            let read = Readable::deserialize(deserializer)?;
            let packed: Vec<Packed> = read.samples.iter().map(Packed::new).collect();
            let fine = packed.len().saturating_sub(read.fine);
            let middle = fine.saturating_sub(read.middle);
            let part = |range: Range<usize>| packed.get(range).unwrap_or_default().to_vec();
            let end_s = read.samples.last().map_or(0, |s| s.at_s);
            (end_s, read.width_s, [part(0..middle), part(middle..fine), part(fine..packed.len())])
        } else {
            let read = Stored::deserialize(deserializer)?;
            (read.end_s, read.width_s, [unpack(&read.buckets)?, unpack(&read.middle)?, unpack(&read.fine)?])
        };
        // One more than a part holds: what was still being summed when it was written.
        let [buckets, middle, fine] = parts;
        if buckets.len() > STORED_BUCKETS + 1 || middle.len() > MIDDLE + 1 || fine.len() > FINE {
            return Err(D::Error::custom("a timeline with more samples than it can have"));
        }
        let part = |samples: Vec<Packed>| Part { closed: samples.into(), ..Part::default() };
        Ok(Self {
            end_s,
            fine: fine.into(),
            middle: part(middle),
            buckets: part(buckets),
            width_s: width_s.max(MIDDLE_SPAN_S),
        })
    }
}

fn unpack<E: serde::de::Error>(bytes: &[u8]) -> Result<Vec<Packed>, E> {
    let (samples, rest) = bytes.as_chunks::<PACKED_LEN>();
    if !rest.is_empty() {
        return Err(E::custom("a timeline that ends within a sample"));
    }
    Ok(samples.iter().map(|bytes| Packed::from_bytes(*bytes)).collect())
}
