//! The memory that media held for viewers takes on the whole node, against its budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes held for viewers of all live streams. Touched per batch, not per frame.
#[derive(Debug)]
pub struct MediaMemory {
    held: AtomicUsize,
    budget: usize,
}

/// A part of that memory, given back on drop.
#[derive(Debug)]
pub(super) struct Share {
    memory: Arc<MediaMemory>,
    bytes: AtomicUsize,
}

impl MediaMemory {
    /// A budget of so many bytes.
    pub fn new(budget: usize) -> Self {
        Self { held: AtomicUsize::new(0), budget }
    }

    /// Bytes held now.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Whether more is held than the budget has.
    pub fn is_exceeded(&self) -> bool {
        self.held() > self.budget
    }

    pub(super) fn share(self: &Arc<Self>, bytes: usize) -> Share {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        Share { memory: self.clone(), bytes: AtomicUsize::new(bytes) }
    }
}

impl Share {
    pub(super) fn grow(&self, bytes: usize) {
        self.memory.held.fetch_add(bytes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.held.fetch_sub(self.bytes(), Ordering::Relaxed);
    }
}
