//! Cuts a live stream into parts and segments for HLS and low-latency HLS, and writes the playlists (RFC 8216;
//! draft-pantos-hls-rfc8216bis).
//!
//! | question | answered by |
//! |---|---|
//! | how do messages become segments? | [`Packager`] |
//! | what can a viewer see now, and what is still to come? | [`View`] |
//! | what is it that viewers fetch? | [`Init`], [`Part`], [`Segment`], and playlists as [`Text`] |
//!
//! The same segments serve players of both kinds: a segment is its parts, one after the other.

mod packager;
mod period;
mod playlist;
mod queue;
mod segment;
mod settings;
mod text;
mod time;
mod view;
mod window;

pub use packager::Packager;
pub use segment::{Init, Part, Segment};
pub use settings::Settings;
pub use text::Text;
pub use view::{Reached, Targets, View};
