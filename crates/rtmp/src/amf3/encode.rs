//! Values to bytes.

use bytes::{BufMut, BytesMut};

use super::{Array, Object, Value, integer, marker};

/// Set in the number before a value that stands here, and is no reference.
const INLINE: u32 = 1;

/// Appends one value.
///
/// What AMF3 cannot express is left out or cut, never written as broken AMF: fields without a name are skipped where an
/// empty name ends the list, and texts and lists are cut at 2^28 - 1.
pub fn encode(value: &Value, out: &mut BytesMut) {
    match value {
        Value::Undefined => out.put_u8(marker::UNDEFINED),
        Value::Null => out.put_u8(marker::NULL),
        Value::Boolean(false) => out.put_u8(marker::FALSE),
        Value::Boolean(true) => out.put_u8(marker::TRUE),
        Value::Integer(number @ integer::MIN_I29..=integer::MAX_I29) => {
            out.put_u8(marker::INTEGER);
            integer::write(number.cast_unsigned(), out);
        }
        Value::Integer(number) => double(f64::from(*number), out),
        Value::Double(number) => double(*number, out),
        Value::String(text) => {
            out.put_u8(marker::STRING);
            string(text, out);
        }
        Value::XmlDocument(text) => {
            out.put_u8(marker::XML_DOCUMENT);
            string(text, out);
        }
        Value::Date(unix_ms) => {
            out.put_u8(marker::DATE);
            integer::write(INLINE, out);
            out.put_f64(*unix_ms);
        }
        Value::Array(array) => self::array(array, out),
        Value::Object(object) => self::object(object, out),
        Value::Xml(text) => {
            out.put_u8(marker::XML);
            string(text, out);
        }
        Value::ByteArray(bytes) => {
            out.put_u8(marker::BYTE_ARRAY);
            let count = length(bytes.len(), out);
            out.put_slice(bytes.get(..count).unwrap_or_default());
        }
        Value::VectorInt { fixed, items } => {
            let count = vector(marker::VECTOR_INT, *fixed, items.len(), out);
            items.iter().take(count).for_each(|item| out.put_i32(*item));
        }
        Value::VectorUint { fixed, items } => {
            let count = vector(marker::VECTOR_UINT, *fixed, items.len(), out);
            items.iter().take(count).for_each(|item| out.put_u32(*item));
        }
        Value::VectorDouble { fixed, items } => {
            let count = vector(marker::VECTOR_DOUBLE, *fixed, items.len(), out);
            items.iter().take(count).for_each(|item| out.put_f64(*item));
        }
        Value::VectorObject { fixed, class, items } => {
            let count = vector(marker::VECTOR_OBJECT, *fixed, items.len(), out);
            string(class, out);
            items.iter().take(count).for_each(|item| encode(item, out));
        }
        Value::Dictionary { weak_keys, entries } => {
            let count = vector(marker::DICTIONARY, *weak_keys, entries.len(), out);
            for (key, value) in entries.iter().take(count) {
                encode(key, out);
                encode(value, out);
            }
        }
        Value::Reference(index) => reference(*index, out),
    }
}

fn double(number: f64, out: &mut BytesMut) {
    out.put_u8(marker::DOUBLE);
    out.put_f64(number);
}

/// References look alike behind the marker of any complex type, and readers look the value up without regard to it.
fn reference(index: u32, out: &mut BytesMut) {
    out.put_u8(marker::OBJECT);
    integer::write(index << 1, out);
}

/// Writes the length of what stands here, and returns what of it may be written.
fn length(length: usize, out: &mut BytesMut) -> usize {
    let most = integer::MAX_U29 >> 1;
    let length = u32::try_from(length).unwrap_or(most).min(most);
    integer::write(length << 1 | INLINE, out);
    length as usize
}

fn string(text: &str, out: &mut BytesMut) {
    let cut = text.floor_char_boundary((integer::MAX_U29 >> 1) as usize);
    let head = text.get(..cut).unwrap_or_default();
    length(head.len(), out);
    out.put_slice(head.as_bytes());
}

fn vector(marker: u8, flag: bool, count: usize, out: &mut BytesMut) -> usize {
    out.put_u8(marker);
    let count = length(count, out);
    out.put_u8(u8::from(flag));
    count
}

fn array(array: &Array, out: &mut BytesMut) {
    out.put_u8(marker::ARRAY);
    let count = length(array.items.len(), out);
    fields(&array.named, out);
    array.items.iter().take(count).for_each(|item| encode(item, out));
}

fn object(object: &Object, out: &mut BytesMut) {
    /// Traits stand here, and are no reference.
    const TRAITS: u32 = 0b10;
    const DYNAMIC: u32 = 0b1000;
    out.put_u8(marker::OBJECT);
    let most = integer::MAX_U29 >> 4;
    let count = u32::try_from(object.sealed.len()).unwrap_or(most).min(most);
    let dynamic = if object.dynamic.is_some() { DYNAMIC } else { 0 };
    integer::write(count << 4 | dynamic | TRAITS | INLINE, out);
    string(&object.class, out);
    let sealed = || object.sealed.iter().take(count as usize);
    sealed().for_each(|(name, _)| string(name, out));
    sealed().for_each(|(_, value)| encode(value, out));
    if let Some(added) = &object.dynamic {
        fields(added, out);
    }
}

fn fields(fields: &[(String, Value)], out: &mut BytesMut) {
    for (name, value) in fields.iter().filter(|(name, _)| !name.is_empty()) {
        string(name, out);
        encode(value, out);
    }
    string("", out);
}
