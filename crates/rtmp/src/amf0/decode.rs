//! Bytes to values.

use super::{Object, Value, marker};
use crate::amf::{DecodeErrorKind, Format, Limits, Referent, Result, Source, Text};
use crate::amf3;

/// Yields the AMF0 values of one message.
///
/// References point within the message, so use a new decoder for each.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    source: Source<'a>,
    root: &'static str,
    yielded: usize,
    /// Objects and arrays begun so far: what a reference may point at.
    referable: u32,
    /// One set for the whole message: writers go on in the same AMF3 context after each switch.
    amf3: amf3::Tables,
    partial: Option<Value>,
    failed: bool,
}

impl<'a> Decoder<'a> {
    /// Decodes with the default limits and strict text.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::with(bytes, Limits::default(), Text::Strict)
    }

    /// Decodes with these limits and this treatment of text.
    pub fn with(bytes: &'a [u8], limits: Limits, text: Text) -> Self {
        Self {
            source: Source::new(bytes, limits, text, Format::Amf0),
            root: "",
            yielded: 0,
            referable: 0,
            amf3: amf3::Tables::default(),
            partial: None,
            failed: false,
        }
    }

    /// Names the message for the path of an error: `command` makes it `command[2].tcUrl`.
    #[must_use]
    pub fn named(mut self, root: &'static str) -> Self {
        self.root = root;
        self
    }

    /// Offset of the next value; after an error, of the byte that could not be read.
    pub fn position(&self) -> usize {
        self.source.position()
    }

    /// The bytes behind the last value.
    pub fn remaining(&self) -> &'a [u8] {
        self.source.remaining()
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
        match self.value() {
            Ok(value) => {
                self.yielded += 1;
                Ok(Some(value))
            }
            Err(error) => {
                self.failed = true;
                let mut error = error.at_index(self.yielded);
                error.path.set_root(self.root);
                Err(error)
            }
        }
    }

    /// All values up to the end of the message.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    pub fn rest(&mut self) -> Result<Vec<Value>> {
        let mut values = Vec::new();
        while let Some(value) = self.next()? {
            values.push(value);
        }
        Ok(values)
    }

    /// After an error: what could be read of the container that broke, once.
    ///
    /// Metadata cut off in the middle still tells the fields before the cut.
    pub fn partial(&mut self) -> Option<Value> {
        self.partial.take()
    }

    fn value(&mut self) -> Result<Value> {
        self.source.format = Format::Amf0;
        let start = self.source.position();
        let marker = self.source.u8()?;
        self.source
            .charge_elements(start, 1)
            .and_then(|()| self.body(start, marker))
            .map_err(|error| error.or_marker(marker))
    }

    fn body(&mut self, start: usize, marker: u8) -> Result<Value> {
        let source = &mut self.source;
        match marker {
            marker::NUMBER => source.f64().map(Value::Number),
            marker::BOOLEAN => source.u8().map(|byte| Value::Boolean(byte != 0)),
            marker::STRING => self.short_string().map(Value::String),
            marker::OBJECT => self.object(start, Value::Object),
            marker::NULL => Ok(Value::Null),
            marker::UNDEFINED => Ok(Value::Undefined),
            marker::REFERENCE => self.reference(),
            marker::ECMA_ARRAY => {
                // The count is not believed, the end marker is: Flash Media Live Encoder declares 0, OBS a fixed 20.
                source.u32()?;
                self.object(start, Value::EcmaArray)
            }
            marker::STRICT_ARRAY => self.strict_array(start),
            marker::DATE => Ok(Value::Date { unix_ms: source.f64()?, timezone: source.i16()? }),
            marker::LONG_STRING => self.long_string().map(Value::LongString),
            marker::UNSUPPORTED => Ok(Value::Unsupported),
            marker::XML => self.long_string().map(Value::Xml),
            marker::TYPED_OBJECT => {
                let class = self.short_string()?;
                self.object(start, |object| Value::TypedObject { class, object })
            }
            marker::AVM_PLUS => {
                let value = self.amf3.value(source)?;
                source.format = Format::Amf0;
                Ok(Value::AvmPlus(value))
            }
            marker::MOVIE_CLIP | marker::RECORD_SET => {
                source.error(start, DecodeErrorKind::ReservedMarker(marker))
            }
            _ => source.error(start, DecodeErrorKind::UnknownMarker(marker)),
        }
    }

    fn short_string(&mut self) -> Result<String> {
        let length = self.source.u16()?;
        self.source.text(usize::from(length))
    }

    fn long_string(&mut self) -> Result<String> {
        let length = self.source.u32()?;
        self.source.text(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn reference(&mut self) -> Result<Value> {
        let start = self.source.position();
        let index = self.source.u16()?;
        if u32::from(index) < self.referable {
            return Ok(Value::Reference(index));
        }
        let kind = DecodeErrorKind::ReferenceOutOfRange {
            what: Referent::Object,
            index: u32::from(index),
            count: self.referable,
        };
        self.source.error(start, kind)
    }

    fn object(&mut self, start: usize, wrap: impl FnOnce(Object) -> Value) -> Result<Value> {
        self.referable = self.referable.saturating_add(1);
        self.source.enter(start)?;
        let mut object = Object::new();
        let outcome = self.fields(&mut object);
        self.source.leave();
        self.finish(outcome, wrap(object))
    }

    fn fields(&mut self, object: &mut Object) -> Result<()> {
        loop {
            let name = self.short_string()?;
            if name.is_empty() {
                return self.object_end();
            }
            match self.value() {
                Ok(value) => object.push(name, value),
                Err(error) => {
                    let error = error.at_name(&name);
                    if let Some(partial) = self.partial.take() {
                        object.push(name, partial);
                    }
                    return Err(error);
                }
            }
        }
    }

    fn object_end(&mut self) -> Result<()> {
        let start = self.source.position();
        match self.source.u8()? {
            marker::OBJECT_END => Ok(()),
            found => self.source.error(start, DecodeErrorKind::MissingObjectEnd { found }),
        }
    }

    fn strict_array(&mut self, start: usize) -> Result<Value> {
        self.referable = self.referable.saturating_add(1);
        let count = self.source.u32()?;
        self.source.enter(start)?;
        let mut items = Vec::new();
        let outcome = self.items(count, &mut items);
        self.source.leave();
        self.finish(outcome, Value::StrictArray(items))
    }

    fn items(&mut self, count: u32, items: &mut Vec<Value>) -> Result<()> {
        for index in 0..count {
            match self.value() {
                Ok(value) => items.push(value),
                Err(error) => {
                    items.extend(self.partial.take());
                    return Err(error.at_index(usize::try_from(index).unwrap_or(usize::MAX)));
                }
            }
        }
        Ok(())
    }

    /// The container, or the error, with what there is of the container kept for [`partial`](Self::partial).
    fn finish(&mut self, outcome: Result<()>, container: Value) -> Result<Value> {
        match outcome {
            Ok(()) => Ok(container),
            Err(error) => {
                self.partial = Some(container);
                Err(error)
            }
        }
    }
}
