//! A connection's share of the memory that half-received messages may hold on the node.

use std::sync::Arc;

use cause::{Cause, Detail, DetailKey};

use crate::push::End;
use crate::shared::Shared;

/// Smaller holdings are covered by the read buffers, and are not worth a number that all connections share.
const COUNTED_FROM: usize = 256 * 1024;

/// What one connection holds, as far as it counts. It is given back when the value is dropped, after a panic too.
pub(super) struct MemoryShare {
    shared: Arc<Shared>,
    counted: usize,
}

impl MemoryShare {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, counted: 0 }
    }

    /// The connection holds `held` bytes now. Gives the push's end when that is more than is left for it (7/0).
    pub(super) fn hold(&mut self, held: usize) -> Option<End> {
        let counted = if held >= COUNTED_FROM { held } else { 0 };
        if counted == self.counted {
            return None;
        }
        let memory = &self.shared.message_memory;
        let fits = memory.change(self.counted, counted);
        self.counted = counted;
        (!fits).then(|| {
            let detail =
                Detail::new(DetailKey::MessageBudget).with("size", held).with("limit", memory.budget());
            End::cause(Cause::MessageTooLarge, Some(detail))
        })
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.shared.message_memory.change(self.counted, 0);
    }
}
