//! WebRTC viewers, set up by WHEP: what of a live stream WebRTC can carry goes out as it is; nothing is transcoded.
//!
//! There is no way to hold a sender back on a datagram path: what a viewer's path loses is sent again when it asks, and it
//! goes on at the next key frame when that does not help.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use media::pack::Unroll;
use media::unpack::{VideoUnpacker, sound};
use media::{AudioCodec, VideoCodec, parse_audio, parse_video};
use str0m::format::{Codec, PayloadParams};
use str0m::media::{Frequency, MediaAdded, MediaKind, MediaTime, Mid, Pt};

use super::PlayError;
use crate::hub::feed::{Batch, FrameKind, Headers, Step, Viewer, ViewerInfo, ViewerKind};
use crate::ingest::whip::{Answered, Offer};
use crate::shared::{ConnectionGuard, Connections, Shared};
use crate::webrtc::ResourceKind;
use crate::webrtc::offer::{self, Carried, OfferError, Offered};
use crate::webrtc::peer::{Input, Peer};

/// How often the session looks up when nothing happens.
const IDLE: Duration = Duration::from_secs(10);
/// A key frame is asked for this often at most, whatever a viewer reports.
const KEY_FRAME_AGAIN: Duration = Duration::from_millis(500);

/// Why somebody cannot play over WebRTC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhepError {
    /// The URL is not good, or the stream not live.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The offer is not good.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// The stream has not shown yet what it is.
    #[error("the stream has no media yet")]
    NotYet,
    /// WebRTC cannot carry what the stream is made of, or the client did not offer it.
    #[error("{0}")]
    NotCarried(String),
    /// The system gave no random numbers.
    #[error("the session could not be made")]
    Internal,
}

/// Answers an offer to play, and drives the session until it ends.
pub(crate) async fn begin(shared: &Arc<Shared>, request: Offer) -> Result<Answered, WhepError> {
    let Some(webrtc) = &shared.webrtc else { return Err(WhepError::Internal) };
    let who = ViewerInfo { kind: ViewerKind::Whep, client: request.client, since: shared.clock.now() };
    let viewer = super::watch(shared, &request.url, who).await?;
    let offered = Offered::read(&request.sdp)?;
    let stream = Made::of(&viewer.headers_now());
    let (carried, note) = stream.carried(&offered)?;
    let credentials = offer::credentials().ok_or(WhepError::Internal)?;
    let tag = credentials.ufrag.clone();
    let addresses = webrtc.addresses_for(request.client);
    let answer = offered.answer(carried, credentials, &addresses, shared.clock.instant())?;
    let fragment = offer::fragment_of(&request.sdp);
    let resource = webrtc.resources.open(ResourceKind::Whep, &tag, fragment).ok_or(WhepError::Internal)?;
    let id = resource.id().to_owned();
    let line = webrtc.port.line(tag.clone());
    let peer = Peer::new(answer.rtc, line, resource, addresses, shared.clock.clone());
    let session = Session {
        peer,
        viewer,
        carried,
        video: None,
        audio: None,
        unpacker: VideoUnpacker::default(),
        time: Unroll::new(32),
        first: None,
        key_wanted: None,
        counted: 0,
    };
    tokio::spawn(session.run(shared.clone(), Connections::enter(shared), request.client));
    Ok(Answered { id, tag, sdp: answer.sdp, note })
}

/// What a stream is made of, by its headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Made {
    video: Option<VideoCodec>,
    audio: Option<AudioCodec>,
}

impl Made {
    fn of(headers: &Headers) -> Self {
        let video = headers.video().and_then(|body| parse_video(body).ok()).and_then(|tag| tag.codec);
        let audio = headers.audio().and_then(|body| parse_audio(body).ok()).and_then(|tag| tag.codec);
        Self { video, audio }
    }

