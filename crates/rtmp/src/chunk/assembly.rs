//! A message of several chunks on its way to being whole.

use bytes::Bytes;

use crate::message::MessageInfo;

/// Reserved at most for a message of which nothing has come yet, on a chunk stream without a history.
const FIRST_RESERVE: usize = 16 << 10;

/// A half-received message and the one allocation it grows in.
///
/// The declared length is only believed as far as bytes back it: the allocation starts small and doubles. Where
/// the chunk stream has carried messages of some size before, up to twice that is reserved at once, so that in
/// the steady state of a push each message costs exactly one allocation and one copy.
#[derive(Debug)]
pub(super) struct Assembly {
    pub(super) info: MessageInfo,
    data: Vec<u8>,
}

impl Assembly {
    /// Begins a message. `seen` is the length of the longest message the chunk stream has completed.
    pub(super) fn new(info: MessageInfo, seen: usize) -> Self {
        let reserve = (info.length as usize).min(FIRST_RESERVE.max(seen.saturating_mul(2)));
        Self { info, data: Vec::with_capacity(reserve) }
    }

    /// Bytes received so far.
    pub(super) fn have(&self) -> usize {
        self.data.len()
    }

    /// Bytes still to come.
    pub(super) fn missing(&self) -> usize {
        (self.info.length as usize).saturating_sub(self.data.len())
    }

    /// Bytes of memory held.
    pub(super) fn held(&self) -> usize {
        self.data.capacity()
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let needed = self.data.len() + bytes.len();
        if needed > self.data.capacity() {
            let doubled = self.data.capacity().saturating_mul(2).min(self.info.length as usize);
            self.data.reserve_exact(doubled.max(needed) - self.data.len());
        }
        self.data.extend_from_slice(bytes);
    }

    pub(super) fn into_payload(self) -> Bytes {
        Bytes::from(self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(length: u32) -> MessageInfo {
        MessageInfo { offset: 0, chunk_stream: 4, type_id: 9, length, timestamp: 0, stream_id: 1 }
    }

    #[test]
    fn a_declared_length_reserves_little_until_bytes_back_it() {
        let mut assembly = Assembly::new(info(4 << 20), 0);
        assert!(assembly.held() <= 16 << 10);
        for _ in 0..256 {
            assembly.extend(&[7; 1024]);
            assert!(assembly.held() <= (16 << 10).max(2 * assembly.have()));
        }
    }

    #[test]
    fn a_message_like_the_ones_before_takes_one_exact_allocation() {
        let mut assembly = Assembly::new(info(90_000), 50_000);
        let held = assembly.held();
        assembly.extend(&[1; 90_000]);
        assert_eq!((held, assembly.held(), assembly.missing()), (90_000, 90_000, 0));
    }
}
