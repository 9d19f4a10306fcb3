//! What players ask for: the multivariant playlist opens a session, and everything else belongs to one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use media::hls::{Reached, View};
use model::StreamKey;

use super::Hls;
use super::error::HlsError;
use super::session::Session;
use super::stream::Shown;
use crate::config::HlsMode;
use crate::hub::WatchError;
use crate::hub::feed::ViewerInfo;

/// The first request waits this long for something to play. Key frames are rarely further apart.
const START_WITHIN: Duration = Duration::from_secs(15);
/// A hinted part is at most a part target away; the rest is for encoders that stutter.
const PART_WITHIN: Duration = Duration::from_secs(5);

/// A session was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The session's token, for the URIs of everything else.
    pub token: String,
    /// The multivariant playlist.
    pub playlist: String,
}

/// A file of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// The media playlist.
    Playlist(Reload),
    /// An initialization segment.
    Init(u32),
    /// A segment.
    Segment(u64),
    /// A part of a segment. The one that comes next is waited for.
    Part(u64, usize),
}

/// How a player wants a playlist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reload {
    /// When it has this segment, or this part of it (`_HLS_msn`, `_HLS_part`).
    pub wait: Option<(u64, Option<usize>)>,
    /// Without the segments that it must have had already (`_HLS_skip=YES`).
    pub skip: bool,
    /// Compressed.
    pub gzip: bool,
}

impl Reload {
    fn of(self, view: &View) -> Bytes {
        let text = if self.skip { view.update() } else { view.playlist() };
        if self.gzip { text.gzip().clone() } else { text.plain().clone() }
    }
}

impl File {
    /// The file of this name; `None` for a name that no playlist holds.
    pub fn parse(name: &str) -> Option<Self> {
        if name == "media.m3u8" {
            return Some(Self::Playlist(Reload::default()));
        }
        let (kind, number) = name.split_once('-')?;
        match kind {
            "init" => Some(Self::Init(number.strip_suffix(".mp4")?.parse().ok()?)),
            "seg" => Some(Self::Segment(number.strip_suffix(".m4s")?.parse().ok()?)),
            "part" => {
                let (msn, part) = number.strip_suffix(".m4s")?.split_once('-')?;
                Some(Self::Part(msn.parse().ok()?, part.parse().ok()?))
            }
            _ => None,
        }
    }
}

impl Hls {
    /// Opens a session: the multivariant playlist, once there is something to play. `uri` makes of the session's token
    /// the URI of the media playlist.
    ///
    /// # Errors
    /// [`HlsError`].
    pub async fn open(
        self: &Arc<Self>,
        key: &StreamKey,
        who: ViewerInfo,
        uri: impl Fn(&str) -> String,
    ) -> Result<Opened, HlsError> {
        let stream = self.stream(key)?;
        stream.ask(self.clock.instant());
        let ready = stream.wait(START_WITHIN, |shown| match shown {
            Shown::Starting => None,
            Shown::Playing(view) => Some(Ok(view.clone())),
            Shown::Failed(error) => Some(Err(HlsError::Unsupported(*error))),
            Shown::Over => Some(Err(HlsError::NotLive(WatchError::NoSuchStream))),
        });
        let view = ready.await.ok_or(HlsError::NothingYet)??;
        let seat = self.hub.seat(key, who)?;
        let token = self.sessions.open(&stream, seat, self.clock.instant())?;
        let playlist = view.multivariant(&uri(&token));
        Ok(Opened { token, playlist })
    }

    /// Whether a session of a stream could be opened that is live or not; opens none.
    ///
    /// # Errors
    /// [`HlsError`].
    pub fn look(&self, is_live: bool) -> Result<(), HlsError> {
        if self.config.mode == HlsMode::Off {
            return Err(HlsError::Off);
        }
        is_live.then_some(()).ok_or(HlsError::NotLive(WatchError::NoSuchStream))
    }

    /// A file of a session, in pieces that lie in memory once for all.
    ///
    /// # Errors
    /// [`HlsError`].
    pub async fn file(&self, token: &str, file: File) -> Result<Vec<Bytes>, HlsError> {
        let session = self.sessions.find(token, self.clock.instant())?;
        let pieces = match file {
            File::Playlist(reload) => vec![match reload.wait {
                None => reload.of(&*view(&session)?),
                Some((msn, part)) => playlist_with(&session, reload, msn, part).await?,
            }],
            File::Init(id) => vec![view(&session)?.init(id).ok_or(HlsError::NoSuchFile)?.bytes.clone()],
            File::Segment(msn) => {
                let view = view(&session)?;
                let segment = view.segment(msn).ok_or(HlsError::NoSuchFile)?;
                segment.parts.iter().map(|part| part.bytes.clone()).collect()
            }
            File::Part(msn, part) => vec![hinted_part(&session, msn, part).await?],
        };
        session.seat.sent(pieces.iter().map(|piece| piece.len() as u64).sum());
        Ok(pieces)
    }
}

fn view(session: &Session) -> Result<Arc<View>, HlsError> {
    playing(&session.stream.shown())
}

fn playing(shown: &Shown) -> Result<Arc<View>, HlsError> {
    match shown {
        Shown::Playing(view) => Ok(view.clone()),
        Shown::Failed(error) => Err(HlsError::Unsupported(*error)),
        Shown::Starting | Shown::Over => Err(HlsError::NoSuchFile),
    }
}

/// Blocking playlist reload (RFC 8216bis, 6.2.5.2).
async fn playlist_with(
    session: &Session,
    reload: Reload,
    msn: u64,
    part: Option<usize>,
) -> Result<Bytes, HlsError> {
    let target = view(session)?.targets().segment_secs;
    let limit = 3 * Duration::from_secs(u64::from(target.max(1)));
    let there = session.stream.wait(limit, |shown| match playing(shown) {
        Err(error) => Some(Err(error)),
        Ok(view) => match view.reached(msn, part) {
            Reached::Yes => Some(Ok(reload.of(&view))),
            Reached::NotYet => None,
            // The player learns from the playlist that nothing more comes.
            Reached::Never if view.ended() => Some(Ok(reload.of(&view))),
            Reached::Never => Some(Err(HlsError::TooFar { msn })),
        },
    });
    there.await.unwrap_or(Err(HlsError::Late))
}

async fn hinted_part(session: &Session, msn: u64, part: usize) -> Result<Bytes, HlsError> {
    let there = session.stream.wait(PART_WITHIN, |shown| match playing(shown) {
        Err(error) => Some(Err(error)),
        Ok(view) => match view.part(msn, part) {
            Ok(part) => Some(Ok(part.bytes.clone())),
            Err(Reached::NotYet) => None,
            Err(_) => Some(Err(HlsError::NoSuchFile)),
        },
    });
    there.await.unwrap_or(Err(HlsError::Late))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_the_names_that_playlists_give_them() {
        assert_eq!(File::parse("media.m3u8"), Some(File::Playlist(Reload::default())));
        assert_eq!(File::parse("init-3.mp4"), Some(File::Init(3)));
        assert_eq!(File::parse("seg-12.m4s"), Some(File::Segment(12)));
        assert_eq!(File::parse("part-12-4.m4s"), Some(File::Part(12, 4)));
        for other in
            ["", "index.m3u8", "seg-.m4s", "seg--1.m4s", "part-1.m4s", "seg-1.mp4", "init-99999999999.mp4"]
        {
            assert_eq!(File::parse(other), None, "{other}");
        }
    }
}
