//! FLV without end: the file header, then what the live stream's viewers get.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, Method, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::Frame;
use live::WatchError;
use live::feed::{Headers, Step, Viewer, ViewerKind};

use super::{not_played, not_watched, play_url, refused, viewer};
use crate::problem::Problem;
use crate::server::Streaming;
use crate::state::WebState;

/// Answers `GET` and `HEAD` of a stream.
pub(super) fn answer(state: &WebState, stream: &str, request: Request) -> Result<Response, Problem> {
    let url = play_url(&request, stream);
    let body = if request.method() == Method::HEAD {
        // To look is not to play.
        let key = state.live().authorize_play(&url).map_err(refused)?;
        if !state.live().is_live(&key) {
            return Err(not_watched(WatchError::NoSuchStream));
        }
        Body::empty()
    } else {
        let who = viewer(state, &request, ViewerKind::Flv);
        let viewer = state.live().play(&url, who).map_err(not_played)?;
        if let Some(streaming) = request.extensions().get::<Streaming>() {
            streaming.begin();
        }
        Body::new(Flv { tags: Tags::new(viewer) })
    };
    let headers = [
        (header::CONTENT_TYPE, "video/x-flv"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx in front would hold the answer back until its buffers are full.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, body).into_response())
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

    /// The next piece; `None` when the stream is over.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(held) = self.held.take() {
            return Poll::Ready(Some(self.out(held)));
        }
        loop {
            match ready!(self.viewer.poll_next(cx)) {
                Step::Headers(headers) => self.next_headers = Some(headers),
                Step::Batch(batch) => {
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
                Step::Skipped { frames } => tracing::debug!(frames, "viewer is too slow"),
                Step::Ended(_) => return Poll::Ready(None),
            }
        }
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

    fn out(&self, piece: Bytes) -> Bytes {
        self.viewer.sent(piece.len() as u64);
        piece
    }
}

/// As the body of an answer.
struct Flv {
    tags: Tags,
}

impl http_body::Body for Flv {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.tags.poll_next(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
