//! Records that are replayed: the export of a push is driven against the server again and must be judged alike.

use std::time::Duration;

use cause::{Cause, DetailKey};
use model::{Clock, Record, SystemClock};
use tokio::time::sleep;

use crate::client::Pace;
use crate::error::LabError;
use crate::replay;
use crate::scenario::{Scenario, Seen};
use crate::trial::Trial;

/// A record comes within this many looks, or the scenario is given up.
const LOOKS: u32 = 150;
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) fn scenarios() -> Vec<Scenario> {
    let in_a_message = DetailKey::MidMessage;
    vec![
        Scenario::new(
            "replayed_goodbye",
            Cause::DeleteStream,
            None,
            "Replays the record of a push that said deleteStream.",
            |t| Box::pin(replayed(t, Way::Goodbye)),
        ),
        Scenario::new(
            "replayed_unpublish",
            Cause::CloseStream,
            DetailKey::FcUnpublishClosed,
            "Replays the record of a push that said FCUnpublish and closed.",
            |t| Box::pin(replayed(t, Way::Unpublish)),
        ),
        Scenario::new(
            "replayed_close",
            Cause::EndOfFile,
            in_a_message.clone(),
            "Replays the record of a push that closed in the middle of a message.",
            |t| Box::pin(replayed(t, Way::CloseInMessage)),
        ),
        Scenario::new(
            "replayed_reset",
            Cause::Reset,
            in_a_message,
            "Replays the record of a push that reset in the middle of a message.",
            |t| Box::pin(replayed(t, Way::ResetInMessage)),
        ),
        Scenario::new(
            "replayed_set_up",
            Cause::LeftAfterConnect,
            DetailKey::SetupClosed,
            "Replays the record of a connection that was closed after connect.",
            |t| Box::pin(replayed(t, Way::AfterConnect)),
        ),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Goodbye,
    Unpublish,
    CloseInMessage,
    ResetInMessage,
    AfterConnect,
}

/// The start of a video message: a full chunk header that announces 100 bytes, and ten of them.
const HALF_MESSAGE: [u8; 22] = [0x06, 0, 0, 0, 0, 0, 100, 9, 1, 0, 0, 0, 0x17, 1, 0, 0, 0, 0, 0, 0, 5, 0x65];

async fn replayed(trial: Trial, way: Way) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let original = format!("{}-original", trial.stream());
    let began = SystemClock.now();
    let mut client = site.open().await?;
    let port = client.port();
    if way == Way::AfterConnect {
        client.handshake().await?;
        client.connect(&site.app, &site.tc_url()).await?;
        client.end_of_file().await?;
    } else {
        let mut client = site.publish_on(client, &original).await?;
        client.stream(Pace::default(), Duration::from_secs(2)).await?;
        match way {
            Way::Goodbye | Way::AfterConnect => client.delete_stream().await?,
            Way::Unpublish => {
                client.session().fc_unpublish(&original);
                client.end_of_file().await?
            }
            Way::CloseInMessage => {
                client.send_raw(&HALF_MESSAGE).await?;
                client.end_of_file().await?
            }
            Way::ResetInMessage => {
                client.send_raw(&HALF_MESSAGE).await?;
                client.reset().await?
            }
        };
    }
    for _ in 0..LOOKS {
        let records = site.api.recent_records().await?;
        // A port is used again by others, so the time counts too.
        let its_own = |record: &Record| record.client_port == port && record.ended_at >= began;
        if let Some(record) = records.into_iter().find(its_own) {
            let export = site.api.export(record.id).await?;
            return replay::play(&export, &site, trial.stream(), false).await;
        }
        sleep(LOOK_EVERY).await;
    }
    Err(LabError::Late { awaited: "the record to replay".to_owned(), limit: LOOK_EVERY * LOOKS })
}