    /// What of it this client can get, and a note about what it cannot.
    fn carried(self, offered: &Offered) -> Result<(Carried, Option<String>), WhepError> {
        if self == Self::default() {
            return Err(WhepError::NotYet);
        }
        let video = self.video.filter(|codec| offered.has(*codec));
        let opus = self.audio == Some(AudioCodec::Opus) && offered.has_opus();
        let carried = Carried { video, opus };
        let mut left_out = Vec::new();
        if let Some(codec) = self.video.filter(|_| video.is_none()) {
            left_out.push(match offer::name(codec) {
                Some(_) => format!("the video is {codec}, which the client does not offer"),
                None => format!("the video is {codec}, which WebRTC does not carry"),
            });
        }
        if let Some(codec) = self.audio.filter(|_| !opus) {
            left_out.push(match codec {
                AudioCodec::Opus => "the audio is Opus, which the client does not offer".to_owned(),
                other => format!("the audio is {other}, which WebRTC does not carry"),
            });
        }
        let note = (!left_out.is_empty()).then(|| left_out.join("; "));
        match (carried.is_nothing(), note) {
            (true, note) => Err(WhepError::NotCarried(note.unwrap_or_default())),
            (false, note) => Ok((carried, note)),
        }
    }
}

struct Session {
    peer: Peer,
    viewer: Viewer,
    carried: Carried,
    video: Option<Out>,
    audio: Option<Out>,
    unpacker: VideoUnpacker,
    time: Unroll,
    /// When the first frame went out, and its time in the stream, ms.
    first: Option<(Instant, i64)>,
    key_wanted: Option<Instant>,
    /// Bytes that the viewer's count has.
    counted: u64,
}

/// Where a media goes out.
#[derive(Clone, Copy, Debug)]
struct Out {
    mid: Mid,
    pt: Pt,
}

impl Session {
    async fn run(mut self, shared: Arc<Shared>, _guard: ConnectionGuard, client: SocketAddr) {
        tracing::debug!(%client, "whep");
        let why = match self.connect(shared.clock.instant() + shared.config.limits.setup).await {
            Ok(()) => {
                // What has come meanwhile is old.
                self.viewer.skip_to_live();
                self.play(&shared).await
            }
            Err(why) => why,
        };
        self.peer.close();
        if let Some(resource) = self.peer.take_resource() {
            resource.ended(shared.clock.instant(), None, why.to_owned());
        }
        tracing::debug!(%client, why, "whep ended");
    }

