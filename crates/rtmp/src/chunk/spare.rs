//! One read buffer a thread, handed from connection to connection: allocating one for each read costs more than the read
//! of a small message does.

use std::cell::Cell;

use bytes::BytesMut;

/// Larger ones are freed: one connection's long message shall not become every thread's burden.
const LARGEST: usize = 64 << 10;

thread_local! {
    static SPARE: Cell<BytesMut> = Cell::new(BytesMut::new());
}

/// An empty buffer with room for `size` bytes.
pub(super) fn take(size: usize) -> BytesMut {
    let spare = SPARE.take();
    if spare.capacity() >= size { spare } else { BytesMut::with_capacity(size) }
}

/// Gives an empty buffer up, which is kept if nothing else uses its memory and `size` bytes of it are there again.
pub(super) fn put(mut buffer: BytesMut, size: usize) {
    if buffer.is_empty() && size <= LARGEST && buffer.try_reclaim(size) && buffer.capacity() <= LARGEST {
        SPARE.set(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_unless_somebody_holds_a_part_of_it() {
        let mut buffer = take(4096);
        buffer.extend_from_slice(&[1; 100]);
        let at = buffer.as_ptr();
        buffer.clear();
        put(buffer, 4096);
        let mut again = take(4096);
        assert_eq!(again.as_ptr(), at);

        again.extend_from_slice(&[2; 100]);
        let held = again.split().freeze();
        put(again, 4096);
        let mut other = take(4096);
        other.extend_from_slice(&[3; 100]);
        assert_eq!(held, [2; 100][..]);
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        put(BytesMut::with_capacity(LARGEST * 4), 4096);
        assert!(take(16).capacity() <= LARGEST);
    }
}
