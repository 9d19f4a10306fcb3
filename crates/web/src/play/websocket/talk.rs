//! One viewer's connection, from the answer that made it a WebSocket to its end.

use std::future::poll_fn;
use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use live::feed::{Format, MessageHead};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::frames::{CloseCode, Listener, Opcode, Said, closing};
use crate::play::flv::{Piece, Tags};
use crate::server::Beside;

/// What is read at once: a viewer says little.
const READ: usize = 256;
/// How long a viewer may take to read a goodbye, and to say its own.
const GOODBYE: Duration = Duration::from_secs(2);
/// And how much it may send before.
const GOODBYE_BYTES: usize = 1 << 20;

/// Sends the stream until it is over or the viewer leaves. What a group of viewers may write to is the socket `beside` the
/// connection, which holds nothing back.
pub(super) async fn play(connection: Upgraded, beside: Option<Beside>, tags: Tags) {
    let io = TokioIo::new(connection);
    let mut line = Line { io, input: BytesMut::new(), listener: Listener::default() };
    let ended = line.play(beside.as_ref(), tags).await;
    let said = match ended {
        Ok(goodbye) => tokio::time::timeout(GOODBYE, line.part(goodbye)).await,
        Err(error) => Ok(Err(error)),
    };
    match said {
        Ok(Ok(())) => {}
        // A viewer that goes away in the middle is daily business.
        Ok(Err(error)) => tracing::debug!(%error, "a viewer's WebSocket ended"),
        Err(_) => tracing::debug!("a viewer did not close its WebSocket"),
    }
}

/// How a conversation is ended.
enum Goodbye {
    /// We have something to say, and wait for the viewer's answer.
    Ours(CloseCode, String),
    /// The viewer has left, and is answered.
    Theirs(Option<u16>),
}

struct Line<T> {
    io: T,
    input: BytesMut,
    listener: Listener,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Line<T> {
    async fn play(&mut self, beside: Option<&Beside>, mut tags: Tags) -> io::Result<Goodbye> {
        loop {
            let line = beside.and_then(Beside::line).map(|line| (line, Format::FlvMessages));
            self.input.reserve(READ);
            let piece = tokio::select! {
                read = self.io.read_buf(&mut self.input) => match read? {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    _ => None,
                },
                piece = poll_fn(|cx| tags.poll_next(cx, line)) => match piece {
                    Some(piece) => Some(piece),
                    None => return Ok(Goodbye::Ours(CloseCode::Normal, "the stream has ended".to_owned())),
                },
            };
            match piece {
                Some(Piece::Tags(piece)) => {
                    self.send(Opcode::Binary, piece).await?;
                    continue;
                }
                Some(Piece::Rest(rest)) => {
                    self.finish(rest).await?;
                    continue;
                }
                None => {}
            }
            loop {
                let said = self.listener.next(&mut self.input);
                if said == Ok(None) {
                    break;
                }
                // A message that a group has begun comes to its end before anything of ours.
                self.finish(tags.go_on_alone()).await?;
                match said {
                    Ok(Some(Said::Ping(payload))) => self.send(Opcode::Pong, payload).await?,
                    Ok(Some(Said::Close(code))) => return Ok(Goodbye::Theirs(code)),
                    Ok(None) => break,
                    Err(error) => return Ok(Goodbye::Ours(error.code(), error.to_string())),
                }
            }
        }
    }

    /// Says goodbye, and waits for the viewer to close: a socket closed with unread bytes resets, and words are lost.
    async fn part(&mut self, goodbye: Goodbye) -> io::Result<()> {
        let (payload, leaves) = match goodbye {
            Goodbye::Ours(code, why) => (closing(code as u16, &why), false),
            Goodbye::Theirs(code) => (code.map_or_else(Vec::new, |code| closing(code, "")), true),
        };
        self.send(Opcode::Close, payload.as_slice()).await?;
        let (mut seen, mut listens) = (0, true);
        while !leaves && seen < GOODBYE_BYTES {
            match self.listener.next(&mut self.input) {
                Ok(Some(Said::Close(_))) => break,
                Ok(Some(Said::Ping(_))) => continue,
                Ok(None) => {}
                Err(_) => listens = false,
            }
            if !listens {
                // One that broke the rules is not listened to any more, only read.
                self.input.clear();
            }
            self.input.reserve(READ);
            match self.io.read_buf(&mut self.input).await? {
                0 => break,
                count => seen += count,
            }
        }
        self.io.shutdown().await
    }

    /// Writes what a group has left.
    async fn finish(&mut self, rest: Vec<Bytes>) -> io::Result<()> {
        for mut piece in rest {
            self.io.write_all_buf(&mut piece).await?;
        }
        Ok(())
    }

    async fn send(&mut self, opcode: Opcode, payload: impl Buf) -> io::Result<()> {
        let head = MessageHead::new(opcode as u8, payload.remaining());
        // Head and payload lie apart and go out together: the payload is shared with all viewers.
        self.io.write_all_buf(&mut Buf::chain(head.as_bytes(), payload)).await?;
        self.io.flush().await
    }
}