    async fn connect(&mut self, deadline: Instant) -> Result<(), &'static str> {
        loop {
            match self.peer.next(deadline, |_| Poll::Pending).await {
                Input::Connected => return Ok(()),
                Input::Due => return Err("the client did not connect in time"),
                Input::Deleted => return Err("the client deleted it"),
                Input::Closed | Input::CutOff(_) | Input::Failed(_) => {
                    return Err("the client could not connect");
                }
                _ => {}
            }
        }
    }

    /// Offer and answer have agreed on a media, which is said once the peer is connected.
    fn add(&mut self, added: &MediaAdded) {
        let codec = match added.kind {
            MediaKind::Video => self.carried.video.and_then(rtp_codec),
            MediaKind::Audio => self.carried.opus.then_some(Codec::Opus),
        };
        let Some(codec) = codec else { return };
        let pt = self.peer.rtc().writer(added.mid).and_then(|writer| best(writer.payload_params(), codec));
        let out = pt.map(|pt| Out { mid: added.mid, pt });
        match added.kind {
            MediaKind::Video => self.video = self.video.or(out),
            MediaKind::Audio => self.audio = self.audio.or(out),
        }
    }

    async fn play(&mut self, shared: &Shared) -> &'static str {
        loop {
            let deadline = self.peer.now() + IDLE;
            let mut step = None;
            let viewer = &mut self.viewer;
            let input = self
                .peer
                .next(deadline, |cx| {
                    viewer.poll_next(cx).map(|next| {
                        step = Some(next);
                    })
                })
                .await;
            self.count();
            match input {
                Input::Other => match step {
                    Some(Step::Headers(headers)) => {
                        if let Some(header) = headers.video() {
                            self.unpacker.take(header);
                        }
                        if self
                            .unpacker
                            .codec()
                            .is_some_and(|codec| self.carried.video.is_some_and(|c| c != codec))
                        {
                            return "the stream has changed its codec";
                        }
                    }
                    Some(Step::Batch(batch)) => self.send(&batch),
                    Some(Step::Skipped { frames }) => tracing::debug!(frames, "viewer is too slow"),
                    Some(Step::Ended(_)) => return "the stream has ended",
                    None => {}
                },
                Input::Added(added) => self.add(&added),
                Input::KeyFrameWanted => {
                    let now = self.peer.now();
                    let again = self.key_wanted.is_none_or(|at| now >= at + KEY_FRAME_AGAIN);
                    if again {
                        self.key_wanted = Some(now);
                        self.viewer.want_key();
                    }
                }
                // Once a second.
                Input::RoundTrip(_) if shared.orders.are_standing() => return "the server is stopping",
                Input::Deleted => return "the client deleted it",
                Input::Closed => return "the client closed it",
                Input::Lost(_) => return "the client no longer answered",
                Input::Gone => return "the client's program is gone",
                Input::CutOff(_) => return "the client's connection has ended",
                Input::Failed(_) => return "the session failed",
                _ => {}
            }
        }
    }

    fn send(&mut self, batch: &Batch) {
        for frame in batch.frames() {
            let ms = self.time.unroll(u64::from(frame.timestamp));
            let (started, first_ms) = *self.first.get_or_insert((self.peer.now(), ms));
            let since = u64::try_from(ms.saturating_sub(first_ms)).unwrap_or(0);
            // Both media are tied to one clock by their times in the stream, not by when they went through here.
            let wallclock = (started + Duration::from_millis(since)).min(self.peer.now());
            match frame.kind {
                FrameKind::Video => {
                    let Some(Out { mid, pt }) = self.video else { continue };
                    let Some(picture) = self.unpacker.take(&frame.payload) else { continue };
                    let shown = since.saturating_add_signed(i64::from(picture.composition_ms));
                    let time = MediaTime::from_90khz(shown.saturating_mul(90));
                    self.peer.write(mid, pt, wallclock, time, picture.data);
                }
                FrameKind::Audio => {
                    let Some(Out { mid, pt }) = self.audio else { continue };
                    let Some((AudioCodec::Opus, data)) = sound(&frame.payload) else { continue };
                    let time = MediaTime::new(since.saturating_mul(48), Frequency::FORTY_EIGHT_KHZ);
                    self.peer.write(mid, pt, wallclock, time, data.to_vec());
                }
                FrameKind::Script => {}
            }
        }
        self.count();
    }

    fn count(&mut self) {
        let sent = self.peer.totals().bytes_out;
        self.viewer.sent(sent.saturating_sub(self.counted));
        self.counted = sent;
    }
}

/// The payload type for a codec: of several for H.264 the one that may be cut into fragments.
fn best<'a>(params: impl Iterator<Item = &'a PayloadParams>, codec: Codec) -> Option<Pt> {
    let mut fitting: Vec<&PayloadParams> = params.filter(|params| params.spec().codec == codec).collect();
    fitting.sort_by_key(|params| params.spec().format.packetization_mode != Some(1));
    fitting.first().map(|params| params.pt())
}

fn rtp_codec(codec: VideoCodec) -> Option<Codec> {
    Some(match codec {
        VideoCodec::Avc => Codec::H264,
        VideoCodec::Hevc => Codec::H265,
        VideoCodec::Av1 => Codec::Av1,
        VideoCodec::Vp9 => Codec::Vp9,
        VideoCodec::Vp8 => Codec::Vp8,
        _ => return None,
    })
}
