//! AMF3, the later format of Flash clients (Adobe, "Action Message Format -- AMF 3", 2013).
//!
//! In RTMP it appears inside AMF0, behind the marker 0x11: [`amf0::Value::AvmPlus`](crate::amf0::Value::AvmPlus).
//! [`Decoder`] reads AMF3 on its own.
//!
//! References to strings and traits are resolved. References to objects are checked and kept as [`Value::Reference`],
//! since objects may contain themselves, and since a few bytes could otherwise repeat a large value without bound.
//! [`encode`] writes no references but those: everything stands inline, which every reader understands.

mod decode;
mod encode;
mod integer;
mod marker;
mod value;

pub use crate::amf::{DecodeError, DecodeErrorKind, Limits, Text};
pub use decode::Decoder;
pub(crate) use decode::Tables;
pub use encode::encode;
pub use value::{Array, Object, Value};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::any_value;
