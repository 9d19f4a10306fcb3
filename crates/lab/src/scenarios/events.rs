//! Abnormalities while a push is live: each type of event happens once, and the push then ends well.

use std::time::Duration;

use cause::{Cause, EventKind};
use rtmp::MediaKind::{Audio, Video};
use tokio::time::sleep;

use crate::client::{Client, Pace};
use crate::error::LabError;
use crate::media;
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

/// A frame of MP3 in FLV, which needs no codec header.
const MP3: [u8; 4] = [0x2f, 0xff, 0xfb, 0x90];
/// A key frame of Sorenson H.263, which hardly anybody sends.
const SORENSON: [u8; 6] = [0x12, 0, 0, 0x84, 0, 0];

pub(super) fn scenarios() -> Vec<Scenario> {
    use EventKind as E;
    let scenario =
        |name, about, run| Scenario::new(name, Cause::DeleteStream, None, about, run).needing(Needs::Own);
    vec![
        scenario("event_video_back", "A video timestamp goes back (event 1).", |t| {
            Box::pin(happens(t, E::VideoBack))
        }),
        scenario("event_audio_back", "An audio timestamp goes back (event 2).", |t| {
            Box::pin(happens(t, E::AudioBack))
        }),
        scenario("event_video_jump", "A video timestamp jumps ahead by two seconds (event 3).", |t| {
            Box::pin(happens(t, E::VideoJump))
        }),
        scenario("event_audio_jump", "An audio timestamp jumps ahead by two seconds (event 4).", |t| {
            Box::pin(happens(t, E::AudioJump))
        }),
        scenario("event_chunk_size", "The client chooses chunks of 64 KiB (event 5).", |t| {
            Box::pin(happens(t, E::ChunkSize))
        }),
        scenario("event_video_gap", "No video comes for more than three seconds (event 6).", |t| {
            Box::pin(happens(t, E::VideoGap))
        }),
        scenario("event_audio_gap", "No audio comes for more than a second (event 7).", |t| {
            Box::pin(happens(t, E::AudioGap))
        }),
        scenario("event_video_codec", "The video codec changes from H.264 (event 8).", |t| {
            Box::pin(happens(t, E::VideoCodecChanged))
        }),
        scenario("event_audio_codec", "The audio codec changes from AAC to MP3 (event 9).", |t| {
            Box::pin(happens(t, E::AudioCodecChanged))
        }),
        scenario("event_no_video_header", "A video frame comes before its codec header (event 10).", |t| {
            Box::pin(happens(t, E::NoVideoHeader))
        }),
        scenario("event_no_audio_header", "An audio frame comes before its codec header (event 11).", |t| {
            Box::pin(happens(t, E::NoAudioHeader))
        }),
        scenario("event_audio_step", "Two audio timestamps lie half a second apart (event 12).", |t| {
            Box::pin(happens(t, E::AudioStep))
        }),
        scenario("event_uncommon_codec", "The video is Sorenson H.263 (event 13).", |t| {
            Box::pin(happens(t, E::UncommonCodec))
        }),
        scenario("event_unparsable", "A video codec header breaks off (event 14).", |t| {
            Box::pin(happens(t, E::Unparsable))
        }),
        scenario("event_low_frame_rate", "Four video frames come a second (event 15).", |t| {
            Box::pin(happens(t, E::LowFrameRate))
        }),
        scenario("event_long_gop", "Two key frames lie eleven seconds apart (event 16).", |t| {
            Box::pin(happens(t, E::LongGop))
        }),
        scenario("event_resumed", "Media comes again after five seconds of silence (event 101).", |t| {
            Box::pin(happens(t, E::Resumed))
        }),
    ]
}

/// A push in which the event happens, and which then says goodbye.
async fn happens(trial: Trial, kind: EventKind) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Plain).await?;
    let mut client = site.published(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream()).event(kind);
    cause_it(&mut client, kind).await?;
    Ok(seen.at(client.delete_stream().await?))
}

async fn cause_it(client: &mut Client, kind: EventKind) -> Result<(), LabError> {
    use EventKind as E;
    match kind {
        E::VideoBack => frames(client, Video, &[0, 40, 20]).await,
        E::VideoJump => frames(client, Video, &[0, 40, 2_040]).await,
        E::LongGop => frames(client, Video, &[0, 11_000]).await,
        E::AudioBack => frames(client, Audio, &[0, 23, 11]).await,
        E::AudioJump => frames(client, Audio, &[0, 23, 2_023]).await,
        E::AudioStep => frames(client, Audio, &[0, 23, 523]).await,
        E::VideoGap => apart(client, Video, Duration::from_millis(3_400)).await,
        E::AudioGap => apart(client, Audio, Duration::from_millis(1_400)).await,
        E::Resumed => apart(client, Video, Duration::from_secs(5)).await,
        E::ChunkSize => {
            client.session().set_chunk_size(65_536);
            client.send_frame(1_000).await
        }
        E::VideoCodecChanged => {
            frames(client, Video, &[0]).await?;
            client.send_video(&SORENSON).await
        }
        E::AudioCodecChanged => {
            frames(client, Audio, &[0]).await?;
            send(client, Audio, 23, &MP3).await
        }
        E::NoVideoHeader => send(client, Video, 0, &media::video(true, 400)).await,
        E::NoAudioHeader => send(client, Audio, 0, &media::audio(64)).await,
        E::UncommonCodec => client.send_video(&SORENSON).await,
        E::Unparsable => client.send_video(media::broken_video_header()).await,
        E::LowFrameRate => {
            client.stream(Pace { fps: 4, ..Pace::default() }, Duration::from_millis(11_500)).await
        }
        E::UpstreamSlow => Err(LabError::Skipped("needs proxy mode".to_owned())),
        E::PathSuspect => Err(LabError::Skipped("needs a network between".to_owned())),
    }
}

/// The codec header, and a frame at each of these timestamps; all video frames are key frames.
async fn frames(client: &mut Client, kind: rtmp::MediaKind, timestamps: &[u32]) -> Result<(), LabError> {
    let (header, frame) = match kind {
        Video => (media::video_header(), media::video(true, 400)),
        Audio => (media::audio_header(), media::audio(64)),
    };
    send(client, kind, 0, header).await?;
    for timestamp in timestamps {
        send(client, kind, *timestamp, &frame).await?;
    }
    Ok(())
}

/// Two frames that far apart.
async fn apart(client: &mut Client, kind: rtmp::MediaKind, pause: Duration) -> Result<(), LabError> {
    frames(client, kind, &[0]).await?;
    sleep(pause).await;
    frames(client, kind, &[u32::try_from(pause.as_millis()).unwrap_or(u32::MAX)]).await
}

async fn send(
    client: &mut Client,
    kind: rtmp::MediaKind,
    timestamp: u32,
    payload: &[u8],
) -> Result<(), LabError> {
    let id = client.stream_id();
    client.session().send_media(id, kind, timestamp, payload);
    client.flush().await
}
