//! What the clients write down of each push, as they saw it.

use std::time::{Duration, Instant};

/// One attempt to publish.
#[derive(Clone, Debug)]
pub struct Life {
    pub stream: String,
    /// The node that was asked.
    pub node: usize,
    pub port: Port,
    pub asked: Instant,
    pub outcome: Outcome,
}

/// The client's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// There was no connection.
    None,
    Known(u16),
    /// That of an encoder in a process of its own.
    Hidden,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The connection was lost before there was an answer, or never came about.
    Unanswered { at: Instant },
    /// The server said no, and why.
    Refused { text: String, at: Instant },
    /// The client saw `Publish.Start`.
    Live(Lived),
}

/// A push that was live.
#[derive(Clone, Debug)]
pub struct Lived {
    pub from: Instant,
    pub end: End,
    pub at: Instant,
    /// What its pictures were made of, where viewers look at that.
    pub byte: Option<u8>,
    /// The longest pause between two of its frames.
    pub gap: Duration,
}

/// How it ended, as far as its client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It said goodbye.
    DeleteStream,
    /// It closed without a word.
    Closed,
    /// It reset the connection.
    Reset,
    /// Its process was killed: the kernel closes or resets for it.
    Killed,
    /// Its path was cut for good.
    CutOff,
    /// The server told it to go, in these words.
    Told(String),
    /// The connection was closed, and nobody said why.
    Dropped,
}

impl Life {
    /// When its client was done with it.
    pub fn over(&self) -> Instant {
        match &self.outcome {
            Outcome::Unanswered { at } | Outcome::Refused { at, .. } => *at,
            Outcome::Live(lived) => lived.at,
        }
    }

    /// Where it was live.
    pub fn lived(&self) -> Option<&Lived> {
        match &self.outcome {
            Outcome::Live(lived) => Some(lived),
            _ => None,
        }
    }
}

/// The code at the head of what a server tells a client: `[21/102] ...`.
pub fn code(text: &str) -> Option<&str> {
    let (code, _) = text.strip_prefix('[')?.split_once(']')?;
    code.contains('/').then_some(code)
}
