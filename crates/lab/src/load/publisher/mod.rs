//! An encoder of the load, whatever it pushes over.

mod rtmp;
mod srt;

use std::io;
use std::time::Duration;

use mio::{Registry, Token};

use super::around::{Around, Step};
use super::plan::Transport;

/// An encoder, connected or not.
#[derive(Debug)]
pub(super) enum Publisher {
    Rtmp(rtmp::Publisher),
    Srt(srt::Publisher),
}

impl Publisher {
    pub(super) fn new(number: u32, over: Transport) -> Self {
        match over {
            Transport::Rtmp | Transport::Rtmps => Self::Rtmp(rtmp::Publisher::new(number)),
            Transport::Srt => Self::Srt(srt::Publisher::new(number)),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        match self {
            Self::Rtmp(publisher) => publisher.is_live(),
            Self::Srt(publisher) => publisher.is_live(),
        }
    }

    /// Whether it has a connection.
    pub(super) fn is_there(&self) -> bool {
        match self {
            Self::Rtmp(publisher) => publisher.is_there(),
            Self::Srt(publisher) => publisher.is_there(),
        }
    }

    /// Begins to connect.
    pub(super) fn dial(&mut self, around: &Around<'_>, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Self::Rtmp(publisher) => publisher.dial(around, registry, token),
            Self::Srt(publisher) => publisher.dial(around, registry, token),
        }
    }

    /// The socket can be written to, for the first time or again.
    pub(super) fn writable(&mut self) -> Step {
        match self {
            Self::Rtmp(publisher) => publisher.writable(),
            // What a full socket did not take is asked for again.
            Self::Srt(_) => Step::Nothing,
        }
    }

    /// The socket can be read from.
    pub(super) fn readable(&mut self, around: &mut Around<'_>, to_the_end: bool) -> Step {
        match self {
            Self::Rtmp(publisher) => publisher.readable(around, to_the_end),
            Self::Srt(publisher) => publisher.readable(around),
        }
    }

    /// How often it has to be tended, besides what it sends and hears.
    pub(super) fn tended(&self) -> Option<Duration> {
        match self {
            Self::Rtmp(_) => None,
            Self::Srt(_) => Some(srt::TENDED),
        }
    }

    /// Does what is due by itself.
    pub(super) fn tend(&mut self, around: &mut Around<'_>) -> Step {
        match self {
            Self::Rtmp(_) => Step::Nothing,
            Self::Srt(publisher) => publisher.tend(around),
        }
    }

    /// Sends the next picture.
    pub(super) fn picture(&mut self, around: &mut Around<'_>, step: Duration) -> Step {
        match self {
            Self::Rtmp(publisher) => publisher.picture(around, step),
            Self::Srt(publisher) => publisher.picture(around, step),
        }
    }

    /// Sends the next frame of audio.
    pub(super) fn sound(&mut self, around: &mut Around<'_>) -> Step {
        match self {
            Self::Rtmp(publisher) => publisher.sound(around),
            Self::Srt(publisher) => publisher.sound(around),
        }
    }

    /// Says goodbye as encoders do.
    pub(super) fn leave(&mut self, around: &mut Around<'_>) -> Step {
        match self {
            Self::Rtmp(publisher) => publisher.leave(around),
            Self::Srt(publisher) => publisher.leave(around),
        }
    }

    /// Closes without a word, if it is still there.
    pub(super) fn close(&mut self) -> Step {
        match self {
            Self::Rtmp(publisher) => publisher.close(),
            Self::Srt(publisher) => publisher.close(),
        }
    }
}
