//! Clients that move, sleep, and come back: what an operator meets every week.

use std::time::Duration;

use cause::{Cause, DetailKey};
use tokio::time::sleep;

use super::{LONG, Line, NAMESPACE, USUAL};
use crate::child::{Pusher, Step};
use crate::error::LabError;
use crate::network::{Between, Conditions};
use crate::process::Signal;
use crate::scenario::{Scenario, Seen};
use crate::server::Profile;
use crate::trial::Trial;

/// Longer than the path limit of the servers with short limits.
const ASLEEP: Duration = Duration::from_secs(8);
/// Long enough for our probe, shorter than the limits of a patient server.
const AWAY: Duration = Duration::from_secs(5);

pub(super) fn scenarios() -> Vec<Scenario> {
    use Cause::{DeleteStream, MediaStopped, PathLost, TakenOverEmpty};
    use DetailKey as D;
    let scenarios = [
        Scenario::new(
            "wifi_drop",
            TakenOverEmpty,
            D::ReplacedBy,
            "The client's Wi-Fi drops, it gives up, and reconnects: its first connection is still there as a ghost.",
            |t| Box::pin(wifi_drop(t)),
        ),
        Scenario::new(
            "address_change",
            PathLost,
            D::PathLost,
            "The client's address changes in the middle of the push, as from Wi-Fi to mobile data.",
            |t| Box::pin(address_change(t)),
        ),
        Scenario::new(
            "address_change_and_back",
            TakenOverEmpty,
            D::ReplacedBy,
            "The client's address changes, and it reconnects from the new one while the server still waits for the old.",
            |t| Box::pin(address_change_and_back(t)),
        ),
        Scenario::new(
            "laptop_lid",
            PathLost,
            D::PathLost,
            "A laptop's lid is closed: host and program sleep, and wake up too late.",
            |t| Box::pin(laptop_lid(t)),
        ),
        Scenario::new(
            "laptop_lid_briefly",
            DeleteStream,
            None,
            "A laptop's lid is closed and opened again within the limits: the push goes on, and is stopped later.",
            |t| Box::pin(laptop_lid_briefly(t)),
        ),
        Scenario::new(
            "phone_in_background",
            MediaStopped,
            D::EncoderFrozen,
            "A phone puts the app in the background: its system acknowledges, and the app stands still.",
            |t| Box::pin(phone_in_background(t)),
        ),
    ];
    scenarios.into_iter().map(|scenario| scenario.needing(NAMESPACE)).collect()
}

async fn wifi_drop(trial: Trial) -> Result<Seen, LabError> {
    let steps = [Step::Stream(5.0), Step::Reset];
    let mut line = Line::start(&trial, Between::new()?, Profile::Patient, USUAL, &steps).await?;
    line.between.black_hole(true);
    line.pusher.reaches("reset").await?;
    sleep(AWAY).await;
    line.between.black_hole(false);
    replaced(&trial, line).await
}

async fn address_change(trial: Trial) -> Result<Seen, LabError> {
    let line = Line::usual(&trial).await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    line.between.roam()?;
    Ok(seen.keep(line))
}

async fn address_change_and_back(trial: Trial) -> Result<Seen, LabError> {
    let line = Line::start(&trial, Between::new()?, Profile::Patient, USUAL, &[Step::Stream(LONG)]).await?;
    line.between.roam()?;
    sleep(AWAY).await;
    replaced(&trial, line).await
}

/// The client pushes once more, and the server sees that its first push is a ghost.
async fn replaced(trial: &Trial, line: Line) -> Result<Seen, LabError> {
    let ghost = Seen::stream(&line.site, trial.stream()).now().check(|record| {
        (record.duration_ms < 2_000).then(|| "this is the record of the second push".to_owned())
    });
    let mut second =
        Pusher::start(&line.between.under(), &line.site, trial.stream(), USUAL, &[Step::Stream(LONG)])?;
    second.reaches("stream").await?;
    Ok(ghost.keep(second).keep(line))
}

async fn laptop_lid(trial: Trial) -> Result<Seen, LabError> {
    let line = Line::usual(&trial).await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    sleep_for(&line, ASLEEP).await?;
    Ok(seen.keep(line))
}

async fn laptop_lid_briefly(trial: Trial) -> Result<Seen, LabError> {
    let steps = [Step::Stream(12.0), Step::Delete];
    let mut line = Line::start(&trial, Between::new()?, Profile::Patient, USUAL, &steps).await?;
    sleep_for(&line, AWAY).await?;
    line.pusher.reaches("delete").await?;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    Ok(seen.keep(line))
}

/// Host and program sleep.
async fn sleep_for(line: &Line, asleep: Duration) -> Result<(), LabError> {
    line.pusher.signal(Signal::Stop)?;
    line.between.black_hole(true);
    sleep(asleep).await;
    line.between.black_hole(false);
    line.pusher.signal(Signal::Continue)
}

async fn phone_in_background(trial: Trial) -> Result<Seen, LabError> {
    // Once it has answered a ping, silence means that it stands still.
    let steps = [Step::Idle(4.5), Step::Stream(LONG)];
    let between = Between::new()?;
    between.change(|path| {
        let mobile = Conditions { jitter: Duration::from_millis(30), ..path.up };
        (path.up, path.down) = (mobile, mobile);
    });
    let mut line = Line::start(&trial, between, Profile::Standard, USUAL, &steps).await?;
    line.pusher.reaches("stream").await?;
    sleep(Duration::from_secs(2)).await;
    let seen = Seen::stream(&line.site, trial.stream()).now();
    line.pusher.signal(Signal::Stop)?;
    Ok(seen.keep(line))
}
