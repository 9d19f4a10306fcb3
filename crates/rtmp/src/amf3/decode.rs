//! Bytes to values.

use std::sync::Arc;

use super::{Array, Object, Value, integer, marker};
use crate::amf::{DecodeErrorKind, Format, Limits, Referent, Result, Source, Text};

/// Yields the values of a message that is AMF3 throughout.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    source: Source<'a>,
    tables: Tables,
    yielded: usize,
    failed: bool,
}

impl<'a> Decoder<'a> {
    /// Decodes with the default limits and strict text.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::with(bytes, Limits::default(), Text::Strict)
    }

    /// Decodes with these limits and this treatment of text.
    pub fn with(bytes: &'a [u8], limits: Limits, text: Text) -> Self {
        let source = Source::new(bytes, limits, text, Format::Amf3);
        Self { source, tables: Tables::default(), yielded: 0, failed: false }
    }

    /// Offset of the next value; after an error, of the byte that could not be read.
    pub fn position(&self) -> usize {
        self.source.position()
    }

    /// The next value, or `None` at the end of the message. After an error there is nothing more to come: `None`.
    ///
    /// # Errors
    /// What is wrong, at which byte, in which field.
    #[expect(
        clippy::should_implement_trait,
        reason = "`?` wants the Result outside, an iterator has it inside"
    )]
    pub fn next(&mut self) -> Result<Option<Value>> {
        if self.failed || self.source.remaining().is_empty() {
            return Ok(None);
        }
        let value = self.tables.value(&mut self.source);
        self.failed = value.is_err();
        let index = self.yielded;
        self.yielded += 1;
        value.map(Some).map_err(|error| error.at_index(index))
    }
}

/// What references may point at: grows while a message is read, and belongs to that message alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    strings: Vec<String>,
    traits: Vec<Arc<Traits>>,
    objects: u32,
}

/// What a class declares of its objects.
#[derive(Debug)]
struct Traits {
    class: String,
    dynamic: bool,
    names: Vec<String>,
}

/// What the number in front of a complex value says.
enum Head {
    /// It was sent before.
    Known(Value),
    /// It stands here; the rest of the number is mostly a length.
    Inline(usize),
}

impl Tables {
    /// Reads one value, marker first.
    pub(crate) fn value(&mut self, source: &mut Source<'_>) -> Result<Value> {
        source.format = Format::Amf3;
        let start = source.position();
        let marker = source.u8()?;
        source
            .charge_elements(start, 1)
            .and_then(|()| self.body(source, start, marker))
            .map_err(|error| error.or_marker(marker))
    }

    fn body(&mut self, source: &mut Source<'_>, start: usize, marker: u8) -> Result<Value> {
        match marker {
            marker::UNDEFINED => return Ok(Value::Undefined),
            marker::NULL => return Ok(Value::Null),
            marker::FALSE => return Ok(Value::Boolean(false)),
            marker::TRUE => return Ok(Value::Boolean(true)),
            marker::INTEGER => return integer::read(source).map(integer::signed).map(Value::Integer),
            marker::DOUBLE => return source.f64().map(Value::Double),
            marker::STRING => return self.string(source).map(Value::String),
            marker::OBJECT => return self.object(source, start),
            marker::XML_DOCUMENT..=marker::DICTIONARY => {}
            _ => return source.error(start, DecodeErrorKind::UnknownMarker(marker)),
        }
        let length = match self.head(source)? {
            Head::Known(reference) => return Ok(reference),
            Head::Inline(length) => length,
        };
        match marker {
            marker::XML_DOCUMENT => source.text(length).map(Value::XmlDocument),
            marker::DATE => source.f64().map(Value::Date),
            marker::XML => source.text(length).map(Value::Xml),
            marker::BYTE_ARRAY => byte_array(source, length),
            marker::VECTOR_INT => {
                let (fixed, items) = numbers(source, length, i32::from_be_bytes)?;
                Ok(Value::VectorInt { fixed, items })
            }
            marker::VECTOR_UINT => {
                let (fixed, items) = numbers(source, length, u32::from_be_bytes)?;
                Ok(Value::VectorUint { fixed, items })
            }
            marker::VECTOR_DOUBLE => {
                let (fixed, items) = numbers(source, length, f64::from_be_bytes)?;
                Ok(Value::VectorDouble { fixed, items })
            }
            _ => {
                source.enter(start)?;
                let container = match marker {
                    marker::ARRAY => self.array(source, length),
                    marker::VECTOR_OBJECT => self.vector(source, length),
                    _ => self.dictionary(source, length),
                };
                source.leave();
                container
            }
        }
    }

    /// The number in front of a complex value other than an object. One that stands here can be referred to from now
    /// on, by its own parts too.
    fn head(&mut self, source: &mut Source<'_>) -> Result<Head> {
        let start = source.position();
        let number = integer::read(source)?;
        if number & 1 == 0 {
            return self.reference(source, start, number >> 1).map(Head::Known);
        }
        self.objects = self.objects.saturating_add(1);
        Ok(Head::Inline((number >> 1) as usize))
    }

    fn reference(&self, source: &Source<'_>, start: usize, index: u32) -> Result<Value> {
        if index < self.objects {
            return Ok(Value::Reference(index));
        }
        source.error(start, unknown_reference(Referent::Object, index, self.objects as usize))
    }

