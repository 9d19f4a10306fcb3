//! A response body of pieces that lie in memory and are shared with other answers.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// Pieces that are sent one after the other, without being copied together.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pieces: VecDeque<Bytes>,
    left: u64,
}

impl Pieces {
    pub fn new(pieces: Vec<Bytes>) -> Self {
        let left = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { pieces: pieces.into(), left }
    }

    /// Bytes to send.
    pub fn len(&self) -> u64 {
        self.left
    }

    /// Only these bytes of it.
    pub fn range(self, range: Range<u64>) -> Self {
        let mut at = 0;
        let mut within = Vec::new();
        for piece in self.pieces {
            let start = range.start.saturating_sub(at).min(piece.len() as u64);
            let end = range.end.saturating_sub(at).min(piece.len() as u64);
            at += piece.len() as u64;
            if let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end))
                && start < end
            {
                within.push(piece.slice(start..end));
            }
        }
        Self::new(within)
    }

    pub fn into_body(self) -> Body {
        Body::new(self)
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.pop_front();
        self.left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// What a Range header asks for (RFC 9110, 14.2).
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything: no range, or one that is not understood.
    All,
    /// These bytes.
    Some(Range<u64>),
    /// Bytes that are not there.
    Nothing,
}

impl Wanted {
    /// Reads a Range header for a file of `size` bytes. Several ranges are answered with everything, which is allowed.
    pub fn parse(header: Option<&str>, size: u64) -> Self {
        let Some((from, to)) = header.and_then(|h| h.strip_prefix("bytes=")).and_then(|h| h.split_once('-'))
        else {
            return Self::All;
        };
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let range = match (number(from), number(to)) {
            (Some(from), Some(to)) if from <= to => from..to.saturating_add(1).min(size),
            (Some(from), None) if to.trim().is_empty() => from..size,
            (None, Some(last)) if from.trim().is_empty() => size.saturating_sub(last)..size,
            _ => return Self::All,
        };
        if range.is_empty() { Self::Nothing } else { Self::Some(range) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces() -> Pieces {
        Pieces::new(vec![Bytes::from_static(b"abc"), Bytes::new(), Bytes::from_static(b"defg")])
    }

    #[test]
    fn a_range_reaches_across_pieces() {
        let text = |range| pieces().range(range).pieces.into_iter().flatten().collect::<Vec<u8>>();
        assert_eq!(text(0..7), b"abcdefg");
        assert_eq!(text(2..5), b"cde");
        assert_eq!(text(3..4), b"d");
        assert_eq!(pieces().range(2..5).len(), 3);
    }

    #[test]
    fn ranges_are_read_as_the_standard_has_them() {
        assert_eq!(Wanted::parse(Some("bytes=0-3"), 10), Wanted::Some(0..4));
        assert_eq!(Wanted::parse(Some("bytes=4-"), 10), Wanted::Some(4..10));
        assert_eq!(Wanted::parse(Some("bytes=-3"), 10), Wanted::Some(7..10));
        assert_eq!(Wanted::parse(Some("bytes=4-99"), 10), Wanted::Some(4..10));
        assert_eq!(Wanted::parse(Some("bytes=10-"), 10), Wanted::Nothing);
        for all in [None, Some("bytes=3-2"), Some("bytes=0-1,4-5"), Some("lines=1-2"), Some("bytes=-")] {
            assert_eq!(Wanted::parse(all, 10), Wanted::All, "{all:?}");
        }
    }
}
