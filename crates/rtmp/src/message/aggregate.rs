//! Aggregate messages: several audio, video and data messages in one (RTMP 1.0, 7.1.6).

use bytes::{Buf, Bytes};

use super::{Message, MessageInfo, type_id};

/// Bytes before the body of each part: type, length, timestamp with its extension, stream id, as in an FLV tag.
const HEADER: usize = 11;

/// Bytes after the body of each part: the length of the part, counted backwards.
const BACK_POINTER: usize = 4;

/// An aggregate whose parts do not fill it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("part at byte {at} of the aggregate needs {needed} bytes, {have} left")]
pub struct Truncated {
    /// Offset of the part in the aggregate's body.
    pub at: usize,
    /// Bytes the part has to have, its header included.
    pub needed: usize,
    /// Bytes that are there.
    pub have: usize,
}

/// The parts of one aggregate message, in order.
#[derive(Debug)]
pub struct Parts {
    info: MessageInfo,
    rest: Bytes,
    whole: usize,
    /// Added to each part's own timestamp: the aggregate's timestamp is that of its first part.
    shift: Option<u32>,
}

impl Parts {
    /// The parts of `message`, which has to be of type 22.
    pub fn new(message: Message) -> Self {
        Self { info: message.info, whole: message.payload.len(), rest: message.payload, shift: None }
    }

    /// The next part, or `None` after the last. A missing back pointer after the last part is tolerated.
    ///
    /// # Errors
    /// [`Truncated`] where a part is longer than what is left.
    pub fn next_part(&mut self) -> Result<Option<Message>, Truncated> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let at = self.whole.saturating_sub(self.rest.len());
        let have = self.rest.len();
        let Some(&[kind, l0, l1, l2, t0, t1, t2, t3, ..]) = self.rest.first_chunk::<HEADER>() else {
            return Err(Truncated { at, needed: HEADER, have });
        };
        let length = u32::from_be_bytes([0, l0, l1, l2]);
        let own = u32::from_be_bytes([t3, t0, t1, t2]);
        let needed = HEADER + length as usize;
        if have < needed {
            return Err(Truncated { at, needed, have });
        }
        self.rest.advance(HEADER);
        let body = self.rest.split_to(length as usize);
        self.rest.advance(BACK_POINTER.min(self.rest.len()));

        let shift = *self.shift.get_or_insert_with(|| self.info.timestamp.wrapping_sub(own));
        let info =
            MessageInfo { type_id: kind & 0x1f, length, timestamp: own.wrapping_add(shift), ..self.info };
        // A slice keeps the whole aggregate alive, so a part that is the smaller half of it is copied out.
        let payload = if body.len() * 2 >= self.whole { body } else { Bytes::copy_from_slice(&body) };
        Ok(Some(Message { info, payload }))
    }

    /// Whether a part of this type may stand in an aggregate.
    pub fn may_carry(kind: u8) -> bool {
        matches!(kind, type_id::AUDIO | type_id::VIDEO | type_id::DATA_AMF0 | type_id::DATA_AMF3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(kind: u8, timestamp: u32, body: &[u8]) -> Vec<u8> {
        let mut out = vec![kind];
        out.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
        out.extend_from_slice(&timestamp.to_be_bytes()[1..]);
        out.push(timestamp.to_be_bytes()[0]);
        out.extend_from_slice(&[0, 0, 0]);
        out.extend_from_slice(body);
        out.extend_from_slice(&(body.len() as u32 + 11).to_be_bytes());
        out
    }

    fn aggregate(timestamp: u32, body: Vec<u8>) -> Parts {
        let info = MessageInfo {
            offset: 7,
            chunk_stream: 4,
            type_id: type_id::AGGREGATE,
            length: body.len() as u32,
            timestamp,
            stream_id: 1,
        };
        Parts::new(Message { info, payload: body.into() })
    }

    #[test]
    fn parts_take_the_aggregates_timestamp_as_their_origin() {
        let body = [part(8, 500, b"aa"), part(9, 520, b"vvv")].concat();
        let mut parts = aggregate(9_000, body);
        let first = parts.next_part().unwrap().unwrap();
        assert_eq!((first.info.type_id, first.info.timestamp, &first.payload[..]), (8, 9_000, &b"aa"[..]));
        let second = parts.next_part().unwrap().unwrap();
        assert_eq!(
            (second.info.type_id, second.info.timestamp, &second.payload[..]),
            (9, 9_020, &b"vvv"[..])
        );
        assert_eq!(second.info.offset, 7);
        assert_eq!(parts.next_part(), Ok(None));
    }

    #[test]
    fn the_timestamps_extension_byte_is_the_high_one() {
        let body = [part(8, 0x0100_0000, b"a"), part(8, 0x0100_0005, b"b")].concat();
        let mut parts = aggregate(10, body);
        assert_eq!(parts.next_part().unwrap().unwrap().info.timestamp, 10);
        assert_eq!(parts.next_part().unwrap().unwrap().info.timestamp, 15);
    }

    #[test]
    fn a_missing_last_back_pointer_is_tolerated() {
        let mut body = part(9, 0, b"frame");
        body.truncate(body.len() - 4);
        let mut parts = aggregate(0, body);
        assert_eq!(&parts.next_part().unwrap().unwrap().payload[..], b"frame");
        assert_eq!(parts.next_part(), Ok(None));
    }

    #[test]
    fn a_part_longer_than_the_aggregate_says_where() {
        let mut body = part(8, 0, b"a");
        let at = body.len();
        body.extend_from_slice(&part(9, 0, b"frame")[..13]);
        let mut parts = aggregate(0, body);
        parts.next_part().unwrap();
        assert_eq!(parts.next_part(), Err(Truncated { at, needed: 16, have: 13 }));
    }
}
