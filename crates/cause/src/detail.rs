//! The finer findings under a cause: stable keys with parameters, worded in three languages.
//!
//! Each key stands in one place with its causes, its parameters and their units ([`DetailKey`]); what it says stands in
//! one file per language, as a template with places for the parameters.

mod en;
mod ja;
mod key;
mod refusal;
mod template;
#[cfg(test)]
mod tests;
mod unit;
mod words;
mod zh;

use std::collections::BTreeMap;

use model::record::DetailRecord;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub use key::DetailKey;
pub(crate) use template::fill;
pub use unit::Unit;
pub(crate) use unit::clean;

use crate::table::Lang;

/// The longest text that a parameter keeps, bytes. Evidence is bounded, and parameters may quote what a client sent.
pub const MAX_PARAM_BYTES: usize = 256;

/// A finer finding: a key and its parameters.
///
/// ```
/// use cause::{Detail, DetailKey, Lang};
///
/// let detail = Detail::new(DetailKey::MidMessage).with("have", 812).with("want", 4096).with("message_type", 9);
/// assert_eq!(
///     detail.text(Lang::En),
///     "The connection ended in the middle of a message: 812 of 4,096 bytes had arrived (video).",
/// );
/// ```
///
/// Its serialised form suits formats that do not describe themselves, in which a value of any kind cannot be read
/// back: there the parameters stand as JSON text.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// What was found.
    pub key: DetailKey,
    /// By name, in the units that [`DetailKey::params`] gives.
    pub params: BTreeMap<String, Value>,
}

impl Detail {
    /// A detail without parameters.
    pub fn new(key: DetailKey) -> Self {
        Self { key, params: BTreeMap::new() }
    }

    /// Adds a parameter. Text above [`MAX_PARAM_BYTES`] is cut.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.insert(name.to_owned(), bounded(value.into()));
        self
    }

    /// Adds a parameter if its value is known.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The detail in words, on one line. A missing parameter leaves its part of the sentence out; a key of a newer
    /// version shows as it is, with its parameters.
    pub fn text(&self, lang: Lang) -> String {
        let template = match lang {
            Lang::Ja => ja::template(&self.key),
            Lang::En => en::template(&self.key),
            Lang::Zh => zh::template(&self.key),
        };
        match template {
            Some(template) => template::fill(template, |name| self.shown(name, lang)),
            None => self.plain(lang),
        }
    }

    /// The record's form, worded for a reader. For the store, see `From<Detail> for DetailRecord`.
    pub fn to_record(&self, lang: Lang) -> DetailRecord {
        DetailRecord { key: self.key.to_string(), params: self.params.clone(), text: self.text(lang) }
    }

    fn shown(&self, name: &str, lang: Lang) -> Option<String> {
        let (_, unit) = self.key.params().iter().find(|(known, _)| *known == name)?;
        unit.show(self.params.get(name)?, lang)
    }

    fn plain(&self, lang: Lang) -> String {
        let mut text = unit::clean(self.key.as_str());
        for (name, value) in &self.params {
            if let Some(shown) = Unit::Text.show(value, lang) {
                text.push_str(&format!(" {}={shown}", unit::clean(name)));
            }
        }
        text
    }
}

impl From<DetailKey> for Detail {
    fn from(key: DetailKey) -> Self {
        Self::new(key)
    }
}

impl From<Detail> for DetailRecord {
    /// The form for the store: without text, which depends on the reader.
    fn from(detail: Detail) -> Self {
        Self { key: detail.key.to_string(), params: detail.params, text: String::new() }
    }
}

impl From<DetailRecord> for Detail {
    fn from(record: DetailRecord) -> Self {
        Self { key: record.key.into(), params: record.params }
    }
}

impl From<&DetailRecord> for Detail {
    fn from(record: &DetailRecord) -> Self {
        record.clone().into()
    }
}

fn bounded(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_PARAM_BYTES => {
            let mark = '…';
            let end = text.floor_char_boundary(MAX_PARAM_BYTES - mark.len_utf8());
            let mut cut: String = text.get(..end).unwrap_or_default().to_owned();
            cut.push(mark);
            Value::String(cut)
        }
        other => other,
    }
}

/// The form for people and programs that read JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Detail")]
struct Described {
    key: DetailKey,
    #[serde(default)]
    params: BTreeMap<String, Value>,
}

/// The form for formats that do not describe themselves.
#[derive(Serialize, Deserialize)]
struct Packed {
    key: DetailKey,
    params: String,
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, params) = (self.key.clone(), &self.params);
        if serializer.is_human_readable() {
            return Described { key, params: params.clone() }.serialize(serializer);
        }
        let params = serde_json::to_string(params).map_err(serde::ser::Error::custom)?;
        Packed { key, params }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Detail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let Described { key, params } = Described::deserialize(deserializer)?;
            return Ok(Self { key, params });
        }
        let Packed { key, params } = Packed::deserialize(deserializer)?;
        let params = serde_json::from_str(&params).map_err(serde::de::Error::custom)?;
        Ok(Self { key, params })
    }
}
