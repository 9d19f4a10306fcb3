//! FLV without end: the file header, then what the live stream's viewers get.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, Method, Version, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::Frame;
use live::feed::{Format, Headers, Served, Step, Viewer, ViewerKind};
use live::{Line, WatchError};

use super::{not_played, not_watched, play_url, refused, viewer};
use crate::problem::Problem;
use crate::server::{Beside, Streaming};
use crate::state::WebState;

/// Answers `GET` and `HEAD` of a stream.
pub(super) async fn answer(state: &WebState, stream: &str, request: Request) -> Result<Response, Problem> {
    let url = play_url(&request, stream);
    let is_head = request.method() == Method::HEAD;
    let who = viewer(state, &request, ViewerKind::Flv);
    let streaming = request.extensions().get::<Streaming>().cloned();
    let beside = beside(&request);
    drop(request);
    let body = if is_head {
        // To look is not to play.
        if !state.live().look_for_stream(&url).await.map_err(refused)? {
            return Err(not_watched(WatchError::NoSuchStream));
        }
        Body::empty()
    } else {
        let viewer = state.live().play(&url, who).await.map_err(not_played)?;
        if let Some(streaming) = streaming {
            streaming.begin();
        }
        Body::new(Flv { tags: Tags::new(viewer), beside, begun: false, rest: VecDeque::new() })
    };
    let headers = [
        (header::CONTENT_TYPE, "video/x-flv"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx in front would hold the answer back until its buffers are full.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
}

/// The socket beside the HTTP library, and as what the library sends a body without a length.
fn beside(request: &Request) -> Option<(Beside, Format)> {
    let format = match request.version() {
        Version::HTTP_11 => Format::FlvChunks,
        Version::HTTP_10 => Format::Flv,
        _ => return None,
    };
    Some((request.extensions().get::<Beside>()?.clone(), format))
}

/// What a viewer is sent next.
pub(super) enum Piece {
    /// Tags, as they are.
    Tags(Bytes),
    /// What a group has not written: it goes to the socket, before anything else.
    Rest(Vec<Bytes>),
}

/// The bytes of an endless FLV file, in pieces that all its viewers share.
#[derive(Debug)]
pub(super) struct Tags {
    viewer: Viewer,
    /// The headers that the viewer has been sent; `None` before the first.
    headers: Option<Arc<Headers>>,
    /// Those that go out before the next batch.
    next_headers: Option<Arc<Headers>>,
    /// A batch behind the headers that were given just now.
    held: Option<Bytes>,
}

impl Tags {
    pub(super) fn new(viewer: Viewer) -> Self {
        Self { viewer, headers: None, next_headers: None, held: None }
    }

    /// The next piece; `None` when the stream is over. Where there is a `line`, to which all has been written that came
    /// before, a group of viewers may go on writing to it in this format.
    pub(super) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        line: Option<(&Line, Format)>,
    ) -> Poll<Option<Piece>> {
        if let Some(held) = self.held.take() {
            return Poll::Ready(Some(self.out(held)));
        }
        loop {
            match ready!(self.viewer.poll_served(cx, line)) {
                Served::Rest(rest) => return Poll::Ready(Some(Piece::Rest(self.came_back(rest)))),
                Served::Step(Step::Headers(headers)) => self.next_headers = Some(headers),
                Served::Step(Step::Batch(batch)) => {
                    let tags = batch.flv().clone();
                    let piece = match self.next_headers.take() {
                        None => tags,
                        Some(headers) => {
                            let first = self.start(headers, batch.timestamp());
                            if first.is_empty() {
                                tags
                            } else {
                                self.held = Some(tags);
                                first
                            }
                        }
                    };
                    return Poll::Ready(Some(self.out(piece)));
                }
                Served::Step(Step::Skipped { frames }) => tracing::debug!(frames, "viewer is too slow"),
                Served::Step(Step::Ended(_)) => return Poll::Ready(None),
            }
        }
    }

    /// Leaves its group, if it is in one; gives what is to be written to the socket before anything else.
    pub(super) fn go_on_alone(&mut self) -> Vec<Bytes> {
        if !self.viewer.is_in_group() {
            return Vec::new();
        }
        let rest = self.viewer.leave_group();
        self.came_back(rest)
    }

    fn came_back(&mut self, rest: Vec<Bytes>) -> Vec<Bytes> {
        self.headers = self.viewer.headers().cloned();
        self.viewer.sent(rest.iter().map(|piece| piece.len() as u64).sum());
        rest
    }

    /// The file header if it has not been sent, and what has changed of the stream's headers.
    fn start(&mut self, headers: Arc<Headers>, timestamp: u32) -> Bytes {
        let before = self.headers.replace(headers.clone());
        let changed = headers.flv(before.as_deref(), timestamp);
        match before {
            Some(_) => changed,
            None => [headers.flv_file_header().as_slice(), &changed].concat().into(),
        }
    }

    fn out(&self, piece: Bytes) -> Piece {
        self.viewer.sent(piece.len() as u64);
        Piece::Tags(piece)
    }
}

/// As the body of an answer.
struct Flv {
    tags: Tags,
    beside: Option<(Beside, Format)>,
    /// It has been asked for its first piece: behind the head, that is.
    begun: bool,
    /// What a group has left to be written beside the library.
    rest: VecDeque<Bytes>,
}

impl http_body::Body for Flv {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Self { tags, beside, begun, rest } = &mut *self;
        let beside = beside.as_ref().map(|(beside, format)| (beside, *format));
        if !std::mem::replace(begun, true) {
            beside.inspect(|(beside, _)| beside.hold());
        }
        loop {
            if let Some((beside, _)) = beside {
                ready!(beside.poll_write_all(cx, rest))?;
            }
            let line = beside.and_then(|(beside, format)| Some((beside.line()?, format)));
            match ready!(tags.poll_next(cx, line)) {
                Some(Piece::Rest(left)) => rest.extend(left),
                Some(Piece::Tags(piece)) => {
                    beside.inspect(|(beside, _)| beside.hold());
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}
