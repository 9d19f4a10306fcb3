//! The finer findings under a cause: stable keys with parameters, worded in three languages.

mod key;
mod unit;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub use key::DetailKey;
pub use unit::Unit;

/// The longest text that a parameter keeps, bytes. Evidence is bounded, and parameters may quote what a client sent.
pub const MAX_PARAM_BYTES: usize = 256;

/// A finer finding: a key and its parameters.
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
}

impl From<DetailKey> for Detail {
    fn from(key: DetailKey) -> Self {
        Self::new(key)
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
