//! Ids of a push: the UUIDv7 that keys its record, and the decimal `sequence` that CSS callbacks carry.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;

/// A push's id: a UUIDv7 (RFC 9562), so that ids sort by the time at which the push began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PushId(Uuid);

impl PushId {
    /// Wraps a UUID that [`crate::Clock::push_id`] or the store gave.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// An id with a given time and given low bits; for clocks under test and for keyset bounds.
    pub fn from_parts(time: Timestamp, low: u128) -> Self {
        let millis = u64::try_from(time.millis()).unwrap_or(0);
        let random = low.to_be_bytes();
        let mut bytes = [0u8; 10];
        bytes.copy_from_slice(&random[6..]);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }

    /// The 16 bytes as stored.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// An id from its 16 stored bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The time in the id, to the millisecond.
    pub fn time(&self) -> Timestamp {
        let value = self.0.as_u128() >> 80;
        Timestamp(i64::try_from(value).unwrap_or(0))
    }

    /// The push's [`Sequence`]: 63 bits of the id, so that it can be found again and never needs a counter.
    pub fn sequence(&self) -> Sequence {
        let value = self.0.as_u128();
        // 48 bits of time above, 15 of randomness below: sorts by time and fits a signed 64-bit column.
        let time = (value >> 80) & 0xFFFF_FFFF_FFFF;
        let random = (value ^ (value >> 15) ^ (value >> 64)) & 0x7FFF;
        Sequence(u64::try_from((time << 15) | random).unwrap_or(0) & (i64::MAX as u64))
    }
}

impl fmt::Display for PushId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for PushId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for PushId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The id of one push in callbacks and CSS answers: up to 19 decimal digits, sent as text because JSON numbers lose
/// digits past 2^53.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Sequence {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sequence {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_its_time_and_sorts_by_it() {
        let early = PushId::from_parts(Timestamp(1_763_841_600_000), 7);
        let late = PushId::from_parts(Timestamp(1_763_841_600_001), 1);
        assert_eq!(early.time(), Timestamp(1_763_841_600_000));
        assert!(early < late);
        assert!(early.sequence() < late.sequence());
        assert_eq!(early.to_string().parse::<PushId>().unwrap(), early);
    }

    #[test]
    fn a_sequence_is_decimal_text_of_at_most_19_digits() {
        let id = PushId::from_parts(Timestamp(1_763_841_600_000), 7);
        let json = serde_json::to_string(&id.sequence()).unwrap();
        assert!(json.starts_with('"') && json.len() <= 21, "{json}");
        assert_eq!(serde_json::from_str::<Sequence>(&json).unwrap(), id.sequence());
    }
}
