//! One AMF3 value.

/// One AMF3 value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Never assigned (3.2).
    Undefined,
    /// Nothing (3.3).
    Null,
    /// A truth value (3.4, 3.5).
    Boolean(bool),
    /// A whole number (3.6). The wire has 29 bits for it; one out of that range is encoded as a double.
    Integer(i32),
    /// Any number (3.7).
    Double(f64),
    /// Text (3.8).
    String(String),
    /// A legacy XML document as text (3.9).
    XmlDocument(String),
    /// A moment in milliseconds since 1970-01-01 UTC (3.10).
    Date(f64),
    /// Values by position, by name, or both (3.11).
    Array(Box<Array>),
    /// Named fields, perhaps of a class (3.12).
    Object(Box<Object>),
    /// XML as text (3.13).
    Xml(String),
    /// Bytes (3.14).
    ByteArray(Vec<u8>),
    /// Signed numbers (3.15).
    VectorInt {
        /// Whether the length is fixed.
        fixed: bool,
        /// The numbers.
        items: Vec<i32>,
    },
    /// Unsigned numbers (3.15).
    VectorUint {
        /// Whether the length is fixed.
        fixed: bool,
        /// The numbers.
        items: Vec<u32>,
    },
    /// Floating-point numbers (3.15).
    VectorDouble {
        /// Whether the length is fixed.
        fixed: bool,
        /// The numbers.
        items: Vec<f64>,
    },
    /// Values of one class (3.15).
    VectorObject {
        /// Whether the length is fixed.
        fixed: bool,
        /// The name of the class; empty for anonymous ones.
        class: Box<str>,
        /// The values.
        items: Vec<Value>,
    },
    /// Values by key of any type (3.16).
    Dictionary {
        /// Whether the keys are weak references in the sender's memory.
        weak_keys: bool,
        /// Key and value, in order.
        entries: Vec<(Value, Value)>,
    },
    /// The n-th complex value of the same message, from 0. Known to exist, not followed.
    Reference(u32),
}

/// The two parts of an AMF3 array.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Array {
    /// Values by name, in order.
    pub named: Vec<(String, Value)>,
    /// Values by position.
    pub items: Vec<Value>,
}

/// An AMF3 object: what its class declares, and what was added to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object {
    /// The name of the class; empty for anonymous objects.
    pub class: String,
    /// Fields that the class declares.
    pub sealed: Vec<(String, Value)>,
    /// Fields of this object alone; `None` where its class allows none.
    pub dynamic: Option<Vec<(String, Value)>>,
}

impl Object {
    /// The value of the field of this name, declared or added.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let added = self.dynamic.iter().flatten();
        self.sealed.iter().chain(added).find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl Value {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an integer or double.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(f64::from(*number)),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }

    /// Whether there is no value: null or undefined.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::Undefined)
    }

    /// The field of this name of an object, or the named value of an array.
    pub fn field(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(object) => object.get(name),
            Self::Array(array) => array.named.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }
}
