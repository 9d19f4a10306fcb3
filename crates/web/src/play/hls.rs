//! HLS over HTTP: `/{app}/{stream}/index.m3u8` opens a session; what its playlists name lies below
//! `/{app}/{stream}/hls/{token}/`.

use std::future::Future;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use live::feed::{ViewerInfo, ViewerKind};
use live::play::hls::{File, HlsError};
use model::PushUrl;

use super::pieces::{Pieces, Wanted};
use super::{not_watched, play_url, refused, viewer};
use crate::problem::{Kind, Problem};
use crate::state::WebState;

const PLAYLIST: &str = "application/vnd.apple.mpegurl";
const MEDIA: &str = "video/mp4";
/// Files never change; but their URIs are of one session, so there is no use in keeping them for long.
const KEEP: &str = "max-age=3600, immutable";
/// Playlists change with every part.
const ASK_AGAIN: &str = "no-cache";
/// Each player gets a session of its own, which nobody may hand to another.
const NOT_SHARED: &str = "no-store";

/// What a path of HLS means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// The multivariant playlist of the stream at this path.
    Index(&'a str),
    /// A file of a session.
    File {
        /// The session's token.
        token: &'a str,
        /// The file.
        file: File,
    },
}

impl<'a> Target<'a> {
    /// Reads a path; `None` if it is none of HLS.
    pub fn of(path: &'a str) -> Option<Self> {
        if let Some(stream) = path.strip_suffix("/index.m3u8") {
            return Some(Self::Index(stream));
        }
        let (rest, name) = path.rsplit_once('/')?;
        let (rest, token) = rest.rsplit_once('/')?;
        let file = File::parse(name)?;
        rest.ends_with("/hls").then_some(Self::File { token, file })
    }
}

/// Answers `GET` and `HEAD`. The request is read before anything is waited for.
pub(super) fn answer<'a>(
    state: &'a WebState,
    target: Target<'a>,
    request: &Request,
) -> impl Future<Output = Result<Response, Problem>> + Send + use<'a> {
    let asked = Asked {
        head: request.method() == Method::HEAD,
        range: request.headers().get(header::RANGE).and_then(|range| range.to_str().ok()).map(str::to_owned),
        query: request.uri().query().unwrap_or_default().to_owned(),
    };
    let opens = match target {
        Target::Index(stream) => Some((play_url(request, stream), viewer(state, request, ViewerKind::Hls))),
        Target::File { .. } => None,
    };
    async move {
        match (target, opens) {
            (Target::File { token, file }, _) => asked.file(state, token, file).await,
            (Target::Index(_), Some((url, who))) => asked.index(state, &url, who).await,
            (Target::Index(_), None) => Err(Problem::new(Kind::NotFound, "there is nothing at this path")),
        }
    }
}

/// What a request says beside its path.
struct Asked {
    head: bool,
    range: Option<String>,
    query: String,
}

impl Asked {
    async fn index(&self, state: &WebState, url: &PushUrl, who: ViewerInfo) -> Result<Response, Problem> {
        let key = state.live().authorize_play(url).map_err(refused)?;
        if self.head {
            // To look is not to play.
            state.live().hls().look(&key).map_err(problem)?;
            return Ok(self.with_body(Pieces::default(), PLAYLIST, NOT_SHARED));
        }
        let uri = |token: &str| format!("hls/{token}/media.m3u8");
        let opened = state.live().hls().open(&key, who, uri).await.map_err(problem)?;
        let playlist = Pieces::new(vec![Bytes::from(opened.playlist)]);
        Ok(self.with_body(playlist, PLAYLIST, NOT_SHARED))
    }

    async fn file(&self, state: &WebState, token: &str, file: File) -> Result<Response, Problem> {
        let (file, kind, keep) = match file {
            File::Playlist { .. } => (File::Playlist { wait: wanted(&self.query)? }, PLAYLIST, ASK_AGAIN),
            file => (file, MEDIA, KEEP),
        };
        let pieces = state.live().hls().file(token, file).await.map_err(problem)?;
        Ok(self.with_body(Pieces::new(pieces), kind, keep))
    }

    fn with_body(&self, pieces: Pieces, kind: &'static str, keep: &'static str) -> Response {
        let size = pieces.len();
        let wanted = if kind == MEDIA { Wanted::parse(self.range.as_deref(), size) } else { Wanted::All };
        let (status, pieces, range) = match wanted {
            Wanted::All => (StatusCode::OK, pieces, None),
            Wanted::Some(range) => {
                let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
                (StatusCode::PARTIAL_CONTENT, pieces.range(range), Some(text))
            }
            Wanted::Nothing => {
                (StatusCode::RANGE_NOT_SATISFIABLE, Pieces::default(), Some(format!("bytes */{size}")))
            }
        };
        let mut response = (status, pieces.into_body()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
        if kind == MEDIA {
            headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        }
        if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
            headers.insert(header::CONTENT_RANGE, range);
        }
        response
    }
}

/// `_HLS_msn` and `_HLS_part` of blocking playlist reload (RFC 8216bis, 6.2.5.2).
fn wanted(query: &str) -> Result<Option<(u64, Option<usize>)>, Problem> {
    let find = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let wrong = |name: &'static str| {
        Problem::new(Kind::BadRequest, format!("{name} is a whole number")).with_field(name)
    };
    let msn = find("_HLS_msn").map(|text| text.parse().map_err(|_| wrong("_HLS_msn"))).transpose()?;
    let part = find("_HLS_part").map(|text| text.parse().map_err(|_| wrong("_HLS_part"))).transpose()?;
    match (msn, part) {
        (None, Some(_)) => {
            Err(Problem::new(Kind::BadRequest, "_HLS_part needs _HLS_msn").with_field("_HLS_part"))
        }
        (msn, part) => Ok(msn.map(|msn| (msn, part))),
    }
}

fn problem(error: HlsError) -> Problem {
    let kind = match error {
        HlsError::NotLive(error) => return not_watched(error),
        HlsError::TooFar { .. } => Kind::BadRequest,
        HlsError::NothingYet | HlsError::Late | HlsError::Full => Kind::Unavailable,
        HlsError::Off | HlsError::Unsupported(_) | HlsError::NoSession | HlsError::NoSuchFile => {
            Kind::NotFound
        }
    };
    Problem::new(kind, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() {
        assert_eq!(Target::of("/live/eu/cam/index.m3u8"), Some(Target::Index("/live/eu/cam")));
        let file = |token, file| Some(Target::File { token, file });
        assert_eq!(Target::of("/live/cam/hls/ab12/seg-7.m4s"), file("ab12", File::Segment(7)));
        assert_eq!(Target::of("/live/cam/hls/ab12/media.m3u8"), file("ab12", File::Playlist { wait: None }));
        for other in ["/live/cam.flv", "/live/cam/hls/ab12/other.txt", "/live/cam/ab12/seg-7.m4s", "/", ""] {
            assert_eq!(Target::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_playlist_may_be_waited_for() {
        assert_eq!(wanted("_HLS_msn=12&_HLS_part=3").unwrap(), Some((12, Some(3))));
        assert_eq!(wanted("a=b&_HLS_msn=12").unwrap(), Some((12, None)));
        assert_eq!(wanted("_HLS_skip=YES").unwrap(), None);
        for wrong in ["_HLS_part=1", "_HLS_msn=-1", "_HLS_msn=", "_HLS_msn=1&_HLS_part=x"] {
            assert_eq!(wanted(wrong).unwrap_err().status(), StatusCode::BAD_REQUEST, "{wrong}");
        }
    }
}
