//! Commands of a client, to events.

use super::answers::ConnectAnswer;
use super::event::{Connect, Event, NamedStream, Pause, Play, Publish, PublishKind, Seek, StreamEvent};
use super::streams::Use;
use super::{Connection, ServerSession};
use crate::amf0::Value;
use crate::ertmp::Enhancements;
use crate::fault::Rule;
use crate::message::command::Command;

impl ServerSession {
    pub(super) fn command(&mut self, command: Command) -> Result<Event, Rule> {
        if command.name == "connect" {
            return self.connect(command);
        }
        if self.connection == Connection::Awaited {
            return Err(Rule::CommandBeforeConnect { name: short(&command.name) });
        }
        Ok(match command.name.as_str() {
            "releaseStream" => {
                self.answer_result(command.transaction, &[Value::Undefined]);
                Event::ReleaseStream(named(&command))
            }
            "FCPublish" => {
                let stream = named(&command);
                self.answer_fc_publish(&stream);
                Event::FcPublish(stream)
            }
            "FCUnpublish" => {
                let stream = named(&command);
                self.fc_unpublish = Some((stream.transaction, stream.name.clone()));
                Event::FcUnpublish(stream)
            }
            "createStream" => {
                let limit = self.streams.limit();
                let stream_id = self.streams.create().ok_or(Rule::MessageStreams { limit })?;
                self.answer_result(command.transaction, &[f64::from(stream_id).into()]);
                Event::CreateStream(StreamEvent { info: command.info, stream_id })
            }
            "publish" => self.publish(command)?,
            "play" | "play2" => self.play(command)?,
            "pause" | "pauseRaw" => Event::Pause(Pause {
                info: command.info,
                stream_id: command.info.stream_id,
                paused: command.arg(1).and_then(Value::as_bool).unwrap_or(true),
                position_ms: command.number(2).unwrap_or_default(),
            }),
            "seek" => Event::Seek(Seek {
                info: command.info,
                stream_id: command.info.stream_id,
                position_ms: command.number(1).unwrap_or_default(),
            }),
            "closeStream" => {
                let stream_id = command.info.stream_id;
                self.streams.set(stream_id, Use::Idle);
                Event::CloseStream(StreamEvent { info: command.info, stream_id })
            }
            "deleteStream" => {
                let stream_id = self.deleted(&command);
                self.streams.delete(stream_id);
                Event::DeleteStream(StreamEvent { info: command.info, stream_id })
            }
            "getStreamLength" => {
                // ffmpeg asks before it plays, and waits. A live stream has no length.
                self.answer_result(command.transaction, &[0.0.into()]);
                Event::Command(Box::new(command))
            }
            _ => Event::Command(Box::new(command)),
        })
    }

    fn connect(&mut self, command: Command) -> Result<Event, Rule> {
        if self.connection != Connection::Awaited {
            return Err(Rule::ConnectTwice);
        }
        let missing = Rule::MissingArgument { command: "connect", argument: "a command object" };
        let object = command.args.first().filter(|object| object.field("app").is_some()).ok_or(missing)?;
        let text = |name| object.field(name).as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let connect = Connect {
            info: command.info,
            transaction: command.transaction,
            app: text("app"),
            tc_url: text("tcUrl"),
            flash_ver: text("flashVer"),
            swf_url: text("swfUrl"),
            page_url: text("pageUrl"),
            kind: text("type"),
            object_encoding: object
                .field("objectEncoding")
                .as_ref()
                .and_then(Value::as_f64)
                .unwrap_or_default(),
            enhanced: Enhancements::read(object),
            args: command.args,
        };
        self.connection = Connection::Asked(ConnectAnswer::to(&connect));
        self.link.reader.set_commands_only(false);
        Ok(Event::Connect(Box::new(connect)))
    }

    fn publish(&mut self, command: Command) -> Result<Event, Rule> {
        let stream_id = self.created("publish", &command)?;
        let missing = Rule::MissingArgument { command: "publish", argument: "a stream name" };
        let name = command.text(1).ok_or(missing)?.to_owned();
        self.streams.set(stream_id, Use::Publishing);
        Ok(Event::Publish(Box::new(Publish {
            info: command.info,
            transaction: command.transaction,
            stream_id,
            name,
            kind: PublishKind::new(command.text(2)),
            args: command.args,
        })))
    }

    fn play(&mut self, command: Command) -> Result<Event, Rule> {
        let stream_id = self.created("play", &command)?;
        let missing = || Rule::MissingArgument { command: "play", argument: "a stream name" };
        // play2 has the name in an object (RTMP 1.0, 7.2.2.2).
        let inner = command.arg(1).and_then(|options| options.field("streamName"));
        let name = command.text(1).or(inner.as_ref().and_then(Value::as_str)).ok_or_else(missing)?.to_owned();
        self.streams.set(stream_id, Use::Playing);
        Ok(Event::Play(Box::new(Play {
            info: command.info,
            transaction: command.transaction,
            stream_id,
            name,
            start: command.number(2).unwrap_or(-2.0),
            args: command.args,
        })))
    }

    /// The message stream that a deleteStream means: the one it names. rtmp2sink of GStreamer gives the stream's
    /// name in place of its id, and means the only one it has.
    fn deleted(&self, command: &Command) -> u32 {
        let named = command.number(1).and_then(stream_id);
        named.or_else(|| self.streams.only()).unwrap_or(command.info.stream_id)
    }

    /// The message stream a command came on, which has to exist.
    fn created(&self, name: &'static str, command: &Command) -> Result<u32, Rule> {
        let stream_id = command.info.stream_id;
        if self.streams.contains(stream_id) {
            Ok(stream_id)
        } else {
            Err(Rule::NoSuchStream { command: name, stream_id })
        }
    }
}

fn named(command: &Command) -> NamedStream {
    NamedStream {
        info: command.info,
        transaction: command.transaction,
        name: command.text(1).unwrap_or_default().to_owned(),
    }
}

/// A number as a message stream id, if it is one.
fn stream_id(number: f64) -> Option<u32> {
    let id = number as u32;
    (f64::from(id) == number).then_some(id)
}

/// A name as it may stand in a fault: it came from somebody who broke the protocol.
fn short(name: &str) -> String {
    name.chars().take(32).collect()
}
