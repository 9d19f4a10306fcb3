//! HLS over HTTP: `/{app}/{stream}/index.m3u8` opens a session; what its playlists name lies below
//! `/{app}/{stream}/hls/{token}/`.

use std::future::Future;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use live::feed::{ViewerInfo, ViewerKind};
use live::play::hls::{File, HlsError, Reload, Text};
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
        gzip: takes_gzip(request.headers()),
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
    gzip: bool,
    query: String,
}

impl Asked {
    async fn index(&self, state: &WebState, url: &PushUrl, who: ViewerInfo) -> Result<Response, Problem> {
        if self.head {
            // To look is not to play.
            let is_live = state.live().look_for_stream(url).await.map_err(refused)?;
            state.live().hls().look(is_live).map_err(problem)?;
            return Ok(self.with_body(Pieces::default(), PLAYLIST, NOT_SHARED, false));
        }
        let uri = |token: &str| format!("hls/{token}/media.m3u8");
        let found = state.live().find_stream(url).await.map_err(refused)?;
        let opened = state.live().hls().open(&found.key, who, uri).await.map_err(problem)?;
        let playlist = Text::new(opened.playlist);
        let playlist = if self.gzip { playlist.gzip() } else { playlist.plain() };
        Ok(self.with_body(Pieces::new(vec![playlist.clone()]), PLAYLIST, NOT_SHARED, self.gzip))
    }

    async fn file(&self, state: &WebState, token: &str, file: File) -> Result<Response, Problem> {
        let (file, kind, keep, gzip) = match file {
            File::Playlist(_) => {
                let reload = Reload { gzip: self.gzip, ..reload(&self.query)? };
                (File::Playlist(reload), PLAYLIST, ASK_AGAIN, self.gzip)
            }
            file => (file, MEDIA, KEEP, false),
        };
        let pieces = state.live().hls().file(token, file).await.map_err(problem)?;
        Ok(self.with_body(Pieces::new(pieces), kind, keep, gzip))
    }

    fn with_body(&self, pieces: Pieces, kind: &'static str, keep: &'static str, gzip: bool) -> Response {
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
        } else {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
            headers.insert(header::CONTENT_RANGE, range);
        }
        response
    }
}

/// Whether the client takes gzip (RFC 9110, 12.5.3). One that takes anything has not asked for it.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|value| value.split(',')).any(|offer| {
        let (coding, weight) = offer.split_once(';').unwrap_or((offer, ""));
        let never = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        coding.trim().eq_ignore_ascii_case("gzip") && !never
    })
}

/// `_HLS_msn` and `_HLS_part` of blocking playlist reload, and `_HLS_skip` of delta updates (RFC 8216bis, 6.2.5).
fn reload(query: &str) -> Result<Reload, Problem> {
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
        (msn, part) => {
            let wait = msn.map(|msn| (msn, part));
            // There is no other thing to skip, so both words mean the same (RFC 8216bis, 6.2.5.1).
            let skip = matches!(find("_HLS_skip"), Some("YES" | "v2"));
            Ok(Reload { wait, skip, gzip: false })
        }
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
        assert_eq!(
            Target::of("/live/cam/hls/ab12/media.m3u8"),
            file("ab12", File::Playlist(Reload::default()))
        );
        for other in ["/live/cam.flv", "/live/cam/hls/ab12/other.txt", "/live/cam/ab12/seg-7.m4s", "/", ""] {
            assert_eq!(Target::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_playlist_may_be_waited_for() {
        let asked = |query| reload(query).map(|reload| (reload.wait, reload.skip)).unwrap();
        assert_eq!(asked("_HLS_msn=12&_HLS_part=3"), (Some((12, Some(3))), false));
        assert_eq!(asked("a=b&_HLS_msn=12&_HLS_skip=v2"), (Some((12, None)), true));
        assert_eq!(asked("_HLS_skip=YES"), (None, true));
        assert_eq!(asked("_HLS_skip=NO"), (None, false));
        for wrong in ["_HLS_part=1", "_HLS_msn=-1", "_HLS_msn=", "_HLS_msn=1&_HLS_part=x"] {
            assert_eq!(reload(wrong).unwrap_err().status(), StatusCode::BAD_REQUEST, "{wrong}");
        }
    }

    #[test]
    fn only_who_asks_for_gzip_is_sent_it() {
        let takes = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
            takes_gzip(&headers)
        };
        assert!(
            takes("gzip, deflate, br") && takes("br;q=1.0, GZIP;q=0.5") && !takes_gzip(&HeaderMap::new())
        );
        for other in ["identity", "gzip;q=0", "gzip; q=0.000", "*", "x-gzip", ""] {
            assert!(!takes(other), "{other}");
        }
    }
}
