//! What waits to be written to one viewer.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// Pieces in the order in which they go out; shared with other viewers where they are the same for all.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Outbox {
    /// Adds a piece behind the others.
    pub(crate) fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.bytes += piece.len();
            self.pieces.push_back(piece);
        }
    }
}

impl Buf for Outbox {
    fn remaining(&self) -> usize {
        self.bytes
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pairs = slices.iter_mut().zip(&self.pieces);
        pairs.map(|(slice, piece)| *slice = IoSlice::new(piece)).count()
    }

    fn advance(&mut self, mut count: usize) {
        self.bytes = self.bytes.saturating_sub(count);
        while count > 0 {
            let Some(front) = self.pieces.front_mut() else { return };
            if front.len() > count {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.pieces.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_went_in_comes_out_however_it_is_taken(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..12),
            takes in prop::collection::vec(1usize..30, 1..80),
        ) {
            let (all, mut outbox, mut seen) = (pieces.concat(), Outbox::default(), Vec::new());
            pieces.into_iter().for_each(|piece| outbox.push(piece.into()));
            for take in takes {
                let mut slices = [IoSlice::new(&[]); 4];
                let count = outbox.chunks_vectored(&mut slices);
                let offered: Vec<u8> = slices[..count].iter().flat_map(|s| s.to_vec()).collect();
                let taken = take.min(offered.len());
                seen.extend_from_slice(&offered[..taken]);
                outbox.advance(taken);
            }
            prop_assert_eq!(&seen[..], &all[..seen.len()]);
            prop_assert_eq!(outbox.remaining(), all.len() - seen.len());
        }
    }
}
