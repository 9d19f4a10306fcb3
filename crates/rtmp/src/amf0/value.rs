//! One AMF0 value.

use super::Object;
use crate::amf3;

/// One AMF0 value. Variants keep apart what the wire keeps apart, so that decoding and encoding lose nothing.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Any number (2.2).
    Number(f64),
    /// A truth value (2.3).
    Boolean(bool),
    /// Text (2.4). Encoded as a long string where it exceeds 65,535 bytes.
    String(String),
    /// An anonymous object (2.5).
    Object(Object),
    /// Nothing (2.7).
    Null,
    /// Never assigned (2.8).
    Undefined,
    /// The n-th object or array of the same message, from 0 (2.9). Known to exist, not followed.
    Reference(u16),
    /// Named fields again, announced as an array (2.10): the usual form of metadata.
    EcmaArray(Object),
    /// Values by position (2.12).
    StrictArray(Vec<Value>),
    /// A moment (2.13).
    Date {
        /// Milliseconds since 1970-01-01 UTC.
        unix_ms: f64,
        /// Minutes from UTC. Reserved: writers should send 0, readers ignore it.
        timezone: i16,
    },
    /// Text of more than 65,535 bytes (2.14), or sent as if it were.
    LongString(String),
    /// Something the sender could not write (2.15).
    Unsupported,
    /// An XML document as text (2.17).
    Xml(String),
    /// An object of a registered class (2.18).
    TypedObject {
        /// The alias of the class.
        class: String,
        /// Its fields.
        object: Object,
    },
    /// A value in AMF3 (3.1).
    AvmPlus(amf3::Value),
}

impl Value {
    /// The text of a string of either format.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::LongString(text) => Some(text),
            Self::AvmPlus(value) => value.as_str(),
            _ => None,
        }
    }

    /// The number of a value of either format.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::AvmPlus(value) => value.as_f64(),
            _ => None,
        }
    }

    /// The truth value of a value of either format.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            Self::AvmPlus(value) => value.as_bool(),
            _ => None,
        }
    }

    /// The fields of an object, ECMA array or typed object. For objects in AMF3 see [`field`](Self::field).
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) | Self::EcmaArray(object) | Self::TypedObject { object, .. } => Some(object),
            _ => None,
        }
    }

    /// The items of a strict array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::StrictArray(items) => Some(items),
            _ => None,
        }
    }

    /// The field of this name, as AMF0 has it or, from an object in AMF3, wrapped in [`Value::AvmPlus`].
    pub fn field(&self, name: &str) -> Option<Value> {
        match self {
            Self::AvmPlus(value) => value.field(name).cloned().map(Value::AvmPlus),
            _ => self.as_object()?.get(name).cloned(),
        }
    }

    /// Whether there is no value: null or undefined, in either format.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null | Self::Undefined => true,
            Self::AvmPlus(value) => value.is_null(),
            _ => false,
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::StrictArray(items)
    }
}
