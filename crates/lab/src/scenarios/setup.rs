//! A client that leaves, or dawdles, before it is live.

use std::sync::Arc;
use std::time::Duration;

use cause::{Cause, DetailKey};

use crate::client::PATIENCE;
use crate::error::LabError;
use crate::hook::{Answer, Hook};
use crate::scenario::{Needs, Scenario, Seen};
use crate::server::{Profile, Server, Setup};
use crate::site::Site;
use crate::trial::Trial;

/// How far a client goes before it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Connection,
    HalfHandshake,
    Handshake,
    Connect,
    CreateStream,
}

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{
        LeftAfterConnect, LeftBeforeConnect, LeftBeforeFirstByte, LeftBeforePublish, LeftInAuthHook,
        LeftInRtmpHandshake,
    };
    use DetailKey::{SetupClosed, SetupLimit};
    vec![
        Scenario::new(
            "left_before_first_byte",
            LeftBeforeFirstByte,
            SetupClosed,
            "Connects and closes, as a port check does.",
            |t| Box::pin(leaves(t, Stage::Connection)),
        ),
        Scenario::new(
            "left_in_handshake",
            LeftInRtmpHandshake,
            SetupClosed,
            "Closes in the middle of the handshake.",
            |t| Box::pin(leaves(t, Stage::HalfHandshake)),
        ),
        Scenario::new(
            "left_before_connect",
            LeftBeforeConnect,
            SetupClosed,
            "Closes after the handshake.",
            |t| Box::pin(leaves(t, Stage::Handshake)),
        ),
        Scenario::new("left_after_connect", LeftAfterConnect, SetupClosed, "Closes after connect.", |t| {
            Box::pin(leaves(t, Stage::Connect))
        }),
        Scenario::new(
            "left_before_publish",
            LeftBeforePublish,
            SetupClosed,
            "Closes after createStream.",
            |t| Box::pin(leaves(t, Stage::CreateStream)),
        ),
        Scenario::new(
            "silent_from_the_start",
            LeftBeforeFirstByte,
            SetupLimit,
            "Connects and says nothing, until the limit for the handshake.",
            |t| Box::pin(dawdles(t, Stage::Connection)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "silent_in_handshake",
            LeftInRtmpHandshake,
            SetupLimit,
            "Stops in the middle of the handshake, until its limit.",
            |t| Box::pin(dawdles(t, Stage::HalfHandshake)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "silent_after_connect",
            LeftAfterConnect,
            SetupLimit,
            "Says nothing after connect, until the limit for the set-up.",
            |t| Box::pin(dawdles(t, Stage::Connect)),
        )
        .needing(Needs::Own),
        Scenario::new(
            "left_in_auth_hook",
            LeftInAuthHook,
            SetupClosed,
            "Leaves while the authentication hook is still deciding.",
            |t| Box::pin(left_in_auth_hook(t)),
        )
        .needing(Needs::Own),
    ]
}

async fn reach(site: &Site, stage: Stage) -> Result<crate::client::Client, LabError> {
    let mut client = site.open().await?;
    if stage == Stage::HalfHandshake {
        // C0 and less than half of C1.
        client.send_raw(&[3; 700]).await?;
        return Ok(client);
    }
    if stage >= Stage::Handshake {
        client.handshake().await?;
    }
    if stage >= Stage::Connect {
        client.connect(&site.app, &site.tc_url()).await?;
    }
    if stage >= Stage::CreateStream {
        client.create_stream().await?;
    }
    Ok(client)
}

async fn leaves(trial: Trial, stage: Stage) -> Result<Seen, LabError> {
    let site = trial.site().await?;
    let client = reach(&site, stage).await?;
    let seen = Seen::connection(&site, &client);
    Ok(seen.at(client.end_of_file().await?))
}

async fn dawdles(trial: Trial, stage: Stage) -> Result<Seen, LabError> {
    let site = trial.own(Profile::Impatient).await?;
    let mut client = reach(&site, stage).await?;
    let seen = Seen::connection(&site, &client).now();
    client.wait_for_close(PATIENCE).await?;
    Ok(seen)
}

async fn left_in_auth_hook(trial: Trial) -> Result<Seen, LabError> {
    let hook = Hook::start(Answer::Late(Duration::from_secs(5))).await?;
    let mut setup = Setup::new(Profile::Plain);
    setup.config.push_str(&format!("\n[auth_hook]\ntimeout = \"10s\"\nurl = \"{}\"\n", hook.url()));
    let site = Site::own(Arc::new(Server::start(setup).await?))?;
    let mut client = site.ready(site.open().await?).await?;
    let seen = Seen::push(&site, &client, trial.stream());
    client.ask_to_publish(&site.publish_name(trial.stream())).await?;
    client.idle(Duration::from_secs(1)).await?;
    Ok(seen.at(client.end_of_file().await?).keep(hook))
}
