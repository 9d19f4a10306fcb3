//! The logs of the first and the last commands.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::evidence::cut;

/// Commands that each log keeps at most.
const KEPT: usize = 64;
/// Bytes that each log keeps at most.
const LOG_BYTES: usize = 1152;
/// Bytes more that a stored log may take: one of version 1 grows by a byte an entry when it is read.
const STORED_EXTRA: usize = KEPT;
const NAME_BYTES: usize = 32;
const SUMMARY_BYTES: usize = 160;

/// One command, or another message that is no media, in either direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEntry {
    /// Milliseconds from connecting.
    pub at_ms: u32,
    /// From the client; else from us.
    pub from_client: bool,
    /// Its name, such as `connect` or `_result`.
    pub name: String,
    /// Its arguments in short, secrets masked.
    pub summary: String,
    /// Its size, bytes.
    pub size: u32,
    /// Media messages that had come before it, which orders it among them within a millisecond; `None` where the
    /// evidence is too old to know.
    pub after_media: Option<u64>,
}

/// The first and the last commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Commands {
    /// Nothing joins the first commands any more once one did not fit.
    first_is_full: bool,
    first: Log,
    last: Log,
    seen: u64,
}

impl Commands {
    pub(super) fn push(&mut self, entry: CommandEntry) {
        self.push_within(entry, LOG_BYTES);
    }

    fn push_within(&mut self, mut entry: CommandEntry, bytes: usize) {
        self.seen = self.seen.saturating_add(1);
        cut(&mut entry.name, NAME_BYTES);
        cut(&mut entry.summary, SUMMARY_BYTES);
        // Writing numbers and texts into memory cannot fail; an entry that did would only be left out.
        let Ok(written) = postcard::to_stdvec(&entry) else { return };
        if !self.first_is_full && self.first.has_room(&written, bytes) {
            self.first.append(&written);
            return;
        }
        self.first_is_full = true;
        while !self.last.has_room(&written, bytes) && self.last.drop_oldest() {}
        self.last.append(&written);
    }

    pub(super) fn read(&self) -> (Vec<CommandEntry>, u64, Vec<CommandEntry>) {
        let (first, last) = (self.first.entries(), self.last.entries());
        let kept = u64::try_from(first.len() + last.len()).unwrap_or(u64::MAX);
        (first, self.seen.saturating_sub(kept), last)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.first.lines.capacity() + self.last.lines.capacity()
    }
}

/// Entries written one behind the other, so that a command costs its text and little more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Log {
    count: usize,
    lines: Vec<u8>,
}

impl Log {
    fn has_room(&self, written: &[u8], bytes: usize) -> bool {
        self.count < KEPT && self.lines.len() + written.len() <= bytes
    }

    fn append(&mut self, written: &[u8]) {
        let needed = self.lines.len() + written.len();
        if needed > self.lines.capacity() {
            let capacity = needed.next_multiple_of(256).min(LOG_BYTES).max(needed);
            self.lines.reserve_exact(capacity - self.lines.len());
        }
        self.lines.extend_from_slice(written);
        self.count += 1;
    }

    /// False when there was nothing to drop.
    fn drop_oldest(&mut self) -> bool {
        let Ok((_, rest)) = postcard::take_from_bytes::<CommandEntry>(&self.lines) else {
            self.lines.clear();
            self.count = 0;
            return false;
        };
        let read = self.lines.len() - rest.len();
        self.lines.drain(..read);
        self.count = self.count.saturating_sub(1);
        true
    }

    fn entries(&self) -> Vec<CommandEntry> {
        let mut rest = self.lines.as_slice();
        let mut entries = Vec::with_capacity(self.count);
        while let Ok((entry, after)) = postcard::take_from_bytes(rest) {
            entries.push(entry);
            rest = after;
        }
        entries
    }
}

/// The commands as version 1 of the evidence wrote them.
#[derive(Deserialize)]
pub(crate) struct CommandsOfVersion1 {
    seen: u64,
    first: Vec<EntryOfVersion1>,
    last: Vec<EntryOfVersion1>,
}

#[derive(Deserialize)]
struct EntryOfVersion1 {
    at_ms: u32,
    from_client: bool,
    name: String,
    summary: String,
    size: u32,
}

impl From<EntryOfVersion1> for CommandEntry {
    fn from(old: EntryOfVersion1) -> Self {
        let EntryOfVersion1 { at_ms, from_client, name, summary, size } = old;
        Self { at_ms, from_client, name, summary, size, after_media: None }
    }
}

impl From<CommandsOfVersion1> for Commands {
    fn from(old: CommandsOfVersion1) -> Self {
        let entries = |old: Vec<EntryOfVersion1>| old.into_iter().map(CommandEntry::from).collect();
        Stored { seen: old.seen, first: entries(old.first), last: entries(old.last) }.into()
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    seen: u64,
    first: Vec<CommandEntry>,
    last: Vec<CommandEntry>,
}

impl Serialize for Commands {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (first, _, last) = self.read();
        Stored { seen: self.seen, first, last }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Commands {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Stored::deserialize(deserializer).map(Self::from)
    }
}

impl From<Stored> for Commands {
    fn from(stored: Stored) -> Self {
        let mut commands = Self::default();
        let bytes = LOG_BYTES + STORED_EXTRA;
        stored.first.into_iter().take(KEPT).for_each(|entry| commands.push_within(entry, bytes));
        commands.first_is_full |= !stored.last.is_empty();
        stored.last.into_iter().take(KEPT).for_each(|entry| commands.push_within(entry, bytes));
        commands.seen = stored.seen;
        commands
    }
}
