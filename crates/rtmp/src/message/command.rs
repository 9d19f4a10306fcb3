//! Commands (RTMP 1.0, 7.1.1): a name, a transaction id, and AMF values.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Message, MessageInfo, type_id};
use crate::amf0::{self, Decoder, Limits, Text, Value};
use crate::fault::Rule;

/// Bounds of the AMF in a command: what a `connect` carries is a few dozen values.
const LIMITS: Limits = Limits { depth: 16, elements: 4096, bytes: 64 << 10 };

/// A command of either AMF.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The header of its message.
    pub info: MessageInfo,
    /// Its name.
    pub name: String,
    /// Its transaction id: 0 where no answer is expected.
    pub transaction: f64,
    /// What follows, the command object (mostly null) first.
    pub args: Vec<Value>,
}

impl Command {
    /// Reads the body of a command message.
    ///
    /// An AMF3 command begins with a format byte of 0 and is AMF0 from there on, with AMF3 values behind the
    /// switch marker (Enhanced RTMP v2, "AMF3-encoded historical specification clarification").
    ///
    /// # Errors
    /// [`Rule::CommandAmf`], with the offset counted in the message; [`Rule::CommandShape`].
    pub fn decode(message: &Message) -> Result<Self, Rule> {
        let skipped = usize::from(message.info.type_id == type_id::COMMAND_AMF3 && is_amf0_format(message));
        let body = message.payload.get(skipped..).unwrap_or_default();
        // Old encoders on Chinese and Japanese Windows send names in the system's code page. That is a bad name, for
        // admission to refuse, and no broken AMF.
        let mut decoder = Decoder::with(body, LIMITS, Text::Lossy).named("command");
        let amf = |mut error: amf0::DecodeError| {
            error.offset += skipped;
            Rule::CommandAmf(error)
        };
        let Some(Value::String(name)) = decoder.next().map_err(amf)? else {
            return Err(Rule::CommandShape { missing: "a name" });
        };
        let transaction = match decoder.next().map_err(amf)? {
            Some(Value::Number(transaction)) => transaction,
            // A name alone asks nothing: ffmpeg, as a server, says onFCPublish so.
            None => 0.0,
            Some(_) => return Err(Rule::CommandShape { missing: "a transaction id" }),
        };
        let args = decoder.rest().map_err(amf)?;
        Ok(Self { info: message.info, name, transaction, args })
    }

    /// The n-th argument, the command object being 0.
    pub fn arg(&self, index: usize) -> Option<&Value> {
        self.args.get(index)
    }

    /// The n-th argument, if it is a string.
    pub fn text(&self, index: usize) -> Option<&str> {
        self.arg(index).and_then(Value::as_str)
    }

    /// The n-th argument, if it is a number.
    pub fn number(&self, index: usize) -> Option<f64> {
        self.arg(index).and_then(Value::as_f64)
    }

    /// The body of a command in AMF0.
    pub fn encode(name: &str, transaction: f64, args: &[Value]) -> Bytes {
        let mut body = BytesMut::with_capacity(128);
        amf0::encode_str(name, &mut body);
        amf0::encode_number(transaction, &mut body);
        amf0::encode_all(args, &mut body);
        body.freeze()
    }

    /// The body of the same command as an AMF3 command: the format byte, then AMF0.
    pub fn encode_amf3(name: &str, transaction: f64, args: &[Value]) -> Bytes {
        let mut body = BytesMut::with_capacity(128);
        body.put_u8(0);
        body.put_slice(&Self::encode(name, transaction, args));
        body.freeze()
    }
}

/// Whether the body begins with the format byte. Without it the first byte is the marker of a string.
pub(super) fn is_amf0_format(message: &Message) -> bool {
    message.payload.first() == Some(&0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amf0::{DecodeErrorKind, Object};

    fn message(type_id: u8, payload: Bytes) -> Message {
        let length = payload.len() as u32;
        let info = MessageInfo { offset: 0, chunk_stream: 3, type_id, length, timestamp: 0, stream_id: 0 };
        Message { info, payload }
    }

    #[test]
    fn a_name_in_another_code_page_is_read_with_replacement_characters() {
        let mut body = BytesMut::from(&Command::encode("publish", 0.0, &[])[..]);
        body.put_slice(&[2, 0, 4, 0xC4, 0xE3, 0xBA, 0xC3]);
        let command = Command::decode(&message(type_id::COMMAND_AMF0, body.freeze())).unwrap();
        assert!(command.text(0).unwrap().contains('\u{fffd}'));
    }

    #[test]
    fn a_command_reads_as_it_was_written_in_both_amf() {
        let args = [Value::Object(Object::new().with("app", "live")), Value::Null, Value::from("x")];
        for body in [Command::encode("connect", 1.0, &args), Command::encode_amf3("connect", 1.0, &args)] {
            let id = if body.first() == Some(&0) { type_id::COMMAND_AMF3 } else { type_id::COMMAND_AMF0 };
            let command = Command::decode(&message(id, body)).unwrap();
            assert_eq!((command.name.as_str(), command.transaction), ("connect", 1.0));
            assert_eq!(command.args, args);
        }
    }

    #[test]
    fn an_amf3_command_may_hold_amf3_values() {
        let args = [Value::Null, Value::AvmPlus(crate::amf3::Value::String("name".into()))];
        let command =
            Command::decode(&message(type_id::COMMAND_AMF3, Command::encode_amf3("publish", 4.0, &args)));
        assert_eq!(command.unwrap().text(1), Some("name"));
    }

    #[test]
    fn broken_amf_tells_marker_path_and_byte() {
        let object = Value::Object(Object::new().with("tcUrl", "rtmp://h/a"));
        let body = Command::encode_amf3("connect", 1.0, &[object]);
        let cut = body.slice(..body.len() - 5);
        let Err(Rule::CommandAmf(error)) = Command::decode(&message(type_id::COMMAND_AMF3, cut)) else {
            panic!("broken AMF was accepted");
        };
        assert_eq!(error.marker, Some(2));
        assert_eq!(error.path.to_string(), "command[2].tcUrl");
        // format byte, name, transaction id, object marker, field name, string marker and length
        assert_eq!(error.offset, 1 + 10 + 9 + 1 + 7 + 3);
        assert_eq!(error.kind, DecodeErrorKind::UnexpectedEnd { needed: 10, have: 8 });
    }

    #[test]
    fn a_command_needs_a_name_and_behind_it_a_transaction_id() {
        let mut body = BytesMut::new();
        amf0::encode_number(1.0, &mut body);
        let unnamed = Command::decode(&message(type_id::COMMAND_AMF0, body.freeze()));
        assert_eq!(unnamed, Err(Rule::CommandShape { missing: "a name" }));
        let mut body = BytesMut::new();
        amf0::encode_str("connect", &mut body);
        amf0::encode_null(&mut body);
        let unnumbered = Command::decode(&message(type_id::COMMAND_AMF0, body.freeze()));
        assert_eq!(unnumbered, Err(Rule::CommandShape { missing: "a transaction id" }));
    }
}
