//! A client that stops: with a goodbye, without one, or by force.

use std::time::Duration;

use cause::{Cause, DetailKey};
use model::Record;
use rtmp::MediaKind;
use tokio::time::sleep;

use crate::child::{Pusher, Step};
use crate::client::{Client, Pace};
use crate::error::LabError;
use crate::media;
use crate::process::{self, Signal};
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

/// The start of a video message: a full chunk header that announces 100 bytes, and ten of them.
const HALF_MESSAGE: [u8; 22] = [0x06, 0, 0, 0, 0, 0, 100, 9, 1, 0, 0, 0, 0x17, 1, 0, 0, 0, 0, 0, 0, 5, 0x65];

/// A client that is gone is seen to be.
const AT_ONCE: Duration = Duration::from_millis(100);

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{CloseStream, DeleteStream, EndOfFile, Reset};
    use DetailKey as D;
    vec![
        Scenario::new(
            "delete_stream",
            DeleteStream,
            None,
            "Streams, says deleteStream and closes, as OBS and ffmpeg do.",
            |t| Box::pin(delete_stream(t)),
        ),
        Scenario::new(
            "goodbye_then_reset",
            DeleteStream,
            None,
            "Says FCUnpublish and deleteStream, then resets, as librtmp does with our answer unread.",
            |t| Box::pin(goodbye_then_reset(t)),
        ),
        Scenario::new("audio_only", DeleteStream, None, "Sends audio alone, then says deleteStream.", |t| {
            Box::pin(audio_only(t))
        }),
        Scenario::new("video_only", DeleteStream, None, "Sends video alone, then says deleteStream.", |t| {
            Box::pin(video_only(t))
        }),
        Scenario::new("close_stream", CloseStream, None, "Says closeStream and closes.", |t| {
            Box::pin(close_stream(t))
        }),
        Scenario::new(
            "fc_unpublish_then_close",
            CloseStream,
            D::FcUnpublishClosed,
            "Says FCUnpublish and closes.",
            |t| Box::pin(fc_unpublish_then_close(t)),
        ),
        Scenario::new(
            "fc_unpublish_alone",
            CloseStream,
            D::FcUnpublishAlone,
            "Says FCUnpublish, and nothing after it.",
            |t| Box::pin(fc_unpublish_alone(t)),
        ),
        Scenario::new(
            "republish",
            CloseStream,
            D::Republished,
            "Says FCUnpublish and publishes another name on the same connection.",
            |t| Box::pin(republish(t)),
        ),
        Scenario::new(
            "close_between_messages",
            EndOfFile,
            D::AtMessageBoundary,
            "Closes without a word between two messages.",
            |t| Box::pin(close_between_messages(t)),
        ),
        Scenario::new(
            "close_in_a_message",
            EndOfFile,
            D::MidMessage,
            "Closes without a word in the middle of a message.",
            |t| Box::pin(close_in_a_message(t)),
        ),
        Scenario::new(
            "encoder_overloaded",
            EndOfFile,
            None,
            "Falls behind real time on a calm network, as an overloaded encoder does, and closes: no collapse.",
            |t| Box::pin(encoder_overloaded(t)),
        ),
        Scenario::new(
            "process_killed",
            EndOfFile,
            None,
            "The client's process is killed while it streams.",
            |t| Box::pin(process_killed(t)),
        )
        .within(AT_ONCE),
        Scenario::new(
            "killed_with_unread_bytes",
            Reset,
            None,
            "The client's process is killed while it streams and leaves our acknowledgements unread: its system resets.",
            |t| Box::pin(killed_with_unread_bytes(t)),
        )
        .needing(Needs::Own)
        .within(AT_ONCE),
        Scenario::new(
            "socket_destroyed",
            Reset,
            None,
            "The client's own host takes the connection away from it.",
            |t| Box::pin(socket_destroyed(t)),
        )
        .needing(Needs::Root(&["ss"]))
        .within(AT_ONCE),
        Scenario::new(
            "reset_between_messages",
            Reset,
            D::AtMessageBoundary,
            "Resets the connection between two messages.",
            |t| Box::pin(reset_between_messages(t)),
        )
        .within(AT_ONCE),
        Scenario::new(
            "reset_in_a_message",
            Reset,
            D::MidMessage,
            "Resets the connection in the middle of a message.",
            |t| Box::pin(reset_in_a_message(t)),
        )
        .within(AT_ONCE),
    ]
}

