//! Answers of the server, matched with what was asked.

use super::ClientSession;
use super::event::{Event, Refusal, Reply, Status};
use crate::amf0::Value;
use crate::ertmp::Enhancements;
use crate::fault::{Rule, Stage};
use crate::message::command::Command;

/// Questions remembered at most; the oldest is forgotten first. A client that is made to ask without end, of a
/// server that never answers, is no reason to fill the memory.
const REMEMBERED: usize = 256;

/// Commands said that have not been answered.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    last: u32,
    questions: std::collections::VecDeque<(f64, String)>,
}

impl Awaited {
    /// A transaction id for this command, from 1 on.
    pub(super) fn ask(&mut self, command: &str) -> f64 {
        self.last = self.last.wrapping_add(1);
        let transaction = f64::from(self.last);
        if self.questions.len() >= REMEMBERED {
            self.questions.pop_front();
        }
        self.questions.push_back((transaction, command.to_owned()));
        transaction
    }

    fn answered(&mut self, transaction: f64) -> Option<String> {
        let index = self.questions.iter().position(|(id, _)| *id == transaction)?;
        self.questions.remove(index).map(|(_, command)| command)
    }
}

impl ClientSession {
    pub(super) fn reply(&mut self, command: Command) -> Result<Event, Rule> {
        match command.name.as_str() {
            "_result" => self.success(command),
            "_error" => Ok(self.failure(command)),
            "onStatus" => Ok(self.status(&command)),
            _ => Ok(Event::Command(Box::new(command))),
        }
    }

    fn success(&mut self, command: Command) -> Result<Event, Rule> {
        let to = self.awaited.answered(command.transaction);
        match to.as_deref() {
            Some("connect") => {
                self.stage = Stage::Connected;
                let enhanced = command.args.first().map(Enhancements::read).unwrap_or_default();
                Ok(Event::Connected { info: command.info, enhanced, values: command.args })
            }
            Some("createStream") => {
                let missing = Rule::MissingArgument {
                    command: "the answer to createStream",
                    argument: "a message stream id",
                };
                let number = command.number(1).ok_or_else(|| missing.clone())?;
                let stream_id = number as u32;
                if f64::from(stream_id) != number {
                    return Err(missing);
                }
                self.stage = Stage::StreamCreated;
                Ok(Event::StreamCreated { info: command.info, stream_id })
            }
            _ => Ok(Event::Result(reply(command, to))),
        }
    }

    fn failure(&mut self, command: Command) -> Event {
        let to = self.awaited.answered(command.transaction);
        if to.as_deref() != Some("connect") {
            return Event::Error(reply(command, to));
        }
        let information = information(&command);
        Event::ConnectRejected(Refusal {
            info: command.info,
            code: text(information, "code"),
            description: text(information, "description"),
        })
    }

    fn status(&mut self, command: &Command) -> Event {
        let information = information(command);
        let code = text(information, "code");
        match code.as_str() {
            "NetStream.Publish.Start" => self.stage = Stage::Publishing,
            "NetStream.Play.Start" => self.stage = Stage::Playing,
            "NetStream.Publish.BadName" | "NetStream.Publish.Denied" | "NetStream.Publish.Failed" => {
                self.stage = Stage::StreamCreated;
            }
            _ => {}
        }
        Event::Status(Status {
            info: command.info,
            stream_id: command.info.stream_id,
            level: text(information, "level"),
            code,
            description: text(information, "description"),
            tc_url: Some(text(information, "tcUrl")).filter(|url| !url.is_empty()),
            information: information.cloned().unwrap_or(Value::Null),
        })
    }
}

fn reply(command: Command, to: Option<String>) -> Reply {
    Reply { info: command.info, transaction: command.transaction, to, values: command.args }
}

/// The object that carries level, code and description: behind the command object, or, from servers that leave
/// that out, in its place.
fn information(command: &Command) -> Option<&Value> {
    command.args.iter().find(|value| value.field("code").is_some())
}

fn text(object: Option<&Value>, name: &str) -> String {
    let field = object.and_then(|object| object.field(name));
    field.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}
