//! AMF0, the format of RTMP commands and metadata (Adobe, "Action Message Format -- AMF 0", 2007).
//!
//! A message is values one after another. [`Decoder`] yields them within [`Limits`], and an error tells the byte, the
//! marker and the path of names down to the field. [`encode`] writes a [`Value`]; [`encode_str`] and its kin write
//! without building one.
//!
//! Object references (marker 0x07) are checked and kept as [`Value::Reference`], not followed: a few bytes could
//! otherwise repeat a large value without bound. No encoder is known to send them.

mod decode;
mod encode;
mod marker;
mod object;
mod value;

pub use crate::amf::{DecodeError, DecodeErrorKind, Format, Limits, Path, Referent, Segment, Text};
pub use decode::Decoder;
pub use encode::{encode, encode_all, encode_bool, encode_null, encode_number, encode_str};
pub use object::Object;
pub use value::Value;

#[cfg(test)]
mod tests;
