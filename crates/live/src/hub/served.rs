//! A stream that this node carries, served to other nodes: only to those that follow a lease of it, and only for as long as
//! it is this node's.

use std::sync::Arc;

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};
use model::StreamKey;

use super::feed::{Viewer, ViewerInfo};
use super::{Hub, LiveStream, Parting};
use crate::push::OrderSlot;

/// The leases by which this node carries a stream without a break.
#[derive(Debug)]
pub(super) struct Tenure {
    /// The revision by which it began.
    first: u64,
    /// The newest revision.
    newest: u64,
    /// The nodes that are served, and how their connections are told to end.
    served: Vec<(String, Arc<OrderSlot>)>,
}

/// Why a node is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// The stream key is not this node's, or nothing is published yet.
    #[error("this node does not carry the stream")]
    NotHere,
    /// It follows another lease.
    #[error("this node carries the stream by revisions {first} to {newest}, not by {asked}")]
    Revision {
        /// The revision by which this node has come by the stream.
        first: u64,
        /// The newest of its own.
        newest: u64,
        /// What was asked for.
        asked: u64,
    },
}

impl Hub {
    /// Joins the viewers of a stream on behalf of another node that follows this revision of its lease. `order` is how it
    /// is told to end; a pull of the same node from before is.
    ///
    /// # Errors
    /// [`NotServed`].
    pub fn serve(
        &self,
        key: &StreamKey,
        node: &str,
        asked: u64,
        order: &Arc<OrderSlot>,
        who: ViewerInfo,
    ) -> Result<Viewer, NotServed> {
        let mut streams = self.lock();
        let stream = streams.get_mut(key).ok_or(NotServed::NotHere)?;
        let tenure = stream.tenure.as_mut().filter(|_| !stream.elsewhere).ok_or(NotServed::NotHere)?;
        let Tenure { first, newest, .. } = *tenure;
        if !(first..=newest).contains(&asked) {
            return Err(NotServed::Revision { first, newest, asked });
        }
        tenure.served.retain(|(of, earlier)| {
            let again = of == node;
            if again {
                earlier.give(over("the same node asked again"));
            }
            !again
        });
        tenure.served.push((node.to_owned(), order.clone()));
        // Not bounded by `[play] viewers`: those are counted where they watch.
        Ok(Viewer::join_push(&stream.feed, who, self.played.clone()))
    }

    /// The revision of the lease by which this node has come by a stream; `None` where it does not carry it.
    pub fn carried_since(&self, key: &StreamKey) -> Option<u64> {
        self.lock().get(key)?.tenure.as_ref().map(|tenure| tenure.first)
    }

    /// This node has written its own lease again.
    pub fn renew_tenure(&self, key: &StreamKey, revision: u64) {
        if let Some(tenure) = self.lock().get_mut(key).and_then(|stream| stream.tenure.as_mut()) {
            tenure.newest = tenure.newest.max(revision);
        }
    }
}

impl LiveStream {
    /// The stream is this node's by the lease of this revision, or still is.
    pub(super) fn begin_tenure(&mut self, revision: u64) {
        match &mut self.tenure {
            Some(tenure) => tenure.newest = tenure.newest.max(revision),
            None => {
                // What was fetched from the owner before is not for nodes that follow this one.
                self.feed.forget_start();
                self.tenure = Some(Tenure { first: revision, newest: revision, served: Vec::new() });
            }
        }
    }

    /// The stream is no longer this node's: nodes that follow it here have to ask the next owner.
    pub(super) fn end_tenure(&mut self) {
        if let Some(tenure) = self.tenure.take() {
            let act = over("this node no longer carries the stream");
            tenure.served.iter().for_each(|(_, order)| {
                order.give(act.clone());
            });
        }
    }

    /// The last push is gone. Where it is over, the nodes hear of that as any viewer does.
    pub(super) fn leave_tenure(&mut self, parting: Parting) {
        match parting {
            Parting::Lost => self.end_tenure(),
            Parting::Over => self.tenure = None,
        }
    }
}

fn over(reason: &str) -> Act {
    let detail = Detail::new(DetailKey::LeaseLost).with("reason", reason);
    Act { code: Cause::OwnershipLost.code(), detail: Some(detail) }
}
