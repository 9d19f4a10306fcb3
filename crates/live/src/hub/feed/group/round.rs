//! What a group is given at a time.

use std::io::IoSlice;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::hub::feed::cursor::Point;

/// Batches that came together, framed, and how far one is who has them.
#[derive(Debug)]
pub(super) struct Round {
    /// Each with the sequence of its batch; headers lie before the batch that needs them.
    pieces: Vec<(u64, Bytes)>,
    after: Arc<Point>,
}

impl Round {
    pub(super) fn new(pieces: Vec<(u64, Bytes)>, after: Point) -> Self {
        Self { pieces, after: Arc::new(after) }
    }

    /// How far a member is who has all of it.
    pub(super) fn after(&self) -> &Arc<Point> {
        &self.after
    }

    /// The pieces, to be written.
    pub(super) fn slices(&self) -> Vec<IoSlice<'_>> {
        self.pieces.iter().map(|(_, piece)| IoSlice::new(piece)).collect()
    }

    /// The first piece for one whose next batch is of this sequence: some members had the beginning when they joined.
    pub(super) fn begins_at(&self, position: u64) -> usize {
        self.pieces.partition_point(|(sequence, _)| *sequence < position)
    }

    /// What is left from a piece on when so many bytes have been written.
    pub(super) fn rest(&self, from: usize, mut written: usize) -> Vec<Bytes> {
        let mut left = Vec::new();
        for (_, piece) in self.pieces.iter().skip(from) {
            let mut piece = piece.clone();
            let taken = written.min(piece.len());
            piece.advance(taken);
            written -= taken;
            if !piece.is_empty() {
                left.push(piece);
            }
        }
        left
    }
}
