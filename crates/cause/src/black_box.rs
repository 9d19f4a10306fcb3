//! The black box of a push: its first and last commands and its last media messages. Headers, sizes and timing, never
//! media; secrets are masked by the caller before they come here.
//!
//! | part | keeps | at most |
//! |---|---|---|
//! | first commands | up to 64, from the start | 1,152 bytes |
//! | last commands | up to 64, up to the end | 1,152 bytes |
//! | media | the last 192 messages | 2,496 bytes |
//!
//! Nothing is allocated before the first entry of a part, and nothing at all by a media message after that.

mod commands;
mod media;
mod sequence;

use serde::{Deserialize, Serialize};

pub use commands::CommandEntry;
use commands::Commands;
pub(crate) use commands::CommandsOfVersion1;
pub(crate) use media::MediaRing;
pub use media::{MediaEntry, MediaEntryKind};
pub use sequence::{Step, What};

/// The first and last commands and the last media headers of a push.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BlackBox {
    commands: Commands,
    media: MediaRing,
}

impl BlackBox {
    /// Notes a command, of the client or ours, and its place among the media. Name and summary are cut to 32 and 160
    /// bytes.
    pub fn command(&mut self, entry: CommandEntry) {
        self.commands.push(CommandEntry { after_media: Some(self.media.seen()), ..entry });
    }

    /// Notes a media message. On the hot path: a few stores into a ring.
    #[inline]
    pub fn media(&mut self, entry: MediaEntry) {
        self.media.push(entry);
    }

    /// The first commands, how many were left out after them, and the last commands; each oldest first.
    pub fn commands(&self) -> (Vec<CommandEntry>, u64, Vec<CommandEntry>) {
        self.commands.read()
    }

    /// The last media messages, oldest first.
    pub fn media_entries(&self) -> impl Iterator<Item = MediaEntry> + '_ {
        self.media.entries()
    }

    /// Media messages noted since the start, kept or not.
    pub fn media_seen(&self) -> u64 {
        self.media.seen()
    }

    /// Bytes of memory in use besides the struct itself.
    pub fn heap_bytes(&self) -> usize {
        self.commands.heap_bytes() + self.media.heap_bytes()
    }

    /// A black box of evidence of version 1.
    pub(crate) fn of_version_1(commands: CommandsOfVersion1, media: MediaRing) -> Self {
        Self { commands: commands.into(), media }
    }

    /// Forgets the media headers: how evidence that is too large is thinned.
    pub(crate) fn drop_media(&mut self) {
        self.media.clear();
    }

    /// Forgets the commands.
    pub(crate) fn drop_commands(&mut self) {
        self.commands = Commands::default();
    }
}

#[cfg(test)]
mod tests;
