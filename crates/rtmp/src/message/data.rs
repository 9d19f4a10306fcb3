//! Data messages (RTMP 1.0, 7.1.2): metadata and whatever else an encoder says beside the media.

use bytes::Bytes;

use super::{Message, MessageInfo, type_id};
use crate::amf0::{DecodeError, Decoder, Limits, Text, Value};

/// A data message. Its broken AMF is no fault: a push is not worth less for it.
#[derive(Debug, Clone, PartialEq)]
pub struct DataMessage {
    /// The header of its message.
    pub info: MessageInfo,
    /// Its name, such as `onMetaData`. For `@setDataFrame` the name within. Empty where even that is broken.
    pub name: String,
    /// What follows the name, as far as it could be decoded.
    pub values: Vec<Value>,
    /// The bytes from the name on, which are the body of an FLV script tag.
    pub raw: Bytes,
    /// Whether it came as `@setDataFrame`, which asks for it to be kept for viewers who come later.
    pub set_data_frame: bool,
    /// Where decoding stopped, if it did. The offset is counted in the message.
    pub broken: Option<DecodeError>,
}

/// What publishers put before the name of data that is to be kept.
pub const SET_DATA_FRAME: &str = "@setDataFrame";

impl DataMessage {
    /// Reads the body of a data message of either AMF. Text that is not UTF-8 is decoded lossily.
    pub fn decode(message: Message) -> Self {
        let Message { info, payload } = &message;
        // The format byte of AMF3 data; see `Command::decode`.
        let mut begin = usize::from(info.type_id == type_id::DATA_AMF3 && payload.first() == Some(&0));
        let skipped = begin;
        let body = payload.get(begin..).unwrap_or_default();
        let mut decoder = Decoder::with(body, Limits::default(), Text::Lossy).named("data");
        let mut data = Self {
            info: *info,
            name: String::new(),
            values: Vec::new(),
            raw: Bytes::new(),
            set_data_frame: false,
            broken: None,
        };
        let mut named = false;
        loop {
            match decoder.next() {
                Ok(None) => break,
                Ok(Some(Value::String(name))) if !named && !data.set_data_frame && name == SET_DATA_FRAME => {
                    data.set_data_frame = true;
                    begin = skipped + decoder.position();
                }
                Ok(Some(Value::String(name))) if !named => {
                    data.name = name;
                    named = true;
                }
                Ok(Some(value)) => {
                    named = true;
                    data.values.push(value);
                }
                Err(mut error) => {
                    data.values.extend(decoder.partial());
                    error.offset += skipped;
                    data.broken = Some(error);
                    break;
                }
            }
        }
        data.raw = message.payload.slice(begin.min(message.payload.len())..);
        data
    }
}
