//! Values to bytes.

use bytes::{BufMut, BytesMut};

use super::{Object, Value, marker};
use crate::amf3;

/// Appends one value.
///
/// What AMF0 cannot express is left out or cut, never written as broken AMF: fields without a name (an empty name ends
/// an object) are skipped, and names of fields and classes are cut at 65,535 bytes.
pub fn encode(value: &Value, out: &mut BytesMut) {
    match value {
        Value::Number(number) => encode_number(*number, out),
        Value::Boolean(boolean) => encode_bool(*boolean, out),
        Value::String(text) => encode_str(text, out),
        Value::Object(object) => {
            out.put_u8(marker::OBJECT);
            fields(object, out);
        }
        Value::Null => encode_null(out),
        Value::Undefined => out.put_u8(marker::UNDEFINED),
        Value::Reference(index) => {
            out.put_u8(marker::REFERENCE);
            out.put_u16(*index);
        }
        Value::EcmaArray(object) => {
            out.put_u8(marker::ECMA_ARRAY);
            let count = object.iter().filter(|(name, _)| !name.is_empty()).count();
            out.put_u32(u32::try_from(count).unwrap_or(u32::MAX));
            fields(object, out);
        }
        Value::StrictArray(items) => {
            out.put_u8(marker::STRICT_ARRAY);
            let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
            out.put_u32(count);
            items.iter().take(count as usize).for_each(|item| encode(item, out));
        }
        Value::Date { unix_ms, timezone } => {
            out.put_u8(marker::DATE);
            out.put_f64(*unix_ms);
            out.put_i16(*timezone);
        }
        Value::LongString(text) => long_string(marker::LONG_STRING, text, out),
        Value::Unsupported => out.put_u8(marker::UNSUPPORTED),
        Value::Xml(text) => long_string(marker::XML, text, out),
        Value::TypedObject { class, object } => {
            out.put_u8(marker::TYPED_OBJECT);
            name(class, out);
            fields(object, out);
        }
        Value::AvmPlus(value) => {
            out.put_u8(marker::AVM_PLUS);
            amf3::encode(value, out);
        }
    }
}

/// Appends these values one after another.
pub fn encode_all<'a>(values: impl IntoIterator<Item = &'a Value>, out: &mut BytesMut) {
    values.into_iter().for_each(|value| encode(value, out));
}

/// Appends a string: a long one where it exceeds 65,535 bytes.
pub fn encode_str(text: &str, out: &mut BytesMut) {
    match u16::try_from(text.len()) {
        Ok(length) => {
            out.put_u8(marker::STRING);
            out.put_u16(length);
            out.put_slice(text.as_bytes());
        }
        Err(_) => long_string(marker::LONG_STRING, text, out),
    }
}

/// Appends a number.
pub fn encode_number(number: f64, out: &mut BytesMut) {
    out.put_u8(marker::NUMBER);
    out.put_f64(number);
}

/// Appends a truth value.
pub fn encode_bool(boolean: bool, out: &mut BytesMut) {
    out.put_u8(marker::BOOLEAN);
    out.put_u8(u8::from(boolean));
}

/// Appends null.
pub fn encode_null(out: &mut BytesMut) {
    out.put_u8(marker::NULL);
}

fn fields(object: &Object, out: &mut BytesMut) {
    for (key, value) in object.iter().filter(|(key, _)| !key.is_empty()) {
        name(key, out);
        encode(value, out);
    }
    out.put_u16(0);
    out.put_u8(marker::OBJECT_END);
}

fn name(name: &str, out: &mut BytesMut) {
    let cut = name.floor_char_boundary(usize::from(u16::MAX));
    let head = name.get(..cut).unwrap_or_default();
    out.put_u16(u16::try_from(head.len()).unwrap_or_default());
    out.put_slice(head.as_bytes());
}

fn long_string(marker: u8, text: &str, out: &mut BytesMut) {
    let cut = text.floor_char_boundary(u32::MAX as usize);
    let head = text.get(..cut).unwrap_or_default();
    out.put_u8(marker);
    out.put_u32(u32::try_from(head.len()).unwrap_or_default());
    out.put_slice(head.as_bytes());
}
