//! Another push of the same key carries the stream because somebody wants it so: nobody is ended by that, and the push that
//! carried the stream waits.

use model::{PushId, Sequence, StreamKey};
use serde::{Deserialize, Serialize};

use super::{Hub, LiveStream, Member};

/// What came of an order to let another push carry a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switched {
    /// It carries the stream from its next key frame on.
    Now,
    /// It did so already.
    Already,
    /// No push of that sequence carries the stream or waits for it.
    #[default]
    NoSuchPush,
    /// The stream changed hands again and again meanwhile. Nothing was done.
    Moved,
    /// The registry did not say whether it took the change, or a node that may have the push did not answer.
    Unreachable,
}

/// What an order to switch finds on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switching {
    /// It is decided here.
    Done(Switched),
    /// The push waits here for a stream that another node carries: the registry has to be asked.
    Waits(PushId),
}

impl Hub {
    /// Lets the push of that sequence carry the stream, where that is this node's to say; the one that did so far waits as a
    /// backup.
    pub fn switch_to(&self, key: &StreamKey, to: Sequence) -> Switching {
        let mut streams = self.lock();
        let gone = Switching::Done(Switched::NoSuchPush);
        let Some(stream) = streams.get_mut(key) else { return gone };
        match stream.place_of(|member| member.handle.id.sequence() == to) {
            None => gone,
            Some(at) if stream.elsewhere => {
                stream.members.get(at).map_or(gone, |member| Switching::Waits(member.handle.id))
            }
            Some(0) => Switching::Done(Switched::Already),
            Some(at) => {
                stream.bring_forward(at);
                if let Some(first) = stream.members.first() {
                    stream.feed.carry(first.writer);
                }
                Switching::Done(Switched::Now)
            }
        }
    }

    /// The stream key has come to this node by the lease of this revision, for the sake of a push that waited here. False if
    /// that has left; the next one carries the stream then.
    pub fn handed_to(&self, key: &StreamKey, revision: u64, push: PushId) -> bool {
        let mut streams = self.lock();
        let Some(stream) = streams.get_mut(key).filter(|stream| !stream.members.is_empty()) else {
            return false;
        };
        let place = stream.place_of(|member| member.handle.id == push);
        if let Some(at) = place {
            stream.bring_forward(at);
        }
        stream.stands_here(revision);
        place.is_some()
    }

    /// The stream key was given to a push on another node: the pushes of this one wait, and what its viewers see comes from
    /// there.
    pub fn gives_way(&self, key: &StreamKey) {
        let mut streams = self.lock();
        let Some(stream) = streams.get_mut(key) else { return };
        stream.elsewhere = true;
        stream.end_tenure();
        let carrier = stream.feed.carrier();
        if stream.members.iter().any(|member| carrier == Some(member.writer)) {
            stream.feed.lose();
        }
    }
}

impl LiveStream {
    /// Where a push stands that is not about to end.
    fn place_of(&self, is: impl Fn(&Member) -> bool) -> Option<usize> {
        self.members.iter().position(|member| is(member) && member.handle.order.get().is_none())
    }

    fn bring_forward(&mut self, at: usize) {
        if let Some(first) = self.members.get_mut(..=at) {
            first.rotate_right(1);
        }
    }
}
