//! A plan, carried out by a client.

use std::time::Duration;

use cause::black_box::MediaEntryKind;
use cause::evidence::{CutMessage, Goodbye, Stage};
use model::{Clock, SystemClock};
use rtmp::MediaKind;
use rtmp::amf0::Object;
use tokio::time::sleep;

use super::plan::{Ending, Message, Plan};
use crate::client::Client;
use crate::error::LabError;
use crate::media;
use crate::scenario::Seen;
use crate::site::Site;

/// How long an end that the server has to give is waited for.
const SERVER_ENDS: Duration = Duration::from_secs(100);
/// After FCUnpublish alone the client stays this long.
const AFTER_UNPUBLISH: Duration = Duration::from_secs(3);
/// What a video and an audio message have around what is in them, bytes.
const VIDEO_HEAD: u32 = 10;
const AUDIO_HEAD: u32 = 2;
/// The chunk stream of a message that is cut off.
const CUT_CHUNK_STREAM: u8 = 6;

pub(super) async fn drive(plan: &Plan, site: &Site, stream: &str) -> Result<Seen, LabError> {
    let mut client = site.open().await?;
    if plan.stage < Stage::Admission {
        let seen = Seen::connection(site, &client);
        set_up(&mut client, site, plan.stage).await?;
        sleep(Duration::from_millis(100)).await;
        return end(plan, client, stream, seen).await;
    }
    let seen = Seen::push(site, &client, stream);
    set_up(&mut client, site, Stage::StreamCreated).await?;
    match client.publish(&site.publish_name(stream)).await {
        // A refusal is an end that the server gives.
        Err(LabError::Refused(_)) => return Ok(seen.now().keep(client)),
        other => other?,
    }
    match media(plan, &mut client, stream).await {
        // The server has ended it before the plan was over.
        Err(LabError::Lost(_) | LabError::Closed { .. }) => Ok(seen.now().keep(client)),
        Err(other) => Err(other),
        Ok(()) => end(plan, client, stream, seen).await,
    }
}

/// Everything up to this stage, and no further.
async fn set_up(client: &mut Client, site: &Site, stage: Stage) -> Result<(), LabError> {
    match stage {
        Stage::NoBytes | Stage::TlsHandshake | Stage::SrtHandshake | Stage::WebrtcSetup => return Ok(()),
        // The version byte, and a part of what must follow it.
        Stage::RtmpHandshake => return client.send_raw(&[3; 100]).await,
        _ => client.handshake().await?,
    }
    if stage >= Stage::Connected {
        client.connect(&site.app, &site.tc_url()).await?;
    }
    if stage >= Stage::StreamCreated {
        client.create_stream().await?;
    }
    Ok(())
}

async fn media(plan: &Plan, client: &mut Client, stream: &str) -> Result<(), LabError> {
    let started = SystemClock.instant();
    let until = |at_ms: u64| {
        Duration::from_millis(at_ms).saturating_sub(SystemClock.instant().saturating_duration_since(started))
    };
    let id = client.stream_id();
    let first = plan.messages.first().map_or(0, |message| message.timestamp);
    for (kind, header) in
        [(MediaEntryKind::Video, media::video_header()), (MediaEntryKind::Audio, media::audio_header())]
    {
        if plan.messages.iter().any(|message| message.kind == kind) {
            let kind = if kind == MediaEntryKind::Video { MediaKind::Video } else { MediaKind::Audio };
            client.session().send_media(id, kind, first, header);
        }
    }
    for message in &plan.messages {
        let pause = until(message.at_ms);
        if !pause.is_zero() {
            client.flush().await?;
            client.idle(pause).await?;
        }
        say(client, message);
    }
    client.flush().await?;
    if let Some(cut) = plan.cut {
        let bytes = begun(cut, client.session().chunk_size());
        client.send_raw(&bytes).await?;
    }
    let says_goodbye = matches!(plan.ending, Ending::Goodbye(Goodbye::FcUnpublishClosed));
    if says_goodbye {
        client.session().fc_unpublish(stream);
        client.flush().await?;
    }
    client.idle(until(plan.end_ms)).await
}

fn say(client: &mut Client, message: &Message) {
    let id = client.stream_id();
    let inner = |head| usize::try_from(message.size.saturating_sub(head)).unwrap_or(usize::MAX);
    let (kind, payload) = match (message.kind, message.config) {
        (MediaEntryKind::Data, _) => return client.session().send_metadata(id, Object::new()),
        (MediaEntryKind::Video, true) => (MediaKind::Video, media::video_header().to_vec()),
        (MediaEntryKind::Audio, true) => (MediaKind::Audio, media::audio_header().to_vec()),
        (MediaEntryKind::Video, false) => {
            (MediaKind::Video, media::video(message.key_frame, inner(VIDEO_HEAD)))
        }
        (MediaEntryKind::Audio, false) => (MediaKind::Audio, media::audio(inner(AUDIO_HEAD))),
    };
    client.session().send_media(id, kind, message.timestamp, &payload);
}

/// The part of a message that had come, in chunks.
fn begun(cut: CutMessage, chunk_size: u32) -> Vec<u8> {
    let [_, want @ ..] = cut.want.to_be_bytes();
    let mut bytes = vec![CUT_CHUNK_STREAM, 0, 0, 0];
    bytes.extend_from_slice(&want);
    bytes.extend_from_slice(&[cut.message_type, 1, 0, 0, 0]);
    let have = cut.have.min(cut.want.saturating_sub(1));
    for n in 0..have {
        if n > 0 && n.is_multiple_of(chunk_size.max(1)) {
            bytes.push(0xc0 | CUT_CHUNK_STREAM);
        }
        bytes.push(0);
    }
    bytes
}

async fn end(plan: &Plan, mut client: Client, stream: &str, seen: Seen) -> Result<Seen, LabError> {
    let at = match plan.ending {
        Ending::Goodbye(Goodbye::DeleteStream) => client.delete_stream().await?,
        Ending::Goodbye(Goodbye::CloseStream) => client.close_stream().await?,
        Ending::Goodbye(Goodbye::FcUnpublishAlone | Goodbye::Republished) => {
            client.session().fc_unpublish(stream);
            client.flush().await?;
            let seen = seen.now();
            client.idle(AFTER_UNPUBLISH).await?;
            return Ok(seen.keep(client));
        }
        Ending::Goodbye(_) | Ending::EndOfFile => client.end_of_file().await?,
        Ending::Reset => client.reset().await?,
        Ending::Wait => {
            client.wait_for_close(SERVER_ENDS).await?;
            return Ok(seen.keep(client));
        }
    };
    Ok(seen.at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_message_has_its_header_and_the_bytes_that_had_come() {
        let bytes = begun(CutMessage { message_type: 9, have: 300, want: 0x0001_0203 }, 128);
        assert_eq!(bytes[..12], [6, 0, 0, 0, 1, 2, 3, 9, 1, 0, 0, 0]);
        assert_eq!(bytes.len(), 12 + 300 + 2, "two chunk headers between three chunks");
        assert_eq!(bytes[12 + 128], 0xc6);
    }
}
