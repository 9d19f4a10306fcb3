//! Abnormalities while a push is live: their types, and their wording in three languages.
//!
//! Types 1-16 are those of the push error callback; those from 100 are ours.

mod kind;
mod words;

use serde::{Deserialize, Serialize};

pub use kind::EventKind;

use crate::detail::Unit;
use crate::table::Lang;

/// Occurrences of one type that are kept, the newest ones.
pub const OCCURRENCES_KEPT: usize = 5;

/// How often one type of event happened, when, and what was seen the last few times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCount {
    /// The type's number ([`EventKind::number`]); a newer version may write numbers that this one does not know.
    pub kind: u8,
    /// How often.
    pub count: u32,
    /// Milliseconds from connecting to the first.
    pub first_ms: u32,
    /// Milliseconds from connecting to the last.
    pub last_ms: u32,
    /// The last occurrences, oldest first; at most [`OCCURRENCES_KEPT`].
    pub recent: Vec<Occurrence>,
}

/// One occurrence of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Milliseconds from connecting.
    pub at_ms: u32,
    /// What was measured, in the type's own unit ([`EventKind::unit`]); frames a second in hundredths.
    pub value: Option<u32>,
    /// Timestamp of the media message, ms, where one was concerned.
    pub timestamp: Option<u32>,
    /// What was seen beyond the numbers, such as a codec's name.
    pub text: String,
}

impl EventCount {
    /// The type, if this version knows it.
    pub fn event(&self) -> Option<EventKind> {
        EventKind::from_number(self.kind)
    }

    /// What the type is called; its number for one of a newer version.
    pub fn name(&self, lang: Lang) -> String {
        self.event().map_or_else(|| self.kind.to_string(), |kind| kind.name(lang).to_owned())
    }
}

impl Occurrence {
    /// The occurrence in words, on one line.
    pub fn text(&self, kind: Option<EventKind>, lang: Lang) -> String {
        match kind {
            Some(kind) => words::sentence(kind, self, lang),
            None => crate::detail::clean(&self.text),
        }
    }

    fn shown(&self, name: &str, unit: Unit, lang: Lang) -> Option<String> {
        match name {
            "value" if unit == Unit::Rate => unit.show(&(f64::from(self.value?) / 100.0).into(), lang),
            "value" => unit.show(&self.value?.into(), lang),
            "timestamp" => Unit::Count.show(&self.timestamp?.into(), lang),
            _ => Unit::Sentence.show(&self.text.as_str().into(), lang),
        }
    }
}
