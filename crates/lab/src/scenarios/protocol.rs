//! A client that breaks RTMP, AMF or its media.

use cause::{Cause, DetailKey};
use rtmp::MessageInfo;
use rtmp::message::type_id;

use crate::client::{Client, PATIENCE};
use crate::error::LabError;
use crate::media;
use crate::scenario::{Needs, Scenario, Seen};
use crate::trial::Trial;

/// A chunk that continues a message on a chunk stream that has begun none.
const CONTINUES_NOTHING: [u8; 64] = [0xc0 | 45; 64];
/// AMF0: a command named "x", then a marker that does not exist.
const UNKNOWN_MARKER: [u8; 5] = [0x02, 0x00, 0x01, b'x', 0x7f];
/// AMF0: a command named "x", then a number that breaks off.
const CUT_NUMBER: [u8; 7] = [0x02, 0x00, 0x01, b'x', 0x00, 0x40, 0x00];
/// Above every limit that a server may have: the length field has three bytes.
const OVERSIZED: u32 = 0x00ff_ffff;

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{AmfBroken, MediaBroken, MessageTooLarge, ProtocolBroken};
    use DetailKey as D;
    vec![
        Scenario::new("not_rtmp", ProtocolBroken, D::Rule, "Speaks HTTP to the RTMP port.", |t| {
            Box::pin(not_rtmp(t))
        }),
        Scenario::new(
            "garbage_after_handshake",
            ProtocolBroken,
            D::Rule,
            "Sends chunks that continue nothing after the handshake.",
            |t| Box::pin(garbage_after_handshake(t)),
        ),
        Scenario::new(
            "garbage_while_live",
            ProtocolBroken,
            D::Rule,
            "Sends chunks that continue nothing while it is live.",
            |t| Box::pin(garbage_while_live(t)),
        ),
        Scenario::new(
            "publish_before_connect",
            ProtocolBroken,
            D::Rule,
            "Publishes without having said connect.",
            |t| Box::pin(publish_before_connect(t)),
        ),
        Scenario::new(
            "second_publish",
            ProtocolBroken,
            D::SecondPublish,
            "Publishes a second name beside the live one on its connection.",
            |t| Box::pin(second_publish(t)),
        ),
        Scenario::new(
            "oversized_message",
            MessageTooLarge,
            D::MessageLimit,
            "Announces a message of 16 MiB.",
            |t| Box::pin(oversized_message(t)),
        ),
        Scenario::new(
            "unknown_amf_marker",
            AmfBroken,
            D::AmfMarker,
            "Sends a command with an AMF marker that does not exist.",
            |t| Box::pin(broken_command(t, &UNKNOWN_MARKER)),
        ),
        Scenario::new(
            "cut_amf_value",
            AmfBroken,
            None,
            "Sends a command whose AMF breaks off inside a number.",
            |t| Box::pin(broken_command(t, &CUT_NUMBER)),
        ),
        Scenario::new(
            "broken_codec_configuration",
            MediaBroken,
            D::Rule,
            "Sends an H.264 decoder configuration that breaks off, to a server that is strict.",
            |t| Box::pin(broken_codec_configuration(t)),
        )
        .needing(Needs::Own),
    ]
}

async fn live(trial: &Trial) -> Result<(Client, Seen), LabError> {
    let site = trial.site().await?;
    let client = site.live(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream());
    Ok((client, seen))
}

async fn not_rtmp(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut client = site.open().await?;
    let seen = Seen::connection(&site, &client).now();
    client.send_raw(b"GET / HTTP/1.1\r\nHost: push.lab.test\r\n\r\n").await?;
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn garbage_after_handshake(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut client = site.open().await?;
    client.handshake().await?;
    let seen = Seen::connection(&site, &client).now();
    client.send_raw(&CONTINUES_NOTHING).await?;
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn garbage_while_live(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    let seen = seen.now();
    client.send_raw(&CONTINUES_NOTHING).await?;
    Ok(seen.told(client.wait_for_cut(PATIENCE).await?))
}

async fn publish_before_connect(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut client = site.open().await?;
    client.handshake().await?;
    let seen = Seen::connection(&site, &client).now();
    client.ask_to_publish(&site.publish_name(trial.stream())).await?;
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn second_publish(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, first) = live(&trial).await?;
    let second = format!("{}-second", trial.stream());
    let seen = Seen::push(&first.site, &client, &second).now();
    let seen = match client.publish(&first.site.publish_name(&second)).await {
        Err(LabError::Refused(told)) => seen.told(told),
        Err(error) => return Err(error),
        Ok(()) => return Err(LabError::WentLive),
    };
    // The live push goes on beside it.
    client.send_frame(1_000).await?;
    client.delete_stream().await?;
    Ok(seen)
}

async fn oversized_message(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    let seen = seen.now();
    let [_, l0, l1, l2] = OVERSIZED.to_be_bytes();
    client.send_raw(&[0x06, 0, 0, 0, l0, l1, l2, type_id::VIDEO, 1, 0, 0, 0, 0x17, 1]).await?;
    Ok(seen.told(client.wait_for_cut(PATIENCE).await?))
}

async fn broken_command(trial: Trial, body: &'static [u8]) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    let seen = seen.now();
    let type_id = type_id::COMMAND_AMF0;
    let info = MessageInfo { offset: 0, chunk_stream: 3, type_id, stream_id: 0, timestamp: 0, length: 0 };
    client.session().send_message(&info, body);
    client.flush().await?;
    Ok(seen.told(client.wait_for_cut(PATIENCE).await?))
}

async fn broken_codec_configuration(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    let seen = seen.now();
    client.send_video(media::broken_video_header()).await?;
    Ok(seen.told(client.wait_for_cut(PATIENCE).await?))
}