    fn string(&mut self, source: &mut Source<'_>) -> Result<String> {
        let start = source.position();
        let number = integer::read(source)?;
        let length_or_index = (number >> 1) as usize;
        if number & 1 == 1 {
            let text = source.text(length_or_index)?;
            if !text.is_empty() {
                self.strings.push(text.clone());
            }
            return Ok(text);
        }
        match self.strings.get(length_or_index) {
            Some(text) => {
                source.charge_bytes(start, text.len())?;
                Ok(text.clone())
            }
            None => source.error(start, unknown_reference(Referent::String, number >> 1, self.strings.len())),
        }
    }

    fn array(&mut self, source: &mut Source<'_>, length: usize) -> Result<Value> {
        let named = self.named(source)?;
        let items = self.items(source, length)?;
        Ok(Value::Array(Box::new(Array { named, items })))
    }

    fn vector(&mut self, source: &mut Source<'_>, length: usize) -> Result<Value> {
        let fixed = source.u8()? != 0;
        let class = self.string(source)?.into_boxed_str();
        let items = self.items(source, length)?;
        Ok(Value::VectorObject { fixed, class, items })
    }

    fn dictionary(&mut self, source: &mut Source<'_>, length: usize) -> Result<Value> {
        let weak_keys = source.u8()? != 0;
        let mut entries = Vec::new();
        for index in 0..length {
            let mut next = || self.value(source).map_err(|error| error.at_index(index));
            entries.push((next()?, next()?));
        }
        Ok(Value::Dictionary { weak_keys, entries })
    }

    fn object(&mut self, source: &mut Source<'_>, start: usize) -> Result<Value> {
        let number_at = source.position();
        let number = integer::read(source)?;
        if number & 1 == 0 {
            return self.reference(source, number_at, number >> 1);
        }
        source.enter(start)?;
        let traits = self.traits(source, number_at, number >> 1)?;
        self.objects = self.objects.saturating_add(1);
        source.charge_bytes(start, traits.class.len())?;
        let mut sealed = Vec::new();
        for name in &traits.names {
            source.charge_bytes(source.position(), name.len())?;
            let value = self.value(source).map_err(|error| error.at_name(name))?;
            sealed.push((name.clone(), value));
        }
        let dynamic = if traits.dynamic { Some(self.named(source)?) } else { None };
        source.leave();
        Ok(Value::Object(Box::new(Object { class: traits.class.clone(), sealed, dynamic })))
    }

    /// The traits of an object, from the number in front of it less its lowest bit.
    fn traits(&mut self, source: &mut Source<'_>, start: usize, number: u32) -> Result<Arc<Traits>> {
        if number & 0b1 == 0 {
            let index = number >> 1;
            return match self.traits.get(index as usize) {
                Some(traits) => Ok(Arc::clone(traits)),
                None => source.error(start, unknown_reference(Referent::Traits, index, self.traits.len())),
            };
        }
        if number & 0b10 != 0 {
            let class = self.string(source)?;
            return source.error(start, DecodeErrorKind::Externalizable { class });
        }
        let class = self.string(source)?;
        let mut names = Vec::new();
        for _ in 0..number >> 3 {
            source.charge_elements(source.position(), 1)?;
            names.push(self.string(source)?);
        }
        let traits = Arc::new(Traits { class, dynamic: number & 0b100 != 0, names });
        self.traits.push(Arc::clone(&traits));
        Ok(traits)
    }

    /// Names with their values, up to the empty name.
    fn named(&mut self, source: &mut Source<'_>) -> Result<Vec<(String, Value)>> {
        let mut fields = Vec::new();
        loop {
            let name = self.string(source)?;
            if name.is_empty() {
                return Ok(fields);
            }
            let value = self.value(source).map_err(|error| error.at_name(&name))?;
            fields.push((name, value));
        }
    }

    fn items(&mut self, source: &mut Source<'_>, count: usize) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        for index in 0..count {
            items.push(self.value(source).map_err(|error| error.at_index(index))?);
        }
        Ok(items)
    }
}

fn unknown_reference(what: Referent, index: u32, count: usize) -> DecodeErrorKind {
    DecodeErrorKind::ReferenceOutOfRange { what, index, count: u32::try_from(count).unwrap_or(u32::MAX) }
}

fn byte_array(source: &mut Source<'_>, length: usize) -> Result<Value> {
    let start = source.position();
    let bytes = source.take(length)?;
    source.charge_bytes(start, length)?;
    Ok(Value::ByteArray(bytes.to_vec()))
}

/// The flag and the items of a vector of numbers of `N` bytes.
fn numbers<const N: usize, T>(
    source: &mut Source<'_>,
    count: usize,
    number: impl Fn([u8; N]) -> T,
) -> Result<(bool, Vec<T>)> {
    let fixed = source.u8()? != 0;
    let start = source.position();
    let bytes = source.take(count.saturating_mul(N))?;
    source.charge_elements(start, count)?;
    let (items, _) = bytes.as_chunks::<N>();
    Ok((fixed, items.iter().map(|item| number(*item)).collect()))
}