async fn live(trial: &Trial) -> Result<(Client, Seen), LabError> {
    let site = trial.site().await?;
    let client = site.live(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream());
    Ok((client, seen))
}

async fn delete_stream(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    client.stream(Pace::default(), Duration::from_secs(1)).await?;
    Ok(seen.at(client.delete_stream().await?))
}

async fn goodbye_then_reset(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    let id = client.stream_id();
    client.session().fc_unpublish(trial.stream());
    client.session().delete_stream(id);
    client.flush().await?;
    let seen = seen.now();
    client.reset().await?;
    Ok(seen)
}

async fn audio_only(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut client = site.published(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream());
    let id = client.stream_id();
    client.session().send_media(id, MediaKind::Audio, 0, media::audio_header());
    for time in (0..1_000).step_by(20) {
        client.session().send_media(id, MediaKind::Audio, time, &media::audio(120));
        client.flush().await?;
        sleep(Duration::from_millis(20)).await;
    }
    Ok(seen.at(client.delete_stream().await?))
}

async fn video_only(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut client = site.published(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream());
    client.send_video(media::video_header()).await?;
    for turn in 0..30 {
        client.send_video(&media::video(turn == 0, 1_000)).await?;
        sleep(Duration::from_millis(33)).await;
    }
    let no_audio = |record: &Record| record.audio.as_ref().map(|audio| format!("it has audio: {audio:?}"));
    Ok(seen.check(no_audio).at(client.delete_stream().await?))
}

async fn close_stream(trial: Trial) -> Result<Seen, LabError> {
    let (client, seen) = live(&trial).await?;
    Ok(seen.at(client.close_stream().await?))
}

async fn fc_unpublish_then_close(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    client.session().fc_unpublish(trial.stream());
    Ok(seen.at(client.end_of_file().await?))
}

async fn fc_unpublish_alone(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    client.session().fc_unpublish(trial.stream());
    client.flush().await?;
    let seen = seen.now();
    client.idle(Duration::from_secs(3)).await?;
    Ok(seen.keep(client))
}

async fn republish(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    let next = seen.site.publish_name(&format!("{}-next", trial.stream()));
    client.session().fc_unpublish(trial.stream());
    let seen = seen.now();
    client.publish(&next).await?;
    client.delete_stream().await?;
    Ok(seen)
}

async fn close_between_messages(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    client.stream(Pace::default(), Duration::from_secs(1)).await?;
    Ok(seen.at(client.end_of_file().await?))
}

async fn close_in_a_message(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    client.send_raw(&HALF_MESSAGE).await?;
    Ok(seen.at(client.end_of_file().await?))
}

async fn process_killed(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let mut pusher = Pusher::start(&[], &site, trial.stream(), 400, &[Step::Stream(30.0)])?;
    pusher.reaches("stream").await?;
    sleep(Duration::from_secs(1)).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    pusher.signal(Signal::Kill)?;
    Ok(seen.keep(pusher))
}

async fn killed_with_unread_bytes(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let mut pusher = Pusher::start(&[], &site, trial.stream(), 1_000, &[Step::Deaf(30.0)])?;
    pusher.reaches("deaf").await?;
    sleep(Duration::from_secs(2)).await;
    let seen = Seen::stream(&site, trial.stream()).now();
    pusher.signal(Signal::Kill)?;
    Ok(seen.keep(pusher))
}

async fn socket_destroyed(trial: Trial) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Standard).await?;
    let client = site.live(trial.stream()).await?;
    let seen = Seen::push(&site, &client, trial.stream()).now();
    let (server, port) = (format!("dport = :{}", site.rtmp.port()), format!("sport = :{}", client.port()));
    process::run("ss", ["-K", "-t", "-n", &format!("( {server} and {port} )")])?;
    Ok(seen.keep(client))
}

async fn reset_between_messages(trial: Trial) -> Result<Seen, LabError> {
    let (client, seen) = live(&trial).await?;
    Ok(seen.at(client.reset().await?))
}

async fn reset_in_a_message(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    client.send_raw(&HALF_MESSAGE).await?;
    Ok(seen.at(client.reset().await?))
}

async fn encoder_overloaded(trial: Trial) -> Result<Seen, LabError> {
    let (mut client, seen) = live(&trial).await?;
    client.stream(Pace { fps: 13, speed: 0.45, ..Pace::default() }, Duration::from_secs(12)).await?;
    Ok(seen.at(client.end_of_file().await?))
}
